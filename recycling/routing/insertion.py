"""What inserting a stop between two others costs, for many stops and gaps at once, in constant time per pair.

Every gap of a route knows how early the vehicle can leave on its left, how late it may arrive on its right, and how
much load its trip still takes. The same kernel builds first plans, completes what an engine left out, and serves slot
offers. An estimate from here is optimistic; `timing.py` has the last word on any route.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import add

import numpy as np

from recycling.routing.course import PICKUP, REST, UNLOAD, Act
from recycling.routing.day import Day, Flags, Ints, Load, Rig
from recycling.routing.timing import Timed, span

NEVER = 2**60  # the cost of what cannot be done; sums of it stay within 64 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """Where a stop may be put into one route; one element per gap.

    Parameters
    ----------
    place_before, place_after
        Locations on both sides.
    leave_s, latest_s
        Earliest departure on the left, latest arrival on the right.
    free
        gaps × load units: what the trip around the gap can still take.
    position
        Index in the route's stops that the new stop would get.
    opening_cost
        Fixed cost of the vehicle when it is not used yet, else 0.
    spare_s
        What the limit on the route's duration leaves beside driving, service and unloading.
    """

    place_before: Ints
    place_after: Ints
    leave_s: Ints
    latest_s: Ints
    free: Ints
    position: Ints
    opening_cost: int
    spare_s: int


class Kernel:
    """The constant-time estimates of one day.

    Parameters
    ----------
    day
        The day.
    loose
        Leave the clock out of it: then no possible insertion is missed, however a route's unloads and break have to
        move for it, but many are promised that fail.
    """

    def __init__(self, day: Day, *, loose: bool = False) -> None:
        self.day, self.loose = day, loose
        self._table = day.stop_table
        self._detour_s, self._unload_s = self._nearest_unload()

    def _nearest_unload(self) -> tuple[Ints, int]:
        """Half the way from each stop to its nearest unload and back, and the shortest unload; `NEVER` without any."""
        stations = [s for s in self.day.problem.stations if s.can_unload]
        if not stations:
            return np.full(len(self._table.place), NEVER, dtype=np.int64), 0
        there, stops = np.array([s.location for s in stations])[None, :], self._table.place[:, None]
        to_s, fro_s = self.day.travel_s[stops, there].astype(np.int64), self.day.travel_s[there, stops]
        there_and_back = (to_s + fro_s).min(axis=1)
        return there_and_back // 2, min(s.unload_s for s in stations)

    def gaps(self, vehicle: int, timed: Timed | None) -> Gaps | None:
        """The gaps of a route as it stands, or of an unused vehicle; ``None`` when the vehicle cannot be used."""
        rig = self.day.rigs[vehicle]
        if rig.starts_s is None:
            return None
        acts = () if timed is None else timed.acts
        places = [rig.start, *(place for _, _, place in acts), rig.end]
        leave = self._leave(rig, acts)
        latest = self._latest(rig, acts)
        free = self._free(rig, acts)
        position, count = [0], 0
        for kind, _, _ in acts:
            count += kind == PICKUP
            position.append(count)
        held = 0 if timed is None else len(set(rig.locked).intersection(timed.stops))
        open_from = position.index(held)
        return Gaps(
            place_before=np.array(places[open_from:-1], dtype=np.int64),
            place_after=np.array(places[open_from + 1 :], dtype=np.int64),
            leave_s=np.array(leave[open_from:], dtype=np.int64),
            latest_s=np.array(latest[open_from:], dtype=np.int64),
            free=np.array(free[open_from:], dtype=np.int64).reshape(len(free) - open_from, len(self.day.nothing)),
            position=np.array(position[open_from:], dtype=np.int64),
            opening_cost=rig.fixed_cost if timed is None else 0,
            spare_s=NEVER if rig.max_duration_s is None else rig.max_duration_s - self._busy(rig, acts),
        )

    def _busy(self, rig: Rig, acts: Sequence[Act]) -> int:
        """Seconds that the route takes without any waiting or resting."""
        here, busy = rig.start, 0
        for kind, index, place in acts:
            busy += self.day.seconds[here, place] + (0 if kind == REST else span(self.day, rig, kind, index)[1])
            here = place
        return busy + self.day.seconds[here, rig.end]

    def _leave(self, rig: Rig, acts: Sequence[Act]) -> list[int]:
        """Earliest departure after the start and after each act."""
        now, here, out = rig.ready_s, rig.start, [rig.ready_s]
        for kind, index, place in acts:
            now += self.day.seconds[here, place]
            windows, length = span(self.day, rig, kind, index)
            now = next((max(now, a) for a, b in windows if now <= b), now) + length
            here = place
            out.append(now)
        return out

    def _latest(self, rig: Rig, acts: Sequence[Act]) -> list[int]:
        """Latest arrival at each act and at the end that keeps everything after it possible."""
        latest, there = min(rig.latest_s, rig.end_open_s[1]) - rig.end_unload_s, rig.end
        out = [latest]
        for kind, index, place in reversed(acts):
            windows, length = span(self.day, rig, kind, index)
            latest -= self.day.seconds[place, there] + length
            latest = next((min(latest, b) for a, b in reversed(windows) if latest >= a), -1)
            there = place
            out.append(latest)
        out.reverse()
        return out

    def _free(self, rig: Rig, acts: Sequence[Act]) -> list[Load]:
        """What the trip around each gap can still take."""
        trips: list[Load] = [rig.begins_with]
        trip_of = [0]
        for kind, index, _ in acts:
            if kind == PICKUP:
                trips[-1] = tuple(map(add, trips[-1], self.day.load[index]))
            elif kind == UNLOAD:
                trips.append(self.day.nothing)
            trip_of.append(len(trips) - 1)
        return [tuple(c - x for c, x in zip(rig.capacity, trips[t], strict=True)) for t in trip_of]

    def costs(self, vehicle: int, gaps: Gaps, stops: Ints) -> Ints:
        """What putting each stop into each gap adds to the cost.

        Parameters
        ----------
        vehicle, gaps
            A vehicle and the gaps of its route.
        stops
            Indices of k stops.

        Returns
        -------
        array
            k × gaps; `NEVER` where windows, skills, capacity or shift forbid it. Overtime is not counted, and where the
            trip is full, a cheap unload is assumed.
        """
        rig, t, travel = self.day.rigs[vehicle], self._table, self.day.travel_s
        place = t.place[stops][:, None]
        to_s = travel[gaps.place_before[None, :], place].astype(np.int64)
        fro_s = travel[place, gaps.place_after[None, :]].astype(np.int64)
        arrival = gaps.leave_s[None, :] + to_s
        start = np.full_like(arrival, NEVER)
        for w in reversed(range(t.opens_s.shape[1])):
            opens, closes = t.opens_s[stops, w][:, None], t.closes_s[stops, w][:, None]
            start = np.where(arrival <= closes, np.maximum(arrival, opens), start)
        spare = gaps.latest_s[None, :] - start - t.service_s[stops][:, None] - fro_s
        longer_s = to_s + fro_s - travel[gaps.place_before, gaps.place_after][None, :]
        spare = np.minimum(spare, gaps.spare_s - longer_s - t.service_s[stops][:, None])
        way = rig.cost_per_travel_s * longer_s
        if rig.cost_per_m:
            metres = self.day.distance_m
            to_m = metres[gaps.place_before[None, :], place].astype(np.int64)
            fro_m = metres[place, gaps.place_after[None, :]].astype(np.int64)
            way += rig.cost_per_m * (to_m + fro_m - metres[gaps.place_before, gaps.place_after][None, :])
        full = self._full(gaps, stops)
        if full.any():
            detour_s = self._detour_s[stops][:, None]
            spare -= np.where(full, self._unload_s, 0)
            way += np.where(full, np.where(detour_s < NEVER, rig.cost_per_travel_s * detour_s, NEVER), 0)
        extra = np.where(t.prefer_vehicle[stops] == vehicle, 0, t.prefer_cost[stops]) + gaps.opening_cost
        possible = ((spare >= 0) | self.loose) & t.allowed[vehicle, stops][:, None]
        return np.where(possible, np.minimum(way + extra[:, None], NEVER), NEVER)

    def _full(self, gaps: Gaps, stops: Ints) -> Flags:
        """Whether the trip around the gap cannot take the stop as well."""
        load = self._table.load[stops]
        full = np.zeros((len(stops), len(gaps.position)), dtype=np.bool_)
        for unit in range(load.shape[1]):
            full |= load[:, unit][:, None] > gaps.free[:, unit][None, :]
        return full
