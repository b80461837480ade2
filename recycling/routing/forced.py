"""A route as it would go where no timetable keeps every rule: as early as it can, late or overfull where it must.

`timing` answers only with routes that keep the rules. A dispatcher who drags a stop to where it does not fit wants to
see what breaks there, and by how much: this is the route that the checker is then asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import add
from typing import Any

from recycling.routing.course import PICKUP, UNLOAD
from recycling.routing.day import Day, Load, Windows
from recycling.routing.plan import Route, Step, StepKind
from recycling.routing.timing import span


def forced(day: Day, vehicle: int, stops: Sequence[int]) -> Route:
    """Serve the stops in this sequence, whatever it breaks.

    Parameters
    ----------
    vehicle, stops
        Indices; at least one stop.

    Returns
    -------
    Route
        It leaves as early as the shift allows, unloads at the nearest station on its way when the next stop does not
        fit beside what is on board, rests when it would otherwise be too late for that, and starts each service in
        the first window still open, or at once when all have closed.
    """
    drive = _Drive(day, vehicle)
    rig = drive.rig
    for stop in stops:
        more = day.load[stop]
        if any(drive.load) and any(a + b > c for a, b, c in zip(drive.load, more, rig.capacity, strict=True)):
            drive.unload_before(day.place[stop])
        windows, length_s = span(day, rig, PICKUP, stop)
        load = tuple(map(add, drive.load, more))
        drive.do("pickup", day.place[stop], windows, length_s, load, stop=day.problem.stops[stop].key)
    return drive.home()


class _Drive:
    """The vehicle on its way: clock, place, load, and the steps so far."""

    def __init__(self, day: Day, vehicle: int) -> None:
        self.day, self.rig, self.vehicle = day, day.rigs[vehicle], day.problem.vehicles[vehicle]
        rig = self.rig
        begin_s = rig.ready_s if rig.starts_s is None else rig.starts_s[0]
        self.now, self.here, self.load = max(begin_s, rig.ready_s), rig.start, rig.begins_with
        self.owed = rig.rest is not None and begin_s < rig.rest[0]
        self.steps = [
            Step(kind="start", location=rig.start, arrival_s=begin_s, start_s=begin_s, end_s=self.now, load=self.load)
        ]

    def do(self, kind: StepKind, place: int, windows: Windows, length_s: int, load: Load, **named: Any) -> None:
        """Drive there and do it, resting first when there is no time for that afterwards."""
        arrival = self.now + self.day.seconds[self.here, place]
        if self.owed and self.rig.rest is not None:
            opens, closes, rest_s = self.rig.rest
            if _start(arrival, windows) + length_s > closes:
                # Behind the way, where waiting for a window may hide it, unless it is too late there.
                at, since = (place, arrival) if arrival <= closes else (self.here, self.now)
                start = max(since, opens)
                self.now, self.here, self.owed = start + rest_s, at, False
                self._note("break", at, since, start, self.now, self.load)
                arrival = self.now + self.day.seconds[self.here, place]
        start = _start(arrival, windows)
        self.now, self.here, self.load = start + length_s, place, load
        self._note(kind, place, arrival, start, self.now, load, **named)

    def unload_before(self, there: int) -> None:
        """Empty the vehicle at the station that is least out of the way; without any, nothing happens."""
        seconds = self.day.seconds
        open_to_all = [(i, s) for i, s in enumerate(self.day.problem.stations) if s.can_unload]
        if not open_to_all:
            return
        index, station = min(
            open_to_all, key=lambda one: seconds[self.here, one[1].location] + seconds[one[1].location, there]
        )
        windows, length_s = span(self.day, self.rig, UNLOAD, index)
        self.do("unload", station.location, windows, length_s, self.day.nothing, station=station.key)

    def home(self) -> Route:
        """Drive to the end station and unload what is on board."""
        rig = self.rig
        length_s = rig.end_unload_s if any(self.load) else 0
        self.do("end", rig.end, (rig.end_open_s,), length_s, self.day.nothing, station=self.vehicle.end_station)
        return Route(vehicle=self.vehicle.key, steps=tuple(self.steps))

    def _note(self, kind: StepKind, place: int, arrival: int, start: int, end: int, load: Load, **named: Any) -> None:
        self.steps.append(
            Step(kind=kind, location=place, arrival_s=arrival, start_s=start, end_s=end, load=load, **named)
        )


def _start(arrival: int, windows: Windows) -> int:
    """The first second from ``arrival`` on in a window; ``arrival`` itself when all have closed."""
    return next((max(arrival, opens) for opens, closes in windows if arrival <= closes), arrival)
