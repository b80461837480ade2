"""Targets, pace and the silence that a provisional baseline keeps."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.policy.goal_progress import GoalProgress, Recovered, goal_progress, target_of
from recycling.policy.scope import Baseline, GoalBook, WeighProvenance
from recycling.policy.service_calendar import ServiceCalendar
from tests.policy.builders import a_confirmed_baseline, a_goal, a_scope

CALENDAR = ServiceCalendar({})
GOALS = (
    a_goal(key="2024", year=2024, increase_bp=750, kind="interpolation"),
    a_goal(),
    a_goal(key="2026", year=2026, increase_bp=2250, kind="interpolation"),
    a_goal(key="2027", year=2027, increase_bp=3000),
)


def progress(day: date, *, units: int, baseline: Baseline | None = None, **mass: int) -> GoalProgress:
    book = GoalBook((a_scope(),), GOALS, (baseline or a_confirmed_baseline(),))
    recovered = Recovered(units=units, mass_by_provenance_g={WeighProvenance(key): g for key, g in mass.items()})
    return goal_progress(day, scope=a_scope(), recovered=recovered, goals=book, calendar=CALENDAR)


@pytest.mark.parametrize(
    ("baseline", "increase_bp", "target"),
    [
        (20, 1500, 23),  # 20 x 1.15 = 23 exactly
        (1001, 1500, 1152),  # 1151.15, rounded up
        (7, 3000, 10),  # 9.1
        (1, 0, 1),
        (10**15, 3000, 13 * 10**14),  # beyond what a float multiplies exactly
    ],
)
def test_a_target_is_the_baseline_raised_and_rounded_up(baseline: int, increase_bp: int, target: int) -> None:
    assert target_of(baseline, increase_bp=increase_bp) == target


@given(baseline=st.integers(1, 10**18), increase_bp=st.integers(0, 20_000))
def test_a_target_is_the_smallest_whole_number_not_below_the_exact_one(baseline: int, increase_bp: int) -> None:
    exact = Fraction(baseline * (10_000 + increase_bp), 10_000)
    assert 0 <= target_of(baseline, increase_bp=increase_bp) - exact < 1


def test_a_baseline_of_nothing_has_no_target() -> None:
    with pytest.raises(ValueError, match="baseline = 0"):
        target_of(0, increase_bp=1500)


def test_half_a_year_into_2025() -> None:
    found = progress(date(2025, 7, 1), units=600, weighed=9_000_000, type_table=3_000_000)
    # January to June have 31+28+31+30+31+30 = 181 days, 1 July is the 182nd of 365
    assert (found.elapsed_days, found.year_days, found.remaining_days) == (182, 365, 183)
    assert found.elapsed_bp == 4986  # 182 / 365 = 0.49863
    # July 22 (the 1st is over), August 21, September 22 + 1 swap, October 23 - 6 + 1 swap, November 20, December 23
    assert found.remaining_working_days == 22 + 21 + 23 + 18 + 20 + 23
    assert found.units is not None
    assert found.units.target == 1150
    assert found.units.progress_bp == 5217  # 600 / 1150 = 0.52174
    assert found.units.pace_bp == 10463  # 600 x 365 / (1150 x 182) = 1.04634
    assert found.units.missing == 550
    assert found.units.needed_per_day == 4  # 550 / 183 = 3.005, rounded up
    assert found.units.needed_per_working_day == 5  # 550 / 127 = 4.33
    assert found.mass is not None
    assert (found.mass.recovered, found.mass.target) == (12_000_000, 23_000_000)
    assert found.labels == ()
    assert found.baseline_state == "confirmed"


def test_three_quarters_into_2027() -> None:
    found = progress(date(2027, 9, 30), units=900, weighed=13_000_000)
    # 181 days to the end of June, July 31, August 31, September 30: 273 of 365, 92 are left
    assert (found.elapsed_days, found.year_days, found.remaining_days) == (273, 365, 92)
    assert found.units is not None
    assert found.units.target == 1_300  # 1,000 x 1.3
    assert found.units.progress_bp == 6923  # 900 / 1300 = 0.69231
    assert found.units.pace_bp == 9256  # 900 x 365 / (1300 x 273) = 0.92561: behind
    assert (found.units.missing, found.units.needed_per_day) == (400, 5)  # 400 / 92 = 4.35
    assert found.mass is not None
    assert found.mass.target == 26_000_000  # 20 t x 1.3
    assert found.mass.progress_bp == 5000
    assert found.mass.pace_bp == 6684  # 13 x 365 / (26 x 273) = 0.66850, rounded down from 0.668498
    assert found.mass.needed_per_day == 141_305  # 13,000,000 / 92 = 141,304.3
    assert found.labels == ()


def test_the_day_that_a_leap_year_has_more_slows_the_pace_that_is_asked_for() -> None:
    found = progress(date(2024, 2, 29), units=176)
    assert found.units is not None
    # 1,000 x 1.075 = 1,075; 176 / 1,075 = 0.16372
    assert (found.units.target, found.units.progress_bp) == (1_075, 1637)
    # 176 x 366 / (1,075 x 60) = 0.99870; by a year of 365 days it would be 0.99597
    assert found.units.pace_bp == 9986
    assert found.units.needed_per_day == 3  # 899 / 306 = 2.94


def test_every_source_of_mass_is_shown_with_its_share() -> None:
    found = progress(date(2025, 7, 1), units=3, weighed=1, type_table=2)
    # 1 of 3 grams = 33.33 %, 2 of 3 = 66.66 %
    assert [(share.provenance.value, share.mass_g, share.share_bp) for share in found.shares] == [
        ("weighed", 1, 3333),
        ("station_class_average", 0, 0),
        ("type_table", 2, 6666),
        ("national_mean", 0, 0),
    ]
    assert found.weighed_share_bp == 3333


def test_nothing_recovered_has_no_shares() -> None:
    found = progress(date(2025, 1, 1), units=0)
    assert found.weighed_share_bp is None
    assert found.units is not None
    assert (found.units.progress_bp, found.units.pace_bp, found.units.needed_per_day) == (0, 0, 4)  # 1150 / 364 = 3.2


def test_a_leap_year_has_366_days() -> None:
    # 31 + 29
    found = progress(date(2024, 2, 29), units=1)
    assert (found.elapsed_days, found.year_days, found.remaining_days) == (60, 366, 306)


def test_on_new_years_eve_what_is_missing_has_no_day_left() -> None:
    missed = progress(date(2024, 12, 31), units=1_074)
    assert missed.units is not None
    # 1000 x 1.075 = 1075
    assert (missed.units.target, missed.units.missing, missed.units.needed_per_day) == (1075, 1, None)
    assert missed.units.pace_bp == missed.units.progress_bp == 9990  # 1074 / 1075 = 0.99907
    reached = progress(date(2024, 12, 31), units=1_075)
    assert reached.units is not None
    assert (reached.units.missing, reached.units.needed_per_day, reached.units.needed_per_working_day) == (0, 0, 0)


def test_a_milestone_says_that_it_is_no_policy_goal() -> None:
    assert progress(date(2026, 6, 1), units=1).labels == ("插值, 非政策目标 / interpolated, not a policy goal",)
    assert progress(date(2027, 6, 1), units=1).labels == ()


def test_a_provisional_baseline_gives_no_target_percentage_or_pace() -> None:
    fake = a_confirmed_baseline(
        state="provisional", source_document="", confirmed_by="", confirmed_on=None, marker="虚构 / MADE UP"
    )
    found = progress(date(2025, 7, 1), units=600, baseline=fake, weighed=1)
    assert found.units is None
    assert found.mass is None
    assert found.labels == ("基准未确认 / baseline not confirmed", "虚构 / MADE UP")
    assert found.baseline_state == "provisional"
    # what was recovered is a fact all the same
    assert (found.recovered.units, found.recovered.mass_g) == (600, 1)


def test_a_year_or_a_scope_without_a_goal_says_so() -> None:
    book = GoalBook((a_scope(), a_scope(key="furniture", groups=("furniture",))), GOALS, ())
    nothing = Recovered(units=0, mass_by_provenance_g={})
    furniture = goal_progress(
        date(2025, 7, 1), scope=book.current_scopes()[1], recovered=nothing, goals=book, calendar=CALENDAR
    )
    assert (furniture.goal, furniture.units, furniture.baseline_state) == (None, None, "absent")
    assert furniture.labels == ("本年度无政策目标 / no goal for this year",)
    appliances = goal_progress(date(2025, 7, 1), scope=a_scope(), recovered=nothing, goals=book, calendar=CALENDAR)
    assert appliances.units is None
    assert "基准未确认" in appliances.labels[0]


def test_a_baseline_of_another_scope_version_does_not_count() -> None:
    newer = a_scope(version=2)
    book = GoalBook((a_scope(), newer), GOALS, (a_confirmed_baseline(),))
    (current,) = book.current_scopes()
    found = goal_progress(
        date(2025, 7, 1),
        scope=current,
        recovered=Recovered(units=1, mass_by_provenance_g={}),
        goals=book,
        calendar=CALENDAR,
    )
    assert found.scope.version == 2
    assert found.baseline is None


def test_the_newest_version_of_a_baseline_counts() -> None:
    restated = a_confirmed_baseline(version=2, units=2_000)
    book = GoalBook((a_scope(),), GOALS, (restated, a_confirmed_baseline()))
    assert book.baseline(a_scope(), year=2023) == restated


def test_mass_from_a_source_that_the_scope_does_not_admit_is_refused() -> None:
    scope = a_scope(provenance=("weighed",))
    with pytest.raises(ValueError, match="national_mean"):
        goal_progress(
            date(2025, 7, 1),
            scope=scope,
            recovered=Recovered(units=1, mass_by_provenance_g={WeighProvenance.NATIONAL_MEAN: 1}),
            goals=GoalBook((scope,), (), ()),
            calendar=CALENDAR,
        )


def test_a_year_that_adjustments_take_below_zero_is_shown_as_it_is() -> None:
    found = progress(date(2025, 1, 1), units=-1, weighed=-1_300)
    assert found.units is not None
    # all of the 1,150 and the one that was taken off; -1 / 1,150 is rounded down to -0.09 %, that is 9 basis points
    assert (found.units.missing, found.units.progress_bp) == (1_151, -9)
    assert found.weighed_share_bp is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"source_document": ""}, "needs source_document"),
        ({"confirmed_on": None}, "needs source_document"),
        ({"marker": "虚构"}, "虚构"),
        ({"units": 0}, "units = 0"),
        ({"state": "maybe"}, "state = 'maybe'"),
    ],
)
def test_a_baseline_is_confirmed_by_somebody_with_a_document(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        a_confirmed_baseline(**wrong)


@pytest.mark.parametrize(
    ("goals", "baselines", "named"),
    [
        ((a_goal(), a_goal(key="again")), (), "scope and year"),
        ((a_goal(), a_goal(year=2026)), (), "goal '2025' is defined twice"),
        ((a_goal(scope_key="toys"),), (), "'toys'"),
        ((), (a_confirmed_baseline(), a_confirmed_baseline()), "baseline"),
        ((), (a_confirmed_baseline(scope_version=9),), "household-appliances/9"),
    ],
)
def test_a_goal_book_that_contradicts_itself_is_refused(goals: Any, baselines: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        GoalBook((a_scope(),), goals, baselines)
