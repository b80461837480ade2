"""Set partitioning by OR-Tools' CP-SAT: of all routes ever found, the cheapest that serve each stop once.

M. L. Balinski, R. E. Quandt, "On an Integer Program for a Delivery Problem", Operations Research 12 (1964) 300.
"""

from __future__ import annotations

from collections import defaultdict

from ortools.sat.python import cp_model

from recycling.routing.pool import Choice


def best_choice(choice: Choice, *, seconds: float, seed: int, effort: float | None = None) -> list[int]:
    """The numbers of the routes to drive; empty when no choice was found in time.

    Parameters
    ----------
    seconds
        Wall time it may take.
    effort
        Limit in CP-SAT's own measure of work, which is about a second each and the same in every run; ``None`` = only
        wall time counts.
    """
    model = cp_model.CpModel()
    takes, leaves = _variables(model, choice)
    costs = [*(route.cost for route in choice.routes), *choice.skip_costs.values()]
    model.minimize(cp_model.LinearExpr.weighted_sum([*takes, *leaves.values()], costs))
    _hint(model, choice, takes, leaves)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_time_in_seconds = seconds
    if effort is not None:
        solver.parameters.max_deterministic_time = effort
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return []
    return [number for number, take in enumerate(takes) if solver.boolean_value(take)]


def _variables(model: cp_model.CpModel, choice: Choice) -> tuple[list[cp_model.IntVar], dict[int, cp_model.IntVar]]:
    """One variable per route and per stop left out, with every rule on them."""
    takes = [model.new_bool_var("") for _ in choice.routes]
    leaves = {stop: model.new_bool_var("") for stop in choice.skip_costs}
    serving: dict[int, list[cp_model.IntVar]] = defaultdict(list)
    of_kind: dict[int, list[cp_model.IntVar]] = defaultdict(list)
    for take, route in zip(takes, choice.routes, strict=True):
        of_kind[route.kind].append(take)
        for stop in route.stops:
            serving[stop].append(take)
    for stop, leave in leaves.items():
        model.add_exactly_one([*serving[stop], leave])
    for kind, count in enumerate(choice.kinds):
        if len(of_kind[kind]) > count:
            model.add(sum(of_kind[kind]) <= count)
    for station, most in enumerate(choice.room):
        for unit, amount in enumerate(most):
            taken = [route.intake[station][unit] for route in choice.routes]
            if sum(taken) > amount:
                model.add(cp_model.LinearExpr.weighted_sum(takes, taken) <= amount)
    return takes, leaves


def _hint(
    model: cp_model.CpModel, choice: Choice, takes: list[cp_model.IntVar], leaves: dict[int, cp_model.IntVar]
) -> None:
    """Start from the routes that stand."""
    served = {stop for route in choice.routes[: choice.chosen] for stop in route.stops}
    for number, take in enumerate(takes):
        model.add_hint(take, number < choice.chosen)
    for stop, leave in leaves.items():
        model.add_hint(leave, stop not in served)
