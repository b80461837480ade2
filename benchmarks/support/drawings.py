"""The drawings of docs/planning.md that show a real plan: ``python -m benchmarks.support.drawings`` writes them again.

A small day of the district is planned with a fixed seed and number of iterations, so the same drawings come out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape

from benchmarks.district import district_day
from recycling.routing.day import Day
from recycling.routing.draft import Draft, complete
from recycling.routing.parts import Neighbourhoods
from recycling.routing.plan import Plan, Route, Step
from recycling.routing.problem import Problem
from recycling.routing.solve import solve

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "planning"
STOPS, SEED, ITERATIONS, SECONDS = 150, 7, 4000, 900.0
PART = 60  # stops of the part drawn; on a day as small as this the search itself would take the whole
WIDTH, MAP_WIDTH = 960, 600
COLOURS = (
    "#0b6e4f", "#1f5fa8", "#b3541e", "#7a3e9d", "#c2185b", "#00838f", "#8d6e00", "#5d4037", "#3949ab", "#558b2f",
    "#d84315", "#6b6b6b",
)  # fmt: skip
FONT = "Helvetica, Arial, 'Noto Sans CJK SC', sans-serif"

_Scale = Callable[[float], float]


def main() -> None:
    """Plan the day and write all drawings."""
    problem = district_day(STOPS, SEED)
    plan = solve(problem, seconds=SECONDS, workers=1, seed=1, iterations=ITERATIONS)
    FOLDER.mkdir(exist_ok=True)
    for name, drawing in drawn(problem, plan).items():
        (FOLDER / name).write_text(drawing, encoding="utf-8")


def drawn(problem: Problem, plan: Plan) -> dict[str, str]:
    """The drawings of a plan by file name."""
    return {
        "map.svg": _map(problem, plan),
        "part.svg": _part(problem, plan),
        "timeline.svg": _timeline(problem, _telling(plan)),
    }


class Canvas:
    """Lines of an SVG file."""

    def __init__(self, height: int, title: str) -> None:
        self._lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" font-family="{FONT}" font-size="12" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        ]

    def add(self, line: str) -> None:
        """One element."""
        self._lines.append(line)

    def text(self, x: float, y: float, words: str, *, colour: str = "#1a1a1a", look: str = "") -> None:
        """Words that begin at a point; ``look`` holds further attributes."""
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" {look}>{escape(words)}</text>')

    def rect(self, x: float, y: float, wide: float, high: float, look: str) -> None:
        """A rectangle."""
        self.add(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(wide, 0.8):.1f}" height="{high:.1f}" {look}/>')

    def line(self, points: Sequence[tuple[float, float]], look: str) -> None:
        """A line through points."""
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.add(f'<path d="M{way}" fill="none" {look}/>')

    def done(self) -> str:
        """The file."""
        return "\n".join([*self._lines, "</svg>", ""])


class Ground:
    """The district on paper."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._outline = list(_outline())
        lats = [lat for lat, _ in (*problem.locations, *self._outline)]
        lons = [lon for _, lon in (*problem.locations, *self._outline)]
        self._north, self._west = max(lats), min(lons)
        self._narrow = math.cos(math.radians(sum(lats) / len(lats)))
        self._scale = (MAP_WIDTH - 30) / ((max(lons) - self._west) * self._narrow)
        self.height = int((self._north - min(lats)) * self._scale) + 30

    def at(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a latitude and longitude are on the canvas."""
        lat, lon = point
        return 15 + (lon - self._west) * self._narrow * self._scale, 15 + (self._north - lat) * self._scale

    def draw(self, canvas: Canvas) -> None:
        """The boundary."""
        canvas.line([self.at(p) for p in self._outline], 'stroke="#b9c4be" stroke-width="1.5" fill-opacity="0"')

    def stations(self, canvas: Canvas) -> None:
        """Stations with their names."""
        for station in self._problem.stations:
            x, y = self.at(self._problem.locations[station.location])
            full = "" if station.intake_limit is None else " *"
            canvas.rect(x - 5, y - 5, 10, 10, 'fill="#1a1a1a" stroke="#ffffff"')
            halo = 'stroke="#ffffff" stroke-width="3.5" paint-order="stroke" font-weight="bold"'
            canvas.text(x + 8, y - 6, station.key + full, look=halo)

    def route(self, canvas: Canvas, route: Route, look: str, dots: str) -> None:
        """A route's line and a dot for each stop."""
        canvas.line([self.at(self._problem.locations[step.location]) for step in route.steps], look)
        for step in route.steps:
            if step.kind == "pickup":
                x, y = self.at(self._problem.locations[step.location])
                canvas.add(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" {dots}/>')


def _outline() -> Iterator[tuple[float, float]]:
    collection = json.loads((ROOT / "config" / "district" / "boundary.geojson").read_text(encoding="utf-8"))
    for lon, lat in collection["features"][0]["geometry"]["coordinates"][0][0]:
        yield lat, lon


def _map(problem: Problem, plan: Plan) -> str:
    ground = Ground(problem)
    canvas = Canvas(ground.height, "A planned day of the district")
    ground.draw(canvas)
    for n, route in enumerate(plan.routes):
        colour = COLOURS[n % len(COLOURS)]
        ground.route(canvas, route, f'stroke="{colour}" stroke-width="1.8" stroke-opacity="0.85"', f'fill="{colour}"')
    ground.stations(canvas)
    left, top = MAP_WIDTH + 20, 40
    stops, routes = len(problem.stops), len(plan.routes)
    canvas.text(left, top, f"{stops} stops, {routes} routes", look='font-size="16" font-weight="bold"')
    canvas.text(left, top + 20, f"{stops} 个停靠点，{routes} 条路线", colour="#555555")
    canvas.text(left, top + 38, f"cost 成本 {plan.cost.total:,}", colour="#555555")
    for x, words in ((148, "stops"), (206, "unloads"), (306, "hours")):
        canvas.text(left + x, top + 66, words, colour="#777777", look='text-anchor="end"')
    for n, route in enumerate(plan.routes):
        y = top + 90 + 22 * n
        canvas.rect(left, y - 10, 12, 12, f'fill="{COLOURS[n % len(COLOURS)]}" rx="2"')
        canvas.text(left + 20, y, route.vehicle)
        kinds = [step.kind for step in route.steps]
        canvas.text(left + 148, y, str(kinds.count("pickup")), look='text-anchor="end"')
        canvas.text(left + 206, y, str(kinds.count("unload")), look='text-anchor="end"')
        first, last = route.steps[0].end_s, route.steps[-1].end_s
        canvas.text(left + 306, y, f"{_clock(first)}–{_clock(last)}", look='text-anchor="end"')
    y = top + 104 + 22 * len(plan.routes)
    canvas.text(left, y + 10, f"left out 未排入: {len(plan.unassigned)}", colour="#555555")
    canvas.rect(left, y + 22, 10, 10, 'fill="#1a1a1a"')
    canvas.text(left + 20, y + 32, "station; * takes only so much a day", colour="#555555")
    canvas.text(left + 20, y + 50, "站点；* 当日接收量有上限", colour="#555555")
    return canvas.done()


def _part(problem: Problem, plan: Plan) -> str:
    """A part as the search cuts it: the route tried least, the routes nearest to it, and spare vehicles."""
    day = Day(problem)
    rows: list[tuple[int, ...]] = [()] * len(problem.vehicles)
    for route in plan.routes:
        rows[day.vehicle_index[route.vehicle]] = tuple(day.stop_index[s.stop] for s in route.steps if s.stop)
    draft = complete(Draft(day), tuple(rows))
    found = Neighbourhoods(day, Random(3)).next(draft, PART)
    vehicles = set() if found is None else found[0]
    inside = [route for route in plan.routes if day.vehicle_index[route.vehicle] in vehicles]
    spare = [problem.vehicles[v].key for v in sorted(vehicles) if not rows[v]]
    ground = Ground(problem)
    canvas = Canvas(ground.height, "A part cut out of a day")
    ground.draw(canvas)
    for route in plan.routes:
        if route not in inside:
            ground.route(canvas, route, 'stroke="#c4c4c4" stroke-width="1.2"', 'fill="#c4c4c4"')
    for route in inside:
        colour = COLOURS[plan.routes.index(route) % len(COLOURS)]
        ground.route(canvas, route, f'stroke="{colour}" stroke-width="2.2"', f'fill="{colour}"')
    ground.stations(canvas)
    _part_legend(canvas, inside, spare, [COLOURS[plan.routes.index(r) % len(COLOURS)] for r in inside])
    return canvas.done()


def _part_legend(canvas: Canvas, inside: Sequence[Route], spare: Collection[str], colours: Sequence[str]) -> None:
    left, top = MAP_WIDTH + 20, 40
    served = sum(step.kind == "pickup" for route in inside for step in route.steps)
    canvas.text(left, top, f"A part of {served} stops", look='font-size="16" font-weight="bold"')
    canvas.text(left, top + 20, f"切出的子区：{served} 个停靠点", colour="#555555")
    canvas.text(left, top + 52, "In the part, a problem of its own:", look='font-weight="bold"')
    y = top + 74
    for route, colour in zip(inside, colours, strict=True):
        canvas.rect(left, y - 10, 12, 12, f'fill="{colour}" rx="2"')
        canvas.text(left + 20, y, f"the route of {route.vehicle}")
        y += 20
    shown = ", ".join(sorted(spare)) or "none"
    canvas.add(f'<circle cx="{left + 6}" cy="{y - 4}" r="5" fill="none" stroke="#1a1a1a"/>')
    canvas.text(left + 20, y, "unused vehicles that stand nearest:")
    canvas.text(left + 20, y + 18, shown, colour="#555555")
    canvas.text(left, y + 52, "Outside, and untouched:", look='font-weight="bold"')
    canvas.rect(left, y + 64, 12, 12, 'fill="#c4c4c4" rx="2"')
    canvas.text(left + 20, y + 74, "all other routes; what they bring to the")
    canvas.text(left + 20, y + 92, "stations with a limit (*) stays theirs")
    canvas.text(left, y + 124, "其余路线保持不动，其占用的", colour="#555555")
    canvas.text(left, y + 142, "站点接收量（*）照旧保留。", colour="#555555")


def _telling(plan: Plan) -> Route:
    """The route that shows most: an unload on the way, a lunch, many stops."""
    return max(
        plan.routes,
        key=lambda route: (
            any(step.kind == "break" for step in route.steps),
            any(step.kind == "unload" for step in route.steps),
            len(route.steps),
        ),
    )


ROW, NAMES = 17, 96


def _timeline(problem: Problem, route: Route) -> str:
    steps, rows = route.steps, len(route.steps)
    floor = 64 + ROW * rows
    canvas = Canvas(floor + 190, "One route: windows, work, lunch, unload and load on board")
    first, last = steps[0].start_s // 3600 * 3600, -(-steps[-1].end_s // 3600) * 3600

    def x(second: float) -> float:
        return NAMES + (WIDTH - NAMES - 24) * (min(max(second, first), last) - first) / (last - first)

    canvas.text(16, 24, f"One route, {route.vehicle}", look='font-size="16" font-weight="bold"')
    canvas.text(16, 44, "a row: one step, in sequence 每行一步", colour="#555555")
    _key(canvas)
    for hour in range(first, last + 1, 3600):
        canvas.line([(x(hour), 56), (x(hour), floor + 150)], 'stroke="#e6e6e6"')
        canvas.text(x(hour), floor + 168, _clock(hour), colour="#555555", look='text-anchor="middle"')
    for n, (step, before) in enumerate(zip(steps, (steps[0], *steps[:-1]), strict=True)):
        _row(canvas, problem, step, before, 58 + ROW * n, x)
    _load(canvas, problem, route, floor + 20, x)
    return canvas.done()


def _key(canvas: Canvas) -> None:
    looks = (
        (WINDOW, "window 时间窗"), (WAIT, "wait 等待"), (WORK, "work 作业"), (LUNCH, "lunch 午休"),
        (UNLOAD, "unload 卸货"),
    )  # fmt: skip
    for n, (look, words) in enumerate(looks):
        canvas.rect(330 + 122 * n, 13, 16, 13, look)
        canvas.text(352 + 122 * n, 24, words)


WINDOW = 'fill="#dfeee8" stroke="#0b6e4f" stroke-width="0.6"'
WAIT = 'fill="#ffffff" stroke="#888888" stroke-dasharray="2 2"'
WORK, LUNCH, UNLOAD = 'fill="#1f5fa8"', 'fill="#e8a06f" stroke="#b3541e"', 'fill="#7a3e9d"'


def _row(canvas: Canvas, problem: Problem, step: Step, before: Step, y: float, x: _Scale) -> None:
    """One step: its windows behind, the way to it as a slanted line, then wait and work."""
    if step.stop is not None:
        for opens, closes in problem.stop_by_key[step.stop].windows_s:
            canvas.rect(x(opens), y, x(closes) - x(opens), ROW - 4, WINDOW)
    name = (
        {"break": "lunch 午休", "start": "start 出发", "end": "home 回站"}.get(step.kind)
        or step.stop
        or (f"→ {step.station}")
    )
    canvas.text(NAMES - 8, y + 11, name, look='text-anchor="end"')
    middle = y + (ROW - 4) / 2
    if step is not before:
        canvas.line([(x(before.end_s), middle - ROW), (x(step.arrival_s), middle)], 'stroke="#444444"')
    if step.start_s > step.arrival_s:
        canvas.rect(x(step.arrival_s), y + 3, x(step.start_s) - x(step.arrival_s), ROW - 10, WAIT)
    look = {"break": LUNCH, "pickup": WORK}.get(step.kind, UNLOAD)
    if step.end_s > step.start_s:
        canvas.rect(x(step.start_s), y + 1, x(step.end_s) - x(step.start_s), ROW - 6, look)


def _load(canvas: Canvas, problem: Problem, route: Route, top: float, x: _Scale) -> None:
    """What is on board, in kilograms, below the vehicle's capacity."""
    capacity = problem.vehicle_by_key[route.vehicle].capacity
    shares = [max(a / c for a, c in zip(step.load, capacity, strict=True)) for step in route.steps]
    high, now, points = 110, 0.0, [(x(route.steps[0].end_s), top + 110)]
    for step, share in zip(route.steps, shares, strict=True):
        points += [(x(step.end_s), top + high * (1 - now)), (x(step.end_s), top + high * (1 - share))]
        now = share
    canvas.line([(NAMES, top), (WIDTH - 24, top)], 'stroke="#b3541e" stroke-dasharray="5 3"')
    canvas.text(NAMES - 8, top + 4, "full 满载", colour="#b3541e", look='text-anchor="end"')
    canvas.text(NAMES - 8, top + high, "empty 空车", colour="#555555", look='text-anchor="end"')
    canvas.add(
        '<path d="M' + "L".join(f"{px:.1f} {py:.1f}" for px, py in points) + 'Z" fill="#1f5fa8" fill-opacity="0.15" '
        'stroke="#1f5fa8"/>'
    )


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"


if __name__ == "__main__":
    main()
