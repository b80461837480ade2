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
    places: int | None = None
    """Decimals of both figures where the usual three digits hide what counts."""

    @property
    def ratio(self) -> str:
        """Our figure over the peer's."""
        return f"{self.figure / self.peer_figure:.2f}" if self.peer_figure else "–"

    def cells(self) -> tuple[str, ...]:
        """Return the row as printed, without its verdict."""
        figure, peer_figure = (shown(one, places=self.places) for one in (self.figure, self.peer_figure))
        beside = "–" if self.peer_figure is None else f"{self.peer} {peer_figure} {self.unit}".strip()
        return (self.name, f"{figure} {self.unit}".strip(), self.target, beside, self.ratio)


def shown(figure: object, *, places: int | None = None) -> str:
    """Return a figure with as many digits as a reader can use, or as many decimals as asked for."""
    if isinstance(figure, float) and places is not None:
        return f"{figure:,.{places}f}"
    if isinstance(figure, float):
        return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.3g}"
    if isinstance(figure, int) and not isinstance(figure, bool):
        return f"{figure:,}"
    return "–" if figure is None else str(figure)


def verdict(*, ok: bool) -> str:
    """Return the word that ends a line."""
    return "ok" if ok else "short"


def plain(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return lines of cells as one aligned table, without verdicts."""
    return _aligned(headings, ([Text(" ".join(cell.split())) for cell in line] for line in lines), colour=False)


def rendered(headings: Sequence[str], lines: Iterable[tuple[Sequence[str], bool]], *, colour: bool) -> str:
    """Return lines of cells and their verdicts as one aligned table, one line each."""

    def texts(cells: Sequence[str], ok: bool) -> list[Text]:  # noqa: FBT001  # two parts of one line
        end = Text(verdict(ok=ok), style="green" if ok else "bold red")
        return [*(Text(" ".join(cell.split())) for cell in cells), end]

    return _aligned(headings, (texts(*line) for line in lines), colour=colour)


def _aligned(headings: Sequence[str], lines: Iterable[Sequence[Text]], *, colour: bool) -> str:
    table = Table(*headings, box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for line in lines:
        table.add_row(*line)
    console = Console(width=_WIDEST, force_terminal=colour, no_color=not colour, highlight=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def keep(area: str, rows: Sequence[Row], *, path: Path = KEPT_IN) -> None:
    """Replace an area's table in the page of results, adding the area when it is new."""
    cells = [(*row.cells(), verdict(ok=row.ok)) for row in rows]
    keep_block(area, f"Measured {circumstances()}.\n\n{markdown((*HEADINGS[:-1], 'verdict'), cells)}", path=path)


def markdown(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return cells as a Markdown table."""
    table = ["| " + " | ".join(_cell(cell) for cell in line) + " |" for line in (headings, *lines)]
    return "\n".join([table[0], "|" + "---|" * len(headings), *table[1:]])


def keep_block(area: str, text: str, *, path: Path = KEPT_IN) -> None:
    """Replace what stands between an area's marks in the page of results, adding the area when it is new."""
    begin, end = f"<!-- {area}: begin -->", f"<!-- {area}: end -->"
    block = f"{begin}\n{text}\n{end}"
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
