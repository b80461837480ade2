"""The copies of anchors that a verification is given."""

from __future__ import annotations

from pathlib import Path

from recycling.gateways.anchor_file import FILE, read_lines
from recycling.usecases.audit.judge_anchors import Copy


def copies_in(folder: Path | None, *others: Path) -> list[Copy]:
    """The standing second place, which has every anchor, and whatever else somebody kept, of the bureau for example."""
    standing = [] if folder is None else [Copy(place=FILE, lines=read_lines(folder / FILE), whole=True)]
    return [*standing, *(Copy(place=path.name, lines=read_lines(path)) for path in others)]
