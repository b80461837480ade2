"""The planner's input: one service day as frozen integers, and its JSON form ``recycling.problem/1``.

Times are seconds after midnight of the service day, loads and costs are integers, every interval is closed at both
ends. A problem is checked at birth: whoever holds a `Problem` may rely on every range its docstrings state.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recycling.errors import InvalidProblem
from recycling.routing import fields as read

FORMAT = "recycling.problem/1"
MANDATORY_SKIP_COST = 1_000_000_000  # what a mandatory stop left out counts (planner contract, "Cost")

IntMatrix = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GreatCircle:
    """Travel on a sphere: distance = round(factor · haversine), time = round(distance / speed).

    Parameters
    ----------
    factor
        Road length over straight line, > 0.
    speed_kmh
        Mean speed, > 0.
    """

    factor: float
    speed_kmh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Euclidean:
    """Travel in the plane: time = distance = ``rounding``(scale · straight line)."""

    scale: float
    rounding: Literal["floor", "round", "ceil"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matrix:
    """Travel given cell by cell.

    Parameters
    ----------
    travel_s, distance_m
        n × n integers >= 0 with a zero diagonal; row = from, column = to. May be asymmetric.
    path
        The ``.npz`` file they were read from, or ``None`` when they came in the problem itself.
    """

    travel_s: IntMatrix
    distance_m: IntMatrix
    path: str | None = None


Travel = GreatCircle | Euclidean | Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A place where routes start, end and unload.

    Parameters
    ----------
    location
        Index into `Problem.locations`.
    open_s
        Interval in which a vehicle may start, unload (start *and* end inside) or end here.
    unload_s
        Seconds one unload takes, >= 0.
    can_unload
        Whether vehicles may unload here on the way; the final unload at a vehicle's own end is always possible.
    intake_limit
        Amounts per load unit taken on this day over all vehicles, final unloads included; ``None`` = no limit.
    """

    key: str
    location: int
    open_s: tuple[int, int]
    unload_s: int
    can_unload: bool
    intake_limit: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A rest: starts inside ``window_s``, lasts ``duration_s``, taken standing still between two activities.

    Due when the route starts before the window opens and ends after it closes.
    """

    window_s: tuple[int, int]
    duration_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """Where a vehicle already on its route is, since when, and with what on board."""

    location: int
    time_s: int
    load: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """One vehicle with its crew and shift.

    Parameters
    ----------
    capacity
        Largest load on board, one per load unit, each >= 0.
    shift_s
        Interval that holds the whole route; ``max_overtime_s`` more at its end costs ``overtime_cost_per_s``.
    max_duration_s
        Longest time from leaving the start to the end of the route, all included; ``None`` = no limit.
    break_
        The rest due inside the shift, or ``None``. Written ``break`` in JSON.
    start
        ``None``: empty, at ``start_station``, any time in the shift. Else a vehicle under way since ``start.time_s``.
    locked
        Keys of the stops this vehicle serves first, in this sequence.
    """

    key: str
    start_station: str
    end_station: str
    capacity: tuple[int, ...]
    skills: frozenset[str]
    shift_s: tuple[int, int]
    max_duration_s: int | None
    max_overtime_s: int
    overtime_cost_per_s: int
    break_: Break | None
    fixed_cost: int
    cost_per_travel_s: int
    cost_per_m: int
    start: UnderWay | None
    locked: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A cost added when another vehicle than ``vehicle`` serves the stop."""

    vehicle: str
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One visit the planner may place on a route.

    Parameters
    ----------
    load
        Amounts taken on board, one per load unit of the problem. Each >= 0.
    windows_s
        Closed intervals in which service may *start*, in seconds after midnight; at least one, in ascending sequence.
    service_s
        Seconds of service; may run past the window.
    skills
        All must be among the vehicle's.
    skip_cost
        Cost of leaving the stop out; ``None`` makes it mandatory (prize-collecting VRP).
    """

    key: str
    location: int
    windows_s: tuple[tuple[int, int], ...]
    service_s: int
    load: tuple[int, ...]
    skills: frozenset[str]
    skip_cost: int | None
    prefer: Preference | None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One service day to plan.

    Raises
    ------
    InvalidProblem
        When a part breaks its range, a key occurs twice or points nowhere; the message names field and value.
    """

    day: date
    load_units: tuple[str, ...]
    locations: tuple[tuple[float, float], ...]
    travel: Travel
    stations: tuple[Station, ...]
    vehicles: tuple[Vehicle, ...]
    stops: tuple[Stop, ...]

    def __post_init__(self) -> None:
        """Refuse what no reading of the contract allows."""
        _check(self)

    @cached_property
    def station_by_key(self) -> Mapping[str, Station]:
        """Stations by their key."""
        return {s.key: s for s in self.stations}

    @cached_property
    def vehicle_by_key(self) -> Mapping[str, Vehicle]:
        """Vehicles by their key."""
        return {v.key: v for v in self.vehicles}

    @cached_property
    def stop_by_key(self) -> Mapping[str, Stop]:
        """Stops by their key."""
        return {s.key: s for s in self.stops}


def _check(problem: Problem) -> None:
    for kind, parts in (("stations", problem.stations), ("vehicles", problem.vehicles), ("stops", problem.stops)):
        read.unique(f"{kind}[].key", [part.key for part in parts])
    read.unique("load_units", problem.load_units)
    for station in problem.stations:
        _check_station(problem, station)
    for stop in problem.stops:
        _check_stop(problem, stop)
    for vehicle in problem.vehicles:
        _check_vehicle(problem, vehicle)
    _check_locks(problem)
    if isinstance(problem.travel, Matrix):
        for name in ("travel_s", "distance_m"):
            read.square(f"travel.{name}", getattr(problem.travel, name), len(problem.locations), most=read.FARTHEST)


def _check_station(problem: Problem, station: Station) -> None:
    at = f"stations[{station.key}]"
    read.place(f"{at}.location", station.location, len(problem.locations))
    if station.intake_limit is not None:
        read.amounts(f"{at}.intake_limit", station.intake_limit, len(problem.load_units))


def _check_stop(problem: Problem, stop: Stop) -> None:
    at = f"stops[{stop.key}]"
    read.place(f"{at}.location", stop.location, len(problem.locations))
    read.amounts(f"{at}.load", stop.load, len(problem.load_units))
    if not stop.windows_s:
        raise InvalidProblem(f"{at}.windows_s is empty; give at least one interval in which service may start")
    if stop.prefer is not None and stop.prefer.vehicle not in problem.vehicle_by_key:
        raise InvalidProblem(f"{at}.prefer.vehicle: no vehicle has the key {stop.prefer.vehicle!r}")


def _check_vehicle(problem: Problem, vehicle: Vehicle) -> None:
    at = f"vehicles[{vehicle.key}]"
    read.amounts(f"{at}.capacity", vehicle.capacity, len(problem.load_units))
    for name, key in (("start_station", vehicle.start_station), ("end_station", vehicle.end_station)):
        if key not in problem.station_by_key:
            raise InvalidProblem(f"{at}.{name}: no station has the key {key!r}")
    if vehicle.start is not None:
        read.place(f"{at}.start.location", vehicle.start.location, len(problem.locations))
        read.amounts(f"{at}.start.load", vehicle.start.load, len(problem.load_units))


def _check_locks(problem: Problem) -> None:
    locked: set[str] = set()
    for vehicle in problem.vehicles:
        for key in vehicle.locked:
            at = f"vehicles[{vehicle.key}].locked"
            if key not in problem.stop_by_key:
                raise InvalidProblem(f"{at}: no stop has the key {key!r}")
            if key in locked:
                raise InvalidProblem(f"{at}: stop {key!r} is locked twice; lock it to one vehicle, once")
            locked.add(key)


# --- JSON ---------------------------------------------------------------------------------------------------------


def load_problem(path: Path) -> Problem:
    """Read a problem file, gzipped when its name ends in ``.gz``.

    Raises
    ------
    InvalidProblem
        When the file cannot be read or breaks the format.
    """
    return problem_from_json(read.json_file(path), folder=path.parent)


def save_problem(problem: Problem, path: Path) -> None:
    """Write a problem file, gzipped when its name ends in ``.gz``."""
    text = json.dumps(problem_to_json(problem), ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())


def problem_from_json(raw: Any, *, folder: Path | None = None) -> Problem:
    """Build a problem from decoded JSON; ``folder`` is where a ``matrix_file`` path starts.

    Raises
    ------
    InvalidProblem
        Naming the first field that is missing, unknown, of a wrong type or out of range.
    """
    top = read.keys(
        "problem", raw, "format", "day", "load_units", "locations", "travel", "stations", "vehicles", "stops"
    )
    if top["format"] != FORMAT:
        read.refuse("format", top["format"], f"{FORMAT!r}, which this planner reads")
    locations = tuple(
        (read.number(f"locations[{i}][0]", pair[0]), read.number(f"locations[{i}][1]", pair[1]))
        for i, pair in enumerate(read.lists_of(2, "locations", top["locations"]))
    )
    return Problem(
        day=read.day("day", top["day"]),
        load_units=read.texts("load_units", top["load_units"]),
        locations=locations,
        travel=_travel(top["travel"], locations, folder),
        stations=tuple(_station(i, s) for i, s in enumerate(read.items("stations", top["stations"]))),
        vehicles=tuple(_vehicle(i, v) for i, v in enumerate(read.items("vehicles", top["vehicles"]))),
        stops=tuple(_stop(i, s) for i, s in enumerate(read.items("stops", top["stops"]))),
    )


def _travel(raw: Any, locations: Sequence[tuple[float, float]], folder: Path | None) -> Travel:
    kind = raw.get("kind") if isinstance(raw, dict) else None
    match kind:
        case "great_circle":
            t = read.keys("travel", raw, "kind", "factor", "speed_kmh")
            for i, (lat, lon) in enumerate(locations):
                if not (-90 <= lat <= 90 and -180 <= lon <= 180):
                    raise InvalidProblem(f"locations[{i}] = [{lat}, {lon}] is no latitude and longitude")
            return GreatCircle(
                factor=read.positive("travel.factor", t["factor"]),
                speed_kmh=read.positive("travel.speed_kmh", t["speed_kmh"]),
            )
        case "euclidean":
            t = read.keys("travel", raw, "kind", "scale", "rounding")
            if t["rounding"] not in ("floor", "round", "ceil"):
                read.refuse("travel.rounding", t["rounding"], "floor, round or ceil")
            return Euclidean(scale=read.positive("travel.scale", t["scale"]), rounding=t["rounding"])
        case "matrix":
            t = read.keys("travel", raw, "kind", "travel_s", "distance_m")
            n = len(locations)
            return _known(
                Matrix(
                    travel_s=read.matrix("travel.travel_s", t["travel_s"], n),
                    distance_m=read.matrix("travel.distance_m", t["distance_m"], n),
                ),
                locations,
            )
        case "matrix_file":
            t = read.keys("travel", raw, "kind", "path")
            name = read.text("travel.path", t["path"])
            arrays = read.matrix_file("travel.path", name, folder, len(locations))
            return _known(Matrix(travel_s=arrays[0], distance_m=arrays[1], path=name), locations)
    if not isinstance(raw, dict):
        read.refuse("travel", raw, "an object")
    read.refuse("travel.kind", kind, "great_circle, euclidean, matrix or matrix_file")


def _known(matrix: Matrix, locations: Sequence[tuple[float, float]]) -> Matrix:
    """Refuse zeros everywhere between different places: so a road server answers that knows no way, not a district.

    Asked here and not at birth: a part of a day, as the search cuts it, may hold nothing but doors a step apart.
    """
    if len(set(locations)) > 1 and not matrix.travel_s.any() and not matrix.distance_m.any():
        raise InvalidProblem(
            f"travel: travel_s and distance_m are 0 in every cell, although {len(set(locations))} locations differ; "
            "give the ways between them, or one location for all"
        )
    return matrix


def _station(index: int, raw: Any) -> Station:
    at = f"stations[{index}]"
    s = read.keys(at, raw, "key", "location", "open_s", "unload_s", "can_unload", "intake_limit")
    return Station(
        key=read.text(f"{at}.key", s["key"]),
        location=read.count(f"{at}.location", s["location"]),
        open_s=read.interval(f"{at}.open_s", s["open_s"]),
        unload_s=read.count(f"{at}.unload_s", s["unload_s"]),
        can_unload=read.flag(f"{at}.can_unload", s["can_unload"]),
        intake_limit=None if s["intake_limit"] is None else read.counts(f"{at}.intake_limit", s["intake_limit"]),
    )


def _vehicle(index: int, raw: Any) -> Vehicle:
    at = f"vehicles[{index}]"
    v = read.keys(
        at, raw, "key", "start_station", "end_station", "capacity", "skills", "shift_s", "max_duration_s",
        "max_overtime_s", "overtime_cost_per_s", "break", "fixed_cost", "cost_per_travel_s", "cost_per_m", "start",
        "locked",
    )  # fmt: skip
    rest = start = None
    if v["break"] is not None:
        b = read.keys(f"{at}.break", v["break"], "window_s", "duration_s")
        rest = Break(
            window_s=read.interval(f"{at}.break.window_s", b["window_s"]),
            duration_s=read.count(f"{at}.break.duration_s", b["duration_s"]),
        )
    if v["start"] is not None:
        u = read.keys(f"{at}.start", v["start"], "location", "time_s", "load")
        start = UnderWay(
            location=read.count(f"{at}.start.location", u["location"]),
            time_s=read.count(f"{at}.start.time_s", u["time_s"]),
            load=read.counts(f"{at}.start.load", u["load"]),
        )
    return Vehicle(
        key=read.text(f"{at}.key", v["key"]),
        start_station=read.text(f"{at}.start_station", v["start_station"]),
        end_station=read.text(f"{at}.end_station", v["end_station"]),
        capacity=read.counts(f"{at}.capacity", v["capacity"]),
        skills=read.names(f"{at}.skills", v["skills"]),
        shift_s=read.interval(f"{at}.shift_s", v["shift_s"]),
        max_duration_s=None if v["max_duration_s"] is None else read.count(f"{at}.max_duration_s", v["max_duration_s"]),
        max_overtime_s=read.count(f"{at}.max_overtime_s", v["max_overtime_s"]),
        overtime_cost_per_s=read.count(f"{at}.overtime_cost_per_s", v["overtime_cost_per_s"]),
        break_=rest,
        fixed_cost=read.count(f"{at}.fixed_cost", v["fixed_cost"]),
        cost_per_travel_s=read.count(f"{at}.cost_per_travel_s", v["cost_per_travel_s"]),
        cost_per_m=read.count(f"{at}.cost_per_m", v["cost_per_m"]),
        start=start,
        locked=read.texts(f"{at}.locked", v["locked"]),
    )


def _stop(index: int, raw: Any) -> Stop:
    at = f"stops[{index}]"
    s = read.keys(at, raw, "key", "location", "windows_s", "service_s", "load", "skills", "skip_cost", "prefer")
    windows = read.items(f"{at}.windows_s", s["windows_s"])
    prefer = None
    if s["prefer"] is not None:
        p = read.keys(f"{at}.prefer", s["prefer"], "vehicle", "cost")
        prefer = Preference(
            vehicle=read.text(f"{at}.prefer.vehicle", p["vehicle"]), cost=read.count(f"{at}.prefer.cost", p["cost"])
        )
    return Stop(
        key=read.text(f"{at}.key", s["key"]),
        location=read.count(f"{at}.location", s["location"]),
        windows_s=tuple(sorted(read.interval(f"{at}.windows_s[{i}]", w) for i, w in enumerate(windows))),
        service_s=read.count(f"{at}.service_s", s["service_s"]),
        load=read.counts(f"{at}.load", s["load"]),
        skills=read.names(f"{at}.skills", s["skills"]),
        skip_cost=None if s["skip_cost"] is None else read.count(f"{at}.skip_cost", s["skip_cost"]),
        prefer=prefer,
    )


def problem_to_json(problem: Problem) -> dict[str, Any]:
    """The problem as JSON-ready values; reading them back gives an equal problem."""
    return {
        "format": FORMAT,
        "day": problem.day.isoformat(),
        "load_units": list(problem.load_units),
        "locations": [list(pair) for pair in problem.locations],
        "travel": _travel_json(problem.travel),
        "stations": [
            {
                "key": s.key, "location": s.location, "open_s": list(s.open_s), "unload_s": s.unload_s,
                "can_unload": s.can_unload,
                "intake_limit": None if s.intake_limit is None else list(s.intake_limit),
            }
            for s in problem.stations
        ],
        "vehicles": [_vehicle_json(v) for v in problem.vehicles],
        "stops": [
            {
                "key": s.key, "location": s.location, "windows_s": [list(w) for w in s.windows_s],
                "service_s": s.service_s, "load": list(s.load), "skills": sorted(s.skills), "skip_cost": s.skip_cost,
                "prefer": None if s.prefer is None else {"vehicle": s.prefer.vehicle, "cost": s.prefer.cost},
            }
            for s in problem.stops
        ],
    }  # fmt: skip


def _travel_json(travel: Travel) -> dict[str, Any]:
    if isinstance(travel, GreatCircle):
        return {"kind": "great_circle", "factor": travel.factor, "speed_kmh": travel.speed_kmh}
    if isinstance(travel, Euclidean):
        return {"kind": "euclidean", "scale": travel.scale, "rounding": travel.rounding}
    if travel.path is not None:
        return {"kind": "matrix_file", "path": travel.path}
    return {"kind": "matrix", "travel_s": travel.travel_s.tolist(), "distance_m": travel.distance_m.tolist()}


def _vehicle_json(v: Vehicle) -> dict[str, Any]:
    return {
        "key": v.key, "start_station": v.start_station, "end_station": v.end_station, "capacity": list(v.capacity),
        "skills": sorted(v.skills), "shift_s": list(v.shift_s), "max_duration_s": v.max_duration_s,
        "max_overtime_s": v.max_overtime_s, "overtime_cost_per_s": v.overtime_cost_per_s,
        "break": None
        if v.break_ is None
        else {"window_s": list(v.break_.window_s), "duration_s": v.break_.duration_s},
        "fixed_cost": v.fixed_cost, "cost_per_travel_s": v.cost_per_travel_s, "cost_per_m": v.cost_per_m,
        "start": None
        if v.start is None
        else {"location": v.start.location, "time_s": v.start.time_s, "load": list(v.start.load)},
        "locked": list(v.locked),
    }  # fmt: skip
