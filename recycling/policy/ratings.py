"""What a resident may say of a visit (评价): stars and coded reasons, for how long, and what of it anybody is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, get_args

from recycling.policy.periods import month_end

MOST_STARS = 5
LONGEST_WORDS = 300

Praise = Literal["on_time", "careful", "friendly", "fair_price", "left_clean"]
Blame = Literal["late", "careless", "unfriendly", "price_differed", "left_dirty", "items_refused"]
RatingReason = Literal[Praise, Blame]
PRAISES: tuple[Praise, ...] = get_args(Praise)
BLAMES: tuple[Blame, ...] = get_args(Blame)
RATING_REASONS: tuple[RatingReason, ...] = (*PRAISES, *BLAMES)

# A visit is rated, and the rating changed, from its day on for two weeks (ours): later nobody remembers it well.
RATED_FOR = timedelta(days=14)
# A figure stands for five residents at the least (ours): of fewer, one could guess who said what.
LEAST_RATINGS = 5


def rated_until(day: date) -> date:
    """The last day on which a visit of a service day is rated, or its rating changed."""
    return day + RATED_FOR


def settled_from(first: date) -> date:
    """The first day on which no rating of a month's visits can change any more; ``first`` is the month's first day."""
    return rated_until(month_end(first)) + timedelta(days=1)


def newest_settled(today: date) -> date:
    """The first day of the last month of which no rating can change any more."""
    still_rated = today - RATED_FOR
    return (still_rated.replace(day=1) - timedelta(days=1)).replace(day=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """One rating as figures read it: nothing of who gave it."""

    collector_key: str | None
    station_key: str | None
    stars: int
    reasons: tuple[str, ...]
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingFigure:
    """What at least `LEAST_RATINGS` residents said of one collector or station.

    Parameters
    ----------
    mean_centistars
        The mean of the stars in hundredths, 100 to 500, rounded down.
    reasons
        How many gave each reason, of those that at least `LEAST_RATINGS` gave.
    words
        What they wrote about a station's visits, by the alphabet, so that nothing leads to a visit.
    """

    key: str
    ratings: int
    mean_centistars: int
    reasons: Mapping[str, int]
    words: tuple[str, ...] = ()


def collector_figures(rated: Iterable[Rated]) -> list[RatingFigure]:
    """A figure for each collector whom enough residents rated, by key."""
    by_key: dict[str, list[Rated]] = {}
    for one in rated:
        if one.collector_key is not None:
            by_key.setdefault(one.collector_key, []).append(one)
    return [_figure(key, those) for key, those in sorted(by_key.items()) if len(those) >= LEAST_RATINGS]


def station_figures(rated: Iterable[Rated]) -> list[RatingFigure]:
    """A figure for each station that enough residents rated, by key.

    Left out too is a station of which so few ratings are in no collector's figure that taking those figures away from
    its own would tell them.
    """
    everything = list(rated)
    shown = {figure.key for figure in collector_figures(everything)}
    by_key: dict[str, list[Rated]] = {}
    for one in everything:
        if one.station_key is not None:
            by_key.setdefault(one.station_key, []).append(one)
    figures = []
    for key, those in sorted(by_key.items()):
        rest = sum(one.collector_key not in shown for one in those)
        if len(those) >= LEAST_RATINGS and not 0 < rest < LEAST_RATINGS:
            figures.append(replace(_figure(key, those), words=tuple(sorted(one.words for one in those if one.words))))
    return figures


def _figure(key: str, those: list[Rated]) -> RatingFigure:
    said: dict[str, int] = {}
    for one in those:
        for reason in one.reasons:
            said[reason] = said.get(reason, 0) + 1
    return RatingFigure(
        key=key, ratings=len(those), mean_centistars=100 * sum(one.stars for one in those) // len(those),
        reasons={reason: said[reason] for reason in RATING_REASONS if said.get(reason, 0) >= LEAST_RATINGS},
    )  # fmt: skip
