"""A wish that is kept for later days, as it is stored: without day and window, its point in WGS-84."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from recycling.models.recurring import RecurringPickup
from recycling.policy.recurrence import Recurrence
from recycling.usecases.bookings.promise import Wish, WishedItem, place_of


def wish_to_json(wish: Wish) -> dict[str, Any]:
    """The parts of a wish that do not depend on a day."""
    return {
        "items": [asdict(item) for item in wish.items], "village_code": wish.village_code, "floor": wish.floor,
        "has_lift": wish.has_lift, "place": place_of(wish),
    }  # fmt: skip


def wish_from_json(raw: Mapping[str, Any], *, day: date, pickup_window: str) -> Wish:
    """The wish for one window of a day."""
    return Wish(
        items=[WishedItem(**item) for item in raw["items"]], village_code=raw["village_code"], floor=raw["floor"],
        has_lift=raw["has_lift"], coordinate_system="wgs84", day=day, pickup_window=pickup_window, **raw["place"],
    )  # fmt: skip


def rule_of(pickup: RecurringPickup) -> Recurrence:
    """The rule of days of a recurring pickup.

    Raises
    ------
    ValueError
        When its columns are none.
    """
    return Recurrence(
        starts_on=pickup.starts_on, until=pickup.until, weekdays=frozenset(pickup.weekdays),
        every_weeks=pickup.every_weeks, month_day=pickup.month_day,
    )  # fmt: skip
