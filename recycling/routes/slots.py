"""Slot offers (可约时段) and holds (占位): from a wish to a kept place."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.policy.access import Role
from recycling.routes.bookings import whole
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.bookings import BookingSchema, ForWhom
from recycling.routes.schemas.slots import AskHoldSchema, AskSlotsSchema, PickupWindowsSchema, SlotOffersSchema
from recycling.usecases.bookings.book_pickup import confirm_hold, drop_hold, hold_pickup
from recycling.usecases.bookings.offer_slots import OfferedDay, SlotOffer, check_hold_token, offer_slots
from recycling.usecases.bookings.promise import Wish
from recycling.usecases.bookings.short_notice import short_notice
from recycling.usecases.queries import bookings as queries

BOOKERS: tuple[Role, ...] = ("resident", "dispatcher", "admin")
offers_bp = GuardedBlueprint(
    "slot_offers", __name__, roles=BOOKERS, url_prefix="/slot-offers",
    description="可约时段 / windows that a route can really serve",
)  # fmt: skip
holds_bp = GuardedBlueprint(
    "holds", __name__, roles=BOOKERS, url_prefix="/holds", description="占位 / places kept for ten minutes"
)
windows_bp = GuardedBlueprint(
    "pickup_windows", __name__, roles=BOOKERS, url_prefix="/pickup-windows",
    description="预约时段 / windows and bookable days",
)  # fmt: skip


@offers_bp.post("")
@offers_bp.arguments(AskSlotsSchema)
@offers_bp.response(200, SlotOffersSchema)
def ask_slots(asked: tuple[Wish, bool]) -> dict[str, Any]:
    """Find the windows of the coming days that a route can serve (查询可约时段)."""
    wish, explain = asked
    by, now = principal(), utc_now()
    days = offer_slots(wish, by=by, district=district(), session=db.session(), now=now, explain=explain)
    left = None
    if by.role == "resident":
        left = short_notice(by.id, district=district(), session=db.session(), now=now)
    return {
        "note_zh": None if left is None else left.zh,
        "note_en": None if left is None else left.en,
        "days": [_day(day) for day in days],
    }


@holds_bp.post("")
@holds_bp.arguments(AskHoldSchema)
@idempotent
@holds_bp.response(201, BookingSchema)
def create_hold(command: tuple[Wish, ForWhom, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Keep an offered place for ten minutes (占位)."""
    wish, whom, token = command
    now = utc_now()
    check_hold_token(token, wish, by=principal(), now=now)
    held = hold_pickup(
        wish, by=principal(), district=district(), session=db.session(), now=now, resident_id=whom.resident_id,
        consent=whom.consent,
    )  # fmt: skip
    body, headers = whole(held)
    return body, headers | {"Location": f"/bookings/{held.id}"}  # where it can be seen, now and as a booking


@holds_bp.post("/<uuid:hold_id>/confirmation")
@idempotent
@holds_bp.response(201, BookingSchema)
def confirm(hold_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Make a hold a booking; it keeps its id (确认预约)."""
    booking = confirm_hold(hold_id, by=principal(), district=district(), session=db.session(), now=utc_now())
    body, headers = whole(booking)
    return body, headers | {"Location": f"/bookings/{booking.id}"}


@holds_bp.delete("/<uuid:hold_id>")
@holds_bp.response(204)
def give_up(hold_id: UUID) -> None:
    """Give a hold up and free its place (放弃占位)."""
    drop_hold(hold_id, by=principal(), district=district(), session=db.session(), now=utc_now())


@windows_bp.get("")
@windows_bp.response(200, PickupWindowsSchema)
def list_windows() -> dict[str, Any]:
    """Show the windows of a service day and the days that can be booked (预约时段与可约日期)."""
    return {
        "windows": list(district().network.pickup_windows.values()),
        "days": queries.open_days(district=district(), session=db.session(), now=utc_now()),
    }


def _day(day: OfferedDay) -> dict[str, Any]:
    zh, en = day.apart or (None, None)
    return {
        "day": day.day, "closed": day.closed, "visits": day.visits, "apart_zh": zh, "apart_en": en,
        "windows": [_window(offer) for offer in day.windows],
    }  # fmt: skip


def _window(offer: SlotOffer) -> dict[str, Any]:
    window, fit = district().network.pickup_windows[offer.pickup_window], offer.fit
    return {
        "pickup_window": window.key,
        "name_zh": window.name_zh,
        "name_en": window.name_en,
        "offered": fit is not None,
        "arrival_s": None if fit is None else fit.start_s,
        "added_min": None if fit is None else -(-offer.added_s // 60),
        "near": offer.near,
        "greenest": offer.greenest,
        "hold_token": offer.hold_token,
        "why_not": offer.refusal,
    }
