"""When a running route reaches each open stop (预计到达): from its plan, what was recorded, and the clock; pure.

A route is walked on from the last place and instant that were recorded. Legs take their planned time where the vehicle
keeps the planned sequence, and what ``travel`` says where it does not; service and travel are stretched by the pace of
the vehicle's day so far.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal
from uuid import UUID

from recycling.policy.field_events import RouteState, Visit
from recycling.units import second_of_day

PlannedKind = Literal["start", "pickup", "break", "unload", "end"]
# Seconds between two places, by their keys; ``None`` when one of them is unknown.
Travel = Callable[[str, str], int | None]

# An hour of service, and one of travel, count as done just as planned before the first stop: one slow door of the
# morning says little about the afternoon, and after a few hours the day speaks for itself.
PRIOR_S = 3600
SLOWEST, FASTEST = Fraction(2), Fraction(1, 2)  # beyond that records are wrong sooner than crews so slow or quick
# How far an estimate may be off: so much in any case, and a share of the time since the last word.
LEAST_MARGIN_S = 300
MARGIN_SHARE = Fraction(15, 100)
ROUND_S = 300  # residents hear five minutes; a minute would promise what traffic breaks


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of a published route, in seconds after midnight.

    Parameters
    ----------
    place
        Where it is: a booking's id or a station's key; ``None`` for a break, which is taken wherever one is.
    window_s
        First and last second in which service may start, as promised; ``None`` for what nobody was promised.
    """

    kind: PlannedKind
    arrival_s: int
    start_s: int
    end_s: int
    place: str | None = None
    booking_id: UUID | None = None
    window_s: tuple[int, int] | None = None

    @property
    def service_s(self) -> int:
        """How long it is planned to take."""
        return self.end_s - self.start_s

    @property
    def opens_s(self) -> int | None:
        """Before when it cannot start; where the plan waits, that is what it waits for."""
        if self.window_s is not None:
            return self.window_s[0]
        return self.start_s if self.start_s > self.arrival_s else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How this vehicle's day runs: actual over planned time, 1 when it runs as planned."""

    service: Fraction = Fraction(1)
    travel: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEstimate:
    """When an open step will be reached, begun and done, in seconds after midnight.

    Parameters
    ----------
    number
        Which of the route's steps it is, counted from 0.
    earliest_s, latest_s
        Around ``start_s``, rounded outward.
    under_way
        Whether it has begun: its arrival is recorded then, and only its end estimated.
    """

    step: PlannedStep
    number: int
    arrival_s: int
    start_s: int
    end_s: int
    earliest_s: int
    latest_s: int
    under_way: bool = False

    @property
    def late_s(self) -> int:
        """Seconds by which service starts after its window; 0 within it."""
        return 0 if self.step.window_s is None else max(0, self.start_s - self.step.window_s[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEstimate:
    """What is still to come of a route.

    Parameters
    ----------
    steps
        Open steps in the sequence in which they are expected.
    lateness_s
        How much later than planned the next one starts; negative when earlier.
    word_s
        When something was last recorded; ``None`` when nothing was.
    no_word
        Whether the route should have begun and nothing was recorded: the steps are then those of the plan.
    stands
        Whether the vehicle's day is over or it cannot drive: nobody is coming, and no step is estimated.
    """

    steps: tuple[StepEstimate, ...]
    pace: Pace
    lateness_s: int = 0
    word_s: int | None = None
    no_word: bool = False
    stands: bool = False

    def of(self, booking_id: UUID) -> StepEstimate | None:
        """The estimate for a booking; ``None`` when its stop is not open."""
        return next((one for one in self.steps if one.step.booking_id == booking_id), None)

    def stops_before(self, booking_id: UUID) -> int | None:
        """How many open pickups come before a booking's; ``None`` when its stop is not open."""
        before = 0
        for one in self.steps:
            if one.step.booking_id == booking_id:
                return before
            before += one.step.kind == "pickup"
        return None


def estimate_route(
    steps: Sequence[PlannedStep],
    state: RouteState,
    *,
    day: date,
    now: datetime,
    travel: Travel,
    gone: Collection[UUID] = (),
) -> RouteEstimate:
    """Estimate every open step of a route.

    Parameters
    ----------
    steps
        The published route from its start to its end; at least these two.
    state
        Everything that the vehicle's crew recorded on the day.
    gone
        Bookings that need no visit any more, whatever this crew recorded: withdrawn, or recorded by another.
    """
    word_s = None if state.since is None else second_of_day(state.since, day=day)
    now_s = second_of_day(now, day=day)
    pace = pace_of(steps, state, day=day, travel=travel)
    if state.doing == "over" or not state.drives:
        return RouteEstimate(steps=(), pace=pace, word_s=word_s, stands=True)
    walk = _Walk(steps, state, day=day, now_s=now_s, word_s=word_s, travel=travel, pace=pace, gone=gone)
    found = tuple(walk.steps())
    ahead = next((one for one in found if not one.under_way and one.step.kind != "break"), None)
    return RouteEstimate(
        steps=found,
        pace=pace,
        lateness_s=0 if ahead is None else ahead.start_s - ahead.step.start_s,
        word_s=word_s,
        no_word=word_s is None and now_s > steps[0].end_s,
    )


def pace_of(steps: Sequence[PlannedStep], state: RouteState, *, day: date, travel: Travel) -> Pace:
    """The pace of a vehicle's day: ``(prior + actual) / (prior + planned)`` over its finished visits.

    Doors at which nothing was taken say nothing about service: they are left early.
    """
    at = {step.booking_id: number for number, step in enumerate(steps) if step.booking_id is not None}
    served = driven = planned_service = planned_travel = 0
    for booking_id, visit in state.visits.items():
        number = at.get(booking_id)
        if number is None:
            continue
        if visit.outcome in ("collected", "partly") and visit.started_at and visit.ended_at:
            served += max(0, int((visit.ended_at - visit.started_at).total_seconds()))
            planned_service += steps[number].service_s
        leg = _leg_driven(number, visit, steps, state, day=day, travel=travel)
        if leg is not None:
            driven, planned_travel = driven + leg[0], planned_travel + leg[1]
    return Pace(service=_shrunk(served, planned_service), travel=_shrunk(driven, planned_travel))


def _shrunk(actual_s: int, planned_s: int) -> Fraction:
    return min(SLOWEST, max(FASTEST, Fraction(PRIOR_S + actual_s, PRIOR_S + planned_s)))


def _leg_driven(
    number: int, visit: Visit, steps: Sequence[PlannedStep], state: RouteState, *, day: date, travel: Travel
) -> tuple[int, int] | None:
    """Seconds driven to a visit and seconds planned for it; ``None`` when nobody can tell when it was left for."""
    if visit.arrived_at is None:
        return None
    last, place = _last_place(visit.set_out_at or visit.arrived_at, state, otherwise=steps[0].place)
    origin = next((n for n in range(number - 1, -1, -1) if steps[n].place == place), None)
    left_at = visit.set_out_at
    if left_at is None and origin == number - 1 and steps[origin].kind == "pickup":
        # Without a record of setting out, the time between two doors may hold anything; right after each other by the
        # plan, it is the way.
        left_at = last
    if left_at is None or place is None or left_at > visit.arrived_at:
        return None
    planned = None if origin is None else _legs_between(steps, origin, number)
    if planned is None:
        planned = travel(place, steps[number].place or "")
    return None if planned is None else (int((visit.arrived_at - left_at).total_seconds()), planned)


def _last_place(before: datetime, state: RouteState, *, otherwise: str | None) -> tuple[datetime | None, str | None]:
    """Where a vehicle had last finished something by an instant, and when."""
    left = [(visit.ended_at, str(booking_id)) for booking_id, visit in state.visits.items() if visit.ended_at]
    left += [(unloaded.at, unloaded.station_key) for unloaded in state.unloads]
    known = [one for one in left if one[0] <= before]
    return max(known, default=(None, otherwise))


def _legs_between(steps: Sequence[PlannedStep], origin: int, number: int) -> int | None:
    """Planned travel from one step to a later one with nothing but breaks between them."""
    if origin >= number or any(step.kind != "break" for step in steps[origin + 1 : number]):
        return None
    return sum(steps[n].arrival_s - steps[n - 1].end_s for n in range(origin + 1, number + 1))


class _Walk:
    """Goes on along a route from where its vehicle was last known to be."""

    def __init__(
        self, steps: Sequence[PlannedStep], state: RouteState, *, day: date, now_s: int, word_s: int | None,
        travel: Travel, pace: Pace, gone: Collection[UUID],
    ) -> None:  # fmt: skip
        self.plan, self.state, self.day, self.now_s, self.word_s = steps, state, day, now_s, word_s
        self.travel, self.pace, self.gone = travel, pace, gone
        self.known_s = steps[0].end_s if word_s is None else word_s
        self.number, self.place = self._here()
        self.clock_s = self._left_s()

    def _here(self) -> tuple[int | None, str | None]:
        """The step and the place at which the vehicle was last known to be."""
        state = self.state
        if state.at_booking is not None:
            found = (n for n, step in enumerate(self.plan) if step.booking_id == state.at_booking)
            return next(found, None), str(state.at_booking)
        if state.at_station is not None:
            emptied = len(state.unloads) + (state.doing == "unloading")
            unloads = [n for n, step in enumerate(self.plan) if step.kind == "unload"][:emptied]
            at_it = [n for n in unloads if self.plan[n].place == state.at_station]
            return (at_it[-1] if at_it else None), state.at_station
        return 0, self.plan[0].place

    def _left_s(self) -> int:
        """When it leaves there, as far as it is only driving or idle."""
        if self.word_s is None:
            return self.plan[0].end_s
        at_start = self.state.at_booking is None and self.state.at_station is None
        if at_start and self.state.doing == "idle" and not self.state.rested:
            return max(self.word_s, self.plan[0].end_s)
        return self.word_s

    def steps(self) -> Iterator[StepEstimate]:
        """Every open step; what is under way first."""
        done = set(self._done())
        under_way = self._under_way()
        if under_way is not None:
            number, one = under_way
            done.add(number)
            self.clock_s = one.end_s
            if one.step.kind == "break":
                self.number = number if self.number == number - 1 else self.number
            yield one
        elif self.state.doing in ("serving", "unloading", "resting"):
            self.clock_s = max(self.clock_s, self.now_s)  # at something that is not in this plan
        for number in self._sequence(done):
            yield self._next(number)

    def _done(self) -> Iterator[int]:
        unloads = 0
        for number, step in enumerate(self.plan):
            if step.kind == "start" or (step.kind == "break" and self.state.rested):
                yield number
            elif step.kind == "unload":
                unloads += 1
                if unloads <= len(self.state.unloads):
                    yield number
            elif step.booking_id is not None:
                visit = self.state.visits.get(step.booking_id)
                if step.booking_id in self.gone or (visit is not None and visit.outcome is not None):
                    yield number

    def _under_way(self) -> tuple[int, StepEstimate] | None:
        """The step that has begun, with the rest of its time."""
        doing, begun_s = self.state.doing, self.word_s
        if begun_s is None:
            return None
        number = self.number
        if doing == "resting":
            number = next((n for n, step in enumerate(self.plan) if step.kind == "break"), None)
        if number is None or doing not in ("serving", "unloading", "resting"):
            return None
        step = self.plan[number]
        if (doing, step.kind) not in {("serving", "pickup"), ("unloading", "unload"), ("resting", "break")}:
            return None
        arrived_s, took = begun_s, Fraction(step.service_s)
        if step.booking_id is not None:
            visit = self.state.visits[step.booking_id]
            if step.booking_id in self.gone or visit.outcome is not None:
                return None
            arrived_s, begun_s = self._second(visit.arrived_at, begun_s), self._second(visit.started_at, begun_s)
            took *= self.pace.service
        end_s = max(begun_s + round(took), self.now_s)
        return number, StepEstimate(
            step=step, number=number, arrival_s=arrived_s, start_s=begun_s, end_s=end_s, earliest_s=begun_s,
            latest_s=begun_s, under_way=True,
        )  # fmt: skip

    def _second(self, at: datetime | None, otherwise: int) -> int:
        return otherwise if at is None else second_of_day(at, day=self.day)

    def _sequence(self, done: set[int]) -> list[int]:
        """The open steps: the one that the vehicle has set out for, then the others as planned."""
        ahead = [number for number in range(len(self.plan)) if number not in done]
        heading = self.state.heading_to
        first = [number for number in ahead if heading is not None and self.plan[number].booking_id == heading]
        return first + [number for number in ahead if number not in first]

    def _next(self, number: int) -> StepEstimate:
        step = self.plan[number]
        arrival_s = self.clock_s + round(self._leg_s(number) * self.pace.travel)
        if self.word_s is not None:  # without any word the plan stands as it is
            arrival_s = max(arrival_s, self.now_s)
        start_s = arrival_s if step.opens_s is None else max(arrival_s, step.opens_s)
        took = round(step.service_s * self.pace.service) if step.kind == "pickup" else step.service_s
        self.clock_s, self.number = start_s + took, number
        self.place = self.place if step.place is None else step.place
        shown = [max(second, self.now_s) for second in (arrival_s, start_s, start_s + took)]
        earliest_s, latest_s = self._around(shown[1], step.opens_s)
        return StepEstimate(
            step=step, number=number, arrival_s=shown[0], start_s=shown[1], end_s=shown[2], earliest_s=earliest_s,
            latest_s=latest_s,
        )  # fmt: skip

    def _leg_s(self, number: int) -> int:
        """Travel to a step: as planned from the step before it, else by the way from where we are."""
        step = self.plan[number]
        planned = None if self.number is None else _legs_between(self.plan, self.number, number)
        if planned is not None:
            return planned
        if step.place is None:
            return 0
        found = None if self.place is None else self.travel(self.place, step.place)
        return max(0, step.arrival_s - self.plan[number - 1].end_s) if found is None else found

    def _around(self, start_s: int, opens_s: int | None) -> tuple[int, int]:
        margin = LEAST_MARGIN_S + round(MARGIN_SHARE * max(0, start_s - self.known_s))
        earliest = (start_s - margin) // ROUND_S * ROUND_S
        latest = -(-(start_s + margin) // ROUND_S) * ROUND_S
        floor = self.now_s if opens_s is None else max(self.now_s, opens_s)
        return max(earliest, min(floor, start_s)), latest
