"""The application of a district with one truck, its guards taken away one at a time when asked to: then a control.

Each guard is replaced by what code without it does: it decides by what it read before it held the lock. SQLite's
writers begin IMMEDIATE and would queue otherwise, and hide what the guard is for.
"""

from __future__ import annotations

import os
import time
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, g, has_request_context, request
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.settings import from_environment
from recycling.errors import NotFound, StaleVersion
from recycling.models.booking import Booking
from recycling.models.ledger import DayState, locked_day
from recycling.models.transaction import atomic
from recycling.routing.board import Board
from recycling.usecases.bookings import book_pickup, change_pickup, tentative
from recycling.usecases.bookings.history import tell_booked
from tests.planned_days import TRUCK, with_vehicles

UNGUARDED = os.environ.get("TEST_UNGUARDED", "")  # lock, confirmation, version, closing or keys
ANSWERS_AFTER_S = float(os.environ.get("TEST_ANSWERS_AFTER_S", "0"))  # committed, and nobody told yet

up_to_date, confirm_hold = tentative._up_to_date, book_pickup.confirm_hold


def as_it_was(session: Session, day: date, state: DayState, memory: Any) -> Board:
    """The routes as they stood when the request came in, not as they stand under the lock."""
    seen: dict[date, Board | None] = g.get("boards", {}) if has_request_context() else {}
    return seen.get(day) or up_to_date(session, day, state, memory)


def confirm_as_seen(hold_id: UUID, *, by: Any, session: Session, now: Any, **_: Any) -> Booking:
    """Confirm by the row as it was when the request came in, its place not looked at again."""
    seen: Booking | None = g.seen
    if seen is None or seen.state != "held" or (seen.held_until is not None and seen.held_until <= now):
        raise NotFound(f"no hold {hold_id}")
    with atomic(session):
        booked = {"state": "booked", "held_until": None, "created_at": now, "changed_at": now}
        session.execute(update(Booking).where(Booking.id == hold_id).values(**booked))
        tell_booked(session, seen, by=by, now=now)
    seen.state = "booked"
    return seen


def changeable_as_seen(booking: Booking, version: int) -> None:
    """Judge by the version that the booking had when the request came in."""
    if g.seen is None or (g.seen.state, g.seen.version) != ("booked", version):
        raise StaleVersion(f"the booking is no longer version {version}")


def closed_or_not(session: Session, day: date, *, now: Any, **_: Any) -> DayState:
    """Take the day's row, closed or not."""
    return locked_day(session, day, now=now, even_closed=True)


if UNGUARDED == "lock":
    tentative._up_to_date = as_it_was
elif UNGUARDED == "confirmation":
    book_pickup.confirm_hold = confirm_as_seen
elif UNGUARDED == "version":
    change_pickup._check_changeable = changeable_as_seen
elif UNGUARDED == "closing":
    setattr(tentative, "locked_day", closed_or_not)  # noqa: B010
elif UNGUARDED == "keys":
    from recycling.usecases import idempotency
    from recycling.usecases.bookings import live_limits

    idempotency.answer_once = lambda effect, **_: (effect(), False)
    # The guard against the same item twice at one door would find most of it out: it is not what is tried here.
    live_limits.take = lambda *_a, **_b: None

# After the exchange: endpoints take their use cases by name when they are imported.
from recycling.app import create_app  # noqa: E402
from recycling.extensions import db  # noqa: E402

app = create_app(from_environment())
app.extensions["district"] = with_vehicles(app.extensions["district"], TRUCK)


@app.before_request
def look_first() -> None:
    """See what a guard would have read again under the lock."""
    session, view = db.session(), request.view_args or {}
    if UNGUARDED == "lock" and request.method == "POST":
        body = request.get_json(silent=True) or {}
        if "day" in body:
            day = date.fromisoformat(body["day"])
            g.boards = tentative.boards(session, [day], district=app.extensions["district"])
    if UNGUARDED in ("confirmation", "version"):
        booking_id = view.get("hold_id") or view.get("booking_id")
        g.seen = session.scalar(select(Booking).where(Booking.id == booking_id)) if booking_id else None
        if g.seen is not None:
            list(g.seen.items), list(g.seen.parts)  # read now, for the answer
            session.expunge(g.seen)
    session.rollback()


@app.after_request
def answer_late(response: Response) -> Response:
    """Leave time for a kill between the commit and the answer."""
    if ANSWERS_AFTER_S and request.method == "POST":
        time.sleep(ANSWERS_AFTER_S)
    return response
