"""Every change named beside a stop left out lets it in, when the changed day is planned from nothing."""

from __future__ import annotations

import time

from recycling.routing.construction import first_draft
from recycling.routing.day import Day
from recycling.routing.explain import explained
from recycling.routing.fixes import apply_fix
from tests.proof.harness import Proof, Size
from tests.routing.days import a_day, a_tiny_day
from tests.routing.letting_in import lets_in, planned_from_nothing, possible, unchanged


def test_each_change_named_lets_its_stop_into_the_day_planned_from_nothing(size: Size, proof: Proof) -> None:
    # given random days too full for their vehicles, and what is said of each stop left out
    named = found = warm = without = 0
    for seed in range(4 if size == "small" else 25):
        told = explained(first_draft(Day(a_day(seed, stops=16, vehicles=2))), until=time.monotonic() + 60)
        for left in told.rows[: 3 if size == "small" else None]:
            fix = left.cheapest_fix
            if fix is not None and fix["kind"] != "skip_cost":
                # when an engine that knows neither plan nor change plans the changed day
                changed = apply_fix(told.draft.day.problem, left.stop, fix)
                named += 1
                found += planned_from_nothing(told.draft, left.stop, changed)
                warm += lets_in(told.draft, left.stop, changed)
                without += planned_from_nothing(told.draft, left.stop, unchanged(told.draft, left.stop))
    # then it finds a place for the stop beside all others
    proof.record(
        figure=f"{found} of {named} from nothing, {warm} from the standing plan",
        target="at least 90 %, all",
        control=f"without the change {without}",
        ok=named > 3 and warm == named and found >= 0.9 * named and without < 0.2 * named,
    )


def test_the_changes_named_on_tiny_days_are_needed_and_small(size: Size, proof: Proof) -> None:
    # given tiny days, on which every plan can be tried
    needed = named = overtime = shorter = 0
    for seed in range(4 if size == "small" else 60):
        told = explained(first_draft(Day(a_tiny_day(seed, stops=8))), until=time.monotonic() + 60)
        problem = told.draft.day.problem
        for left in told.rows:
            fix = left.cheapest_fix
            if fix is None or fix["kind"] == "skip_cost":
                continue
            named += possible(told.draft, left.stop, apply_fix(problem, left.stop, fix))
            needed += not possible(told.draft, left.stop, unchanged(told.draft, left.stop))
            if fix["kind"] == "overtime":
                less = apply_fix(problem, left.stop, {**fix, "seconds": fix["seconds"] - 1})
                overtime += 1
                shorter += possible(told.draft, left.stop, less)
    # then no plan at all serves the stop without the change, and hardly any overtime could have been shorter
    proof.record(
        figure=f"{needed} of {named} changes needed, {shorter} of {overtime} overtimes could be a second shorter",
        target="at least 95 % needed, at most 20 % shorter",
        control=f"with the change {named} serve the stop",
        ok=named > 3 and needed >= 0.95 * named and shorter <= 0.2 * max(overtime, 5),
    )
