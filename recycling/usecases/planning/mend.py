"""The rest of a running day, planned: promised windows first, as few moves as possible second, distance last. Pure.

What no route can serve within its window any more is then offered to the routes at any later hour, for less than
a kept promise is worth: late is better than never, and nobody else pays for it with theirs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from recycling.routing import plan as planner
from recycling.routing.check import violations
from recycling.routing.cost import leg
from recycling.routing.problem import Problem, Stop
from recycling.routing.replan import OnRoute, changes, rest_of_day
from recycling.usecases.planning.live_day import LiveDay
from recycling.usecases.planning.plan_day import Solver

# Of giving a stop to another vehicle, in seconds of driving: a whole shift, more than moving one stop ever saves.
MOVING_COST = 36_000
LATE_SHARE = 0.4  # of the time, for late visits, where some are needed
NEVER = ("missing_skill", "over_capacity", "invalid")  # reasons that another hour does not change


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A plan for the rest of a day.

    Parameters
    ----------
    problem, answer
        The mid-day problem and its plan.
    whole
        The whole day: in front what is over or in hand, as it was planned.
    """

    problem: Problem
    answer: planner.Plan
    whole: planner.Plan


def rest_problem(live: LiveDay) -> Problem:
    """The mid-day problem: no saving of moves or road pays for a promise, and no saving of road for a move."""
    rest = rest_of_day(live.problem, live.standing, live.happened, moving_cost=MOVING_COST)
    late = {
        one.here.next_stop: one.late_s
        for one in live.live.values()
        if one.here is not None and one.here.next_stop is not None and one.late_s is not None
    }
    dearer = MOVING_COST * len(rest.stops)
    stops = tuple(
        replace(
            stop,
            skip_cost=None if stop.skip_cost is None else stop.skip_cost + dearer,
            # Somebody is driving there: it stays theirs, late as it is.
            windows_s=_until(stop, late[stop.key]) if stop.key in late else stop.windows_s,
        )
        for stop in rest.stops
    )
    return replace(rest, stops=stops)


def mended(
    live: LiveDay, *, solve: Solver, seconds: float, workers: int, seed: int, warm: planner.Plan | None = None
) -> Mended:
    """Plan the rest of a day; ``warm`` is an earlier answer for about the same rest, else the standing plan."""
    rest = rest_problem(live)
    share = 1 - LATE_SHARE
    answer = solve(
        rest, seconds=seconds * share, workers=workers, seed=seed, warm=warm or live.standing, on_progress=None
    )
    left = {one.stop for one in answer.unassigned if one.reason not in NEVER}
    if left:
        later = _late_allowed(rest, left, now_s=live.happened.now_s)
        late = solve(later, seconds=seconds * LATE_SHARE, workers=workers, seed=seed, warm=answer, on_progress=None)
        if not violations(later, late):
            rest, answer = later, late
    return Mended(problem=rest, answer=answer, whole=_whole(live, rest, answer))


def _late_allowed(rest: Problem, left: Collection[str], *, now_s: int) -> Problem:
    """The problem with the stops in ``left`` open to the end of the last window, all together for one promise."""
    last_s = max(closes for stop in rest.stops for _, closes in stop.windows_s)
    return replace(
        rest,
        stops=tuple(
            replace(
                stop,
                windows_s=_until(stop, max(last_s, now_s)),
                skip_cost=None if stop.skip_cost is None else stop.skip_cost // (len(left) + 1),
            )
            if stop.key in left
            else stop
            for stop in rest.stops
        ),
    )


def _until(stop: Stop, closes_s: int) -> tuple[tuple[int, int], ...]:
    """From when the stop's first window opens, without a gap."""
    opens = stop.windows_s[0][0]
    return ((opens, max(opens, closes_s, stop.windows_s[-1][1])),)


def _whole(live: LiveDay, rest: Problem, answer: planner.Plan) -> planner.Plan:
    """The whole day: every vehicle's past, then what it does from now on, or its way home."""
    ahead = {route.vehicle: route.steps for route in answer.routes}
    covered = {step.stop for one in live.live.values() for step in one.past if step.stop is not None}
    routes = []
    for vehicle in sorted(live.live.keys() | ahead.keys()):
        one = live.live[vehicle]
        # In hand by record, although no route of the standing plan has it: it is with whoever is there.
        extra = tuple(_at_door(live.problem, key, one.here) for key in sorted(one.in_hand - covered))
        past, steps = one.past + extra, ahead.get(vehicle, ())
        if past and steps:
            steps = steps[1:]  # the vehicle has left; where it goes on from is no start
        elif past and one.here is not None:
            steps = _home(rest, vehicle, one.here)
        if any(step.kind == "pickup" for step in (*past, *steps)):
            routes.append(planner.Route(vehicle=vehicle, steps=(*past, *steps)))
    return planner.Plan(
        cost=planner.NO_COST, routes=tuple(routes), unassigned=answer.unassigned, search=planner.Search(seconds=0.0)
    )


def _at_door(problem: Problem, key: str, here: OnRoute | None) -> planner.Step:
    stop = problem.stop_by_key[key]
    end_s = stop.windows_s[0][0] + stop.service_s if here is None else here.free_s
    return planner.Step(
        kind="pickup", location=stop.location, arrival_s=end_s - stop.service_s, start_s=end_s - stop.service_s,
        end_s=end_s, load=stop.load if here is None else here.load, stop=key,
    )  # fmt: skip


def _home(rest: Problem, key: str, here: OnRoute) -> tuple[planner.Step, ...]:
    """The way home of a vehicle that has nothing more to do, with its unload if it carries something."""
    vehicle = rest.vehicle_by_key.get(key)
    if vehicle is None:  # its shift is over
        return ()
    station = rest.station_by_key[vehicle.end_station]
    arrival_s = here.free_s + leg(rest, here.location, station.location)[0]
    start_s = max(arrival_s, station.open_s[0])
    return (
        planner.Step(
            kind="end", location=station.location, arrival_s=arrival_s, start_s=start_s,
            end_s=start_s + (station.unload_s if any(here.load) else 0), load=(0,) * len(here.load),
            station=station.key,
        ),
    )  # fmt: skip


def difference(live: LiveDay, result: Mended) -> list[dict[str, Any]]:
    """What changes for which booking, ascending; ``kept`` is whether its promised window is kept, as `is_kept` says."""
    reasons = {left.stop: left.reason for left in result.answer.unassigned}
    over = live.happened.done | live.happened.cancelled
    return [
        {
            "booking_id": str(UUID(one.stop)),
            "vehicle_before": one.vehicle_before,
            "vehicle_after": one.vehicle_after,
            "start_before_s": one.start_before_s,
            "start_after_s": one.start_after_s,
            "window_s": list(live.windows[one.stop][0]),
            "kept": is_kept(live, one.stop, one.start_after_s),
            "kept_before": is_kept(live, one.stop, one.start_before_s),
            "reason": reasons.get(one.stop),
        }
        for one in changes(live.standing, result.whole, done=over)
    ]


def is_kept(live: LiveDay, stop: str, start_s: int | None) -> bool:
    """Whether service at that second keeps what was promised."""
    return start_s is not None and any(opens <= start_s <= closes for opens, closes in live.windows[stop])
