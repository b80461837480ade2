"""One table for every figure we publish: printed for people, kept in docs/benchmarks.md."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
KEPT_IN = ROOT / "docs" / "benchmarks.md"
HEADINGS = ("what", "figure", "target", "beside it", "ratio", "")
_WIDEST = 400  # columns; wide enough that a line is never folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure beside its target and beside what it is compared with."""

    name: str
    figure: float
    unit: str
    target: str
    """As printed, its unit included: ``<= 35 s``, ``>= 0.4 x bare Flask``."""
    ok: bool
    peer: str = ""
    """What the figure stands beside: a peer program, or the least that could do the same."""
    peer_figure: float | None = None
    """In the same unit as ``figure``."""

    @property
    def ratio(self) -> str:
        """Our figure over the peer's."""
        return f"{self.figure / self.peer_figure:.2f}" if self.peer_figure else "–"

    def cells(self) -> tuple[str, ...]:
        """Return the row as printed, without its verdict."""
        beside = "–" if self.peer_figure is None else f"{self.peer} {shown(self.peer_figure)} {self.unit}".strip()
        return (self.name, f"{shown(self.figure)} {self.unit}".strip(), self.target, beside, self.ratio)


def shown(figure: object) -> str:
    """Return a figure with as many digits as a reader can use."""
    if isinstance(figure, float):
        return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.3g}"
    if isinstance(figure, int) and not isinstance(figure, bool):
        return f"{figure:,}"
    return "–" if figure is None else str(figure)


def verdict(*, ok: bool) -> str:
    """Return the word that ends a line."""
    return "ok" if ok else "short"


def rendered(headings: Sequence[str], lines: Iterable[tuple[Sequence[str], bool]], *, colour: bool) -> str:
    """Return lines of cells and their verdicts as one aligned table, one line each."""
    table = Table(*headings, box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for cells, ok in lines:
        end = Text(verdict(ok=ok), style="green" if ok else "bold red")
        table.add_row(*(Text(" ".join(cell.split())) for cell in cells), end)
    console = Console(width=_WIDEST, force_terminal=colour, no_color=not colour, highlight=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def keep(area: str, rows: Sequence[Row], *, path: Path = KEPT_IN) -> None:
    """Replace an area's table in the page of results, adding the area when it is new."""
    begin, end = f"<!-- {area}: begin -->", f"<!-- {area}: end -->"
    lines = [begin, f"Measured {circumstances()}.", "", "| " + " | ".join((*HEADINGS[:-1], "verdict")) + " |"]
    lines.append("|" + "---|" * len(HEADINGS))
    lines += ["| " + " | ".join((*(_cell(cell) for cell in row.cells()), verdict(ok=row.ok))) + " |" for row in rows]
    block = "\n".join([*lines, end])
    page = path.read_text(encoding="utf-8")
    between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if between.search(page):
        page = between.sub(lambda _: block, page)
    else:
        page = f"{page.rstrip()}\n\n## {area}\n\n{block}\n"
    path.write_text(page, encoding="utf-8")


def circumstances() -> str:
    """Return when, on what code and on how large a machine a figure was taken."""
    commit = _git("rev-parse", "--short", "HEAD") or "no commit"
    if _git("status", "--porcelain", "--", ".", ":!docs"):
        commit += " with changes not yet committed"
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    # What this process may use, not what the board carries: containers get a share.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{datetime.now(UTC):%Y-%m-%d} on commit {commit}, {cores} cores, {memory_gib:.0f} GiB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def _cell(text: str) -> str:
    """Return text that cannot end a Markdown table cell early."""
    return text.replace("|", "\\|")


def _git(*arguments: str) -> str:
    """Return what git answers, or nothing outside a repository."""
    answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else ""
