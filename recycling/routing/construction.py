"""The first plan: by regret insertion, a large day in parts, so that its time grows with the stops and not faster."""

from __future__ import annotations

import math
import time

from recycling.routing.day import Day, Load
from recycling.routing.draft import Draft, complete
from recycling.routing.parts import cut, split
from recycling.routing.timing import Timing

QUICK_LABELS = 12  # labels per stop while the first plan is built; the whole is then timed again
AT_ONCE = 350  # stops inserted together; more make the plan hardly better


def first_draft(day: Day, *, until: float = math.inf) -> Draft:
    """The floor: locked stops first, then everything else by regret; what no part had room for, anywhere."""
    empty, stops = Draft(day), len(day.place)
    rows: list[tuple[int, ...]] = [rig.locked for rig in day.rigs]
    groups = split(day, AT_ONCE) if stops > AT_ONCE else [(list(range(len(day.rigs))), list(range(stops)))]
    for vehicles, members in groups:
        if vehicles and time.monotonic() < until:
            part = cut(empty, vehicles, members, _share(day, len(members)))
            small = Day(part.problem)
            quick = Draft(small, timing=Timing(small, most_labels=QUICK_LABELS))
            complete(quick, tuple(rig.locked for rig in small.rigs), until=until)
            for vehicle, row in part.outside(quick.sequences).items():
                rows[vehicle] = row
    return complete(empty, tuple(rows), until=until)


def _share(day: Day, members: int) -> tuple[Load, ...]:
    """A part's share of what the limited stations take."""
    return tuple(tuple(amount * members // len(day.place) for amount in most) for most in day.limits)
