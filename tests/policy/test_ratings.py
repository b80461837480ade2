"""Figures of ratings: of five at the least, and none that tells by subtraction what another leaves out."""

from datetime import date
from typing import Any

from recycling.policy.ratings import (
    Rated,
    collector_figures,
    newest_settled,
    rated_until,
    settled_from,
    station_figures,
)


def rated(collector: str, count: int, *, stars: int = 4, station: str = "lincheng", **more: Any) -> list[Rated]:
    """So many alike ratings."""
    fields: dict[str, Any] = {"reasons": ("on_time",)} | more
    return [Rated(collector_key=collector, station_key=station, stars=stars, **fields)] * count


def test_four_ratings_are_no_figure_and_five_are() -> None:
    assert collector_figures(rated("c01", 4)) == []
    (figure,) = collector_figures([*rated("c01", 4), *rated("c01", 1, stars=1)])
    # (4 × 4 + 1) / 5 = 3.4
    assert (figure.key, figure.ratings, figure.mean_centistars, figure.reasons) == ("c01", 5, 340, {"on_time": 5})


def test_a_reason_that_fewer_gave_is_not_told() -> None:
    (figure,) = collector_figures([*rated("c01", 5), *rated("c01", 4, reasons=("late",))])
    assert figure.reasons == {"on_time": 5}


def test_a_station_whose_figure_would_tell_of_a_collector_left_out_is_left_out_too() -> None:
    # given five ratings of one collector and two of another: the station's seven less the five are the two
    both = [*rated("c01", 5), *rated("c02", 2)]
    assert station_figures(both) == []
    # of five and five, of five alone, and of two small ones together nothing can be subtracted
    assert [figure.ratings for figure in station_figures([*rated("c01", 5), *rated("c02", 5)])] == [10]
    assert [figure.ratings for figure in station_figures(rated("c01", 5))] == [5]
    assert [figure.ratings for figure in station_figures([*rated("c01", 3), *rated("c02", 3)])] == [6]


def test_words_come_by_the_alphabet_and_with_stations_only() -> None:
    some = [*rated("c01", 4), *rated("c01", 1, words="b"), *rated("c01", 1, words="a")]
    assert station_figures(some)[0].words == ("a", "b")
    assert collector_figures(some)[0].words == ()


def test_a_month_is_settled_when_its_last_visit_can_be_rated_no_more() -> None:
    # 31 October + 14 days = 14 November, the day after is the first
    assert rated_until(date(2026, 10, 31)) == date(2026, 11, 14)
    assert settled_from(date(2026, 10, 1)) == date(2026, 11, 15)


def test_the_newest_settled_month_is_october_from_15_november_on() -> None:
    days = (date(2026, 11, 14), date(2026, 11, 15), date(2026, 12, 14), date(2026, 12, 15), date(2027, 1, 14))
    assert [f"{newest_settled(day):%Y-%m}" for day in days] == ["2026-09", "2026-10", "2026-10", "2026-11", "2026-11"]
