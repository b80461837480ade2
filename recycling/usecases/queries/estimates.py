"""What items may bring or cost, and what to prepare before a visit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.policy.access import Principal
from recycling.policy.catalogue import Condition
from recycling.policy.district import District
from recycling.policy.price_estimate import ItemToPrice, estimate
from recycling.usecases.bookings.promise import WishedItem, needs
from recycling.usecases.queries.bookings import find_booking


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemToEstimate:
    """So many of one item type."""

    item_type: str
    quantity: int
    condition: Condition = "unknown"
    dismantle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateWish:
    """Items on a floor, on a day; today when none is named."""

    items: Sequence[ItemToEstimate]
    floor: int = 1
    has_lift: bool = False
    day: date | None = None


def price_estimate(wish: EstimateWish, *, district: District, now: datetime) -> dict[str, Any]:
    """The range and its reasons, for each item type and together, and what to prepare.

    Raises
    ------
    InvalidInput
        When an item type is unknown on that day, comes twice, or exceeds what one booking may hold.
    """
    day = wish.day or service_day(now)
    kinds = [district.catalogue.item_type(item.item_type, on=day) for item in wish.items]
    # Whatever a booking would be refused for is refused here too, but for a consent that nobody is asked for yet.
    needs(
        [
            WishedItem(
                item_type=kind.key, quantity=item.quantity, dismantle=item.dismantle, wipe_consent=kind.data_bearing
            )
            for kind, item in zip(kinds, wish.items, strict=True)
        ],
        floor=wish.floor,
        has_lift=wish.has_lift,
        day=day,
        district=district,
    )  # fmt: skip
    found = estimate(
        [
            ItemToPrice(kind=kind, quantity=item.quantity, condition=item.condition, dismantle=item.dismantle)
            for kind, item in zip(kinds, wish.items, strict=True)
        ],
        floor=wish.floor,
        lift=wish.has_lift,
        book=district.prices,
        rule=district.service_time,
        on=day,
    )
    return asdict(found) | {
        "day": day,
        "preparation": _prepared((item.item_type for item in wish.items), day=day, district=district),
    }


def booking_preparation(booking_id: UUID, *, by: Principal, district: District, session: Session) -> dict[str, Any]:
    """What the giver of a booking's items prepares for its day.

    Raises
    ------
    NotFound
        When the caller has no booking of that id.
    """
    booking = find_booking(booking_id, by=by, session=session)
    declared = (item.item_type for item in booking.items if item.declared_units)
    return {"day": booking.day, "items": _prepared(declared, day=booking.day, district=district)}


def _prepared(item_types: Iterable[str], *, day: date, district: District) -> list[dict[str, Any]]:
    book = district.preparation
    rows = []
    for key in item_types:
        kind = district.catalogue.latest(key)
        rows.append(
            {"item_type": key, "name_zh": kind.name_zh, "name_en": kind.name_en}
            | asdict(book.advice(kind, on=day))
            | {"wipe_terms": book.wipe_terms(on=day) if kind.data_bearing else None}
        )
    return rows
