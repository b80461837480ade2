"""The best plan of a day of few stops, by looking at every sequence: engines are made for days too large for that.

A dynamic programme over sets of stops for each vehicle, on the labels of exact timing, then over the vehicles. Routes
of the same stops are kept apart where they bring limited stations different amounts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from operator import add

from recycling.routing.course import PICKUP, Course, Label, Past
from recycling.routing.day import Day, Load, Rig
from recycling.routing.draft import Draft
from recycling.routing.unloading import Unloading

FEW = 7  # stops; each one more takes about three times as long

Row = tuple[int, ...]
Intake = tuple[Load, ...]
Served = tuple[int, Intake]
"""A set of stops as bits, and what limited stations get."""


def best_of_few(draft: Draft, *, until: float) -> Draft | None:
    """The best draft of the day, or ``None`` when it has more than `FEW` stops or looking takes beyond ``until``."""
    day = draft.day
    if len(day.place) > FEW:
        return None
    tight = _tight(day)
    room = tuple(day.limits[day.limited[station]] for station in tight)
    plans: dict[Served, tuple[int, tuple[tuple[Row, Intake], ...]]] = {(0, _nothing(day, tight)): (0, ())}
    for rig in day.rigs:
        routes = _every_route(day, rig, tight, room, until)
        if routes is None:
            return None
        more: dict[Served, tuple[int, tuple[tuple[Row, Intake], ...]]] = {}
        for (served, used), (cost, rows) in plans.items():
            if time.monotonic() > until:
                return None
            for (mine, brought), (price, row) in routes.items():
                both = served | mine, tuple(tuple(map(add, x, y)) for x, y in zip(used, brought, strict=True))
                fits = not served & mine and _within(both[1], room)
                if fits and (both not in more or cost + price < more[both][0]):
                    more[both] = cost + price, (*rows, (row, brought))
        plans = more
    skip = [int(cost) for cost in day.stop_table.skip_cost]
    ranked = [
        (cost + sum(missed for s, missed in enumerate(skip) if not served >> s & 1), rows)
        for (served, _), (cost, rows) in plans.items()
    ]
    return _drawn(draft, min(ranked)[1], tight) if ranked else None


def _drawn(draft: Draft, rows: tuple[tuple[Row, Intake], ...], tight: Row) -> Draft:
    """The routes timed again, each within the intake it was chosen with."""
    best = draft.emptied()
    for vehicle, (row, intake) in enumerate(rows):
        room = list(draft.day.limits)
        for station, amounts in zip(tight, intake, strict=True):
            room[draft.day.limited[station]] = amounts
        best.put(vehicle, best.timing.time(vehicle, row, room))
    return best


def _every_route(day: Day, rig: Rig, tight: Row, room: Intake, until: float) -> dict[Served, tuple[int, Row]] | None:
    """By stops served and intake, the lowest cost with preferences, and the sequence; staying at home among them.

    Locked stops come first, and all of them wherever the vehicle can serve them all.
    """
    found: dict[Served, tuple[int, Row]] = {(0, _nothing(day, tight)): (0, ())}
    course = Course(day, Unloading(day, tight, ()), rig, room)
    ahead: dict[tuple[int, int], list[Label]] = {(0, -1): course.begin()}
    while ahead:
        further: dict[tuple[int, int], list[Label]] = {}
        for (served, last), labels in ahead.items():
            here, coming = rig.start if last < 0 else day.place[last], _ahead(day, rig, served)
            for stop in _next(day, rig, served, last):
                if time.monotonic() > until:
                    return None
                kept = further.setdefault((served | 1 << stop, stop), [])
                for label in labels:
                    for arrived in course.arrivals(label, here, day.place[stop], coming):
                        course.serve(arrived, stop, kept)
            for label in labels if served else ():
                for arrived in course.arrivals(label, here, rig.end, None):
                    for _, _, _, _, price, _, used, past in course.finish(arrived):
                        row = _row(past)
                        cost = price + rig.fixed_cost + day.preference_cost([(rig.index, row)])
                        if (served, used) not in found or cost < found[served, used][0]:
                            found[served, used] = cost, row
        ahead = {at: labels for at, labels in further.items() if labels}
    locked = sum(1 << stop for stop in rig.locked)
    whole = {key: way for key, way in found.items() if key[0] & locked == locked}
    return whole or found


def _ahead(day: Day, rig: Rig, served: int) -> Load:
    """The most that may still be loaded; nothing when a stop without load is among what may come, and could come last.

    As exact timing reads it: then an unload may be worth it.
    """
    loads = [day.load[s] for s in range(len(day.place)) if not served >> s & 1 and day.can_carry(rig.index, s)]
    return tuple(map(sum, zip(*loads, strict=True))) if all(map(any, loads)) else day.nothing


def _next(day: Day, rig: Rig, served: int, last: int) -> Iterator[int]:
    """Stops that may follow: a locked one only after locked ones before it, any of which may be missing."""
    rank = rig.locked.index(last) if last in rig.locked else -1 if last < 0 else len(rig.locked)
    for stop in range(len(day.place)):
        free = day.can_carry(rig.index, stop) and not served >> stop & 1
        if free and (stop not in rig.locked or rig.locked.index(stop) > rank):
            yield stop


def _row(past: Past) -> Row:
    row: list[int] = []
    while past is not None:
        past, (kind, stop, _) = past
        if kind == PICKUP:
            row.append(stop)
    return tuple(reversed(row))


def _tight(day: Day) -> Row:
    """Stations whose limit the whole day's load could break."""
    loads = [*day.load, *(rig.begins_with for rig in day.rigs)]
    total = tuple(map(sum, zip(*loads, strict=True)))
    return tuple(
        station
        for station, n in day.limited.items()
        if any(amount > most for amount, most in zip(total, day.limits[n], strict=True))
    )


def _nothing(day: Day, tight: Row) -> Intake:
    return (day.nothing,) * len(tight)


def _within(used: Intake, room: Intake) -> bool:
    return all(
        amount <= most
        for amounts, limit in zip(used, room, strict=True)
        for amount, most in zip(amounts, limit, strict=True)
    )
