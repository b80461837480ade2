"""Kinds of damage to a valid plan, each with the words the checker must find it by.

A damage changes as little as it can, and restates the cost (`mended`), so that the sum alone does not give it away.
Where a plan rarely stands at the edge of a rule, the edge is moved to the plan instead: the same plan is then judged
against a problem that forbids it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from recycling.routing.cost import evaluate, leg
from recycling.routing.plan import Plan, Route, Step, StepKind, Unassigned
from recycling.routing.problem import Problem, Vehicle
from tests.routing.hand import with_station, with_step, with_steps, with_stop, with_vehicle

Judged = tuple[Problem, Plan]


@dataclass(frozen=True)
class Damage:
    """One kind of damage: ``harm`` gives the damaged pair, or ``None`` when the plan has nothing of that kind."""

    harm: Callable[[Problem, Plan, Random], Judged | None]
    causes: frozenset[str]

    @property
    def name(self) -> str:
        """What is done, in words."""
        return self.harm.__name__.replace("_", " ")


DAMAGES: list[Damage] = []

Harm = Callable[[Problem, Plan, Random], Judged | None]


def found_as(*causes: str) -> Callable[[Harm], Harm]:
    """Enter a harm in the table: every one of these causes has to be reported."""

    def enter(harm: Harm) -> Harm:
        DAMAGES.append(Damage(harm=harm, causes=frozenset(causes)))
        return harm

    return enter


def causes_of(rule: Callable[..., object]) -> set[str]:
    """The words that a rule of the checker announces in its docstring, in brackets: one, or several with commas."""
    return {word for group in re.findall(r"\((``[^)]*``)\)", rule.__doc__ or "") for word in re.findall(r"\w+", group)}


def mended(problem: Problem, plan: Plan) -> Judged:
    """The pair with the cost stated that the plan now has."""
    return problem, replace(plan, cost=evaluate(problem, plan))


def pushed(steps: tuple[Step, ...], since: int, seconds: int) -> tuple[Step, ...]:
    """The steps, from one on, that many seconds later."""
    return tuple(
        replace(s, arrival_s=s.arrival_s + seconds, start_s=s.start_s + seconds, end_s=s.end_s + seconds)
        if i >= since
        else s
        for i, s in enumerate(steps)
    )


Spot = tuple[int, int, Step, Vehicle]


def spots(problem: Problem, plan: Plan, *kinds: StepKind) -> Iterator[Spot]:
    """Every step of these kinds: index of its route, its own index, itself, its vehicle."""
    for r, route in enumerate(plan.routes):
        for i, step in enumerate(route.steps):
            if step.kind in kinds:
                yield r, i, step, problem.vehicle_by_key[route.vehicle]


def one_of(rng: Random, found: Iterator[Spot]) -> Spot | None:
    """A random one, or ``None``."""
    every = list(found)
    return rng.choice(every) if every else None


def without(plan: Plan, spot: Spot) -> Plan:
    """The plan without a pickup, the loads after it put right up to the next unload."""
    r, i, gone, _ = spot
    steps = list(plan.routes[r].steps)
    lighter = tuple(a - b for a, b in zip(gone.load, steps[i - 1].load, strict=True))
    for j in range(i + 1, len(steps)):
        if steps[j].kind in ("unload", "end"):
            break
        steps[j] = replace(steps[j], load=tuple(a - b for a, b in zip(steps[j].load, lighter, strict=True)))
    del steps[i]
    return with_steps(plan, r, *steps)


def row(key: str) -> Unassigned:
    """A line of the list of stops left out."""
    return Unassigned(stop=key, reason="fleet_full", detail="no room")


# --- stops and vehicles -------------------------------------------------------------------------------------------


@found_as("stop_missing")
def a_stop_forgotten(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    return spot and mended(problem, without(plan, spot))


@found_as("stop_missing")
def a_stop_left_out_dropped_from_the_list(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    return mended(problem, replace(plan, unassigned=plan.unassigned[1:])) if plan.unassigned else None


@found_as("stop_twice")
def a_stop_served_twice(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    if spot is None:
        return None
    r, i, step, _ = spot
    steps = plan.routes[r].steps
    return mended(problem, with_steps(plan, r, *steps[: i + 1], step, *steps[i + 1 :]))


@found_as("served_and_listed")
def a_served_stop_listed_as_left_out(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    return spot and mended(problem, replace(plan, unassigned=(*plan.unassigned, row(spot[2].stop or ""))))


@found_as("stop_listed_twice")
def a_stop_left_out_twice(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    if spot is None:
        return None
    twice = (row(spot[2].stop or ""),) * 2
    return mended(problem, replace(without(plan, spot), unassigned=(*plan.unassigned, *twice)))


@found_as("unknown_stop")
def a_stop_nobody_knows(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    return mended(problem, replace(plan, unassigned=(*plan.unassigned, row("no such stop"))))


@found_as("unknown_stop", "stop_missing")
def a_pickup_of_a_stop_nobody_knows(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    return spot and mended(problem, with_step(plan, spot[0], spot[1], stop="no such stop"))


@found_as("unknown_vehicle")
def a_vehicle_nobody_knows(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    if not plan.routes:
        return None
    stranger = replace(plan.routes[0], vehicle="no such vehicle")
    return mended(problem, replace(plan, routes=(stranger, *plan.routes[1:])))


@found_as("vehicle_twice")
def a_vehicle_in_two_places(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    if len(plan.routes) < 2:
        return None
    first, second, *rest = rng.sample(plan.routes, len(plan.routes))
    return mended(problem, replace(plan, routes=(first, replace(second, vehicle=first.vehicle), *rest)))


@found_as("empty_route")
def a_drive_for_nothing(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    idle = [v for v in problem.vehicles if v.key not in {r.vehicle for r in plan.routes}]
    if not idle:
        return None
    v = rng.choice(idle)
    origin, home = problem.station_by_key[v.start_station], problem.station_by_key[v.end_station]
    if v.start is None:
        where, load, t = origin.location, (0,) * len(problem.load_units), max(v.shift_s[0], origin.open_s[0])
    else:
        where, load, t = v.start.location, v.start.load, v.start.time_s
    back_s = max(t + leg(problem, where, home.location)[0], home.open_s[0])
    over_s = back_s + (home.unload_s if any(load) else 0)
    steps = (
        Step(kind="start", location=where, arrival_s=t, start_s=t, end_s=t, load=load),
        Step(
            kind="end", location=home.location, arrival_s=back_s, start_s=back_s, end_s=over_s,
            load=(0,) * len(load), station=home.key,
        ),
    )  # fmt: skip
    return mended(problem, replace(plan, routes=(*plan.routes, Route(vehicle=v.key, steps=steps))))


@found_as("missing_skill")
def a_crew_without_the_skill(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    if spot is None:
        return None
    index = [s.key for s in problem.stops].index(spot[2].stop or "")
    needed = problem.stops[index].skills | {"a skill no crew has"}
    return mended(with_stop(problem, index, skills=needed), plan)


@found_as("lock_broken")
def a_locked_stop_served_later(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    for route in rng.sample(plan.routes, len(plan.routes)):
        pickups = [s.stop or "" for s in route.steps if s.kind == "pickup"]
        index = [v.key for v in problem.vehicles].index(route.vehicle)
        locked = problem.vehicles[index].locked
        if len(pickups) > max(1, len(locked)):
            return mended(with_vehicle(problem, index, locked=(pickups[-1], *locked)), plan)
    return None


@found_as("lock_broken")
def locked_stops_in_another_sequence(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    for route in rng.sample(plan.routes, len(plan.routes)):
        pickups = tuple(s.stop or "" for s in route.steps if s.kind == "pickup")
        index = [v.key for v in problem.vehicles].index(route.vehicle)
        if len(pickups) > 1:
            return mended(with_vehicle(problem, index, locked=pickups[::-1]), plan)
    return None


# --- the form of a route ------------------------------------------------------------------------------------------


@found_as("route_form")
def a_route_without_its_start(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "start"))
    return spot and mended(problem, with_steps(plan, spot[0], *plan.routes[spot[0]].steps[1:]))


@found_as("route_form")
def a_route_without_its_end(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "start"))
    return spot and mended(problem, with_steps(plan, spot[0], *plan.routes[spot[0]].steps[:-1]))


@found_as("wrong_location")
def a_step_at_another_place(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "start", "pickup", "unload", "end"))
    if spot is None:
        return None
    r, i, step, _ = spot
    return mended(problem, with_step(plan, r, i, location=(step.location + 1) % (len(problem.locations) + 1)))


@found_as("wrong_location")
def a_break_on_the_road(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "break"))
    if spot is None:
        return None
    r, i, _, _ = spot
    here = {step.location for step in plan.routes[r].steps[i - 1 : i + 2]}
    elsewhere = [place for place in range(len(problem.locations)) if place not in here]
    return mended(problem, with_step(plan, r, i, location=rng.choice(elsewhere))) if elsewhere else None


@found_as("wrong_end")
def an_end_at_a_foreign_station(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "end"))
    if spot is None:
        return None
    others = [s for s in problem.stations if s.key != spot[3].end_station]
    if not others:
        return None
    foreign = rng.choice(others)
    return mended(problem, with_step(plan, spot[0], spot[1], station=foreign.key, location=foreign.location))


@found_as("unknown_station")
def an_unload_at_a_station_nobody_knows(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "unload"))
    return spot and mended(problem, with_step(plan, spot[0], spot[1], station="no such station"))


@found_as("wrong_start_time")
def a_vehicle_under_way_from_another_instant(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, (s for s in spots(problem, plan, "start") if s[3].start is not None))
    return spot and mended(problem, with_step(plan, spot[0], spot[1], arrival_s=spot[2].arrival_s - 1))


# --- the clock ----------------------------------------------------------------------------------------------------


@found_as("too_early")
def a_leg_one_second_too_fast(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup", "unload", "end"))
    if spot is None:
        return None
    r, i, step, _ = spot
    last = plan.routes[r].steps[i - 1]
    # A break may stand at either end of its leg: the step itself says where the vehicle comes from.
    travel_s = leg(problem, last.location, step.location)[0]
    return mended(problem, with_step(plan, r, i, arrival_s=last.end_s + travel_s - 1))


@found_as("start_before_arrival")
def a_service_before_arrival(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    return spot and mended(problem, with_step(plan, spot[0], spot[1], arrival_s=spot[2].start_s + 1))


@found_as("wrong_duration")
def a_hurried_service(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    return spot and mended(problem, with_step(plan, spot[0], spot[1], end_s=spot[2].end_s - 1))


@found_as("wrong_duration")
def a_long_service(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    if spot is None:
        return None
    r, i, step, _ = spot
    longer = with_step(plan, r, i, end_s=step.end_s + 1)
    return mended(problem, with_steps(longer, r, *pushed(longer.routes[r].steps, i + 1, 1)))


@found_as("wrong_duration")
def a_final_unload_in_no_time(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, (s for s in spots(problem, plan, "end") if s[2].end_s > s[2].start_s))
    return spot and mended(problem, with_step(plan, spot[0], spot[1], end_s=spot[2].start_s))


@found_as("wrong_duration")
def a_short_unload(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, (s for s in spots(problem, plan, "unload") if s[2].end_s > s[2].start_s))
    return spot and mended(problem, with_step(plan, spot[0], spot[1], end_s=spot[2].end_s - 1))


@found_as("outside_window")
def a_service_after_the_last_window(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    if spot is None:
        return None
    r, i, step, _ = spot
    late_s = max(closes for _, closes in problem.stop_by_key[step.stop or ""].windows_s) + 1
    return mended(problem, with_steps(plan, r, *pushed(plan.routes[r].steps, i, late_s - step.start_s)))


@found_as("outside_window")
def a_service_before_the_window_opens(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    def opened_for(spot: Spot) -> bool:
        step = spot[2]
        return step.arrival_s < step.start_s in [a for a, _ in problem.stop_by_key[step.stop or ""].windows_s]

    spot = one_of(rng, filter(opened_for, spots(problem, plan, "pickup")))
    if spot is None:
        return None
    r, i, step, _ = spot
    return mended(problem, with_step(plan, r, i, start_s=step.start_s - 1, end_s=step.end_s - 1))


# --- load ---------------------------------------------------------------------------------------------------------


@found_as("wrong_load")
def a_load_misstated(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "start", "pickup", "break", "unload", "end"))
    if spot is None or not problem.load_units:
        return None
    r, i, step, _ = spot
    return mended(problem, with_step(plan, r, i, load=(*step.load[:-1], step.load[-1] + 1)))


@found_as("wrong_load")
def a_load_with_a_unit_too_many(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "pickup"))
    return spot and mended(problem, with_step(plan, spot[0], spot[1], load=(*spot[2].load, 0)))


@found_as("wrong_load")
def an_unload_that_leaves_something(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    full = ((r, i, s, v) for r, i, s, v in spots(problem, plan, "unload") if any(plan.routes[r].steps[i - 1].load))
    spot = one_of(rng, full)
    if spot is None:
        return None
    r, i, _, _ = spot
    return mended(problem, with_step(plan, r, i, load=plan.routes[r].steps[i - 1].load))


@found_as("over_capacity")
def a_vehicle_too_small_for_its_load(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    def adds(spot: Spot) -> bool:
        return any(problem.stop_by_key[spot[2].stop or ""].load)

    spot = one_of(rng, filter(adds, spots(problem, plan, "pickup")))
    if spot is None:
        return None
    step, vehicle = spot[2], spot[3]
    unit = next(u for u, amount in enumerate(step.load) if amount)
    capacity = (*vehicle.capacity[:unit], step.load[unit] - 1, *vehicle.capacity[unit + 1 :])
    return mended(with_vehicle(problem, problem.vehicles.index(vehicle), capacity=capacity), plan)


@found_as("over_capacity")
def an_unload_passed_by(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    for r, i, _, vehicle in spots(problem, plan, "unload"):
        steps = list(plan.routes[r].steps)
        kept, worst = steps[i - 1].load, steps[i - 1].load
        for j in range(i + 1, len(steps)):
            if steps[j].kind in ("unload", "end"):
                break
            load = tuple(a + b for a, b in zip(kept, steps[j].load, strict=True))
            worst = tuple(map(max, worst, load))
            steps[j] = replace(steps[j], load=load)
        if any(a > b for a, b in zip(worst, vehicle.capacity, strict=True)):
            return mended(problem, with_steps(plan, r, *steps[:i], *steps[i + 1 :]))
    return None


# --- shift and break ----------------------------------------------------------------------------------------------


@found_as("outside_shift")
def a_return_after_the_last_overtime(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "end"))
    if spot is None:
        return None
    r, i, step, vehicle = spot
    late_s = vehicle.shift_s[1] + vehicle.max_overtime_s + 1 - step.end_s
    return mended(problem, with_steps(plan, r, *pushed(plan.routes[r].steps, i, late_s)))


@found_as("outside_shift")
def a_start_before_the_shift(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, (s for s in spots(problem, plan, "start") if s[3].start is None))
    if spot is None:
        return None
    early_s = spot[3].shift_s[0] - 1
    return mended(problem, with_step(plan, spot[0], spot[1], arrival_s=early_s, start_s=early_s, end_s=early_s))


@found_as("too_long")
def a_route_longer_than_allowed(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "end"))
    if spot is None:
        return None
    r, _, step, vehicle = spot
    begun_s = plan.routes[r].steps[0].end_s if vehicle.start is None else vehicle.start.time_s
    most = step.end_s - begun_s - 1
    return mended(with_vehicle(problem, problem.vehicles.index(vehicle), max_duration_s=most), plan)


def _due_breaks(problem: Problem, plan: Plan) -> Iterator[Spot]:
    """Breaks that are due, where they are the route's only one."""
    for r, i, step, vehicle in spots(problem, plan, "break"):
        steps, rest = plan.routes[r].steps, vehicle.break_
        begun_s = steps[0].end_s if vehicle.start is None else vehicle.start.time_s
        due = rest is not None and begun_s < rest.window_s[0] and steps[-1].end_s > rest.window_s[1]
        if due and sum(s.kind == "break" for s in steps) == 1:
            yield r, i, step, vehicle


@found_as("break_missed")
def a_break_forgotten(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, _due_breaks(problem, plan))
    if spot is None:
        return None
    r, i, _, _ = spot
    steps = plan.routes[r].steps
    return mended(problem, with_steps(plan, r, *steps[:i], *steps[i + 1 :]))


@found_as("break_outside_window")
def a_break_too_late(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, _due_breaks(problem, plan))
    if spot is None or spot[3].break_ is None:
        return None
    r, i, step, _ = spot
    late_s = spot[3].break_.window_s[1] + 1 - step.start_s
    return mended(problem, with_steps(plan, r, *pushed(plan.routes[r].steps, i, late_s)))


@found_as("wrong_duration")
def a_short_break(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, (s for s in spots(problem, plan, "break") if s[2].end_s > s[2].start_s))
    return spot and mended(problem, with_step(plan, spot[0], spot[1], end_s=spot[2].end_s - 1))


@found_as("unknown_break")
def a_break_for_a_crew_without_one(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "break"))
    return spot and mended(with_vehicle(problem, problem.vehicles.index(spot[3]), break_=None), plan)


# --- stations -----------------------------------------------------------------------------------------------------


@found_as("cannot_unload")
def an_unload_where_none_is_possible(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, spots(problem, plan, "unload"))
    if spot is None:
        return None
    index = [s.key for s in problem.stations].index(spot[2].station or "")
    return mended(with_station(problem, index, can_unload=False), plan)


@found_as("station_closed")
def a_station_that_closes_during_the_unload(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, (s for s in spots(problem, plan, "unload", "end") if s[2].end_s > s[2].start_s))
    return spot and _closing_at(problem, plan, spot[2].station or "", spot[2].end_s - 1)


@found_as("station_closed")
def a_start_after_closing(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    spot = one_of(rng, (s for s in spots(problem, plan, "start") if s[3].start is None))
    return spot and _closing_at(problem, plan, spot[3].start_station, spot[2].end_s - 1)


def _closing_at(problem: Problem, plan: Plan, station: str, last_s: int) -> Judged | None:
    index = [s.key for s in problem.stations].index(station)
    opens_s = problem.stations[index].open_s[0]
    return mended(with_station(problem, index, open_s=(min(opens_s, last_s), last_s)), plan)


@found_as("over_intake")
def a_station_that_takes_one_unit_less(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    # Summed here from the stated loads, so that the checker's own sum is held against another.
    brought = [
        (step.station or "", plan.routes[r].steps[i - 1].load)
        for r, i, step, _ in spots(problem, plan, "unload", "end")
        if any(plan.routes[r].steps[i - 1].load)
    ]
    if not brought:
        return None
    station = rng.choice(brought)[0]
    taken = [sum(amounts) for amounts in zip(*(load for key, load in brought if key == station), strict=True)]
    unit = next(u for u, amount in enumerate(taken) if amount)
    taken[unit] -= 1
    index = [s.key for s in problem.stations].index(station)
    return mended(with_station(problem, index, intake_limit=tuple(taken)), plan)


# --- cost ---------------------------------------------------------------------------------------------------------


@found_as("wrong_cost")
def a_total_stated_too_low(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    return problem, replace(plan, cost=replace(plan.cost, total=plan.cost.total - 1))


@found_as("wrong_cost")
def parts_of_the_cost_exchanged(problem: Problem, plan: Plan, rng: Random) -> Judged | None:
    cost = plan.cost
    return (problem, replace(plan, cost=replace(cost, travel=cost.travel - 1, fixed=cost.fixed + 1)))
