"""The forecast of a year: honest where history is short, repeatable, and never surer than what is known."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from recycling.policy.forecast import (
    STORED,
    Forecast,
    Known,
    forecast,
    interval,
    last_year_plus_growth,
    probability_bp,
    straight_line,
)
from recycling.policy.service_calendar import DayOverride, ServiceCalendar

PLAIN = ServiceCalendar({})


def months_from(first: date, *amounts: int) -> dict[date, int]:
    """Amounts of months in a row."""
    places = [first.year * 12 + first.month - 1 + place for place in range(len(amounts))]
    return {date(place // 12, place % 12 + 1, 1): amount for place, amount in zip(places, amounts, strict=True)}


def seasonal(count: int) -> tuple[int, ...]:
    """A year of 100 a month with a peak of 200 in March and 10 % growth a year, again and again."""
    return tuple(round((200 if place % 12 == 2 else 100) * 1.1 ** (place // 12)) for place in range(count))


def judged(count: int, on: date, *, so_far: int | None = None, whole: bool = True) -> Forecast:
    """A forecast from so many months before a day."""
    last = on.replace(day=1) if so_far is not None else on
    place = last.year * 12 + last.month - 1 - count + (so_far is None)
    months = months_from(date(place // 12, place % 12 + 1, 1), *seasonal(count))
    to_date = sum(amount for month, amount in months.items() if month.year == on.year) + (so_far or 0)
    known = Known(on=on, months=months, so_far=so_far, year_to_date=to_date, so_far_is_whole=whole)
    return forecast(known, calendar=PLAIN)


def test_with_less_than_a_year_there_is_a_straight_line_and_the_missing_months_are_named() -> None:
    found = judged(11, date(2026, 5, 31))
    assert (found.method, found.percentiles, found.months_missing) == ("straight_line", None, 1)
    # A year with as many working days as January to May take, twelve over five: by the calendar of 2026 without
    # overrides the package counts 98 of 248 until 31 May; the line is the year to date times 248 / 98.
    over = PLAIN.working_days_between(date(2026, 1, 1), date(2026, 5, 31))
    all_days = PLAIN.working_days_between(date(2026, 1, 1), date(2026, 12, 31))
    to_date = sum(seasonal(11)[6:])
    assert found.projected == to_date * all_days // over


def test_the_straight_line_follows_working_days_by_hand() -> None:
    # given a year of which only four days are working days, one of them over
    days = [date(2026, 1, 1) + (date(2026, 1, 2) - date(2026, 1, 1)) * offset for offset in range(365)]
    working = {date(2026, 2, 3), date(2026, 5, 4), date(2026, 8, 5), date(2026, 11, 6)}
    calendar = ServiceCalendar(
        {day: DayOverride(day=day, is_working=day in working, note="", source="test") for day in days}
    )
    # then 25 until March make 100
    known = Known(on=date(2026, 3, 31), months={}, year_to_date=25)
    assert straight_line(known, calendar=calendar) == 100
    # and before the first working day nothing can be said but what came
    assert straight_line(Known(on=date(2026, 1, 31), months={}, year_to_date=7), calendar=calendar) == 7


@pytest.mark.parametrize(("count", "methods"), [(12, {"trend"}), (23, {"trend"}), (24, {"seasonal", "trend"})])
def test_seasons_are_believed_from_the_second_year_on(count: int, methods: set[str]) -> None:
    found = judged(count, date(2026, 6, 30))
    assert found.method in methods
    assert found.months_missing == 0
    assert found.percentiles is not None


def test_three_years_of_seasons_are_told_from_a_trend_and_the_year_that_follows_is_met() -> None:
    # given three years that each had their peak in March, forecast before the fourth one's
    on = date(2026, 1, 31)
    months = months_from(date(2023, 1, 1), *seasonal(37))
    found = forecast(Known(on=on, months=months, year_to_date=months[date(2026, 1, 1)]), calendar=PLAIN)
    # then the year is 10 % above the one before: 1,300 x 1.1^3 = 1,730
    assert found.method == "seasonal"
    assert found.projected == pytest.approx(1_730, rel=0.03)
    assert found.errors_bp["seasonal"] < found.errors_bp["straight_line"]


def test_the_same_months_give_the_same_forecast() -> None:
    assert judged(36, date(2026, 8, 31)) == judged(36, date(2026, 8, 31))


def test_intervals_hold_each_other_and_the_projection() -> None:
    found = judged(36, date(2026, 8, 31))
    assert found.percentiles is not None
    assert all(lower <= higher for lower, higher in pairwise(found.percentiles))
    bounds = [interval(found.percentiles, percent) for percent in (95, 80, 50)]
    assert all(outer[0] <= inner[0] <= inner[1] <= outer[1] for outer, inner in pairwise(bounds))
    assert bounds[-1][0] <= found.projected <= bounds[-1][1]


def test_what_came_already_is_the_least_the_year_can_come_to() -> None:
    # given a running month that has brought fifty times its like by its middle
    found = judged(36, date(2026, 12, 16), so_far=10_000)
    assert found.percentiles is not None
    assert found.percentiles[0] >= 10_000


def test_a_good_half_month_lifts_the_year_and_the_more_the_later_it_is() -> None:
    # given a month of about 121, of which a little more than half is over on the 16th
    usual, good = (judged(36, date(2026, 9, 16), so_far=so_far) for so_far in (70, 140))
    assert good.projected > usual.projected + 60
    # and the days of a network that began within the month tell nothing of the rest of it
    begun = judged(36, date(2026, 9, 16), so_far=1, whole=False)
    assert begun.projected > judged(36, date(2026, 9, 16), so_far=1).projected + 5


def test_a_year_that_is_over_is_no_forecast() -> None:
    found = judged(36, date(2026, 12, 31))
    total = sum(seasonal(36)[24:])
    assert (found.method, found.projected) == ("year_over", total)
    assert found.percentiles is not None
    assert [probability_bp(found.percentiles, target, reached=total) for target in (total, total + 1)] == [10_000, 0]


@pytest.mark.parametrize("amount", [0, -5])
def test_a_month_at_or_below_zero_is_not_modelled(amount: int) -> None:
    months = months_from(date(2023, 1, 1), *seasonal(36)) | {date(2024, 5, 1): amount}
    found = forecast(Known(on=date(2025, 12, 30), months=months, year_to_date=1), calendar=PLAIN)
    assert (found.method, found.months_missing, found.percentiles) == ("straight_line", 0, None)


def test_missing_months_are_bridged_and_not_counted() -> None:
    months = months_from(date(2023, 1, 1), *seasonal(43))
    for gone in (date(2023, 7, 1), date(2024, 2, 1), date(2025, 11, 1)):
        del months[gone]
    to_date = sum(amount for month, amount in months.items() if month.year == 2026)
    found = forecast(
        Known(on=date(2026, 7, 31), months=months, declared=frozenset(list(months)[:30]), year_to_date=to_date),
        calendar=PLAIN,
    )
    assert (found.months_declared, found.months_own) == (30, 10)
    # 1,300 x 1.1^3 again
    assert found.projected == pytest.approx(1_730, rel=0.03)


def test_two_years_of_which_nothing_is_known_are_bridged_and_tried_on_what_there_is() -> None:
    # given the base year alone, 100 a month, and January to October of 2026 at 100
    months = months_from(date(2023, 1, 1), *[100] * 12) | months_from(date(2026, 1, 1), *[100] * 10)
    known = Known(on=date(2026, 10, 31), months=months, year_to_date=1_000)
    found = forecast(known, calendar=PLAIN)
    # then the year comes to about 1,200, and what cannot be tried (the mean of twelve unknown months) is left out
    assert 1_150 <= found.projected <= 1_250
    assert found.percentiles is not None
    assert all(error_bp >= 0 for error_bp in found.errors_bp.values())
    assert "trend" in found.errors_bp


def test_nothing_known_at_all_is_zero_and_not_an_error() -> None:
    found = forecast(Known(on=date(2026, 1, 1), months={}), calendar=PLAIN)
    assert (found.projected, found.percentiles, found.months_missing) == (0, None, 12)


def test_the_probability_is_the_share_of_paths_that_reach_the_target() -> None:
    # given percentiles that are their own percent: the k-th is k, and the ends 2.5 and 97.5 between their like
    percentiles = tuple(sorted(round(percent * 10) for percent in STORED))
    # then below 300 lie 29 of a hundred: 71 % reach 300
    assert probability_bp(percentiles, 300, reached=0) == 7_100
    # and nothing is certain while days are left
    assert probability_bp(percentiles, 1, reached=0) == 9_900
    assert probability_bp(percentiles, 10_000, reached=0) == 100
    # but what is reached
    assert probability_bp(percentiles, 300, reached=300) == 10_000


def test_last_year_plus_growth_by_hand() -> None:
    # 12 x 100 last year; 110 and 130 against 100 and 100 this year: 1,200 x 240 / 200 = 1,440
    months = months_from(date(2025, 1, 1), *[100] * 12, 110, 130)
    assert last_year_plus_growth(months, on=date(2026, 2, 28)) == 1_440
    assert last_year_plus_growth(months_from(date(2025, 2, 1), *[100] * 11, 110), on=date(2026, 2, 28)) is None
