"""Charts of a printed report (图表) as SVG: bars and columns, drawn from integers and so the same each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, BAR, GAP, LABEL = 520, 13, 5, 150  # in points of the page
HEIGHT, FOOT = 110, 24  # of columns, and of what stands below them
INK = "#2b6cb0"
FONT = 'font-size="9" font-family="Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, sans-serif"'


@dataclass(frozen=True, slots=True)
class Drawing:
    """An SVG; a template takes it for markup, which it is."""

    svg: str

    def __html__(self) -> str:
        return self.svg


def bars(rows: Sequence[tuple[str, int, str]]) -> Drawing:
    """One bar for each row of name, amount and the amount in words; below zero there is nothing to draw."""
    most = max([1, *(amount for _, amount, _ in rows)])
    room = WIDTH - LABEL - 90
    parts = []
    for number, (name, amount, words) in enumerate(rows):
        top = number * (BAR + GAP)
        length = max(0, amount) * room // most
        parts.append(
            f'<text x="{LABEL - 6}" y="{top + BAR - 4}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{LABEL}" y="{top}" width="{length}" height="{BAR}" fill="{INK}"/>'
            f'<text x="{LABEL + length + 5}" y="{top + BAR - 4}">{escape(words)}</text>'
        )
    return _drawing(parts, height=len(rows) * (BAR + GAP))


def columns(rows: Sequence[tuple[str, int]]) -> Drawing:
    """One column for each row of name and amount, with as many names below as there is room for."""
    most = max([1, *(amount for _, amount in rows)])
    step = min(26, max(1, WIDTH // max(1, len(rows))))
    parts = [f'<rect x="0" y="{HEIGHT}" width="{WIDTH}" height="1" fill="#777"/>']
    for number, (name, amount) in enumerate(rows):
        tall = max(0, amount) * (HEIGHT - 4) // most
        parts.append(
            f'<rect x="{number * step}" y="{HEIGHT - tall}" width="{max(1, step - 2)}" height="{tall}" fill="{INK}"/>'
        )
        if number % max(1, 60 // step) == 0:
            parts.append(f'<text x="{number * step}" y="{HEIGHT + 14}">{escape(name)}</text>')
    return _drawing(parts, height=HEIGHT + FOOT)


def _drawing(parts: Sequence[str], *, height: int) -> Drawing:
    size = f'viewBox="0 0 {WIDTH} {max(1, height)}" width="{WIDTH}" height="{max(1, height)}"'
    return Drawing(f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" {size} {FONT}>{"".join(parts)}</svg>')
