"""Where one vehicle of a running day is: what its crew recorded, and from there on what its plan says. Pure.

A phone may be offline and a crew may not record every departure. What was recorded is true; since the last record the
vehicle is taken to go on by its plan, as much later or earlier as it then was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from recycling.policy.field_events import RouteState
from recycling.routing.cost import leg
from recycling.routing.plan import Route, Step
from recycling.routing.problem import Problem, Stop, Vehicle
from recycling.routing.replan import Load, OnRoute
from recycling.units import second_of_day

# So long a stop that should be over counts as over without a record: a phone has no network in a cellar or a village.
# Later it counts as not done, and somebody is sent.
SILENT_S = 5400

ON_BOARD = ("collected", "partly")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRoute:
    """What is known and supposed of one vehicle.

    Parameters
    ----------
    here
        Where it goes on from; ``None`` for one that has not left, or drives no more.
    past
        The steps of its standing route that stay in front of whatever comes, as they were planned.
    in_hand
        Stops that are its own whatever is planned: at their door now, or over by the clock and not recorded yet.
    begun
        Those and every stop that it has set out for, by record or by the clock.
    late_s
        When it reaches the stop it is driving to, where that one's windows are over by then.
    unloaded
        What it has brought to which station.
    """

    here: OnRoute | None = None
    past: tuple[Step, ...] = ()
    in_hand: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()
    late_s: int | None = None
    unloaded: tuple[tuple[str, Load], ...] = ()


def live_route(
    problem: Problem,
    vehicle: Vehicle,
    route: Route | None,
    state: RouteState,
    *,
    over: frozenset[str],
    elsewhere: frozenset[str],
    now_s: int,
    held_until_s: int = 0,
    stopped_s: int | None = None,
) -> LiveRoute:
    """Fold a vehicle's records and its standing route into where it is.

    Parameters
    ----------
    over
        Stops with an outcome, or that another vehicle is at.
    elsewhere
        Stops that nobody wants any more, or that another vehicle has set out for.
    held_until_s
        Until when it stands still, as a late one that somebody called about.
    stopped_s
        When it stopped for good: what it had not begun then is nobody's.
    """
    until_s = now_s if stopped_s is None else stopped_s
    walk = _Walk(problem, vehicle, route, state, over=over, elsewhere=elsewhere, now_s=until_s)
    if not walk.has_left:
        return LiveRoute() if held_until_s <= now_s else LiveRoute(here=walk.here(held_until_s=held_until_s))
    walk.go_on()
    here = walk.here(held_until_s=held_until_s)
    if stopped_s is not None or state.doing == "over":
        in_hand = walk.recorded_at
        if state.stopped_at is None and state.doing != "over":
            in_hand |= {key for key, end_s in walk.passed.items() if now_s - end_s <= SILENT_S}
        # A crew that told of its fault, or of its way home, has told of every door before it: none is over by the
        # clock alone, and what is not recorded is somebody else's now.
        return LiveRoute(past=walk.past(in_hand), in_hand=in_hand, begun=in_hand, unloaded=tuple(walk.unloaded))
    in_hand = walk.recorded_at | walk.at | {key for key, end_s in walk.passed.items() if now_s - end_s <= SILENT_S}
    begun = in_hand | ({here.next_stop} if here.next_stop is not None else set())
    return LiveRoute(
        here=here, past=walk.past(in_hand), in_hand=in_hand, begun=begun, late_s=walk.late_s(here),
        unloaded=tuple(walk.unloaded),
    )  # fmt: skip


class _Walk:
    """The vehicle on its way: what was recorded, then the standing route step by step until ``now_s``."""

    def __init__(
        self,
        problem: Problem,
        vehicle: Vehicle,
        route: Route | None,
        state: RouteState,
        *,
        over: frozenset[str],
        elsewhere: frozenset[str],
        now_s: int,
    ) -> None:
        self.problem, self.vehicle, self.state, self.now_s = problem, vehicle, state, now_s
        self.over, self.elsewhere = over, elsewhere
        self.steps: tuple[Step, ...] = () if route is None else route.steps
        self.load: Load = (0,) * len(problem.load_units)
        self.unloaded: list[tuple[str, Load]] = []
        self.recorded_at: frozenset[str] = frozenset()
        self.at: set[str] = set()
        self.passed: dict[str, int] = {}  # over by the clock alone: when
        self.rested = state.rested
        self.next_stop: Stop | None = None
        self._walked: set[int] = set()  # places of steps that the clock has passed
        at_door = self._stop(state.at_booking) if state.doing == "serving" else None
        if at_door is not None:
            self.recorded_at = frozenset({at_door.key})
        self._from = self._reached()
        self.rested = self.rested or self._rest_unsaid()
        self._load_recorded()
        self.place, self.free_s = self._recorded_place()

    @property
    def day(self) -> date:
        """The service day."""
        return self.problem.day

    @property
    def has_left(self) -> bool:
        """Whether it is on its route, by record or by the clock."""
        doing = self.state.doing
        if doing == "not_begun" or (doing == "idle" and self._at_start):
            return bool(self.steps) and self.free_s <= self.now_s
        return True

    @property
    def _at_start(self) -> bool:
        return self.state.at_booking is None and self.state.at_station is None and not self.state.visits

    @property
    def begin_s(self) -> int:
        """When it left."""
        planned = self.steps[0].end_s if self.steps else self.vehicle.shift_s[0]
        if self.state.began_at is None:
            return planned
        return second_of_day(self.state.began_at, day=self.day)

    # --- what was recorded ---

    def _stop(self, booking_id: UUID | None) -> Stop | None:
        return None if booking_id is None else self.problem.stop_by_key.get(str(booking_id))

    def _load_recorded(self) -> None:
        """What is on board: declared amounts of what was taken since it was last emptied."""
        taken = [
            (visit.ended_at, stop)
            for booking_id, visit in self.state.visits.items()
            if visit.outcome in ON_BOARD and visit.ended_at is not None
            if (stop := self._stop(booking_id)) is not None
        ]
        since = None
        for at, station_key in sorted([*self._recorded_unloads(), *self._unloads_unsaid()]):
            brought = [stop for ended_at, stop in taken if ended_at <= at and (since is None or ended_at > since)]
            self.unloaded.append((station_key, self._sum(brought)))
            since = at
        self.load = self._sum([stop for ended_at, stop in taken if since is None or ended_at > since])

    def _recorded_unloads(self) -> Iterator[tuple[datetime, str]]:
        stations = self.problem.station_by_key
        return ((one.at, one.station_key) for one in self.state.unloads if one.station_key in stations)

    def _unloads_unsaid(self) -> Iterator[tuple[datetime, str]]:
        """Planned unloads between two recorded visits without a record of their own.

        They count as made: the plan needed them, and a crew that went on collecting had the room.
        """
        place = {step.stop: n for n, step in enumerate(self.steps) if step.stop is not None}
        own = [(place.get(str(key)), visit) for key, visit in self.state.visits.items()]
        for n in range(1, self._from):
            step = self.steps[n]
            if step.kind != "unload" or step.station is None:
                continue
            ended = [visit.ended_at for at, visit in own if at is not None and at < n and visit.ended_at is not None]
            begun = [visit.arrived_at or visit.ended_at for at, visit in own if at is not None and at > n]
            until = min((at for at in begun if at is not None), default=None)
            said = [one.at for one in self.state.unloads if not ended or one.at >= max(ended)]
            if ended and not any(until is None or at <= until for at in said):
                yield max(ended), step.station

    def _rest_unsaid(self) -> bool:
        """Whether a planned break that nobody recorded fits between the visits before and after it."""
        rest = self.vehicle.break_
        place = {step.stop: n for n, step in enumerate(self.steps) if step.stop is not None}
        own = [(place.get(str(key), -1), visit) for key, visit in self.state.visits.items()]
        for n in range(1, self._from):
            if rest is not None and self.steps[n].kind == "break":
                ended = [visit.ended_at for at, visit in own if 0 <= at < n and visit.ended_at is not None]
                begun = [visit.arrived_at for at, visit in own if at > n and visit.arrived_at is not None]
                if ended and begun and (min(begun) - max(ended)).total_seconds() >= rest.duration_s:
                    return True
        return False

    def _sum(self, stops: Sequence[Stop]) -> Load:
        return tuple(sum(stop.load[u] for stop in stops) for u in range(len(self.problem.load_units)))

    def _recorded_place(self) -> tuple[int, int]:
        """Where it is by its last record, and from when on it is free there."""
        state, problem = self.state, self.problem
        start = problem.station_by_key[self.vehicle.start_station].location
        leaves_s = self.steps[0].end_s if self.steps else self.vehicle.shift_s[0]
        if state.since is None:
            return start, leaves_s
        since_s = second_of_day(state.since, day=self.day)
        stop, place = self._stop(state.at_booking), start
        station = problem.station_by_key.get(state.at_station or "")
        if stop is not None:
            place = stop.location
        elif station is not None:
            place = station.location
        if state.doing == "serving" and stop is not None:
            self.load = tuple(a + b for a, b in zip(self.load, stop.load, strict=True))
            return place, since_s + stop.service_s
        if state.doing == "unloading" and station is not None:
            self._empty(station.key)
            return place, since_s + station.unload_s
        if state.doing == "resting" and self.vehicle.break_ is not None:
            return place, since_s + self.vehicle.break_.duration_s
        if state.doing == "idle" and self._at_start:
            return place, max(since_s, leaves_s)
        return place, since_s

    def _empty(self, station_key: str) -> None:
        self.unloaded.append((station_key, self.load))
        self.load = (0,) * len(self.load)

    def _reached(self) -> int:
        """The place in the standing route from which on it goes by the plan."""
        own = {str(key) for key, visit in self.state.visits.items() if visit.outcome is not None} | self.recorded_at
        reached = [n for n, step in enumerate(self.steps) if step.stop in own]
        begun = max(reached, default=0) + 1 if self.steps else 0
        at_station = self.state.at_station is not None
        if at_station and begun < len(self.steps) and self.steps[begun].kind == "unload":
            begun += 1
        return begun

    # --- what the clock says since ---

    def _ahead(self) -> Iterator[tuple[int | None, Step]]:
        """The steps to come: first the stop it has set out for, then the route as it stands."""
        heading = self._stop(self.state.heading_to) if self.state.doing == "driving" else None
        if heading is not None:
            yield None, _bare(heading)
        for n in range(self._from, len(self.steps)):
            if heading is None or self.steps[n].stop != heading.key:
                yield n, self.steps[n]

    def go_on(self) -> None:
        """Follow the plan until now."""
        for n, step in self._ahead():
            if self.free_s > self.now_s or not self._take(step):
                return
            if n is not None:
                self._walked.add(n)

    def _take(self, step: Step) -> bool:
        """Take one step; ``False`` where it is still before the vehicle."""
        if step.kind == "pickup":
            needless = step.stop in self.over or step.stop in self.elsewhere
            return needless or self._visit(self.problem.stop_by_key[step.stop or ""])
        if step.kind == "break":
            return self.rested or self._rest()
        if step.station is None:
            return True
        return self._unload(step.station, home=step.kind == "end")

    def _visit(self, stop: Stop) -> bool:
        arrival_s = self.free_s + leg(self.problem, self.place, stop.location)[0]
        start_s = service_start(stop, arrival_s)
        if start_s > self.now_s:
            self.next_stop = stop
            return False
        self.place, self.free_s = stop.location, start_s + stop.service_s
        self.load = tuple(a + b for a, b in zip(self.load, stop.load, strict=True))
        if self.free_s > self.now_s:
            self.at.add(stop.key)
        else:
            self.passed[stop.key] = self.free_s
        return True

    def _rest(self) -> bool:
        rest = self.vehicle.break_
        begins_s = self.free_s if rest is None else max(self.free_s, rest.window_s[0])
        if rest is None or begins_s > self.now_s:
            return False  # not begun: it is decided anew
        self.rested, self.free_s = True, begins_s + rest.duration_s
        return True

    def _unload(self, key: str, *, home: bool) -> bool:
        station = self.problem.station_by_key[key]
        arrival_s = self.free_s + leg(self.problem, self.place, station.location)[0]
        start_s = max(arrival_s, station.open_s[0])
        # Driving there it decides anew when it is there.
        self.place, self.free_s = station.location, arrival_s
        if start_s > self.now_s:
            return False
        self.free_s = start_s + (station.unload_s if any(self.load) or not home else 0)
        self._empty(key)
        return not home

    # --- what it comes to ---

    def here(self, *, held_until_s: int) -> OnRoute:
        """Where it can next decide, or the stop that it is driving to."""
        next_key = None if self.next_stop is None else self.next_stop.key
        free_s = self.free_s if next_key is not None else max(self.free_s, self.now_s)
        # What is on board is an estimate, and a vehicle that carries more than it can is of no use to a planner.
        load = tuple(min(a, most) for a, most in zip(self.load, self.vehicle.capacity, strict=True))
        return OnRoute(
            begin_s=min(self.begin_s, free_s), location=self.place, free_s=max(free_s, held_until_s), load=load,
            next_stop=next_key, rested=self.rested,
        )  # fmt: skip

    def late_s(self, here: OnRoute) -> int | None:
        """When it reaches the stop it is driving to, if that is too late for its windows."""
        if self.next_stop is None:
            return None
        arrival_s = here.free_s + leg(self.problem, here.location, self.next_stop.location)[0]
        return arrival_s if arrival_s > self.next_stop.windows_s[-1][1] else None

    def past(self, in_hand: frozenset[str]) -> tuple[Step, ...]:
        """The steps that stay in front: its start, what is over or in hand, stations and breaks it has passed."""
        stay = (self.over | in_hand) - self.elsewhere
        kept = []
        for n, step in enumerate(self.steps):
            passed = n < self._from or n in self._walked
            if step.kind == "start" or (step.stop in stay if step.kind == "pickup" else passed and step.kind != "end"):
                kept.append(step)
        return tuple(kept)


def service_start(stop: Stop, arrival_s: int) -> int:
    """When service begins for somebody who arrives then; at once, where that is too late for every window."""
    return min((max(arrival_s, opens) for opens, closes in stop.windows_s if arrival_s <= closes), default=arrival_s)


def _bare(stop: Stop) -> Step:
    """A visit that no standing route has in that place."""
    return Step(kind="pickup", location=stop.location, arrival_s=0, start_s=0, end_s=0, load=stop.load, stop=stop.key)
