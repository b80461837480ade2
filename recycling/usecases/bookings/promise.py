"""The shared step of booking and amending: judge a wish against the reference facts and size its visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from recycling.errors import InvalidInput, WindowClosed
from recycling.models.booking import BookedItem
from recycling.policy.access import Principal
from recycling.policy.catalogue import Condition
from recycling.policy.district import District
from recycling.policy.geography import CoordinateSystem, point_refusal, to_wgs84
from recycling.policy.preparation import check_wipe_consent
from recycling.policy.service_time import ItemCount, StopNeed, stop_need
from recycling.routing.board import Window
from recycling.routing.standing import Visit

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A wish that can be asked for: the service area, what its stop needs, and its place in WGS-84."""

    area: str
    need: StopNeed
    place: dict[str, Any]

    def visit(self, key: str, window: Window) -> Visit:
        """Its visit in a tentative route."""
        return Visit(
            key=key, lat=self.place["lat"], lon=self.place["lon"], windows_s=(window,), service_s=self.need.service_s,
            load=(self.need.mass_g, self.need.litres), skills=frozenset(self.need.skills),
        )  # fmt: skip


def judge(wish: Wish, *, district: District, now: datetime, standing: tuple[date, str] | None = None) -> Judged:
    """Judge a wish against the reference facts; whether a route can serve it is the tentative routes' affair.

    ``standing`` is the day and window that the wish would replace: bookable when they were promised, they need not be
    so again.

    Raises
    ------
    InvalidInput
        When an item, the village or the point cannot be accepted.
    WindowClosed
        When the day or window cannot be booked at ``now``.
    """
    area = area_of(wish, district=district)
    if standing != (wish.day, wish.pickup_window):
        # The day first: the catalogue of a day long past would only say that it has no such item.
        check_bookable(wish.day, wish.pickup_window, district=district, now=now)
    need = needs(wish.items, floor=wish.floor, has_lift=wish.has_lift, day=wish.day, district=district)
    check_consents(wish.items, day=wish.day, district=district)
    return Judged(area=area, need=need, place=place_of(wish))


def area_of(wish: Wish, *, district: District) -> str:
    """The service area of a wish's village, when the village and the point can be accepted.

    Raises
    ------
    InvalidInput
        When they cannot.
    """
    village = district.network.villages.get(wish.village_code)
    if village is None:
        raise InvalidInput(f"village_code {wish.village_code!r} is not in the district; choose one from GET /villages")
    refusal = point_refusal(district.boundary, wish.lat, wish.lon, system=wish.coordinate_system)
    if refusal is not None:
        raise InvalidInput(refusal.message)
    return village.town_key


def place_of(wish: Wish) -> dict[str, Any]:
    """Where the wish is, as it is stored."""
    lat, lon = to_wgs84(wish.lat, wish.lon, system=wish.coordinate_system)
    # Six decimals are a tenth of a metre: more than a phone knows, and they keep the stored number short.
    return {"address": wish.address, "lat": round(lat, 6), "lon": round(lon, 6), "note": wish.note}


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
        kind = district.item_type(item.item_type, on=day)
        if any(count.item_type.key == kind.key for count in counts):
            raise InvalidInput(f"item_type {kind.key!r} comes twice; give it once with its whole quantity")
        if not 1 <= item.quantity <= kind.max_per_booking:
            raise InvalidInput(
                f"quantity {item.quantity} of {kind.key!r}: book 1 to {kind.max_per_booking} at once, more as another"
                f" booking / 单次预约 {kind.name_zh} 数量为 1–{kind.max_per_booking} 件"
            )
        if item.dismantle and not kind.dismantling:
            raise InvalidInput(f"dismantle: taking apart is not offered for {kind.key!r}; set it to false")
        counts.append(ItemCount(item_type=kind, quantity=item.quantity, dismantle=item.dismantle))
    return stop_need(counts, floor=floor, lift=has_lift, rule=district.service_time_on(day))


def check_consents(items: Sequence[WishedItem], *, day: date, district: District) -> None:
    """See that the owner agreed to the wiping of what holds their data.

    Raises
    ------
    InvalidInput
        When an item that holds data lacks the consent, or one that holds none has it.
    """
    for item in items:
        kind = district.catalogue.item_type(item.item_type, on=day)
        check_wipe_consent(kind, given=item.wipe_consent, terms=district.preparation.wipe_terms(on=day))


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


def check_bookable(day: date, window: str, *, district: District, now: datetime) -> None:
    """See that a window of a day can be asked for.

    Raises
    ------
    InvalidInput
        When there is no such window.
    WindowClosed
        When the day cannot be booked at ``now``.
    """
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
