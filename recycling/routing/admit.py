"""Letting one more stop into standing routes without leaving any other out: insertion, ejection, a short shake.

`Scene` is the piece of a plan this happens in: the routes around a stop as a day of their own, on which a change can
be tried and the outcome judged by the independent checker, at the price of those routes and not of the whole day.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import add, sub
from random import Random
from typing import Any

from recycling.routing.check import violations
from recycling.routing.cost import evaluate
from recycling.routing.course import PICKUP
from recycling.routing.day import Day
from recycling.routing.draft import TRIED_SEQUENCES, Draft, fill
from recycling.routing.insertion import Kernel
from recycling.routing.plan import Cost, Plan, Route, Search, Unassigned
from recycling.routing.problem import Problem, Stop, Vehicle
from recycling.routing.timing import Timed, steps

EXCHANGED = 12  # stops near the wanted one, each of which may have to give way
FEWEST_SHAKES, SHAKEN_STOPS = 6, 300  # steps of ruin and recreate around the stop: fewer where each takes longer
SMALLEST_SHAKE, LARGEST_SHAKE = 2, 9  # stops one step takes out

Rows = Mapping[str, tuple[str, ...]]
"""Stops of each vehicle in their sequence, by key; a vehicle without stops may be absent."""

Value = Callable[[Draft], tuple[int, ...] | None]
"""How good a plan that lets the stop in is, less is better; ``None`` = not wanted."""

Way = Callable[[Draft, int, Value, float], Draft | None]
"""One way of letting a stop in: standing draft, index of the stop, what is wanted, instant after which it gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A few routes of a plan and one stop that is on none.

    Parameters
    ----------
    problem
        Their vehicles and stops only. Stations take what the other routes leave; stops that are served are mandatory.
    rows
        The routes as they stand.
    stop
        Key of the stop wanted in.
    standing
        The routes, timed; those of no vehicle are absent.
    travel
        The whole day's matrices.
    """

    problem: Problem
    rows: Rows
    stop: str
    standing: Mapping[str, Timed]
    travel: tuple[Any, Any]

    @classmethod
    def of(cls, draft: Draft, vehicles: Sequence[int], stop: int) -> Scene:
        """Some of a draft's vehicles, and a stop that it leaves out."""
        whole, day = draft.day.problem, draft.day
        kept = {whole.vehicles[v].key: v for v in vehicles}
        rows = {key: _keys(day, draft.sequences[v]) for key, v in kept.items()}
        served = {key for row in rows.values() for key in row}
        room = _room(draft, vehicles)
        stops: list[Stop] = []
        new_index: dict[int, int] = {}
        for i in sorted([stop, *(i for v in vehicles for i in draft.sequences[v])]):
            one = whole.stops[i]
            # Preferring a vehicle that is not here costs the same wherever the stop goes: it says nothing.
            elsewhere = one.prefer is not None and one.prefer.vehicle not in kept
            new_index[i] = len(stops)
            stops.append(
                replace(one, skip_cost=one.skip_cost if i == stop else None, prefer=None if elsewhere else one.prefer)
            )
        problem = Problem(
            day=whole.day, load_units=whole.load_units, locations=whole.locations, travel=whole.travel,
            stations=tuple(replace(s, intake_limit=room.get(i)) for i, s in enumerate(whole.stations)),
            vehicles=tuple(
                replace(v, locked=tuple(key for key in v.locked if key in served)) for v in whole.vehicles
                if v.key in kept
            ),
            stops=tuple(stops),
        )  # fmt: skip
        standing = {
            key: _renumbered(timed, n, new_index)
            for n, (key, timed) in enumerate((v.key, draft.routes[kept[v.key]]) for v in problem.vehicles)
            if timed is not None
        }
        travel = (day.travel_s, day.distance_m)
        return cls(problem=problem, rows=rows, stop=whole.stops[stop].key, standing=standing, travel=travel)

    @property
    def base(self) -> int:
        """What the routes cost as they stand, preferences included."""
        stops, rows = self.problem.stop_by_key, self.rows.items()
        wishes = [(vehicle, stops[key].prefer) for vehicle, row in rows for key in row]
        missed = sum(wish.cost for vehicle, wish in wishes if wish is not None and wish.vehicle != vehicle)
        return sum(timed.cost for timed in self.standing.values()) + missed

    def placed(self, problem: Problem, rows: Rows | None = None, *, loose: bool = False) -> Draft | None:
        """A draft of this day, or of one on which a rule is wider, with the given rows, else the standing ones.

        ``None`` when they cannot all be driven. ``loose``: no possible insertion is missed later on.
        """
        day = Day(problem, travel=self.travel)
        draft = Draft(day, kernel=Kernel(day, loose=loose))
        wanted = self.rows if rows is None else rows
        open_ = []
        for v, vehicle in enumerate(problem.vehicles):
            row = wanted.get(vehicle.key, ())
            timed = self._kept(problem, vehicle, row)
            if timed is not None:
                draft.put(v, timed)
            elif row:
                open_.append((v, tuple(day.stop_index[key] for key in row)))
        kept = draft
        for _ in range(TRIED_SEQUENCES):
            failed = [pair for pair in open_ if not _put(draft, *pair)]
            if not failed:
                return draft
            # Another route took the intake that this one needs: let it choose first.
            open_ = [*failed, *(pair for pair in open_ if pair not in failed)]
            draft = kept.copy()
        return None

    def _kept(self, problem: Problem, vehicle: Vehicle, row: tuple[str, ...]) -> Timed | None:
        """A standing route, when a wider rule gives no reason to time it again."""
        timed = self.standing.get(vehicle.key)
        same = timed is not None and row == self.rows.get(vehicle.key) and problem.stations == self.problem.stations
        return timed if same and timed is not None and timed.end_s <= vehicle.shift_s[1] else None

    def verified(self, problem: Problem, rows: Rows) -> int | None:
        """What letting the stop in adds, if the rows, on a changed day, make a plan that leaves nothing out and that
        the checker passes.
        """
        draft = self.placed(problem, rows)
        if draft is None or draft.waiting or violations(problem, plan_of(draft)):
            return None
        return routes_cost(draft) - self.base


def _renumbered(timed: Timed, vehicle: int, stops: Mapping[int, int]) -> Timed:
    """The route in the numbers of a smaller day; stations have the same in both."""
    acts = tuple((kind, stops[i] if kind == PICKUP else i, place) for kind, i, place in timed.acts)
    return replace(timed, vehicle=vehicle, stops=tuple(stops[i] for i in timed.stops), acts=acts)


def _put(draft: Draft, vehicle: int, stops: tuple[int, ...]) -> bool:
    timed = draft.time(vehicle, stops)
    draft.put(vehicle, timed)
    return timed is not None


def _room(draft: Draft, vehicles: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """What the limited stations take from these vehicles beside all others, by station index."""
    here = set(vehicles)
    others = [timed for v, timed in enumerate(draft.routes) if timed is not None and v not in here]
    room = {}
    for station, n in draft.day.limited.items():
        taken = draft.day.nothing
        for timed in others:
            taken = tuple(map(add, taken, timed.intake[n]))
        room[station] = tuple(map(sub, draft.day.limits[n], taken))
    return room


def routes_cost(draft: Draft) -> int:
    """What the routes cost, preferences included, whatever is left out."""
    used = [timed for timed in draft.routes if timed is not None]
    return sum(t.cost for t in used) + draft.day.preference_cost((t.vehicle, t.stops) for t in used)


def rows_of(draft: Draft) -> Rows:
    """The draft's routes by key."""
    day = draft.day
    return {v.key: _keys(day, row) for v, row in zip(day.problem.vehicles, draft.sequences, strict=True) if row}


def _keys(day: Day, stops: Iterable[int]) -> tuple[str, ...]:
    return tuple(day.problem.stops[stop].key for stop in stops)


def plan_of(draft: Draft) -> Plan:
    """The draft as a plan, its cost evaluated independently."""
    return as_plan(draft.day.problem, [steps(draft.day, timed) for timed in draft.routes if timed is not None])


def as_plan(problem: Problem, routes: Sequence[Route]) -> Plan:
    """The routes as a plan, its cost evaluated independently; stops left out have no reason."""
    served = {step.stop for route in routes for step in route.steps}
    plan = Plan(
        cost=Cost(total=0, fixed=0, travel=0, distance=0, overtime=0, preferences=0, skipped=0),
        routes=tuple(routes),
        unassigned=tuple(
            Unassigned(stop=one.key, reason="fleet_full", detail="not explained yet")
            for one in problem.stops
            if one.key not in served
        ),
        search=Search(seconds=0.0),
    )
    return replace(plan, cost=evaluate(problem, plan))


# --- ways in ------------------------------------------------------------------------------------------------------


def insert(standing: Draft, stop: int, value: Value, until: float) -> Draft | None:
    """Put the stop into one of the routes, all others as they are."""
    return _best(_insertions(standing, stop, until), value)


def eject(standing: Draft, stop: int, value: Value, until: float) -> Draft | None:
    """Put the stop into the place of one other, and that one anywhere."""
    return _best(_exchanges(standing, stop, until), value)


def shake(standing: Draft, stop: int, value: Value, until: float) -> Draft | None:
    """Take stops near the wanted one out, put the wanted one in first, then the others back; a few times."""
    return _best(_shaken(standing, stop, until), value)


def _best(drafts: Iterable[Draft], value: Value) -> Draft | None:
    found: tuple[tuple[int, ...], Draft] | None = None
    for draft in drafts:
        worth = value(draft)
        if worth is not None and (found is None or worth < found[0]):
            found = worth, draft
    return None if found is None else found[1]


def _insertions(draft: Draft, stop: int, until: float) -> Iterable[Draft]:
    for vehicle in range(len(draft.routes)):
        if time.monotonic() > until:
            return
        found = draft.insertion(vehicle, stop)
        if found is not None:
            yield _with(draft, vehicle, found[1])


def _with(draft: Draft, vehicle: int, timed: Timed | None) -> Draft:
    changed = draft.copy()
    changed.put(vehicle, timed)
    return changed


def _exchanges(draft: Draft, stop: int, until: float) -> Iterable[Draft]:
    for out, vehicle in _near(draft, stop)[:EXCHANGED]:
        timed = draft.routes[vehicle]
        if timed is None or not draft.day.stop_table.allowed[vehicle, stop]:
            continue
        if time.monotonic() > until:
            return
        rest = [one for one in timed.stops if one != out]
        less = draft.time(vehicle, rest)
        if rest and less is None:
            continue  # without the triangle inequality, a shorter route may take longer
        without = _with(draft, vehicle, less)
        found = without.insertion(vehicle, stop)
        if found is not None:
            yield from _insertions(_with(without, vehicle, found[1]), out, until)


def _near(draft: Draft, stop: int) -> list[tuple[int, int]]:
    """Served stops that may be moved, with their vehicles, the nearest to the wanted one first."""
    day, here = draft.day, draft.day.place[stop]
    locked = {one for rig in day.rigs for one in rig.locked}
    served = [(one, v) for v, row in enumerate(draft.sequences) for one in row if one not in locked]
    places = day.place

    def way_s(one: int) -> int:
        return day.seconds[here, places[one]] + day.seconds[places[one], here]

    return sorted(served, key=lambda pair: (way_s(pair[0]), pair))


def _shaken(draft: Draft, stop: int, until: float) -> Iterable[Draft]:
    rng = Random(1)  # noqa: S311  # a search, not a secret
    near = _near(draft, stop)
    served = dict(near)
    for step in range(max(FEWEST_SHAKES, SHAKEN_STOPS // len(near)) if near else 0):
        if time.monotonic() > until:
            return
        size = SMALLEST_SHAKE + step % (LARGEST_SHAKE - SMALLEST_SHAKE + 1)
        around = [one for one, _ in near[: 2 * size]]
        out = set(rng.sample(around, min(size, len(around))))
        trial = draft.copy()
        for vehicle in sorted({served[one] for one in out}):
            rest = [one for one in draft.sequences[vehicle] if one not in out]
            trial.put(vehicle, trial.time(vehicle, rest))
        out.update(one for one in trial.waiting if one in served)  # what could not be driven without them
        entered = insert(trial, stop, lambda one: (routes_cost(one),), until)
        if entered is not None:
            fill(entered, out, until=until)
            if not entered.waiting:
                yield entered
