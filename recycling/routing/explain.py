"""Why a stop is left out: impossible alone, with the rule and the value, or crowded out, with a change that lets it in.

Every change named here has been tried: a route with that change and the stop was timed exactly.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from recycling.routing.day import Day
from recycling.routing.draft import Draft
from recycling.routing.insertion import NEVER
from recycling.routing.plan import Reason, Unassigned
from recycling.routing.problem import Problem, Station, Stop, Vehicle
from recycling.routing.timing import Timed, Timing

LONGEST_OVERTIME_S = 4 * 3600  # a longer day is no fix anybody would order
WINDOW_STEPS_S = (900, 1800, 3600, 7200)
_VEHICLES_TRIED = 4  # the nearest routes; a change further away is hardly the smallest
_ALWAYS = ((0, 10**7),)
_DEAR = 10**6  # cost per second that makes the timing come home as early as it can


class Explainer:
    """Explains the stops that one finished draft leaves out.

    Parameters
    ----------
    draft
        The finished plan.
    until
        Instant of `time.monotonic` after which only quick answers are given.
    """

    def __init__(self, draft: Draft, *, until: float) -> None:
        self._draft, self._day, self._problem, self._until = draft, draft.day, draft.day.problem, until

    def explain(self, stop: int) -> Unassigned:
        """The reason, a sentence, and where possible the smallest change found that would let the stop in."""
        wanted = self._problem.stops[stop]
        for reason, detail in self._impossible(wanted):
            return Unassigned(stop=wanted.key, reason=reason, detail=detail)
        detail, fix = self._crowded_out(stop)
        return Unassigned(stop=wanted.key, reason="fleet_full", detail=detail, cheapest_fix=fix)

    # --- impossible alone -----------------------------------------------------------------------------------------

    def _impossible(self, stop: Stop) -> Iterator[tuple[Reason, str]]:
        fleet = [v for v in self._problem.vehicles if stop.key in v.locked] or list(self._problem.vehicles)
        if not fleet:
            return
        skilled = [v for v in fleet if stop.skills <= v.skills]
        if not skilled:
            lacking = min((sorted(stop.skills - v.skills) for v in fleet), key=len)
            yield "missing_skill", f"没有车辆具备 {'、'.join(lacking)} / no vehicle has {', '.join(lacking)}"
            return
        roomy = [v for v in skilled if all(a <= c for a, c in zip(stop.load, v.capacity, strict=True))]
        if not roomy:
            most = [max(v.capacity[u] for v in skilled) for u in range(len(stop.load))]
            yield (
                "over_capacity",
                f"装载量 {list(stop.load)} 超过车辆容量 {most} / load {list(stop.load)} is above what vehicles "
                f"that may serve it take, {most} ({', '.join(self._problem.load_units)})",
            )
            return
        kinds = _kinds(roomy) if time.monotonic() < self._until else []
        if kinds and not any(self._alone(v, stop) for v in kinds):
            yield self._untimely(stop, kinds)
        elif any(stop.key in v.locked for v in fleet):
            yield (
                "invalid",
                f"已锁定给 {fleet[0].key}，但与其锁定顺序不相容 / locked to {fleet[0].key!r}, which cannot serve it in "
                f"the locked sequence {list(fleet[0].locked)}",
            )

    def _alone(self, vehicle: Vehicle, stop: Stop) -> Timed | None:
        """The vehicle's route with this one stop, whatever the other routes do."""
        lonely = replace(vehicle, locked=())
        return _timing(self._day, self._problem.stations, lonely, [stop]).time(0, (0,))

    def _untimely(self, stop: Stop, fleet: Sequence[Vehicle]) -> tuple[Reason, str]:
        """Which rule of the clock forbids the stop even alone: its windows, the shift, the duration or the hours."""
        windows = ", ".join(f"{clock(a)}–{clock(b)}" for a, b in stop.windows_s)
        for vehicle in fleet:
            if self._alone(vehicle, replace(stop, windows_s=_ALWAYS)):
                return "outside_windows", (
                    f"时段 {windows} 内无车可到 / no vehicle can start service in {windows}; its shift is "
                    f"{clock(vehicle.shift_s[0])}–{clock(vehicle.shift_s[1])} ({vehicle.key})"
                )
        for vehicle in fleet:
            if self._alone(replace(vehicle, max_duration_s=None), stop):
                return "outside_windows", (
                    f"单程超出最长工时 {vehicle.max_duration_s} 秒 / the route alone takes longer than max_duration_s "
                    f"{vehicle.max_duration_s} ({vehicle.key})"
                )
        shifts = ", ".join(sorted({f"{clock(v.shift_s[0])}–{clock(v.shift_s[1])}" for v in fleet}))
        return "outside_windows", (
            f"班次 {shifts} 与站点开放时间内无法往返（时段 {windows}，作业 {stop.service_s} 秒） / there and back does "
            f"not fit into shift {shifts} and the stations' hours; windows {windows}, service {stop.service_s} s"
        )

    # --- crowded out ----------------------------------------------------------------------------------------------

    def _crowded_out(self, stop: int) -> tuple[str, Mapping[str, Any] | None]:
        wanted = self._problem.stops[stop]
        if not self._problem.vehicles:
            return "当日没有车辆 / there is no vehicle on this day", None
        if time.monotonic() > self._until:
            return "未排入，规划时间已用完，未查明原因 / left out; no planning time was left to find out why", None
        price = self._price(stop)
        if price is not None:
            return (
                f"上门需增加成本 {price}，放弃代价 {wanted.skip_cost} / serving it would add {price}, "
                f"leaving it out costs {wanted.skip_cost}",
                {"kind": "skip_cost", "cost": price},
            )
        fixes = [fix for fix in (self._overtime(stop), self._window(stop)) if fix is not None]
        fix = min(fixes, key=lambda f: int(f["seconds"])) if fixes else self._vehicle(wanted)
        return ("当日车辆已排满 / the fleet is full", None) if fix is None else (f"当日车辆已排满；{_said(fix)}", fix)

    def _vehicle(self, stop: Stop) -> Mapping[str, Any] | None:
        """One more vehicle like one that could serve the stop alone."""
        for vehicle in _kinds(self._problem.vehicles):
            fits = all(a <= c for a, c in zip(stop.load, vehicle.capacity, strict=True))
            if fits and stop.skills <= vehicle.skills and self._alone(vehicle, stop):
                return {"kind": "vehicle", "station": vehicle.start_station, "like": vehicle.key}
        return None

    def _near(self, stop: int) -> list[int]:
        """Vehicles that may serve the stop, those whose route passes closest first."""
        one = np.array([stop], dtype=np.int64)
        table = self._day.stop_table
        place = int(table.place[stop])
        scored: list[tuple[int, int]] = []
        for v, timed in enumerate(self._draft.routes):
            if table.allowed[v, stop]:
                rig = self._day.rigs[v]
                places = [rig.start, rig.end] + ([] if timed is None else [p for _, _, p in timed.acts])
                estimate = int(self._draft.costs(v, one)[0])
                way = min(self._day.seconds[p, place] + self._day.seconds[place, p] for p in places)
                scored.append((min(estimate, NEVER // 2 + way), v))
        return [v for _, v in sorted(scored)][:_VEHICLES_TRIED]

    def _price(self, stop: int) -> int | None:
        """What the cheapest insertion into the plan as it stands would add; ``None`` when there is none."""
        found = [self._draft.insertion(v, stop) for v in self._near(stop)]
        return min((added for added, _ in filter(None, found)), default=None)

    def _overtime(self, stop: int) -> Mapping[str, Any] | None:
        """The shortest overtime, beyond what is allowed, that lets a route nearby take the stop."""
        best: tuple[int, str] | None = None
        for v in self._near(stop):
            vehicle = self._problem.vehicles[v]
            longer = replace(
                vehicle, max_overtime_s=vehicle.max_overtime_s + LONGEST_OVERTIME_S, overtime_cost_per_s=_DEAR
            )
            for timed in self._with(v, longer, stop, self._problem.stops[stop]):
                needed = timed.end_s - vehicle.shift_s[1] - vehicle.max_overtime_s
                if needed > 0 and (best is None or needed < best[0]):
                    best = needed, vehicle.key
        return None if best is None else {"kind": "overtime", "vehicle": best[1], "seconds": best[0]}

    def _window(self, stop: int) -> Mapping[str, Any] | None:
        """The smallest of some steps by which wider windows let a route nearby take the stop."""
        able = self._wider(stop, self._near(stop), WINDOW_STEPS_S[-1])
        for wider_s in WINDOW_STEPS_S if able else ():
            for v in self._wider(stop, able, wider_s):
                return {"kind": "window", "vehicle": self._problem.vehicles[v].key, "seconds": wider_s}
        return None

    def _wider(self, stop: int, vehicles: Sequence[int], wider_s: int) -> list[int]:
        """Those of the vehicles that could take the stop were its windows wider by so much on both sides."""
        wanted = self._problem.stops[stop]
        wide = replace(wanted, windows_s=tuple((max(0, a - wider_s), b + wider_s) for a, b in wanted.windows_s))
        return [v for v in vehicles if next(self._with(v, self._problem.vehicles[v], stop, wide), None)]

    def _with(self, v: int, vehicle: Vehicle, stop: int, changed: Stop) -> Iterator[Timed]:
        """Routes of a changed vehicle with a changed stop at every place behind its locked ones."""
        route = self._draft.routes[v]
        before = () if route is None else route.stops
        stops = [self._problem.stops[s] for s in before]
        room = dict(zip(self._day.limited, self._draft.room(v), strict=True))
        stations = [
            s if i not in room else replace(s, intake_limit=room[i]) for i, s in enumerate(self._problem.stations)
        ]
        timing = _timing(self._day, stations, replace(vehicle, locked=()), [*stops, changed])
        new = len(stops)
        held = len(set(self._day.rigs[v].locked).intersection(before))
        for position in range(held, new + 1):
            if time.monotonic() > self._until:
                return
            timed = timing.time(0, (*range(position), new, *range(position, new)))
            if timed is not None:
                yield timed


def _kinds(vehicles: Sequence[Vehicle]) -> list[Vehicle]:
    """One vehicle of each kind: those that differ only in name, price or locks can serve the same stop alone."""
    return list({replace(v, key="", fixed_cost=0, locked=()): v for v in reversed(vehicles)}.values())


def _timing(day: Day, stations: Sequence[Station], vehicle: Vehicle, stops: Sequence[Stop]) -> Timing:
    """Exact timing over one vehicle and a few stops of the day, each possibly changed."""
    problem = day.problem
    kept = [s if s.prefer is None or s.prefer.vehicle == vehicle.key else replace(s, prefer=None) for s in stops]
    small = Problem(
        day=problem.day, load_units=problem.load_units, locations=problem.locations, travel=problem.travel,
        stations=tuple(stations), vehicles=(vehicle,), stops=tuple(kept),
    )  # fmt: skip
    return Timing(Day(small, travel=(day.travel_s, day.distance_m)))


def _said(fix: Mapping[str, Any]) -> str:
    """The fix as a clause in both languages."""
    match fix["kind"]:
        case "overtime":
            minutes = -(-int(fix["seconds"]) // 60)
            return f"{fix['vehicle']} 加班 {minutes} 分钟即可 / {minutes} min of overtime of {fix['vehicle']} would do"
        case "window":
            minutes = int(fix["seconds"]) // 60
            by = fix["vehicle"]
            return f"时段放宽 {minutes} 分钟即可（{by}） / windows {minutes} min wider would do ({by})"
        case _:
            return f"{fix['station']} 增加一辆车即可 / one more vehicle like {fix['like']} at {fix['station']} would do"


def clock(second: int) -> str:
    """Seconds after midnight as hours and minutes."""
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"
