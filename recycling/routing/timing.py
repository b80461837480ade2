"""Exact timing of one route: given a vehicle and its stops in sequence, where to unload, when to rest, when to leave.

A label-setting dynamic programme runs along the sequence. A label is one way of having come this far; it holds a range
of instants at which the route may have begun, so that a limit on the route's duration is exact too. Labels that
another label beats in clock, price, load and intake are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any

from recycling.routing.day import Day, Load, Rig, Windows
from recycling.routing.plan import Route, Step
from recycling.routing.unloading import Detour, Unloading

PICKUP, UNLOAD, REST = 0, 1, 2
MOST_LABELS = 200  # only routes near several intake limits come close; above it the timing is no longer exact

Act = tuple[int, int, int]
"""What a vehicle does, the index of the stop or station (-1 for a rest), and the location."""

# A linked list of acts, latest first: labels share their past.
_Past = tuple[Any, Act] | None

# Now (seconds), earliest and latest begin of the route, break still owed, price so far, load on board, intake used at
# the limited stations, acts so far. "Now" belongs to the earliest begin; a later begin within the range comes later by
# as much, so the range never holds waiting that a later departure would save.
_Label = tuple[int, int, int, bool, int, Load, tuple[Load, ...], _Past]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One route, timed at the lowest cost its sequence allows.

    Parameters
    ----------
    cost
        Fixed, travel, distance and overtime cost; preferences are not the route's affair.
    begin_s, end_s
        When it leaves (as late as costs nothing) and ends.
    acts
        Pickups, unloads on the way and the break, in sequence.
    intake
        Amounts unloaded at each limited station of the day, the final unload included.
    """

    vehicle: int
    stops: tuple[int, ...]
    cost: int
    begin_s: int
    end_s: int
    acts: tuple[Act, ...]
    intake: tuple[Load, ...]


class Timing:
    """Times routes of one day, remembering what it learns about the day's stations."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self._unloading: dict[tuple[int, ...], Unloading] = {}

    def time(self, vehicle: int, stops: Sequence[int], room: Sequence[Load] | None = None) -> Timed | None:
        """Place unloads and break in a route, and set its clock, at the lowest cost.

        Parameters
        ----------
        vehicle, stops
            Indices; the stops are served in the given sequence.
        room
            What the limited stations still take, beside all other routes; ``None`` = the whole limits.

        Returns
        -------
        Timed or None
            ``None`` when no placement keeps every rule. Skills and locks are the caller's affair.
        """
        rig = self.day.rigs[vehicle]
        if rig.starts_s is None or not stops:
            return None
        ahead = _loads_ahead(self.day, stops)
        total = tuple(map(add, rig.begins_with, ahead[0]))
        course = self._course(rig, total, self.day.limits if room is None else room)
        labels, here = course.begin(), rig.start
        for position, stop in enumerate(stops):
            there = self.day.place[stop]
            kept: list[_Label] = []
            for label in labels:
                for arrived in course.arrivals(label, here, there, ahead[position]):
                    course.serve(arrived, stop, kept)
            if not kept:
                return None
            labels, here = _thinned(kept), there
        ends = [
            home
            for label in labels
            for arrived in course.arrivals(label, here, rig.end, None)
            for home in course.finish(arrived)
        ]
        return self._timed(rig, tuple(stops), min(ends, key=lambda label: (label[4], label[0]))) if ends else None

    def _course(self, rig: Rig, total: Load, room: Sequence[Load]) -> _Course:
        """The moves of a vehicle; only a limit that the route's whole load could break is worth watching."""
        tight = tuple(
            station
            for station, n in self.day.limited.items()
            if any(amount > most for amount, most in zip(total, room[n], strict=True))
        )
        unloading = self._unloading.get(tight)
        if unloading is None:
            unloading = self._unloading[tight] = Unloading(self.day, tight)
        return _Course(self.day, unloading, rig, tuple(room[self.day.limited[station]] for station in tight))

    def _timed(self, rig: Rig, stops: tuple[int, ...], label: _Label) -> Timed:
        end_s, begin_s, _, _, price, _, _, past = label
        acts: list[Act] = []
        while past is not None:
            past, act = past
            acts.append(act)
        acts.reverse()
        return Timed(
            vehicle=rig.index, stops=stops, cost=price + rig.fixed_cost, begin_s=begin_s, end_s=end_s,
            acts=tuple(acts), intake=self._intake(rig, acts),
        )  # fmt: skip

    def _intake(self, rig: Rig, acts: Sequence[Act]) -> tuple[Load, ...]:
        taken = [self.day.nothing] * len(self.day.limited)
        load = rig.begins_with
        for kind, index, _ in (*acts, (UNLOAD, rig.end_station, rig.end)):
            if kind == PICKUP:
                load = tuple(map(add, load, self.day.load[index]))
            elif kind == UNLOAD:
                n = self.day.limited.get(index)
                if n is not None:
                    taken[n] = tuple(map(add, taken[n], load))
                load = self.day.nothing
        return tuple(taken)

    def steps(self, timed: Timed) -> Route:
        """The route as the plan's steps, every instant filled in."""
        return steps(self.day, timed)


def _loads_ahead(day: Day, stops: Sequence[int]) -> list[Load]:
    """Load still to come before each stop, that stop included."""
    ahead = [day.nothing]
    for stop in reversed(stops):
        ahead.append(tuple(map(add, ahead[-1], day.load[stop])))
    ahead.reverse()
    return ahead


class _Course:
    """The moves of one vehicle: from label to labels."""

    def __init__(self, day: Day, unloading: Unloading, rig: Rig, room: tuple[Load, ...]) -> None:
        self.day, self.rig, self._room, self._unloading = day, rig, room, unloading
        self._frugal = unloading.only_when_full(rig)
        self._own = unloading.tight.index(rig.end_station) if rig.end_station in unloading.tight else -1
        self._seconds, self._metres = day.seconds, day.metres
        self._per_s, self._per_m = rig.cost_per_travel_s, rig.cost_per_m
        # With a limit on the duration, a later begin can be worth a later arrival: keep both.
        self._every = rig.max_duration_s is not None
        self._rest_opens, self._rest_closes, self._rest_s = rig.rest or (0, -1, 0)

    def begin(self) -> list[_Label]:
        """Labels at the start: before the break's window a break is owed, from its opening on none is."""
        rig, unused = self.rig, (self.day.nothing,) * len(self._room)
        if rig.starts_s is None:
            return []
        first, last = rig.starts_s
        wait = rig.ready_s - first if first == last else 0
        if rig.rest is None:
            return [(first + wait, first, last, False, 0, rig.begins_with, unused, None)]
        labels: list[_Label] = []
        if first < self._rest_opens:
            early = min(last, self._rest_opens - 1)
            labels.append((first + wait, first, early, True, 0, rig.begins_with, unused, None))
        if last >= self._rest_opens:
            late = max(first, self._rest_opens)
            labels.append((late + wait, late, last, False, 0, rig.begins_with, unused, None))
        return labels

    def arrivals(self, label: _Label, a: int, b: int, ahead: Load | None) -> Iterator[_Label]:
        """Ways of coming from ``a`` to ``b``: straight on, or unloading on the way; with or without the break.

        ``ahead`` is the load still to come, ``None`` on the way home.
        """
        yield from self._leg(label, a, b)
        for detour in self._unloading.between(a, b, only_shortcuts=not self._may_help(label, a, b, ahead)):
            for there in self._leg(label, a, detour.place):
                for emptied in self._unload(there, detour):
                    yield from self._leg(emptied, detour.place, b)

    def _may_help(self, label: _Label, a: int, b: int, ahead: Load | None) -> bool:
        """Whether an unload on this leg, other than on a shortcut, can be worth it."""
        now, _, _, owed, _, load, _, _ = label
        if not any(load):
            return False
        if not self._frugal or (owed and now < self._rest_opens and now + self._seconds[a, b] > self._rest_closes):
            return True  # in the second case, the station may be the only place to rest in time
        if ahead is None:
            return False
        # When only empty-handed stops are left, an unload while waiting for them saves the final one.
        return not any(ahead) or any(x + y > c for x, y, c in zip(load, ahead, self.rig.capacity, strict=True))

    def _leg(self, label: _Label, a: int, b: int) -> Iterator[_Label]:
        now, early, late, owed, price, load, used, past = label
        way_s = self._seconds[a, b]
        price += self._per_s * way_s + self._per_m * self._metres[a, b]
        yield (now + way_s, early, late, owed, price, load, used, past)
        if not owed:
            return
        window = ((self._rest_opens, self._rest_closes),)
        reached = now + way_s <= self._rest_closes
        if reached:
            for start, first, last in _starts(now + way_s, early, late, window, every=False):
                yield (start + self._rest_s, first, last, False, price, load, used, (past, (REST, -1, b)))
        if self._every or not reached:
            # Resting before the leg never beats resting after it, unless the window has closed by then.
            for start, first, last in _starts(now, early, late, window, every=False):
                yield (start + self._rest_s + way_s, first, last, False, price, load, used, (past, (REST, -1, a)))

    def _unload(self, label: _Label, detour: Detour) -> Iterator[_Label]:
        now, early, late, owed, price, load, used, past = label
        if detour.tight >= 0:
            used = self._taken(used, detour.tight, load)
            if not self._within(used, detour.tight):
                return
        window = ((detour.opens_s, detour.last_start_s),)
        act = (UNLOAD, detour.station, detour.place)
        for start, first, last in _starts(now, early, late, window, every=False):
            yield (start + detour.unload_s, first, last, owed, price, self.day.nothing, used, (past, act))

    @staticmethod
    def _taken(used: tuple[Load, ...], tight: int, load: Load) -> tuple[Load, ...]:
        return (*used[:tight], tuple(map(add, used[tight], load)), *used[tight + 1 :])

    def _within(self, used: tuple[Load, ...], tight: int) -> bool:
        return all(x <= most for x, most in zip(used[tight], self._room[tight], strict=True))

    def serve(self, label: _Label, stop: int, kept: list[_Label]) -> None:
        """Add the labels after serving the stop to those kept so far."""
        now, early, late, owed, price, load, used, past = label
        load = tuple(map(add, load, self.day.load[stop]))
        for amount, most in zip(load, self.rig.capacity, strict=True):
            if amount > most:
                return
        service_s = self.day.service[stop]
        act = (PICKUP, stop, self.day.place[stop])
        for start, first, last in _starts(now, early, late, self.day.windows[stop], every=self._every):
            keep(kept, (start + service_s, first, last, owed, price, load, used, (past, act)), spans=self._every)

    def finish(self, label: _Label) -> Iterator[_Label]:
        """The label at the end of the route, final unload and overtime included, if every limit is kept."""
        now, early, late, owed, price, load, used, past = label
        rig = self.rig
        unload_s = rig.end_unload_s if any(load) else 0
        if self._own >= 0:
            used = self._taken(used, self._own, load)
            if not self._within(used, self._own):
                return
        latest = min(rig.latest_s, rig.end_open_s[1])
        if owed:
            latest = min(latest, self._rest_closes)
        window = ((rig.end_open_s[0], latest - unload_s),)
        for start, first, last in _starts(now, early, late, window, every=False):
            end = start + unload_s
            if rig.max_duration_s is None or end - first <= rig.max_duration_s:
                price += rig.overtime_cost_per_s * max(0, end - rig.shift_end_s)
                yield (end, first, last, owed, price, self.day.nothing, used, past)


def _starts(now: int, early: int, late: int, windows: Windows, *, every: bool) -> Iterator[tuple[int, int, int]]:
    """Earliest start in a window, with the range of begins that still leads there without needless waiting.

    With ``every``, also the starts in later windows of those begins that come too late for the first one.
    """
    for opens, closes in windows:
        if now > closes:
            continue
        start, first = now, early
        if start < opens:
            first += min(late - early, opens - start)
            start = opens
        yield start, first, min(late, first + closes - start)
        if not every or early + closes + 1 - now > late:
            return
        early += closes + 1 - now
        now = closes + 1


def _thinned(labels: list[_Label]) -> list[_Label]:
    """The labels, or when they are very many the cheapest and the earliest ones."""
    if len(labels) <= MOST_LABELS:
        return labels
    labels.sort(key=lambda label: label[4])
    half = MOST_LABELS // 2
    return labels[:half] + sorted(labels[half:], key=lambda label: label[0])[:half]


def keep(kept: list[_Label], new: _Label, *, spans: bool) -> None:
    """Add a label unless another one beats it, and drop those that it beats."""
    for old in kept:
        if _beats(old, new, spans=spans):
            return
    kept[:] = [old for old in kept if not _beats(new, old, spans=spans)]
    kept.append(new)


def _beats(one: _Label, other: _Label, *, spans: bool) -> bool:
    if one[0] > other[0] or one[4] > other[4] or one[3] > other[3]:
        return False
    if spans and (one[2] < other[2] or one[0] - one[1] > other[0] - other[1]):
        return False
    for x, y in zip(one[5], other[5], strict=True):
        if x > y:
            return False
    for mine, theirs in zip(one[6], other[6], strict=True):
        for x, y in zip(mine, theirs, strict=True):
            if x > y:
                return False
    return True


def steps(day: Day, timed: Timed) -> Route:
    """The route's steps: leave at the begin, do each act as early as it goes."""
    vehicle, rig = day.problem.vehicles[timed.vehicle], day.rigs[timed.vehicle]
    load, here, now = rig.begins_with, rig.start, max(timed.begin_s, rig.ready_s)
    out = [Step(kind="start", location=here, arrival_s=timed.begin_s, start_s=timed.begin_s, end_s=now, load=load)]
    for kind, index, place in timed.acts:
        arrival = now + day.seconds[here, place]
        here = place
        if kind == PICKUP:
            load = tuple(map(add, load, day.load[index]))
            start = next(max(arrival, a) for a, b in day.windows[index] if arrival <= b)
            now = start + day.service[index]
            out.append(
                Step(
                    kind="pickup", stop=day.problem.stops[index].key, location=place, arrival_s=arrival,
                    start_s=start, end_s=now, load=load,
                )
            )  # fmt: skip
        elif kind == UNLOAD:
            station = day.problem.stations[index]
            load, start = day.nothing, max(arrival, station.open_s[0])
            now = start + station.unload_s
            out.append(
                Step(
                    kind="unload", station=station.key, location=place, arrival_s=arrival, start_s=start, end_s=now,
                    load=load,
                )
            )  # fmt: skip
        else:
            opens, _, length_s = rig.rest or (0, 0, 0)
            start = max(arrival, opens)
            now = start + length_s
            out.append(Step(kind="break", location=place, arrival_s=arrival, start_s=start, end_s=now, load=load))
    arrival = now + day.seconds[here, rig.end]
    start = max(arrival, rig.end_open_s[0])
    now = start + (rig.end_unload_s if any(load) else 0)
    out.append(
        Step(
            kind="end", station=vehicle.end_station, location=rig.end, arrival_s=arrival, start_s=start, end_s=now,
            load=day.nothing,
        )
    )  # fmt: skip
    return Route(vehicle=vehicle.key, steps=tuple(out))
