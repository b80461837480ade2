"""Reading ratings (评价): one's own beside its booking, and what enough residents said of collectors and stations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import InvalidInput
from recycling.models.booking import Booking
from recycling.models.rating import Rating
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.periods import MONTH, month_end
from recycling.policy.ratings import (
    LEAST_RATINGS,
    Rated,
    RatingFigure,
    collector_figures,
    rated_until,
    settled_from,
    station_figures,
)
from recycling.usecases.bookings.rate_visit import VISITED


def rating_of(booking: Booking, *, by: Principal, session: Session, now: datetime) -> dict[str, Any]:
    """What its resident said of a booking's visit, and until when they may say it; nothing of it to anybody else."""
    if by.role != "resident" or booking.state not in VISITED or booking.part_of is not None:
        return {"rating": None, "rate_until": None}
    until = rated_until(booking.day)
    return {
        "rating": session.get(Rating, booking.id),
        "rate_until": until if service_day(now) <= until else None,
    }


def rating_figures(month: str, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """What residents said of a month's visits, by collector and by station, once none of it can change any more.

    Until then there are no figures: who looks each day would see single ratings come. Of whole months only: two spans
    that overlap would tell what lies between them.

    Raises
    ------
    InvalidInput
        When it is no month.
    """
    if (match := MONTH.fullmatch(month)) is None:
        raise InvalidInput(f"month is {month[:20]!r}; write it as 2026-10 / 月份格式应为 2026-10")
    first = date(int(match[1]), int(match[2]), 1)
    settled = service_day(now) >= settled_from(first)
    rated = _rated(first, session=session) if settled else []
    collectors, stations = district.network.collectors, district.network.stations
    return {
        "month": month,
        "settled": settled,
        "settled_from": settled_from(first),
        "least_ratings": LEAST_RATINGS,
        "collectors": [_shown(figure, collectors.get(figure.key)) for figure in collector_figures(rated)],
        "stations": [_shown(figure, stations.get(figure.key)) for figure in station_figures(rated)],
    }


def _rated(first: date, *, session: Session) -> list[Rated]:
    wanted = select(Rating.collector_key, Rating.station_key, Rating.stars, Rating.reasons, Rating.words)
    rows = session.execute(wanted.where(Rating.day.between(first, month_end(first))))
    return [
        Rated(
            collector_key=row.collector_key,
            station_key=row.station_key,
            stars=row.stars,
            reasons=tuple(row.reasons),
            words=row.words,
        )
        for row in rows
    ]


def _shown(figure: RatingFigure, named: Any) -> dict[str, Any]:
    """A figure with the names of its key; the key itself when it has left the configuration."""
    return {
        "key": figure.key,
        "name_zh": figure.key if named is None else named.name_zh,
        "name_en": figure.key if named is None else named.name_en,
        "ratings": figure.ratings,
        "mean_centistars": figure.mean_centistars,
        "reasons": figure.reasons,
        "words": figure.words,
    }
