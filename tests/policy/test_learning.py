"""What records teach about minutes: the true ones, bounded, only from enough of them, and the same every time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from recycling.policy.learning import (
    LEAST_SAMPLE,
    LegSeen,
    VisitSeen,
    held_out,
    learn_seconds,
    learn_travel,
    median_error_s,
    predicted_s,
)

DAY = date(2026, 11, 2)
OLD = {"base_s": 300, "stairs_heavy_s": 90, "handling_s.fridge": 720, "handling_s.fan": 60}


def visits(count: int, *, true: dict[str, int], noise: float = 0.0, **counts: int) -> list[VisitSeen]:
    """Visits of one to three fridges on up to five storeys, or of what is named."""
    rng = random.Random(count)
    found = []
    for number in range(count):
        shown = counts or {
            "base_s": 1, "handling_s.fridge": rng.randint(1, 3), "stairs_heavy_s": rng.randint(0, 5)
        }  # fmt: skip
        shown = {name: one for name, one in shown.items() if one}
        exact = sum(one * true[name] for name, one in shown.items())
        taken = round(exact * (1 + noise * rng.uniform(-1, 1)))
        planned = sum(one * OLD[name] for name, one in shown.items())
        found.append(
            VisitSeen(day=DAY + timedelta(days=number % 20), counts=shown, planned_s=planned, actual_s=taken)
        )  # fmt: skip
    return found


def new_values(seen: Sequence[VisitSeen]) -> dict[str, int]:
    return {one.name: one.new for one in learn_seconds(seen, old=OLD).learned}


TRUE = {"base_s": 420, "stairs_heavy_s": 60, "handling_s.fridge": 900, "handling_s.fan": 60}


def test_exact_records_teach_the_exact_values() -> None:
    # 200 visits of base 420, a fridge 900, a storey 60: nothing else fits them; the old values weigh next to nothing
    found = new_values(visits(200, true=TRUE))
    for name in ("base_s", "stairs_heavy_s", "handling_s.fridge"):
        assert abs(found[name] - TRUE[name]) <= 2, name


def test_what_few_records_show_stays_as_it_is_and_says_so() -> None:
    # given one visit with a fan too few
    few = LEAST_SAMPLE - 1
    seen = visits(200, true=TRUE) + visits(few, true=TRUE | {"handling_s.fan": 500}, base_s=1, **{"handling_s.fan": 1})
    by_name = {one.name: one for one in learn_seconds(seen, old=OLD).learned}
    # then the fan keeps its minute, without an interval
    fan = by_name["handling_s.fan"]
    assert (fan.sample, fan.new, fan.low, fan.kept) == (few, 60, None, "too_few")
    # and with that visit it is learned
    seen += visits(1, true=TRUE | {"handling_s.fan": 500}, base_s=1, **{"handling_s.fan": 1})
    fan = {one.name: one for one in learn_seconds(seen, old=OLD).learned}["handling_s.fan"]
    assert (fan.sample, fan.kept) == (LEAST_SAMPLE, "bounded")


def test_a_value_at_most_doubles_or_halves_in_one_step() -> None:
    # given a fridge that takes five times, and a storey that takes a fifth
    true = {"base_s": 300, "stairs_heavy_s": 18, "handling_s.fridge": 3600}
    by_name = {one.name: one for one in learn_seconds(visits(200, true=true), old=OLD).learned}
    # then what was found is shown, and the step stops at 2 × 720 and 90 / 2
    assert (by_name["handling_s.fridge"].new, by_name["handling_s.fridge"].kept) == (1440, "bounded")
    assert (by_name["stairs_heavy_s"].new, by_name["stairs_heavy_s"].kept) == (45, "bounded")
    low, high = by_name["handling_s.fridge"].low, by_name["handling_s.fridge"].high
    assert low is not None
    assert high is not None
    assert low <= 3600 <= high + 5


def test_wild_records_have_no_say() -> None:
    # given one visit in ten that is said to have taken three hours longer
    seen = visits(200, true=TRUE, noise=0.1)
    wild = [replace(one, actual_s=one.actual_s + 10_800) if n % 10 == 0 else one for n, one in enumerate(seen)]
    fit = learn_seconds(wild, old=OLD)
    # then the values are within a tenth of the true ones, and the twenty are told to be too far off
    found = {one.name: one.new for one in fit.learned}
    for name in ("base_s", "handling_s.fridge"):
        assert abs(found[name] - TRUE[name]) <= 0.1 * TRUE[name], name
    assert fit.trimmed >= 20


def test_the_sequence_of_the_records_does_not_matter() -> None:
    seen = visits(120, true=TRUE, noise=0.2)
    assert learn_seconds(seen, old=OLD) == learn_seconds(seen[::-1], old=OLD) == learn_seconds(seen, old=OLD)


def test_no_records_teach_nothing() -> None:
    assert new_values([]) == OLD
    assert [one.kept for one in learn_travel([], old_bp=10_000)] == ["too_few"]


def legs(count: int, ratio: float, *, town: str = "lincheng") -> list[LegSeen]:
    return [LegSeen(day=DAY, town_key=town, estimated_s=600, actual_s=round(600 * ratio)) for _ in range(count)]


def test_travel_is_learned_for_the_district_and_shown_for_each_town() -> None:
    # given 60 legs that take 1.2 times into one town, 40 that take 1.5 times into another, and 5 into a third
    seen = [*legs(60, 1.2), *legs(40, 1.5, town="xingren"), *legs(5, 3, town="shagou")]
    by_name = {one.name: one for one in learn_travel(seen, old_bp=10_000)}
    # then the middle one of 105 is one of the sixty, each town has its own middle, and five legs say nothing
    assert by_name["travel_bp"].new == 12_000
    assert by_name["travel_bp.lincheng"].new == 12_000
    assert by_name["travel_bp.xingren"].new == 15_000
    assert by_name["travel_bp.shagou"].kept == "too_few"
    # and legs too short to say anything do not count
    assert learn_travel([replace(leg, estimated_s=59) for leg in seen], old_bp=10_000)[0].sample == 0


def test_errors_are_medians_and_every_fifth_day_is_held_out() -> None:
    # |10-20| = 10, |10-11| = 1, |10-110| = 100: the middle one is 10
    assert median_error_s([(10, 20), (10, 11), (10, 110)]) == 10
    assert median_error_s([]) is None
    days = [DAY + timedelta(days=n) for n in range(11)]
    assert held_out(days * 2) == {days[4], days[9]}


@pytest.mark.parametrize("name", sorted(OLD))
def test_a_prediction_is_the_sum_of_its_parts(name: str) -> None:
    visit = VisitSeen(day=DAY, counts={name: 3}, planned_s=0, actual_s=0)
    assert predicted_s(visit, OLD) == 3 * OLD[name]
