"""The shared step of booking and amending: judge a wish against the reference facts and size its promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from recycling.errors import InvalidInput, WindowClosed
from recycling.models.booking import BookedItem, Booking
from recycling.models.ledger import Promise
from recycling.policy.access import Principal
from recycling.policy.catalogue import Condition
from recycling.policy.district import District
from recycling.policy.geography import CoordinateSystem, point_refusal, to_wgs84
from recycling.policy.preparation import check_wipe_consent
from recycling.policy.service_time import ItemCount, StopNeed, stop_need

MOST_ITEM_TYPES = 20  # in one booking; a household clearance takes fewer, more is a bulk booking


@dataclass(frozen=True, slots=True, kw_only=True)
class WishedItem:
    """So many of one item type, to be taken apart or not; its state, and whether its data may be wiped."""

    item_type: str
    quantity: int
    dismantle: bool = False
    condition: Condition = "unknown"
    wipe_consent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a resident asks for: items, place, and a window of a service day."""

    items: Sequence[WishedItem]
    village_code: str
    address: str
    lat: float
    lon: float
    coordinate_system: CoordinateSystem
    floor: int
    has_lift: bool
    note: str
    day: date
    pickup_window: str


def judge(
    wish: Wish, *, district: District, now: datetime, standing: Promise | None = None
) -> tuple[Promise, StopNeed, dict[str, object]]:
    """Judge a wish; return its promise, what the stop needs, and its place in WGS-84.

    ``standing`` is the promise that the wish would replace. Its day, area and window were bookable when they were
    promised, and need not be so again.

    Raises
    ------
    InvalidInput
        When an item, the village or the point cannot be accepted.
    WindowClosed
        When the day or window cannot be booked at ``now``.
    """
    village = district.network.villages.get(wish.village_code)
    if village is None:
        raise InvalidInput(f"village_code {wish.village_code!r} is not in the district; choose one from GET /villages")
    refusal = point_refusal(district.boundary, wish.lat, wish.lon, system=wish.coordinate_system)
    if refusal is not None:
        raise InvalidInput(refusal.message)
    kept = None if standing is None else (standing.day, standing.area, standing.pickup_window)
    if kept != (wish.day, village.town_key, wish.pickup_window):
        # The day first: the catalogue of a day long past would only say that it has no such item.
        _bookable(wish.day, wish.pickup_window, district=district, now=now)
    need = needs(wish.items, floor=wish.floor, has_lift=wish.has_lift, day=wish.day, district=district)
    lat, lon = to_wgs84(wish.lat, wish.lon, system=wish.coordinate_system)
    promise = Promise(
        day=wish.day,
        area=village.town_key,
        pickup_window=wish.pickup_window,
        service_s=need.service_s,
        load_g=need.mass_g,
        load_l=need.litres,
    )
    # Six decimals are a tenth of a metre: more than a phone knows, and they keep the stored number short.
    place = {"address": wish.address, "lat": round(lat, 6), "lon": round(lon, 6), "note": wish.note}
    return promise, need, place


def needs(items: Sequence[WishedItem], *, floor: int, has_lift: bool, day: date, district: District) -> StopNeed:
    """What a stop with these items takes in time, load and skills.

    Raises
    ------
    InvalidInput
        When an item type is unknown on that day, comes twice, or exceeds its maximum, or holds data that nobody has
        agreed to have wiped.
    """
    if not 1 <= len(items) <= MOST_ITEM_TYPES:
        raise InvalidInput(f"items has {len(items)} entries; give 1 to {MOST_ITEM_TYPES} different item types")
    counts: list[ItemCount] = []
    for item in items:
        kind = district.catalogue.item_type(item.item_type, on=day)
        if any(count.item_type.key == kind.key for count in counts):
            raise InvalidInput(f"item_type {kind.key!r} comes twice; give it once with its whole quantity")
        if not 1 <= item.quantity <= kind.max_per_booking:
            raise InvalidInput(
                f"quantity {item.quantity} of {kind.key!r}: book 1 to {kind.max_per_booking} at once, more as another"
                f" booking / 单次预约 {kind.name_zh} 数量为 1–{kind.max_per_booking} 件"
            )
        if item.dismantle and not kind.dismantling:
            raise InvalidInput(f"dismantle: taking apart is not offered for {kind.key!r}; set it to false")
        check_wipe_consent(kind, given=item.wipe_consent, terms=district.preparation.wipe_terms(on=day))
        counts.append(ItemCount(item_type=kind, quantity=item.quantity, dismantle=item.dismantle))
    return stop_need(counts, floor=floor, lift=has_lift, rule=district.service_time)


def promise_of(booking: Booking) -> Promise:
    """What a stored booking has taken out of its day."""
    return Promise(
        day=booking.day,
        area=booking.area,
        pickup_window=booking.pickup_window,
        service_s=booking.service_s,
        load_g=booking.declared_g,
        load_l=booking.declared_l,
    )


def booked_items(
    items: Sequence[WishedItem], *, day: date, by: Principal, district: District, now: datetime
) -> list[BookedItem]:
    """Rows for the wished items, with who agreed when to the wiping of their data, and to which terms."""
    terms = district.preparation.wipe_terms(on=day).key
    return [
        BookedItem(
            item_type=item.item_type, declared_units=item.quantity, dismantle=item.dismantle, collected_units=0,
            weighed_units=0, condition=item.condition, wipe_terms=terms if item.wipe_consent else None,
            wipe_consent_at=now if item.wipe_consent else None, wipe_consent_by=by.id if item.wipe_consent else None,
        )
        for item in items
    ]  # fmt: skip


def _bookable(day: date, window: str, *, district: District, now: datetime) -> None:
    if window not in district.network.pickup_windows:
        raise InvalidInput(
            f"pickup_window {window!r} is unknown; choose from {', '.join(district.network.pickup_windows)}"
        )
    rules = district.booking_rules
    if not rules.is_bookable(day, now=now, calendar=district.calendar):
        days = rules.bookable_days(now=now, calendar=district.calendar)
        note = district.calendar.note(day)
        span = f"{days[0]} to {days[-1]}" if days else "no day at present"
        raise WindowClosed(
            f"{day} cannot be booked{f' ({note})' if note else ''}; choose a bookable day: {span}"
            f" / {day} 不可预约，当前可约日期：{span.replace(' to ', ' 至 ')}"
        )
