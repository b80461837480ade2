"""Make an anchor (锚定): where all chains stand, in the database, in a file apart from it, and with the bureau."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.gateways.anchor_file import append_lines
from recycling.logs import logger
from recycling.models.anchor import AuditAnchor, anchor_line, next_anchor
from recycling.models.outbox import post
from recycling.models.transaction import atomic

log = logger(__name__)


def make_anchor(*, folder: Path | None, session: Session, now: datetime, run_id: UUID | None = None) -> AuditAnchor:
    """Sign where the chains stand now. A run that comes again finds its anchor made, and the file brought up to it.

    Parameters
    ----------
    folder
        The second place; ``None`` keeps no file.
    """
    with atomic(session):
        made = None
        if run_id is not None:
            made = session.scalar(select(AuditAnchor).where(AuditAnchor.made_by_run_id == run_id))
        if made is None:
            made = next_anchor(session, day=service_day(now), now=now, run_id=run_id)
            post(
                session, dedupe_key=f"audit.anchor:{made.number}", kind="audit.anchor", to=("bureau", None),
                facts={"day": made.day.isoformat(), "anchor": anchor_line(made)}, now=now,
            )  # fmt: skip
        number, mac = made.number, bytes(made.mac).hex()
    appended = 0 if folder is None else append_lines(folder, lambda last: _later_than(last, session))
    log.info("audit.anchored", number=number, mac=mac, appended=appended)
    return made


def _later_than(number: int, session: Session) -> Iterator[dict[str, Any]]:
    later = select(AuditAnchor).where(AuditAnchor.number > number).order_by(AuditAnchor.number)
    for anchor in session.scalars(later):
        yield anchor_line(anchor)
