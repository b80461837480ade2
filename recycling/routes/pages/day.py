"""The day a page is about, and the days beside it."""

from __future__ import annotations

from datetime import date, timedelta

from recycling.routes.schemas.fields import Day, Schema


class DayQuery(Schema):
    """The day in the address; each page has its own when there is none."""

    day = Day(load_default=None)


def day_before(day: date) -> date | None:
    """The day before; there is none before the calendar's first."""
    return day - timedelta(days=1) if day > date.min else None


def day_after(day: date) -> date | None:
    """The day after; there is none after the calendar's last."""
    return day + timedelta(days=1) if day < date.max else None
