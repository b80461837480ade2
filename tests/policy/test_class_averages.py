"""Class averages: the mean of single units, steady against slips at the scale."""

from __future__ import annotations

import random
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from recycling.policy.class_averages import LEAST_LINES, ClassMean, class_mean, sample_days

lines_of = st.lists(
    st.tuples(st.integers(1, 50), st.integers(1, 10_000_000)), min_size=LEAST_LINES, max_size=60
)  # fmt: skip


def test_twenty_lines_give_their_mean_and_nineteen_none() -> None:
    # given ten fridges of 40 kg and ten of 50 kg: drawing in one line at each end changes nothing
    lines = [(1, 40_000)] * 10 + [(1, 50_000)] * 10
    # then the mean is 45 kg; each is 5 kg off: the root of 20 x 5^2 / 19, times 20/18, is 5.699 kg
    assert class_mean(lines) == ClassMean(mean_g=45_000, sd_g=5_700, units=20, lines=20)
    assert class_mean(lines[1:]) is None


def test_a_line_of_several_units_counts_as_many() -> None:
    # 20 single fans of 4 kg, and one line of 20 of 5 kg each: (20 x 4 + 20 x 5) / 40; without the drawing in of one
    # line at each end, which makes the twenty at once 4 kg
    lines = [(1, 4_000)] * 20 + [(20, 100_000)] * 2
    # sorted by unit mass the last two lines are the batches; one of them stays the highest that is kept
    found = class_mean(lines)
    assert found is not None
    assert (found.units, found.lines) == (60, 22)
    # (20 x 4 + 40 x 5) / 60 = 4.667 kg
    assert found.mean_g == 4_667


def test_a_slip_of_the_scale_hardly_moves_it_where_the_plain_mean_runs_off() -> None:
    # given 40 washers of 30 kg and two entered at ten times that, which the scale's own check lets pass
    lines = [(1, 30_000)] * 40 + [(1, 300_000)] * 2
    found = class_mean(lines)
    assert found is not None
    assert (found.mean_g, found.sd_g) == (30_000, 0)
    # control: the plain mean is 42.857 kg
    assert sum(mass for _, mass in lines) // 42 == 42_857


def test_a_skewed_type_keeps_its_mean_within_a_few_percent() -> None:
    # given a log-normal type, of which the median is 12 % below the mean
    chance = random.Random(7)
    lines = [(1, round(20_000 * chance.lognormvariate(0, 0.5))) for _ in range(2_000)]
    mean = sum(mass for _, mass in lines) / len(lines)
    found = class_mean(lines)
    assert found is not None
    assert abs(found.mean_g / mean - 1) < 0.05
    assert abs(sorted(mass for _, mass in lines)[1_000] / mean - 1) > 0.1  # control: the median would be wrong


@given(lines_of, st.randoms(use_true_random=False))
def test_the_answer_does_not_depend_on_the_sequence_and_lies_within_the_sample(
    lines: list[tuple[int, int]], chance: random.Random
) -> None:
    found = class_mean(lines)
    shuffled = lines.copy()
    chance.shuffle(shuffled)
    assert found is not None
    assert class_mean(shuffled) == found
    units = [mass / count for count, mass in lines]
    assert min(units) - 1 <= found.mean_g <= max(units) + 1
    assert found.sd_g >= 0


def test_the_sample_of_a_month_is_the_twelve_months_before_it() -> None:
    assert sample_days(date(2026, 11, 1)) == (date(2025, 11, 1), date(2026, 10, 31))
    assert sample_days(date(2028, 3, 15)) == (date(2027, 3, 1), date(2028, 2, 29))
