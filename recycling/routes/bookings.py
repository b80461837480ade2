"""Bookings (回收预约)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.booking import Booking
from recycling.routes.context import district, etag, expected_version, versioned
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.bookings import (
    CHANGEABLE,
    AmendPickupSchema,
    BookingFilterSchema,
    BookingListSchema,
    BookingSchema,
    BookingShownSchema,
    BookPickupSchema,
    ForWhom,
)
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from recycling.usecases.bookings.promise import Wish
from recycling.usecases.field.door_code import show_door_code
from recycling.usecases.queries import bookings as queries
from recycling.usecases.queries.arrivals import for_its_resident
from recycling.usecases.queries.follow_ups import follow_up
from recycling.usecases.queries.ratings import rating_of

bp = GuardedBlueprint(
    "bookings",
    __name__,
    # Collectors read theirs in GET /my-route, which shows a door only on its day.
    roles=("resident", "dispatcher", "admin"),
    url_prefix="/bookings",
    description="回收预约 / pickups booked by residents",
)


@bp.post("")
@bp.arguments(BookPickupSchema)
@idempotent
@bp.response(201, BookingSchema)
def create_booking(command: tuple[Wish, ForWhom]) -> tuple[dict[str, Any], dict[str, str]]:
    """Book a pickup at once, without a hold (预约上门回收)."""
    wish, whom = command
    booking = book_pickup(
        wish, by=principal(), district=district(), session=db.session(), now=utc_now(),
        resident_id=whom.resident_id, consent=whom.consent,
    )  # fmt: skip
    body, headers = whole(booking)
    return body, headers | {"Location": f"{bp.url_prefix}/{booking.id}"}


@bp.get("")
@bp.arguments(BookingFilterSchema, location="query")
@bp.response(200, BookingListSchema)
def list_bookings(wanted: dict[str, Any]) -> dict[str, Any]:
    """List the bookings that the caller may see, newest first (我的预约)."""
    return queries.list_bookings(by=principal(), session=db.session(), **wanted)


@bp.get("/<uuid:booking_id>")
@bp.response(200, BookingShownSchema)
def show_booking(booking_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Show one booking; to its resident, on its day, with its progress and the code for the door (预约详情)."""
    now, session = utc_now(), db.session()
    booking = queries.find_booking(booking_id, by=principal(), session=session)
    code = show_door_code(booking, by=principal(), session=session, now=now)
    body, headers = whole(booking, door_code=code)
    body |= follow_up(booking, session=session, now=now)
    body |= for_its_resident(booking, by=principal(), district=district(), session=session, now=now)
    body |= rating_of(booking, by=principal(), session=session, now=now)
    return body, headers


@bp.patch("/<uuid:booking_id>")
@versioned
@bp.arguments(AmendPickupSchema(partial=CHANGEABLE))
@bp.response(200, BookingSchema)
def amend_booking(changes: dict[str, Any], booking_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Change a booking; the old place is kept until the new one is sure (修改预约)."""
    booking = amend_pickup(
        booking_id,
        changes,
        version=expected_version(),
        by=principal(),
        district=district(),
        session=db.session(),
        now=utc_now(),
    )
    return whole(booking)


@bp.post("/<uuid:booking_id>/cancellation")
@versioned
@bp.response(200, BookingSchema)
def cancel_booking(booking_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Cancel a booking and free its place; the dispatcher also after the cut-off (取消预约)."""
    booking = cancel_pickup(
        booking_id,
        version=expected_version(),
        by=principal(),
        district=district(),
        session=db.session(),
        now=utc_now(),
    )
    return whole(booking)


def whole(booking: Booking, *, door_code: str | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """A booking or hold in full with its visits, and the header that names its version."""
    visits = queries.visits_of(booking)
    return queries.booking_in_full(booking) | {"visits": visits, "door_code": door_code}, etag(booking.version)
