"""Everything known of a running day, folded into where each vehicle is and what has happened. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from recycling.models.healing import Disruption
from recycling.policy.field_events import OUTCOMES, RouteState
from recycling.routing import plan as planner
from recycling.routing.problem import Problem
from recycling.routing.replan import Happened, Load
from recycling.units import second_of_day
from recycling.usecases.planning.live_route import LiveRoute, live_route

NO_STATE = RouteState()
SHUTS_A_STATION = ("station_closed", "station_full")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Bookings that want no visit any more: with an outcome, or withdrawn."""

    done: frozenset[str]
    cancelled: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class DayFacts:
    """What is known of a day at an instant: the evening's problem, the standing plan, records, incidents, bookings."""

    problem: Problem
    standing: planner.Plan
    disruptions: Sequence[Disruption]
    crews: Mapping[str, tuple[str, ...]]
    states: Mapping[str, RouteState]
    gone: Gone
    now_s: int

    @cached_property
    def stopped(self) -> Mapping[str, int]:
        """Vehicles that drive no more, with when they stopped."""
        found = {}
        for key, state in self.states.items():
            at = state.stopped_at if not state.drives else state.ended_at
            if at is not None:
                found[key] = second_of_day(at, day=self.problem.day)
        for known in self.problem.vehicles:
            if not self.crews.get(known.key):  # it has left the configuration since the evening
                found.setdefault(known.key, self.now_s)
        helped = {one.vehicle_key for one in self.disruptions if one.substitutes}
        for one in self.disruptions:
            at_s = second_of_day(one.at, day=self.problem.day)
            # What a crew recorded itself holds as long as its records say so; a vehicle may be running again. A sick
            # crew may have been named before those who ride in its place.
            sick = one.kind == "sick" and one.vehicle_key not in helped
            if one.vehicle_key is not None and (sick or (one.kind == "breakdown" and one.event_id is None)):
                found.setdefault(one.vehicle_key, at_s)
            for vehicle, crew in self.crews.items():
                # A spare vehicle whose crew has gone to help on another one stays at home.
                if vehicle != one.vehicle_key and set(crew) & set(one.substitutes):
                    found.setdefault(vehicle, at_s)
        return found

    @cached_property
    def held_until(self) -> Mapping[str, int]:
        """Until when late vehicles stand still."""
        found: dict[str, int] = {}
        for one in self.disruptions:
            if one.kind == "late" and one.vehicle_key is not None and one.minutes is not None:
                until_s = second_of_day(one.at + timedelta(minutes=one.minutes), day=self.problem.day)
                found[one.vehicle_key] = max(found.get(one.vehicle_key, 0), until_s)
        return found

    @cached_property
    def recorded_with(self) -> Mapping[str, str]:
        """By stop, the vehicle that is at its door, or has set out for it and drives, by its own records."""
        found = {}
        for vehicle, state in sorted(self.states.items()):
            if state.doing == "serving" and state.at_booking is not None:
                found[str(state.at_booking)] = vehicle
            elif state.doing == "driving" and state.heading_to is not None and vehicle not in self.stopped:
                found[str(state.heading_to)] = vehicle
        return found

    @cached_property
    def outcomes(self) -> frozenset[str]:
        """Stops with an outcome: of their booking, or in somebody's records."""
        recorded = {
            str(key)
            for state in self.states.values()
            for key, visit in state.visits.items()
            if visit.outcome in OUTCOMES
        }
        return self.gone.done | (recorded & self.problem.stop_by_key.keys())

    def live(self) -> dict[str, LiveRoute]:
        """What is known of each vehicle."""
        routes = {route.vehicle: route for route in self.standing.routes}
        found = {}
        for vehicle in self.problem.vehicles:
            others = {key: self.states[other] for key, other in self.recorded_with.items() if other != vehicle.key}
            served = {key for key, state in others.items() if state.doing == "serving"}
            found[vehicle.key] = live_route(
                self.problem, vehicle, routes.get(vehicle.key), self.states.get(vehicle.key, NO_STATE),
                over=self.outcomes | served, elsewhere=self.gone.cancelled | (others.keys() - served), now_s=self.now_s,
                held_until_s=self.held_until.get(vehicle.key, 0), stopped_s=self.stopped.get(vehicle.key),
            )  # fmt: skip
        return found

    def happened(self, live: Mapping[str, LiveRoute]) -> Happened:
        """All of it in the planner's terms."""
        in_hand = frozenset(key for one in live.values() for key in one.in_hand)
        on_route = {key: one.here for key, one in live.items() if one.here is not None}
        shut = {one.station_key for one in self.disruptions if one.kind in SHUTS_A_STATION}
        return Happened(
            now_s=self.now_s,
            on_route=on_route,
            done=self.outcomes | in_hand,
            taken=self._taken(live),
            broken=frozenset(self.stopped),
            closed=frozenset(key for key in shut if key is not None),
            cancelled=self.gone.cancelled - self.outcomes,
        )

    def _taken(self, live: Mapping[str, LiveRoute]) -> dict[str, Load]:
        taken: dict[str, Load] = {}
        for station, load in (brought for one in live.values() for brought in one.unloaded):
            if self.problem.station_by_key[station].intake_limit is not None:
                before = taken.get(station, (0,) * len(load))
                taken[station] = tuple(a + b for a, b in zip(before, load, strict=True))
        return taken
