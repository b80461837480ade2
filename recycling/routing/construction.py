"""The first plan: a standing one taken over, or made by regret insertion; a large day in parts, for time's sake."""

from __future__ import annotations

import math
import time

from recycling.routing.day import Day, Load
from recycling.routing.draft import Draft, complete
from recycling.routing.parts import cut, split
from recycling.routing.plan import Plan
from recycling.routing.timing import Timing

QUICK_LABELS = 12  # labels per stop while the first plan is built; the whole is then timed again
AT_ONCE = 350  # stops inserted together; more make the plan hardly better


def first_draft(day: Day, *, until: float = math.inf) -> Draft:
    """The floor: locked stops first, then everything else by regret; what no part had room for, anywhere."""
    empty, stops = Draft(day), len(day.place)
    rows: list[tuple[int, ...]] = [rig.locked for rig in day.rigs]
    groups = split(day, AT_ONCE) if stops > AT_ONCE else [(list(range(len(day.rigs))), list(range(stops)))]
    for vehicles, members in groups:
        if vehicles and members and time.monotonic() < until:
            part = cut(empty, vehicles, members, _share(day, len(members)))
            small = Day(part.problem)
            quick = Draft(small, timing=Timing(small, most_labels=QUICK_LABELS))
            complete(quick, tuple(rig.locked for rig in small.rigs), until=until)
            for vehicle, row in part.outside(quick.sequences).items():
                rows[vehicle] = row
    return complete(empty, tuple(rows), until=until)


def standing_draft(day: Day, plan: Plan, *, until: float = math.inf) -> Draft:
    """A plan of this day, or of what it was before: all of it that can be kept, and what is new inserted.

    Vehicles and stops that the day does not have are passed over.
    """
    vehicle_of = {vehicle.key: v for v, vehicle in enumerate(day.problem.vehicles)}
    rows: list[tuple[int, ...]] = [()] * len(day.rigs)
    for route in plan.routes:
        if route.vehicle in vehicle_of:
            served = (step.stop for step in route.steps if step.stop is not None)
            rows[vehicle_of[route.vehicle]] = tuple(day.stop_index[key] for key in served if key in day.stop_index)
    return complete(Draft(day), tuple(rows), until=until)


def _share(day: Day, members: int) -> tuple[Load, ...]:
    """A part's share of what the limited stations take."""
    return tuple(tuple(amount * members // len(day.place) for amount in most) for most in day.limits)
