"""Why a stop is left out: impossible alone, with the rule and the value, or crowded out, with a change that lets it in.

The changes are those of `fixes.py`, the smallest first on its scale. Every one named has been made and planned with:
the standing routes were planned again on the changed day with the stop among them, and the checker passed the outcome.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from recycling.routing.crowded import Crowded, Found
from recycling.routing.day import Day
from recycling.routing.draft import Draft
from recycling.routing.fixes import Fix, clock, rank, said
from recycling.routing.plan import Reason, Unassigned
from recycling.routing.problem import Problem, Stop, Vehicle
from recycling.routing.timing import Timing

PATIENCE_S = 1.0  # past the time for reasons, in which it is still looked at whether a stop could be served alone
_ALWAYS = ((0, 10**7),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A finished draft, better than it was where a stop could be let in after all, and a row for each stop left out."""

    draft: Draft
    rows: tuple[Unassigned, ...]


def explained(draft: Draft, *, until: float) -> Explained:
    """Explain every stop that a finished draft leaves out.

    Parameters
    ----------
    draft
        The finished plan; it is not changed.
    until
        Instant of `time.monotonic` after which only quick answers are given: about a millisecond for each stop, and
        `PATIENCE_S` later some microseconds. Short of it, the same draft gives the same answer.
    """
    while True:
        explainer = Explainer(draft, until=until)
        rows = explainer.rows()
        if explainer.better is None:
            return Explained(draft=draft, rows=rows)
        draft = explainer.better


class Explainer:
    """Explains the stops that one draft leaves out, in rounds: first something about each, then the smallest changes.

    Once a way is found that lets a stop in at less than leaving it out costs, ``better`` holds that draft, and the rows
    count for nothing any more.
    """

    def __init__(self, draft: Draft, *, until: float) -> None:
        self._draft, self._day, self._problem, self._until = draft, draft.day, draft.day.problem, until
        self._alone = Alone(draft.day, until=until)
        self.better: Draft | None = None

    def rows(self) -> tuple[Unassigned, ...]:
        """A row for each stop left out, in the problem's sequence."""
        found: dict[int, Unassigned] = {}
        crowded = Crowded(self._draft, until=self._until)
        fixes: dict[int, Found | None] = {}
        for stop in self._draft.waiting:
            key = self._problem.stops[stop].key
            impossible = self._alone.impossible(stop)
            if impossible is not None:
                found[stop] = Unassigned(stop=key, reason=impossible[0], detail=impossible[1])
            else:
                found[stop] = Unassigned(stop=key, reason="fleet_full", detail="")
                fixes[stop] = crowded.one_more_vehicle(stop)
        rounds = (crowded.at_a_price, crowded.nearby, crowded.further)
        done = dict.fromkeys(fixes, 0)
        for look in rounds:
            for stop, best in fixes.items():
                if time.monotonic() > self._until:
                    break
                if best is None or rank(best.fix) > (0, 0, 0):
                    fixes[stop] = now = look(stop, best)
                    if now is not None and now.better is not None:
                        self.better = now.better
                        return ()
                done[stop] += 1
        for stop, best in fixes.items():
            fix = None if best is None else best.fix
            found[stop] = self._crowded_out(stop, fix, searched=done[stop] == len(rounds))
        return tuple(found.values())

    def _crowded_out(self, stop: int, fix: Fix | None, *, searched: bool) -> Unassigned:
        wanted = self._problem.stops[stop]
        if not self._problem.vehicles:
            detail = "当日没有车辆 / there is no vehicle on this day"
        elif fix is not None and fix["kind"] == "skip_cost":
            detail = " / ".join(said(fix, wanted))
        else:
            zh, en = "当日车辆已排满", "the fleet is full"
            if fix is not None:
                way_zh, way_en = said(fix, wanted)
                zh, en = f"{zh}；{way_zh}", f"{en}; {way_en}"
            elif searched:
                zh, en = f"{zh}，单项小改动均不够", f"{en}, and no single small change lets it in"
            if not searched:
                zh, en = f"{zh}（未及寻找更小的改动）", f"{en} (no time was left to look for a smaller change)"
            detail = f"{zh} / {en}"
        return Unassigned(stop=wanted.key, reason="fleet_full", detail=detail, cheapest_fix=fix)


class Alone:
    """Whether, and if not why, a stop cannot be served even by a vehicle that does nothing else."""

    def __init__(self, day: Day, *, until: float) -> None:
        self._day, self._problem, self._until = day, day.problem, until
        self._timing = Timing(day)
        self._kinds = _kinds(self._problem.vehicles)
        self._holder = {key: v for v, vehicle in enumerate(self._problem.vehicles) for key in vehicle.locked}

    def impossible(self, stop: int) -> tuple[Reason, str] | None:
        """The reason and its sentence, or ``None`` for a stop that could be served alone."""
        wanted = self._problem.stops[stop]
        holder = self._holder.get(wanted.key)
        fleet = self._kinds if holder is None else [holder]
        if not fleet:
            return None
        vehicles = self._problem.vehicles
        skilled = [v for v in fleet if wanted.skills <= vehicles[v].skills]
        if not skilled:
            lacking = min((sorted(wanted.skills - vehicles[v].skills) for v in fleet), key=len)
            return "missing_skill", f"没有车辆具备 {'、'.join(lacking)} / no vehicle has {', '.join(lacking)}"
        able = (v for v in skilled if all(a <= c for a, c in zip(wanted.load, vehicles[v].capacity, strict=True)))
        if time.monotonic() > self._until + PATIENCE_S and next(able, None) is not None:
            return None  # thousands are left out of a day that had no time to be planned: a reason is not worth waiting
        roomy = list(able)
        if not roomy:
            most = [max(vehicles[v].capacity[u] for v in skilled) for u in range(len(wanted.load))]
            return (
                "over_capacity",
                f"装载量 {list(wanted.load)} 超过车辆容量 {most} / load {list(wanted.load)} is above what vehicles "
                f"that may serve it take, {most} ({', '.join(self._problem.load_units)})",
            )
        if not self._possible(self._timing, roomy, stop):
            return self._why(stop, roomy)
        if holder is not None:
            return (
                "invalid",
                f"已锁定给 {vehicles[holder].key}，但与其锁定顺序不相容 / locked to {vehicles[holder].key!r}, which "
                f"cannot serve it in the locked sequence {list(vehicles[holder].locked)}",
            )
        return None

    def _possible(self, timing: Timing, fleet: Sequence[int], stop: int) -> bool:
        return self._who(timing, fleet, stop) is not None

    def _who(self, timing: Timing, fleet: Sequence[int], stop: int) -> Vehicle | None:
        """The first vehicle that can serve the stop and nothing else."""
        return next((self._problem.vehicles[v] for v in fleet if timing.time(v, (stop,)) is not None), None)

    def _why(self, stop: int, fleet: Sequence[int]) -> tuple[Reason, str]:
        """Which rule forbids the stop even alone: its windows, the duration, the stations' intake, or the shift."""
        wanted = self._problem.stops[stop]
        windows = ", ".join(f"{clock(a)}–{clock(b)}" for a, b in wanted.windows_s)
        vehicle = self._who(self._anytime, fleet, stop)
        if vehicle is not None:
            return "outside_windows", (
                f"时段 {windows} 内无车可到 / no vehicle can start service in {windows}; its shift is "
                f"{clock(vehicle.shift_s[0])}–{clock(vehicle.shift_s[1])} ({vehicle.key})"
            )
        vehicle = self._who(self._endless, fleet, stop)
        if vehicle is not None:
            return "outside_windows", (
                f"单程超出最长工时 {vehicle.max_duration_s} 秒 / the route alone takes longer than max_duration_s "
                f"{vehicle.max_duration_s} ({vehicle.key})"
            )
        vehicle = self._who(self._boundless, fleet, stop)
        if vehicle is not None:
            limit = self._problem.station_by_key[vehicle.end_station].intake_limit
            return "over_capacity", (
                f"装载量 {list(wanted.load)} 超过站点接收上限 / load {list(wanted.load)} is above what stations take; "
                f"intake_limit of {vehicle.end_station!r} is {None if limit is None else list(limit)} ({vehicle.key})"
            )
        shifts = ", ".join(sorted({"–".join(map(clock, self._problem.vehicles[v].shift_s)) for v in fleet}))
        way_s = min(self._there_and_back(v, stop) for v in fleet)
        return "outside_windows", (
            f"班次 {shifts} 与站点开放时间内无法往返（时段 {windows}，作业 {wanted.service_s} 秒，往返 {way_s} 秒） / "
            f"there and back does not fit into shift {shifts} and the stations' hours; windows {windows}, service "
            f"{wanted.service_s} s, the way there and back {way_s} s"
        )

    def _there_and_back(self, vehicle: int, stop: int) -> int:
        rig, place = self._day.rigs[vehicle], self._day.place[stop]
        return self._day.seconds[rig.start, place] + self._day.seconds[place, rig.end]

    # Days without one of the rules, made once and only when something is impossible.

    @cached_property
    def _anytime(self) -> Timing:
        return self._without(stops=tuple(replace(s, windows_s=_ALWAYS) for s in self._problem.stops))

    @cached_property
    def _endless(self) -> Timing:
        return self._without(vehicles=tuple(replace(v, max_duration_s=None) for v in self._problem.vehicles))

    @cached_property
    def _boundless(self) -> Timing:
        return self._without(stations=tuple(replace(s, intake_limit=None) for s in self._problem.stations))

    def _without(self, **parts: tuple[Stop, ...] | tuple[Vehicle, ...] | tuple[object, ...]) -> Timing:
        changed: Problem = replace(self._problem, **parts)  # type: ignore[arg-type]  # the parts are fields of a problem
        return Timing(Day(changed, travel=(self._day.travel_s, self._day.distance_m)))


def _kinds(vehicles: Sequence[Vehicle]) -> list[int]:
    """One vehicle of each kind: those that differ only in name, price or locks can serve the same stop alone."""
    first = {replace(v, key="", fixed_cost=0, locked=()): i for i, v in reversed(list(enumerate(vehicles)))}
    return sorted(first.values())
