"""The smallest change that lets a stop crowded out of a plan in; each has been planned with before it is named."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from operator import add, sub

import numpy as np

from recycling.routing.admit import (
    Rows,
    Scene,
    Value,
    Way,
    as_plan,
    eject,
    insert,
    plan_of,
    routes_cost,
    rows_of,
    shake,
)
from recycling.routing.check import violations
from recycling.routing.day import Day, skip_cost
from recycling.routing.draft import Draft
from recycling.routing.fixes import VEHICLE_S, Fix, apply_fix, rank, twin, with_station
from recycling.routing.insertion import NEVER
from recycling.routing.problem import Problem, Stop, Vehicle
from recycling.routing.timing import steps

LONGEST_S = VEHICLE_S  # more overtime, or a window wider than that, is no smaller than one more vehicle
WINDOW_STEP_S = 60  # to which a wider window is narrowed down
NEAREST = 6  # routes looked at for one stop; a change further away is hardly the smallest
SMALL_DAY = 12  # stops up to which even unlikely insertions are worth the time it takes to try them
KINDS_TRIED = 6  # nearest kinds of vehicle looked at for one more of them
STATIONS_TRIED = 4
_DEAR = 10**6  # cost per second of overtime that makes the timing come home as early as it can


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A change that lets a stop in, or a draft that does so without any, at less than leaving it out costs."""

    fix: Fix
    better: Draft | None = None


class Crowded:
    """Looks for changes that let single stops into one standing draft.

    Parameters
    ----------
    draft
        The standing plan; it is not changed.
    until
        Instant of `time.monotonic` at which every search gives up with what it has.
    """

    def __init__(self, draft: Draft, *, until: float) -> None:
        self._draft, self._day, self._problem, self._until = draft, draft.day, draft.day.problem, until
        self._likes: list[str] = []  # of each spare vehicle, the one it is like

    # --- rounds: each takes the best found so far and answers with the best after it ------------------------------

    def one_more_vehicle(self, stop: int) -> Found | None:
        """One more vehicle of a kind there is, with this stop alone: quick, and nearly always possible."""
        if time.monotonic() > self._until:
            return None
        day = self._spares.day
        able = np.flatnonzero(day.stop_table.allowed[:, stop])
        place = day.place[stop]

        def way_s(spare: int) -> int:
            rig = day.rigs[spare]
            return day.seconds[rig.start, place] + day.seconds[place, rig.end]

        nearest = sorted(map(int, able), key=lambda v: (way_s(v), v))[:KINDS_TRIED]
        found = [timed for v in nearest if (timed := self._spares.timing.time(v, (stop,))) is not None]
        if not found:
            return None
        best = min(found, key=lambda timed: timed.cost)
        vehicle = day.problem.vehicles[best.vehicle]
        only = replace(day.problem, vehicles=(vehicle,), stops=(day.problem.stops[stop],))
        if violations(only, as_plan(only, [steps(day, best)])):
            return None
        fix = {"kind": "vehicle", "station": vehicle.start_station, "like": self._likes[best.vehicle]}
        return Found(fix=self._with_price(fix, stop, best.cost + self._preference(stop, ())))

    def at_a_price(self, stop: int, best: Found | None) -> Found | None:
        """Serve it within the rules, all other stops as they are."""
        return self._priced(stop, insert) or best

    def nearby(self, stop: int, best: Found | None) -> Found | None:
        """Change one rule, all other stops as they are."""
        return self._smallest(stop, best, insert)

    def further(self, stop: int, best: Found | None) -> Found | None:
        """Serve it within the rules with other stops moved, or else change one rule and move other stops."""
        for way in (eject, shake):
            found = self._priced(stop, way)
            if found is not None:
                return found
        return self._smallest(stop, best, eject)

    # --- within the rules -----------------------------------------------------------------------------------------

    def _priced(self, stop: int, way: Way) -> Found | None:
        scene = self._scene(stop)
        # A stop that must be served if any plan can is worth trying every place, however unlikely.
        must = way is not insert and self._problem.stops[stop].skip_cost is None
        standing = scene.placed(scene.problem, loose=must or len(scene.problem.stops) <= SMALL_DAY)
        if standing is None:
            return None
        entered = way(standing, standing.day.stop_index[scene.stop], _cheapest, self._until)
        if entered is None or violations(scene.problem, plan_of(entered)):
            return None
        price = routes_cost(entered) - scene.base + self._preference(stop, scene.problem.vehicle_by_key)
        worth_it = price < skip_cost(self._problem.stops[stop])
        better = self._adopted(rows_of(entered), scene) if worth_it else None
        return Found(fix={"kind": "skip_cost", "cost": price}, better=better)

    def _preference(self, stop: int, here: Collection[str]) -> int:
        """What a part of the day does not know: that the stop prefers a vehicle outside it."""
        prefer = self._problem.stops[stop].prefer
        return 0 if prefer is None or prefer.vehicle in here else prefer.cost

    def _with_price(self, fix: Fix, stop: int, price: int) -> Fix:
        """The fix, and its price where that is above what leaving the stop out costs."""
        return {**fix, "cost": price} if price > skip_cost(self._problem.stops[stop]) else fix

    def _adopted(self, rows: Rows, scene: Scene) -> Draft | None:
        """The whole draft with a few's routes exchanged, if that makes it cheaper."""
        draft = self._draft.copy()
        mine = [self._day.vehicle_index[key] for key in scene.problem.vehicle_by_key]
        for v in mine:
            draft.put(v, None)
        for v in mine:
            row = [self._day.stop_index[key] for key in rows.get(self._problem.vehicles[v].key, ())]
            timed = draft.time(v, row)
            if row and timed is None:
                return None
            draft.put(v, timed)
        cheaper = draft.cost < self._draft.cost
        return draft if cheaper and not violations(self._problem, plan_of(draft)) else None

    # --- one rule changed -----------------------------------------------------------------------------------------

    def _smallest(self, stop: int, best: Found | None, way: Way) -> Found | None:
        scene = self._scene(stop)
        looks = [self._overtime, self._duration]
        # Further away, only what is found in one go.
        looks += [self._window, self._trip] if way is insert else []
        for look in looks:
            for fix, rows in look(scene, way):
                if best is not None and rank(fix) >= rank(best.fix):
                    continue
                price = scene.verified(apply_fix(scene.problem, scene.stop, fix), rows)
                if price is not None:
                    fix = self._with_price(fix, stop, price + self._preference(stop, scene.problem.vehicle_by_key))
                    best = Found(fix=fix) if best is None or rank(fix) < rank(best.fix) else best
        return best

    def _entered(self, scene: Scene, changed: Problem, way: Way, value: Value) -> Draft | None:
        """Its routes with the stop among them, on a changed day."""
        if time.monotonic() > self._until:
            return None
        standing = scene.placed(changed, loose=len(scene.problem.stops) <= SMALL_DAY)
        return None if standing is None else way(standing, standing.day.stop_index[scene.stop], value, self._until)

    def _overtime(self, scene: Scene, way: Way) -> Iterator[tuple[Fix, Rows]]:
        """The shortest overtime of one vehicle beyond what is allowed."""
        longer = replace(
            scene.problem,
            vehicles=tuple(
                replace(v, max_overtime_s=v.max_overtime_s + LONGEST_S, overtime_cost_per_s=_DEAR)
                for v in scene.problem.vehicles
            ),
        )

        def beyond(vehicle: Vehicle, begin_s: int, end_s: int) -> int:
            return end_s - vehicle.shift_s[1] - vehicle.max_overtime_s

        yield from self._longer(scene, longer, way, "overtime", beyond)

    def _duration(self, scene: Scene, way: Way) -> Iterator[tuple[Fix, Rows]]:
        """The shortest time by which one route lasts longer than it may."""
        if all(v.max_duration_s is None for v in scene.problem.vehicles):
            return
        endless = replace(
            scene.problem, vehicles=tuple(replace(v, max_duration_s=None) for v in scene.problem.vehicles)
        )

        def beyond(vehicle: Vehicle, begin_s: int, end_s: int) -> int:
            return 0 if vehicle.max_duration_s is None else end_s - begin_s - vehicle.max_duration_s

        yield from self._longer(scene, endless, way, "duration", beyond)

    def _longer(
        self, scene: Scene, changed: Problem, way: Way, kind: str, beyond: Callable[[Vehicle, int, int], int]
    ) -> Iterator[tuple[Fix, Rows]]:
        def excess(draft: Draft) -> list[tuple[int, str]]:
            pairs = zip(scene.problem.vehicles, draft.routes, strict=True)
            over = [(beyond(v, t.begin_s, t.end_s), v.key) for v, t in pairs if t is not None]
            return [pair for pair in over if pair[0] > 0]

        def value(draft: Draft) -> tuple[int, ...] | None:
            over = excess(draft)  # one change is one vehicle's
            return (over[0][0], routes_cost(draft)) if len(over) == 1 and over[0][0] < LONGEST_S else None

        entered = self._entered(scene, changed, way, value)
        if entered is not None:
            ((seconds, vehicle),) = excess(entered)
            yield {"kind": kind, "vehicle": vehicle, "seconds": seconds}, rows_of(entered)

    def _window(self, scene: Scene, way: Way) -> Iterator[tuple[Fix, Rows]]:
        """One of the stop's windows wider on one side, by as few minutes as is enough."""
        enough, too_few = LONGEST_S, 0
        best: tuple[Fix, Rows] | None = None
        while enough - too_few > WINDOW_STEP_S:
            tried = enough if best is None else (enough + too_few) // 2
            found = self._wider(scene, way, tried)
            if found is not None:
                best, enough = found, int(found[0]["seconds"])
            elif best is None:
                return
            else:
                too_few = tried
        if best is not None:
            yield best

    def _wider(self, scene: Scene, way: Way, wider_s: int) -> tuple[Fix, Rows] | None:
        wanted = scene.problem.stop_by_key[scene.stop]
        wide = tuple((max(0, a - wider_s), b + wider_s) for a, b in wanted.windows_s)
        stops = tuple(replace(s, windows_s=wide) if s.key == wanted.key else s for s in scene.problem.stops)
        entered = self._entered(scene, replace(scene.problem, stops=stops), way, _cheapest)
        if entered is None:
            return None
        for route in plan_of(entered).routes:
            for step in route.steps:
                if step.stop == wanted.key:
                    seconds, window_s = _stretched(wanted, step.start_s)
                    fix = {"kind": "window", "vehicle": route.vehicle, "seconds": seconds, "window_s": list(window_s)}
                    return fix, rows_of(entered)
        return None

    def _trip(self, scene: Scene, way: Way) -> Iterator[tuple[Fix, Rows]]:
        """One more trip, to a station that takes no unloads on the way, or no more of them."""
        place = scene.problem.stop_by_key[scene.stop].location
        shut = [s for s in scene.problem.stations if s.intake_limit is not None or not s.can_unload]
        shut.sort(key=lambda s: (self._day.seconds[place, s.location], s.key))
        for station in shut[:STATIONS_TRIED]:
            entered = self._entered(scene, with_station(scene.problem, station.key, more=None), way, _cheapest)
            if entered is not None:
                taken, vehicle = _unloaded(entered, station.key, scene.stop)
                limit = station.intake_limit or taken
                more = [max(0, x) for x in map(sub, taken, limit)]
                yield {"kind": "trip", "vehicle": vehicle, "station": station.key, "more": more}, rows_of(entered)

    # --- where to look ------------------------------------------------------------------------------------------------

    def _scene(self, stop: int) -> Scene:
        return Scene.of(self._draft, sorted(self._near(stop)), stop)

    def _near(self, stop: int) -> list[int]:
        """Vehicles that may serve the stop, those whose route passes closest first."""
        one = np.array([stop], dtype=np.int64)
        table, place = self._day.stop_table, self._day.place[stop]
        scored: list[tuple[int, int]] = []
        for v, timed in enumerate(self._draft.routes):
            if table.allowed[v, stop]:
                rig = self._day.rigs[v]
                places = [rig.start, rig.end] + ([] if timed is None else [p for _, _, p in timed.acts])
                estimate = int(self._draft.costs(v, one)[0])
                way = min(self._day.seconds[p, place] + self._day.seconds[place, p] for p in places)
                scored.append((min(estimate, NEVER // 2 + way), v))
        return [v for _, v in sorted(scored)][:NEAREST]

    @cached_property
    def _spares(self) -> Draft:
        """An empty draft of one more vehicle of each kind, beside all routes as they stand."""
        kinds = {_kind(v): v for v in reversed(self._problem.vehicles)}
        keys = {v.key for v in self._problem.vehicles}
        spares = []
        for like in reversed(kinds.values()):
            self._likes.append(like.key)
            key = f"{like.key}+"
            while key in keys:
                key += "+"
            keys.add(key)
            spares.append(twin(like, key=key, station=like.start_station))
        left = [tuple(map(sub, most, taken)) for most, taken in zip(self._day.limits, self._taken(), strict=True)]
        problem = replace(
            self._problem,
            stations=tuple(
                replace(s, intake_limit=left[self._day.limited[i]]) if i in self._day.limited else s
                for i, s in enumerate(self._problem.stations)
            ),
            vehicles=tuple(spares),
            stops=tuple(replace(s, prefer=None) for s in self._problem.stops),
        )
        return Draft(Day(problem, travel=(self._day.travel_s, self._day.distance_m)))

    def _taken(self) -> list[tuple[int, ...]]:
        taken = [self._day.nothing] * len(self._day.limits)
        for timed in self._draft.routes:
            if timed is not None:
                taken = [tuple(map(add, sum_, own)) for sum_, own in zip(taken, timed.intake, strict=True)]
        return taken


def _kind(vehicle: Vehicle) -> Vehicle:
    """What two vehicles have in common when one more of the first is one more of the second."""
    return twin(vehicle, key="", station=vehicle.start_station)


def _cheapest(draft: Draft) -> tuple[int, ...]:
    return (routes_cost(draft),)


def _stretched(stop: Stop, start_s: int) -> tuple[int, tuple[int, int]]:
    """By how much the nearest window must be wider for service to start then, and that wider window."""

    def off(window: tuple[int, int]) -> int:
        return max(window[0] - start_s, start_s - window[1], 0)

    near = min(stop.windows_s, key=lambda window: (off(window), window))
    return off(near), (min(near[0], start_s), max(near[1], start_s))


def _unloaded(draft: Draft, station: str, stop: str) -> tuple[tuple[int, ...], str]:
    """What all routes unload at a station, and the vehicle that serves the stop."""
    total, by = draft.day.nothing, ""
    for route in plan_of(draft).routes:
        before = route.steps[0].load
        for step in route.steps:
            if step.station == station and step.kind in ("unload", "end"):
                total = tuple(map(add, total, before))
            before = step.load
            by = route.vehicle if step.stop == stop else by
    return total, by
