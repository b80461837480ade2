"""The resident's bookings, newest first, and each of them with everything that can be done about it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import render_template
from marshmallow import fields, validate

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.booking import Booking, BookingState
from recycling.policy.failed_visits import FAILED_VISIT_CODES
from recycling.policy.photos import MOST_PHOTOS
from recycling.policy.ratings import BLAMES, LONGEST_WORDS, MOST_STARS, PRAISES
from recycling.routes.bookings import whole
from recycling.routes.context import district
from recycling.routes.guard import principal
from recycling.routes.pages.book import PHOTO_RULES
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.pages.mine_words import DONE_WORDS, RATING_WORDS, RECURRING_WORDS, WAITING_WORDS
from recycling.routes.pages.words import WEEKDAYS
from recycling.routes.schemas.fields import Schema, Text
from recycling.usecases.field.door_code import show_door_code
from recycling.usecases.queries.arrivals import progress_of, progress_path
from recycling.usecases.queries.bookings import find_booking, list_bookings, own_addresses, own_holds
from recycling.usecases.queries.certificates import is_weighed
from recycling.usecases.queries.estimates import booking_preparation
from recycling.usecases.queries.follow_ups import follow_up
from recycling.usecases.queries.healing import list_promises
from recycling.usecases.queries.photos import list_photos
from recycling.usecases.queries.proofs import list_proofs
from recycling.usecases.queries.ratings import rating_of
from recycling.usecases.queries.recurring import list_recurring
from recycling.usecases.queries.waiting import list_wishes

bp = PageBlueprint("page_bookings", __name__, roles=("resident",), url_prefix="/pages/bookings")

ON_A_PAGE = 20
MOST_WAITING = 50  # wishes and agreements shown above the bookings; a resident has a handful


class CursorQuery(Schema):
    """Where the page begins."""

    cursor = Text(most=400, load_default=None)


class DoneQuery(Schema):
    """What was just done, so that the page says so."""

    done = fields.String(load_default=None, validate=validate.OneOf(tuple(DONE_WORDS)))


@bp.get("")
@bp.arguments(CursorQuery, location="query")
def show(wanted: dict[str, Any]) -> str:
    """Show the resident's bookings, and before them what is kept and not booked yet, what waits and what recurs."""
    by, session, now = principal(), db.session(), utc_now()
    found = list_bookings(by=by, session=session, limit=ON_A_PAGE, cursor=wanted["cursor"])
    facts, ids = district(), [row["id"] for row in found["bookings"]]
    waiting = [
        wish
        for state in ("offered", "waiting")
        for wish in list_wishes(by=by, session=session, limit=MOST_WAITING, state=state)["wishes"]
    ]
    offered = {wish["hold_id"] for wish in waiting}
    recurring = list_recurring(by=by, session=session, limit=MOST_WAITING)["recurring_pickups"]
    return render_template(
        "mine/bookings.html",
        bookings=found["bookings"],
        addresses=own_addresses(ids, by=by, session=session),
        progress={row["id"]: progress_path(row["id"], row["day"], now=now) for row in found["bookings"]},
        changeable={
            row["id"] for row in found["bookings"] if _is_changeable(row["state"], row["part_of"], row["day"], now=now)
        },
        next_cursor=found["next_cursor"],
        first_page=wanted["cursor"] is None,
        holds=[hold for hold in own_holds(by=by, session=session, now=now) if hold.id not in offered],
        waiting=waiting,
        recurring=[one for one in recurring if one["state"] != "ended"],
        waiting_words=WAITING_WORDS,
        recurring_words=RECURRING_WORDS,
        weekday_words=WEEKDAYS,
        network=facts.network,
        name_of=facts.catalogue.latest,
    )


@bp.get("/<uuid:booking_id>")
@bp.arguments(DoneQuery, location="query")
def show_one(wanted: dict[str, Any], booking_id: UUID) -> str:
    """Show one booking: where it stands, what to prepare, and what can be changed, cancelled, rated or printed."""
    by, session, now, facts = principal(), db.session(), utc_now(), district()
    booking = find_booking(booking_id, by=by, session=session)
    code = show_door_code(booking, by=by, session=session, now=now)
    shown, _ = whole(booking, door_code=code)
    follow = follow_up(booking, session=session, now=now)["follow_up"]
    closes_at = facts.booking_rules.cancel_closes_at(booking.day)
    promises = list_promises(by=by, district=facts, session=session)
    return render_template(
        "mine/booking.html",
        booking=shown,
        done=DONE_WORDS.get(wanted["done"]),
        visit=progress_of(booking, district=facts, session=session, now=now),
        running=booking.day == service_day(now) and booking.state == "booked",
        progress=progress_path(booking.id, booking.day, now=now),
        follow=follow,
        failed=FAILED_VISIT_CODES.get(follow["reason"] or "") if follow else None,
        promise=next((one for one in promises if one["booking_id"] == booking.id), None),
        preparation=booking_preparation(booking.id, by=by, district=facts, session=session)["items"],
        photos=list_photos(booking.id, by=by, session=session, now=now),
        most_photos=MOST_PHOTOS,
        proofs=list_proofs(booking.id, by=by, session=session),
        is_weighed=is_weighed(booking),
        changeable=_is_changeable(booking.state, booking.part_of, booking.day, now=now),
        closes_at=closes_at,
        contact=(facts.privacy.head.contact_zh, facts.privacy.head.contact_en),
        network=facts.network,
        name_of=facts.catalogue.latest,
        item_types=facts.catalogue.valid_on(service_day(now)),
        rating_words=RATING_WORDS,
        praises=PRAISES,
        blames=BLAMES,
        most_stars=MOST_STARS,
        longest_words=LONGEST_WORDS,
        facts=_for_scripts(booking),
        **rating_of(booking, by=by, session=session, now=now),
    )


def _is_changeable(state: BookingState, part_of: UUID | None, day: date, *, now: datetime) -> bool:
    """Whether the resident can still change or cancel a booking on this page; a further visit goes with the first."""
    return state == "booked" and part_of is None and now < district().booking_rules.cancel_closes_at(day)


def _for_scripts(booking: Booking) -> dict[str, Any]:
    """The booking as the page's scripts send it back with something changed."""
    items = [item for row in (booking, *booking.parts) for item in row.items if item.declared_units]
    return {
        "id": str(booking.id),
        "version": booking.version,
        "day": booking.day.isoformat(),
        "pickup_window": booking.pickup_window,
        "photos": PHOTO_RULES,
        "items": [
            {
                "item_type": item.item_type, "quantity": item.declared_units, "dismantle": item.dismantle,
                "condition": item.condition, "wipe_consent": item.wipe_consent_at is not None,
            }
            for item in items
        ],
        "door": {
            "village_code": booking.village_code, "floor": booking.floor, "has_lift": booking.has_lift,
            **booking.place,
        },
    }  # fmt: skip
