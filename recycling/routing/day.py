"""A problem as index tables: what every part of the search reads instead of keys and dataclasses.

Vehicles, stops and stations are numbered as the problem lists them. Tables of many stops are NumPy arrays for the
insertion kernel; what the exact timing reads one cell at a time are plain integers and memory views.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recycling.routing.problem import MANDATORY_SKIP_COST, Matrix, Problem, Stop, Vehicle
from recycling.routing.travel import Cell, Cells, travel_matrices

Load = tuple[int, ...]
Windows = tuple[tuple[int, int], ...]
Sequences = tuple[tuple[int, ...], ...]
"""Stops per vehicle in their sequence, one tuple per vehicle of the day, empty for one that stays at home."""

_ROWS_AT_ONCE = 256  # of a matrix: what is computed from them stays near the processor

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """One vehicle with everything the timing of its route needs.

    Parameters
    ----------
    starts_s
        First and last second at which its route may begin; ``None`` when it cannot begin at all.
    ready_s
        Second from which it may move: a vehicle under way waits for its shift, others leave when they begin.
    end_open_s, end_unload_s
        Opening hours of the end station and the seconds of the final unload.
    latest_s
        Last second at which the route may end, overtime included; ``shift_end_s`` is where overtime begins.
    rest
        First and last second at which the break may start and its length, or ``None``.
    locked
        Stops it serves first.
    """

    index: int
    start: int
    starts_s: tuple[int, int] | None
    ready_s: int
    begins_with: Load
    end: int
    end_station: int
    end_open_s: tuple[int, int]
    end_unload_s: int
    shift_end_s: int
    latest_s: int
    max_duration_s: int | None
    rest: tuple[int, int, int] | None
    capacity: Load
    skills: frozenset[str]
    fixed_cost: int
    cost_per_travel_s: int
    cost_per_m: int
    overtime_cost_per_s: int
    locked: tuple[int, ...]


class Day:
    """The tables of one problem. Treat as read-only.

    Parameters
    ----------
    problem
        The day.
    travel
        ``travel_s`` and ``distance_m`` where they are known already, for a problem over the same locations.
    """

    def __init__(self, problem: Problem, *, travel: tuple[Cells, Cells] | None = None) -> None:
        self.problem = problem
        self.travel_s, self.distance_m = travel or travel_matrices(problem)
        self.seconds, self.metres = _by_cell(self.travel_s), _by_cell(self.distance_m)
        self.nothing: Load = (0,) * len(problem.load_units)
        self.station_index = {s.key: i for i, s in enumerate(problem.stations)}
        self.stop_index = {s.key: i for i, s in enumerate(problem.stops)}
        self.vehicle_index = {v.key: i for i, v in enumerate(problem.vehicles)}
        self.limited = {i: n for n, i in enumerate(i for i, s in enumerate(problem.stations) if s.intake_limit)}
        self.windows = tuple(joined(s.windows_s) for s in problem.stops)
        self.place = [s.location for s in problem.stops]
        self.service = [s.service_s for s in problem.stops]
        self.load = [s.load for s in problem.stops]
        self.rigs = tuple(self._rig(i, v) for i, v in enumerate(problem.vehicles))

    @property
    def limits(self) -> tuple[Load, ...]:
        """Intake limits of the limited stations, in the numbering of ``limited``."""
        return tuple(self.problem.stations[i].intake_limit or () for i in self.limited)

    @cached_property
    def uses_metres(self) -> bool:
        """Whether any vehicle pays for distance."""
        return any(v.cost_per_m for v in self.problem.vehicles)

    @cached_property
    def detours_shorten(self) -> bool:
        """Whether driving through some station is shorter than driving straight on, by more than rounding makes it."""
        if not isinstance(self.problem.travel, Matrix):
            return False
        places = {s.location for s in self.problem.stations if s.can_unload}
        return any(
            bool(np.any(cells[rows, [p]].astype(np.int64)[:, None] + cells[p] < cells[rows] - 2))
            for cells in map(np.asarray, (self.travel_s, self.distance_m))
            for rows in np.array_split(np.arange(len(cells)), 1 + len(cells) // _ROWS_AT_ONCE)
            for p in places
        )

    @cached_property
    def _has_preferences(self) -> bool:
        return bool(self.stop_table.prefer_cost.any())

    @cached_property
    def stop_table(self) -> StopTable:
        """The stops as arrays."""
        return StopTable.of(self)

    def _rig(self, index: int, v: Vehicle) -> Rig:
        home, end = self.problem.station_by_key[v.start_station], self.problem.station_by_key[v.end_station]
        first, last = max(v.shift_s[0], home.open_s[0]), min(v.shift_s[1], home.open_s[1])
        starts_s, ready_s = ((first, last) if first <= last else None), first
        if v.start is not None:
            starts_s, ready_s = (v.start.time_s, v.start.time_s), max(v.start.time_s, v.shift_s[0])
        return Rig(
            index=index,
            start=home.location if v.start is None else v.start.location,
            starts_s=starts_s,
            ready_s=ready_s,
            begins_with=self.nothing if v.start is None else v.start.load,
            end=end.location,
            end_station=self.station_index[v.end_station],
            end_open_s=end.open_s,
            end_unload_s=end.unload_s,
            shift_end_s=v.shift_s[1],
            latest_s=v.shift_s[1] + v.max_overtime_s,
            max_duration_s=v.max_duration_s,
            rest=None if v.break_ is None else (*v.break_.window_s, v.break_.duration_s),
            capacity=v.capacity,
            skills=v.skills,
            fixed_cost=v.fixed_cost,
            cost_per_travel_s=v.cost_per_travel_s,
            cost_per_m=v.cost_per_m,
            overtime_cost_per_s=v.overtime_cost_per_s,
            locked=tuple(self.stop_index[key] for key in v.locked),
        )

    def can_carry(self, vehicle: int, stop: int) -> bool:
        """Whether skills, capacity and locks let the vehicle serve the stop at all."""
        return bool(self.stop_table.allowed[vehicle, stop])

    def way(self, vehicle: int, a: int, b: int) -> int:
        """What the vehicle pays for one leg."""
        rig = self.rigs[vehicle]
        return rig.cost_per_travel_s * self.seconds[a, b] + rig.cost_per_m * self.metres[a, b]

    def preference_cost(self, sequences: Iterable[tuple[int, Sequence[int]]]) -> int:
        """What serving stops with other vehicles than the preferred ones costs."""
        table = self.stop_table
        if not self._has_preferences:
            return 0
        return sum(
            int(table.prefer_cost[s])
            for vehicle, stops in sequences
            for s in stops
            if table.prefer_vehicle[s] != vehicle
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTable:
    """All stops as arrays, row = stop.

    Parameters
    ----------
    place, service_s, skip_cost, prefer_cost, prefer_vehicle
        One integer per stop; no preference is vehicle -1 at cost 0.
    opens_s, closes_s
        stops × windows, filled up with windows that are never open.
    load
        stops × load units.
    allowed
        vehicles × stops: skills, capacity and locks permit it.
    """

    place: Ints
    service_s: Ints
    opens_s: Ints
    closes_s: Ints
    load: Ints
    skip_cost: Ints
    prefer_cost: Ints
    prefer_vehicle: Ints
    allowed: Flags

    @classmethod
    def of(cls, day: Day) -> StopTable:
        """The table of a day."""
        stops = day.problem.stops
        most = max((len(w) for w in day.windows), default=1)
        padded = [(*w, *[(0, -1)] * (most - len(w))) for w in day.windows]
        spans = np.array(padded, dtype=np.int64).reshape(len(stops), most, 2)
        load = np.array(day.load, dtype=np.int64).reshape(len(stops), len(day.nothing))
        return cls(
            place=np.array(day.place, dtype=np.int64),
            service_s=np.array(day.service, dtype=np.int64),
            opens_s=np.ascontiguousarray(spans[:, :, 0]),
            closes_s=np.ascontiguousarray(spans[:, :, 1]),
            load=load,
            skip_cost=np.array([skip_cost(s) for s in stops], dtype=np.int64),
            prefer_cost=np.array([0 if s.prefer is None else s.prefer.cost for s in stops], dtype=np.int64),
            prefer_vehicle=np.array(
                [-1 if s.prefer is None else day.vehicle_index[s.prefer.vehicle] for s in stops], dtype=np.int64
            ),
            allowed=cls._allowed(day, load),
        )

    @staticmethod
    def _allowed(day: Day, load: Ints) -> Flags:
        allowed = np.zeros((len(day.rigs), len(day.problem.stops)), dtype=np.bool_)
        needs = sorted({s.skills for s in day.problem.stops}, key=sorted)
        need_of = np.array([needs.index(s.skills) for s in day.problem.stops], dtype=np.int64)
        for rig in day.rigs:
            if rig.starts_s is not None:
                skilled = np.array([need <= rig.skills for need in needs], dtype=np.bool_)
                fits = (load <= np.array(rig.capacity, dtype=np.int64)).all(axis=1)
                allowed[rig.index] = skilled[need_of] & fits if len(needs) else fits
        for rig in day.rigs:
            mine = allowed[rig.index, list(rig.locked)]
            allowed[:, list(rig.locked)] = False
            allowed[rig.index, list(rig.locked)] = mine
        return allowed


def _by_cell(cells: Cells) -> Cell:
    """The same cells for reading one at a time: a view gives Python integers, without NumPy's scalars in between."""
    view: Cell = cells.data if isinstance(cells, np.ndarray) else cells
    return view


def skip_cost(stop: Stop) -> int:
    """What leaving the stop out costs, a mandatory one included."""
    return MANDATORY_SKIP_COST if stop.skip_cost is None else stop.skip_cost


def joined(windows: Windows) -> Windows:
    """The same seconds as disjoint windows in ascending sequence."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(windows):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        else:
            out.append((first, last))
    return tuple(out)
