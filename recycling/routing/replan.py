"""The rest of a day as a problem of its own: vehicles under way, done stops gone, promises kept.

The caller says what has happened; `as_planned` says it for everything that went as the plan has it. Moving a stop to
another vehicle has a price. The new problem is solved like any other; `changes` tells what it means for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from recycling.routing.cost import leg, start_place
from recycling.routing.plan import Plan, Route, Step
from recycling.routing.problem import Preference, Problem, Station, Stop, UnderWay, Vehicle

Load = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRoute:
    """Where one vehicle is that has left its start.

    Parameters
    ----------
    begin_s
        When it left.
    location, free_s
        Where it can next decide where to go, and from when on: the end of what it is doing, or its arrival at the
        station it is driving to.
    load
        On board then.
    next_stop
        Key of the stop it is driving to from ``location``, which stays first; else ``None``.
    rested
        Whether its break is taken or has begun.
    """

    begin_s: int
    location: int
    free_s: int
    load: Load
    next_stop: str | None = None
    rested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What is known at an instant of the day.

    Parameters
    ----------
    now_s
        The instant, in seconds after midnight.
    on_route
        Vehicles that have left, by key. All others stand at their start station, empty.
    done
        Keys of stops that are over: served, begun, missed or refused.
    taken
        Amounts that each station with a limit has taken already, by key.
    broken
        Keys of vehicles that drive no more.
    closed
        Keys of stations that take nothing more today.
    cancelled
        Keys of stops nobody wants any more.
    urgent
        New stops, at locations that the problem has.
    told
        Intervals told to people, by stop: service keeps to them where it still can.
    """

    now_s: int
    on_route: Mapping[str, OnRoute] = field(default_factory=dict)
    done: frozenset[str] = frozenset()
    taken: Mapping[str, Load] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    cancelled: frozenset[str] = frozenset()
    urgent: tuple[Stop, ...] = ()
    told: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a new plan means for one stop: other vehicle, other instant, newly on a route, or no longer on one."""

    stop: str
    vehicle_before: str | None
    vehicle_after: str | None
    start_before_s: int | None
    start_after_s: int | None

    @property
    def moved(self) -> bool:
        """Whether another vehicle comes."""
        return self.vehicle_before != self.vehicle_after


def as_planned(problem: Problem, plan: Plan, now_s: int) -> Happened:
    """What has happened by an instant on a day that went as planned."""
    on_route: dict[str, OnRoute] = {}
    done: set[str] = set()
    taken: dict[str, Load] = {}
    for route in plan.routes:
        if route.steps[0].end_s > now_s:
            continue
        on_route[route.vehicle] = _on_route(route, now_s)
        done.update(step.stop for step in route.steps if step.stop is not None and step.start_s <= now_s)
        for station, load in _unloaded(problem, route, now_s):
            taken[station] = tuple(a + b for a, b in zip(taken.get(station, (0,) * len(load)), load, strict=True))
    return Happened(now_s=now_s, on_route=on_route, done=frozenset(done), taken=taken)


def _on_route(route: Route, now_s: int) -> OnRoute:
    begun = [step for step in route.steps if step.start_s <= now_s]
    last = begun[-1]
    coming = route.steps[len(begun)] if len(begun) < len(route.steps) else None
    rested = any(step.kind == "break" for step in begun)
    begin_s = route.steps[0].start_s
    if coming is None or last.end_s > now_s:  # at home, or in the middle of something
        return OnRoute(
            begin_s=begin_s, location=last.location, free_s=max(last.end_s, now_s), load=last.load, rested=rested
        )
    if coming.kind == "pickup":
        return OnRoute(
            begin_s=begin_s, location=last.location, free_s=last.end_s, load=last.load, next_stop=coming.stop,
            rested=rested,
        )  # fmt: skip
    # On the way to a station, or waiting there; a break not begun yet is decided anew.
    return OnRoute(
        begin_s=begin_s, location=coming.location, free_s=max(coming.arrival_s, now_s), load=last.load, rested=rested
    )


def _unloaded(problem: Problem, route: Route, now_s: int) -> Iterator[tuple[str, Load]]:
    """What the route has brought to stations by now."""
    on_board = route.steps[0].load
    for step in route.steps[1:]:
        if step.start_s > now_s:
            return
        if step.station is not None and problem.station_by_key[step.station].intake_limit is not None:
            yield step.station, on_board
        on_board = step.load


def rest_of_day(problem: Problem, plan: Plan, happened: Happened, *, moving_cost: int) -> Problem:
    """The problem that remains.

    Parameters
    ----------
    problem, plan
        The day as it was planned, and the standing plan.
    moving_cost
        Cost of giving a stop to another vehicle than the one that was to come, >= 0.

    Returns
    -------
    Problem
        Over the same locations. A vehicle under way costs nothing to use, for it is used already; once its stops are
        done it drives home, which no plan needs to say. A broken vehicle is gone; what it has on board stays with it.

    Raises
    ------
    InvalidProblem
        When an urgent stop has the key of another one or a location that there is not.
    """
    vehicle_of = {step.stop: route.vehicle for route in plan.routes for step in route.steps if step.stop is not None}
    over = happened.done | happened.cancelled
    stations = tuple(_station(station, happened) for station in problem.stations)
    fleet = [v for v in problem.vehicles if v.key not in happened.broken]
    vehicles = tuple(w for v in fleet if (w := _vehicle(problem, v, happened, over)) is not None)
    keys = {vehicle.key for vehicle in vehicles}
    stops = []
    for stop in (*problem.stops, *happened.urgent):
        if stop.key not in over:
            before = vehicle_of.get(stop.key)
            prefer = Preference(vehicle=before, cost=moving_cost) if before in keys and before is not None else None
            stops.append(replace(stop, prefer=prefer, windows_s=_windows(stop, happened)))
    return replace(problem, stations=stations, vehicles=vehicles, stops=tuple(stops))


def _station(station: Station, happened: Happened) -> Station:
    limit, taken = station.intake_limit, happened.taken.get(station.key)
    if limit is not None and taken is not None:
        limit = tuple(max(0, most - mine) for most, mine in zip(limit, taken, strict=True))
    return replace(station, intake_limit=limit, can_unload=station.can_unload and station.key not in happened.closed)


def _windows(stop: Stop, happened: Happened) -> tuple[tuple[int, int], ...]:
    """The windows within what was told, or all of them where what was told can be kept no more."""
    told = happened.told.get(stop.key)
    if told is None or told[1] < happened.now_s:
        return stop.windows_s
    inside = tuple((max(a, told[0]), min(b, told[1])) for a, b in stop.windows_s)
    return tuple((a, b) for a, b in inside if a <= b) or stop.windows_s


def _vehicle(problem: Problem, vehicle: Vehicle, happened: Happened, over: frozenset[str]) -> Vehicle | None:
    """The vehicle from now on; ``None`` when its shift is over."""
    locked = tuple(key for key in vehicle.locked if key not in over)
    here = happened.on_route.get(vehicle.key)
    place = start_place(problem, vehicle) if here is None else here.location
    vehicle = replace(vehicle, locked=locked, end_station=_end(problem, vehicle, place, happened))
    opens, closes = vehicle.shift_s
    if here is None:
        if vehicle.start is not None:
            return vehicle
        return replace(vehicle, shift_s=(max(opens, happened.now_s), closes)) if happened.now_s <= closes else None
    if here.free_s > closes + vehicle.max_overtime_s:
        return None
    if here.next_stop is not None and here.next_stop not in over:
        locked = (here.next_stop, *(key for key in locked if key != here.next_stop))
    free_s = here.free_s if locked and locked[0] == here.next_stop else max(here.free_s, happened.now_s)
    time_s, rest = free_s, None
    may_rest = not here.rested and free_s <= closes
    if vehicle.break_ is not None and may_rest and free_s <= vehicle.break_.window_s[1]:
        rest = vehicle.break_
        # A break is due on routes that begin before its window: so does this one, although it waits until it is free.
        time_s = min(free_s, max(here.begin_s, rest.window_s[0] - 1))
    longest = vehicle.max_duration_s
    return replace(
        vehicle,
        shift_s=(max(opens, free_s), max(closes, free_s)) if free_s <= closes else (closes, closes),
        max_duration_s=None if longest is None else max(0, longest - (time_s - here.begin_s)),
        break_=rest,
        fixed_cost=0,
        start=UnderWay(location=here.location, time_s=time_s, load=here.load),
        locked=locked,
    )


def _end(problem: Problem, vehicle: Vehicle, place: int, happened: Happened) -> str:
    """Where the vehicle ends: at its own station, or the nearest one where that one is closed."""
    if vehicle.end_station not in happened.closed:
        return vehicle.end_station
    own = problem.station_by_key[vehicle.end_station]
    able = [s for s in problem.stations if s.key not in happened.closed and s.can_unload]
    way = {s.key: leg(problem, place, s.location)[0] + leg(problem, s.location, own.location)[0] for s in able}
    return min(way, key=lambda key: (way[key], key)) if way else vehicle.end_station


def changes(before: Plan, after: Plan, *, done: frozenset[str] = frozenset()) -> tuple[Change, ...]:
    """Every stop not yet done that another vehicle or another instant now serves, in ascending key sequence."""
    old, new = _served(before.routes), _served(after.routes)
    found = []
    for key in sorted((old.keys() | new.keys()) - done):
        was, now = old.get(key), new.get(key)
        if was is None or now is None or (was[0], was[1].start_s) != (now[0], now[1].start_s):
            found.append(
                Change(
                    stop=key,
                    vehicle_before=None if was is None else was[0],
                    vehicle_after=None if now is None else now[0],
                    start_before_s=None if was is None else was[1].start_s,
                    start_after_s=None if now is None else now[1].start_s,
                )
            )
    return tuple(found)


def _served(routes: Sequence[Route]) -> dict[str, tuple[str, Step]]:
    return {step.stop: (route.vehicle, step) for route in routes for step in route.steps if step.stop is not None}
