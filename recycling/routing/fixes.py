"""Changes to a day that let one stop in: their kinds and sizes, the sentence for each, and the day with one made.

A fix is what ``cheapest_fix`` holds in a plan: a flat object with a ``kind`` and that kind's fields.

- ``skip_cost``: no rule changes. Serving the stop adds ``cost`` to the plan, at least what leaving it out costs.
- ``overtime``: ``vehicle`` may end its route ``seconds`` later still.
- ``duration``: the route of ``vehicle`` may last ``seconds`` longer.
- ``window``: service may also start in ``window_s``, one of the stop's windows made wider by ``seconds`` on one side.
  Then ``vehicle`` would come.
- ``trip``: ``station`` takes unloads on the way, and ``more`` of each load unit than its limit. Then ``vehicle`` would
  make one more trip.
- ``vehicle``: one more vehicle like ``like``, from ``station``.

A change of a rule that is not enough, because serving the stop then adds more than leaving it out costs, has that
price beside it as ``cost``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from operator import add
from typing import Any

from recycling.errors import InvalidInput
from recycling.routing.problem import Problem, Station, Stop, Vehicle

Fix = Mapping[str, Any]

KINDS = ("skip_cost", "overtime", "duration", "window", "trip", "vehicle")
# Sizes on one scale, seconds of somebody's day. A price asks nobody to change anything; overtime and a window cost the
# crew or the resident the seconds they say; a station that takes what it refused costs its keeper about an hour; one
# more vehicle costs a crew half a shift, and whatever is larger than that is no small change and is not looked for.
TRIP_S = 3600
VEHICLE_S = 4 * 3600


def size_s(fix: Fix) -> int:
    """How large a change is, in seconds of somebody's day."""
    match fix["kind"]:
        case "skip_cost":
            return 0
        case "trip":
            return TRIP_S
        case "vehicle":
            return VEHICLE_S
    return int(fix["seconds"])


def rank(fix: Fix) -> tuple[int, int, int]:
    """Ascending: one change before a change and a price, then the smaller one, then the one fewer have to agree to."""
    return int("cost" in fix and fix["kind"] != "skip_cost"), size_s(fix), KINDS.index(fix["kind"])


def apply_fix(problem: Problem, stop: str, fix: Fix) -> Problem:
    """The day with one change made, and the stop mandatory: whoever makes the change wants it served.

    Parameters
    ----------
    problem
        The day whose plan left the stop out.
    stop
        Its key.
    fix
        The ``cheapest_fix`` beside it.

    Raises
    ------
    InvalidInput
        When the fix is of no known kind, lacks a field, or names a stop, vehicle or station that the day does not have.
    """
    if stop not in problem.stop_by_key:
        raise InvalidInput(f"no stop has the key {stop!r}; take one from the plan's unassigned")
    try:
        return _changed(_with_stop(problem, stop, skip_cost=None), stop, fix)
    except (KeyError, TypeError, ValueError) as reason:
        raise InvalidInput(f"the fix {fix!r} does not fit the day: {reason!r}; take it from its own plan") from None


def _changed(problem: Problem, stop: str, fix: Fix) -> Problem:
    match fix["kind"]:
        case "skip_cost":
            return problem
        case "overtime":
            vehicle = problem.vehicle_by_key[fix["vehicle"]]
            return _with_vehicle(problem, vehicle.key, max_overtime_s=vehicle.max_overtime_s + int(fix["seconds"]))
        case "duration":
            vehicle = problem.vehicle_by_key[fix["vehicle"]]
            longer = None if vehicle.max_duration_s is None else vehicle.max_duration_s + int(fix["seconds"])
            return _with_vehicle(problem, vehicle.key, max_duration_s=longer)
        case "window":
            first, last = fix["window_s"]
            windows = problem.stop_by_key[stop].windows_s
            return _with_stop(problem, stop, windows_s=tuple(sorted({*windows, (int(first), int(last))})))
        case "trip":
            return with_station(problem, fix["station"], more=fix["more"])
        case "vehicle":
            like = problem.vehicle_by_key[fix["like"]]
            key = f"{like.key}+"
            while key in problem.vehicle_by_key:
                key += "+"
            return replace(problem, vehicles=(*problem.vehicles, twin(like, key=key, station=fix["station"])))
    raise ValueError(f"kind {fix['kind']!r} is none of {', '.join(KINDS)}")


def twin(like: Vehicle, *, key: str, station: str) -> Vehicle:
    """One more vehicle of the same kind, empty at the station; beside one under way, it cannot leave in the past."""
    first, last = like.shift_s
    if like.start is not None:
        first = min(last, max(first, like.start.time_s))
    return replace(like, key=key, start_station=station, shift_s=(first, last), start=None, locked=())


def with_station(problem: Problem, key: str, *, more: tuple[int, ...] | None) -> Problem:
    """The day on which a station takes unloads on the way and ``more`` than its limit; ``None``: without any limit."""

    def opened(station: Station) -> Station:
        limit = station.intake_limit
        if limit is not None:
            limit = None if more is None else tuple(map(add, limit, more))
        return replace(station, can_unload=True, intake_limit=limit)

    problem.station_by_key[key]
    return replace(problem, stations=tuple(opened(s) if s.key == key else s for s in problem.stations))


def _with_stop(problem: Problem, key: str, **changes: Any) -> Problem:
    return replace(problem, stops=tuple(replace(s, **changes) if s.key == key else s for s in problem.stops))


def _with_vehicle(problem: Problem, key: str, **changes: Any) -> Problem:
    return replace(problem, vehicles=tuple(replace(v, **changes) if v.key == key else v for v in problem.vehicles))


def said(fix: Fix, stop: Stop) -> tuple[str, str]:
    """The fix as a clause in Chinese and in English."""
    if "cost" not in fix:
        return _said(fix)
    zh = f"需增加成本 {fix['cost']}，放弃代价 {stop.skip_cost}"
    en = f"would add {fix['cost']}, leaving it out costs {stop.skip_cost}"
    if fix["kind"] == "skip_cost":
        return f"上门{zh}", f"serving it {en}"
    way_zh, way_en = _said(fix)
    return f"{way_zh}，但{zh}", f"{way_en}, but {en}"


def _said(fix: Fix) -> tuple[str, str]:
    by = fix.get("vehicle")
    match fix["kind"]:
        case "overtime":
            minutes = minutes_of(fix["seconds"])
            return f"{by} 加班 {minutes} 分钟即可", f"{minutes} min of overtime of {by} would do"
        case "duration":
            minutes = minutes_of(fix["seconds"])
            return f"{by} 最长工时延长 {minutes} 分钟即可", f"a route {minutes} min longer of {by} would do"
        case "window":
            minutes, span = minutes_of(fix["seconds"]), "–".join(map(clock, fix["window_s"]))
            return (
                f"时段放宽 {minutes} 分钟至 {span} 即可（{by}）",
                f"a window {minutes} min wider, {span}, would do ({by})",
            )
        case "trip":
            more = " + ".join(map(str, fix["more"]))
            return (
                f"{by} 多跑一趟、{fix['station']} 途中多接收 {more} 即可",
                f"one more trip of {by} would do, if {fix['station']} took {more} more on the way",
            )
    return (
        f"{fix['station']} 增加一辆与 {fix['like']} 相同的车即可",
        f"one more vehicle like {fix['like']} at {fix['station']} would do",
    )


def minutes_of(seconds: int) -> int:
    """Whole minutes, rounded up."""
    return -(-int(seconds) // 60)


def clock(second: int) -> str:
    """Seconds after midnight as hours and minutes."""
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"
