"""Labels along a route: every way, worth keeping, of having come so far, and the moves from one to the next.

A label holds a range of instants at which the route may have begun, so that a limit on the route's duration is exact
too. Labels that another label beats in clock, price, load and intake are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import add
from typing import Any

from recycling.routing.day import Day, Load, Rig, Windows
from recycling.routing.unloading import Detour, Unloading

PICKUP, UNLOAD, REST = 0, 1, 2
MOST_LABELS = 64

Act = tuple[int, int, int]
"""What a vehicle does, the index of the stop or station (-1 for a rest), and the location."""

# A linked list of acts, latest first: labels share their past.
Past = tuple[Any, Act] | None

# Now (seconds), earliest and latest begin of the route, break still owed, price so far, load on board, intake used at
# the limited stations, acts so far. "Now" belongs to the earliest begin; a later begin within the range comes later by
# as much, so the range never holds waiting that a later departure would save.
Label = tuple[int, int, int, bool, int, Load, tuple[Load, ...], Past]


class Course:
    """The moves of one vehicle: from label to labels."""

    def __init__(self, day: Day, unloading: Unloading, rig: Rig, room: tuple[Load, ...]) -> None:
        self.day, self.rig, self._room, self._unloading = day, rig, room, unloading
        self._frugal = unloading.only_when_full(rig)
        self._own = unloading.tight.index(rig.end_station) if rig.end_station in unloading.tight else -1
        self._home_shut = rig.end_station in unloading.shut
        self._seconds, self._metres = day.seconds, day.metres
        self._per_s, self._per_m = rig.cost_per_travel_s, rig.cost_per_m
        # With a limit on the duration, a later begin can be worth a later arrival: keep both.
        self._every = rig.max_duration_s is not None
        self._rest_opens, self._rest_closes, self._rest_s = rig.rest or (0, -1, 0)

    def begin(self) -> list[Label]:
        """Labels at the start: before the break's window a break is owed, from its opening on none is."""
        rig, unused = self.rig, (self.day.nothing,) * len(self._room)
        if rig.starts_s is None:
            return []
        first, last = rig.starts_s
        wait = rig.ready_s - first if first == last else 0
        if rig.rest is None:
            return [(first + wait, first, last, False, 0, rig.begins_with, unused, None)]
        labels: list[Label] = []
        if last >= self._rest_opens:
            # First, for among equals the first label stays: leaving later beats resting before leaving.
            late = max(first, self._rest_opens)
            labels.append((late + wait, late, last, False, 0, rig.begins_with, unused, None))
        if first < self._rest_opens:
            early = min(last, self._rest_opens - 1)
            labels.append((first + wait, first, early, True, 0, rig.begins_with, unused, None))
        return labels

    def arrivals(self, label: Label, a: int, b: int, ahead: Load | None) -> Iterator[Label]:
        """Ways of coming from ``a`` to ``b``: straight on, or unloading on the way; with or without the break.

        ``ahead`` is the load still to come, ``None`` on the way home.
        """
        yield from self._leg(label, a, b)
        for detour in self._unloading.between(a, b, only_shortcuts=not self._may_help(label, a, b, ahead)):
            for there in self._leg(label, a, detour.place):
                for emptied in self._unload(there, detour):
                    yield from self._leg(emptied, detour.place, b)

    def _may_help(self, label: Label, a: int, b: int, ahead: Load | None) -> bool:
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

    def _leg(self, label: Label, a: int, b: int) -> Iterator[Label]:
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

    def _unload(self, label: Label, detour: Detour) -> Iterator[Label]:
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

    def serve(self, label: Label, stop: int, kept: list[Label]) -> None:
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

    def finish(self, label: Label) -> Iterator[Label]:
        """The label at the end of the route, final unload and overtime included, if every limit is kept."""
        now, early, late, owed, price, load, used, past = label
        rig = self.rig
        unload_s = rig.end_unload_s if any(load) else 0
        if self._home_shut and any(load):
            return
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


def thinned(labels: list[Label], most: int) -> list[Label]:
    """The labels, or when they are very many the cheapest and the earliest ones."""
    if len(labels) <= most:
        return labels
    labels.sort(key=lambda label: label[4])
    half = most // 2
    return labels[:half] + sorted(labels[half:], key=lambda label: label[0])[:half]


def keep(kept: list[Label], new: Label, *, spans: bool) -> None:
    """Add a label unless another one beats it, and drop those that it beats."""
    for old in kept:
        if _beats(old, new, spans=spans):
            return
    kept[:] = [old for old in kept if not _beats(new, old, spans=spans)]
    kept.append(new)


def _beats(one: Label, other: Label, *, spans: bool) -> bool:
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
