"""What the visits of a booking together are a promise for, as the wish that it would be today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from recycling.models.booking import Booking
from recycling.usecases.bookings.promise import Wish, WishedItem


def wish_of(visits: Sequence[Booking]) -> Wish:
    """What all visits of a booking together are a promise for; units of one item type may be on several."""
    booking = visits[0]
    place = booking.place
    day: date = booking.day
    units = Counter[str]()
    for item in (item for visit in visits for item in visit.items):
        units[item.item_type] += item.declared_units
    first = {item.item_type: item for visit in reversed(visits) for item in visit.items}
    return Wish(
        items=[
            WishedItem(
                item_type=item.item_type,
                quantity=units[item.item_type],
                dismantle=item.dismantle,
                condition=item.condition,
                wipe_consent=item.wipe_consent_at is not None,
            )
            for item in sorted(first.values(), key=lambda one: one.item_type)
        ],
        village_code=booking.village_code,
        address=place["address"],
        lat=place["lat"],
        lon=place["lon"],
        coordinate_system="wgs84",
        floor=booking.floor,
        has_lift=booking.has_lift,
        note=place["note"],
        day=day,
        pickup_window=booking.pickup_window,
    )
