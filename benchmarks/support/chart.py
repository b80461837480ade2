"""Cost over time as a drawing: one panel a line of the table, one step line a planner, as SVG written by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from benchmarks.support.peers import PEERS
from benchmarks.support.runner import OURS
from benchmarks.support.store import Result

WIDTH, PANEL, GAP = 960, 250, 34
LEFT, RIGHT, TOP = 78, 200, 68
MOST_ABOVE = 1.35  # costs further above the best are off the panel
# Told apart without colour as well: each has a dash of its own.
LOOKS: Mapping[str, tuple[str, str]] = {
    OURS: ("#0b6e4f", ""),
    "pyvrp": ("#1f5fa8", "7 3"),
    "ortools": ("#b3541e", "2 3"),
    "vroom": ("#7a3e9d", "9 3 2 3"),
    "vrp-cli": ("#6b6b6b", "4 4"),
}

Scale = Callable[[float], float]


def drawn(panels: Mapping[str, Mapping[str, Result]]) -> str:
    """Draw results.

    Parameters
    ----------
    panels
        By line of the table: each planner's result on one instance of it. Planners without a cost are left out.
    """
    height = TOP + len(panels) * (PANEL + GAP) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13" role="img">',
        "<title>Cost of the best plan over wall time, ours and the peers</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="26" font-size="17" font-weight="bold" fill="#1a1a1a">'
        "Cost of the best plan over time</text>",
        f'<text x="{LEFT}" y="45" fill="#555555">same seconds and two cores for all; peers’ answers mended for free; '
        "lower is better, ↑ is above the panel</text>",
    ]
    for n, (line, results) in enumerate(panels.items()):
        shown = {name: r for name, r in results.items() if r.cost is not None and r.trace}
        if shown:
            parts += _panel(TOP + n * (PANEL + GAP), line, shown)
    return "\n".join([*parts, "</svg>", ""])


def _panel(top: int, line: str, results: Mapping[str, Result]) -> Iterator[str]:
    seconds = max(max(r.seconds, r.trace[-1][0]) for r in results.values())
    best = min(r.trace[-1][1] for r in results.values())
    worst = min(max(cost for r in results.values() for _, cost in r.trace), best * MOST_ABOVE)
    room = max(worst - best, best * 0.01)
    low, high = best - 0.06 * room, worst + 0.06 * room
    right = WIDTH - RIGHT

    def x(second: float) -> float:
        return LEFT + (right - LEFT) * second / seconds

    def y(cost: float) -> float:
        return top + 24 + (PANEL - 48) * (high - min(cost, high)) / (high - low)

    instance = next(iter(results.values())).instance
    yield (
        f'<text x="{LEFT}" y="{top + 10}" fill="#555555">'
        f'<tspan font-weight="bold" fill="#1a1a1a">{escape(line)}</tspan> · {escape(instance)}</text>'
    )
    for cost in _ticks(low, high):
        yield f'<line x1="{LEFT}" x2="{right}" y1="{y(cost):.1f}" y2="{y(cost):.1f}" stroke="#e3e3e3"/>'
        yield f'<text x="{LEFT - 8}" y="{y(cost) + 4:.1f}" text-anchor="end" fill="#555555">{cost:,.0f}</text>'
    floor = top + PANEL - 24
    yield f'<line x1="{LEFT}" x2="{right}" y1="{floor}" y2="{floor}" stroke="#888888"/>'
    for second in _ticks(0, seconds):
        yield f'<text x="{x(second):.1f}" y="{floor + 18}" text-anchor="middle" fill="#555555">{second:g} s</text>'
    labels = []
    for name, result in sorted(results.items(), key=lambda one: one[1].trace[-1][1]):
        colour, dash = LOOKS[name]
        yield _steps(result, x, y, colour=colour, dash=dash, wide=2.6 if name == OURS else 1.8, seconds=seconds)
        cost = result.trace[-1][1]
        labels.append((y(cost), name, f"{cost:,}{' ↑' if cost > high else ''}", colour, dash))
    yield from _labels(labels, right)


def _steps(result: Result, x: Scale, y: Scale, *, colour: str, dash: str, wide: float, seconds: float) -> str:
    at, first = result.trace[0]
    path = [f"M{x(at):.1f} {y(first):.1f}"]
    for second, cost in result.trace[1:]:
        path += [f"H{x(second):.1f}", f"V{y(cost):.1f}"]
    path.append(f"H{x(seconds):.1f}")
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    dot = f'<circle cx="{x(at):.1f}" cy="{y(first):.1f}" r="3" fill="{colour}"/>'
    return f'<path d="{" ".join(path)}" fill="none" stroke="{colour}" stroke-width="{wide}"{dashes}/>{dot}'


def _labels(labels: Sequence[tuple[float, str, str, str, str]], right: int) -> Iterator[str]:
    """Names and costs beside the ends of their lines, moved apart where they would lie on each other."""
    last = -math.inf
    for at, name, cost, colour, dash in sorted(labels):
        last = max(at, last + 16)
        title = "ours" if name == OURS else PEERS[name].title
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        ends = f'x1="{right + 8}" x2="{right + 36}" y1="{last:.1f}" y2="{last:.1f}"'
        yield f'<line {ends} stroke="{colour}" stroke-width="2"{dashes}/>'
        weight = ' font-weight="bold"' if name == OURS else ""
        yield f'<text x="{right + 42}" y="{last + 4:.1f}" fill="{colour}"{weight}>{title} {cost}</text>'


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round numbers between two."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(times for times in (1, 2, 2.5, 5, 10) if (high - low) / (step * times) <= 8)
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]
