"""The checker is silent on what the planner makes and finds whatever is then done to it."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from recycling.routing import check
from recycling.routing import solve as front_door
from recycling.routing.check import RULES, Violation, violations
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem
from tests.proof.harness import Proof, Size
from tests.routing.damage import DAMAGES, Judged, causes_of
from tests.routing.days import a_day

SECONDS = {"small": 1.5, "full": 2.0, "release": 5.0}  # an engine's process needs about one to start


def test_random_days_are_planned_and_pass_the_checker(
    size: Size, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a planner whose every proposal to the checker is counted, also those it would have put right afterwards
    days = [a_day(seed) for seed in range(10 if size == "small" else 200)]
    judged: Counter[str] = Counter()

    def counting(problem: Problem, plan: Plan) -> list[Violation]:
        found = violations(problem, plan)
        judged["good" if not found else "objected"] += 1
        return found

    monkeypatch.setattr(front_door, "violations", counting)
    # when each day is planned, engine and all
    plans = [front_door.solve(day, seconds=SECONDS[size], workers=1) for day in days]
    # then nothing is objected to, on the way or at the end; judged by the next day's problem, every plan is wrong
    passed = sum(not violations(day, plan) for day, plan in zip(days, plans, strict=True))
    elsewhere = sum(not violations(day, plan) for day, plan in zip(days[1:] + days[:1], plans, strict=True))
    proof.record(
        figure=f"{passed} of {len(days)} days, {judged['objected']} of {judged.total()} proposals objected to",
        target=f"{len(days)} days, 0 objections",
        control=f"judged by another day's problem {elsewhere} pass",
        ok=passed == len(days) and judged["good"] >= len(days) and judged["objected"] == 0 and elsewhere == 0,
    )


def test_every_damage_to_a_plan_is_found_by_name(size: Size, proof: Proof, monkeypatch: pytest.MonkeyPatch) -> None:
    # given plans that pass, each damaged in every way that fits it
    days = [a_day(seed) for seed in range(2 if size == "small" else 20)]
    plans = [front_door.solve(day, seconds=SECONDS[size], engines=()) for day in days]
    false_alarms = sum(bool(violations(day, plan)) for day, plan in zip(days, plans, strict=True))
    damaged: list[tuple[frozenset[str], Judged]] = []
    kinds: set[str] = set()
    for damage in DAMAGES:
        for seed, (day, plan) in enumerate(zip(days, plans, strict=True)):
            pair = damage.harm(day, plan, Random(seed))
            if pair is not None:
                damaged.append((damage.causes, pair))
                kinds.add(damage.name)
    # when the checker judges them
    found = sum(causes <= {one.cause for one in violations(*pair)} for causes, pair in damaged)
    # then each damage is named; without the rules that name it, many a damaged plan looks valid
    unnoticed = 0
    for causes, pair in damaged:
        monkeypatch.setattr(check, "RULES", tuple(rule for rule in RULES if not causes & causes_of(rule)))
        unnoticed += not violations(*pair)
    proof.record(
        figure=f"{found} of {len(damaged)} found, {len(kinds)} kinds on {len(days)} plans, {false_alarms} false alarms",
        target="all, at least 20 kinds, 0 false alarms",
        control=f"without the rule {unnoticed} look valid",
        ok=found == len(damaged) and len(kinds) >= 20 and false_alarms == 0 and unnoticed > len(damaged) // 4,
    )
