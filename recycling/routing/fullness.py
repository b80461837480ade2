"""Why a day is full, in one sentence: which of time, load, station intake or skills its left-out stops ran into."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import add

from recycling.routing.cost import leg, places
from recycling.routing.plan import Plan, Route
from recycling.routing.problem import Problem, Stop

FEW = 0.5  # a skill that no more than this share of the fleet has can be what binds
SPARE = 0.75  # when no more than this of anything is used, it is windows that keep the rest from being used
MUCH_WAITING = 1 / 3  # of the time on the road: then it is windows that bind, not hours
NAMES = {
    "time": ("工时", "time"), "windows": ("时段", "windows"), "skills": ("技能", "skills"),
    "intake": ("站点接收量", "station intake"),
}  # fmt: skip


def why_full(problem: Problem, plan: Plan) -> str | None:
    """What binds on a day with stops crowded out, in both languages; ``None`` when none is.

    Notes
    -----
    Each share is what the routes use of what there is: time on the road of all shifts; per load unit what is carried of
    the capacity of all trips; at stations with a limit what is brought of it. The largest share binds. When
    there is much to spare of everything, or much of the time is waiting, windows bind; when the stops left out need
    skills that few vehicles have, and those vehicles are out longer than the rest, skills do.
    """
    left = [problem.stop_by_key[row.stop] for row in plan.unassigned if row.reason == "fleet_full"]
    if not left or not problem.vehicles:
        return None
    shares = {"time": _time(problem, plan)}
    for unit, share in zip(problem.load_units, _fill(problem, plan), strict=True):
        shares[unit] = share
    intake = _intake(problem, plan)
    if intake is not None:
        shares["intake"] = intake
    rare = _rare_skills(problem, plan, left, shares["time"])
    waiting = sum(_waiting_s(problem, route) for route in plan.routes)
    binding = max(shares, key=lambda name: shares[name])
    idle = binding == "time" and waiting > MUCH_WAITING * sum(map(_out_s, plan.routes))
    if rare:
        binding = "skills"
    elif idle or shares[binding] < SPARE:
        binding = "windows"
    zh = "，".join(f"{_name(name)[0]} {share:.0%}" for name, share in shares.items())
    en = ", ".join(f"{_name(name)[1]} {share:.0%}" for name, share in shares.items())
    which_zh, which_en = _name(binding)
    also = f"({', '.join(rare)})" if rare else ""
    return (
        f"{len(left)} 个停靠点排不下：{zh}；最紧的是{which_zh}{also} / {len(left)} stops are crowded out: {en} used; "
        f"what binds: {which_en} {also}".rstrip()
    )


def _name(resource: str) -> tuple[str, str]:
    return NAMES.get(resource, (f"装载({resource})", f"load ({resource})"))


def _time(problem: Problem, plan: Plan, among: set[str] | None = None) -> float:
    """Time on the road, of the shifts of all vehicles or of some."""
    vehicles = [v for v in problem.vehicles if among is None or v.key in among]
    shifts = sum(v.shift_s[1] - v.shift_s[0] for v in vehicles)
    keys = {v.key for v in vehicles}
    out = sum(_out_s(route) for route in plan.routes if route.vehicle in keys)
    return min(1.0, out / shifts) if shifts else 1.0


def _out_s(route: Route) -> int:
    return route.steps[-1].end_s - route.steps[0].end_s


def _waiting_s(problem: Problem, route: Route) -> int:
    where = places(problem, problem.vehicle_by_key[route.vehicle], route)
    way = sum(leg(problem, a, b)[0] for a, b in pairwise(where))
    return _out_s(route) - way - sum(step.end_s - step.start_s for step in route.steps[1:])


def _fill(problem: Problem, plan: Plan) -> list[float]:
    """What all trips carry of what they could, per load unit."""
    carried = room = (0,) * len(problem.load_units)
    for route in plan.routes:
        capacity = problem.vehicle_by_key[route.vehicle].capacity
        for before, step in pairwise(route.steps):
            if step.kind in ("unload", "end"):
                carried = tuple(map(add, carried, before.load))
                room = tuple(map(add, room, capacity))
    return [x / most if most else 0.0 for x, most in zip(carried, room, strict=True)]


def _intake(problem: Problem, plan: Plan) -> float | None:
    """What the fullest unit of all limited stations got of its limit; ``None`` without any limit."""
    shares = []
    for station in problem.stations:
        taken = (0,) * len(problem.load_units)
        for route in plan.routes:
            for before, step in pairwise(route.steps):
                if step.station == station.key:
                    taken = tuple(map(add, taken, before.load))
        shares += [x / most for x, most in zip(taken, station.intake_limit or (), strict=False) if most]
    return max(shares, default=None)


def _rare_skills(problem: Problem, plan: Plan, left: Sequence[Stop], usual: float) -> list[str]:
    """Skills that most stops left out need, few vehicles have, and that keep those vehicles busier than the fleet."""
    rare: set[str] = set()
    crowded = 0
    for stop in left:
        able = {v.key for v in problem.vehicles if stop.skills <= v.skills}
        if stop.skills and len(able) <= FEW * len(problem.vehicles) and _time(problem, plan, able) > usual:
            crowded += 1
            rare |= stop.skills
    return sorted(rare) if 2 * crowded > len(left) else []
