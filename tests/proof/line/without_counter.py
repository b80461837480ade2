"""The application with its counter taken out: it counts a window's bookings, then inserts. A control, never served.

The count is taken before the writing transaction begins, the way booking code does that checks first and writes after.
Inside it SQLite, whose writers begin IMMEDIATE, would already make them queue and hide what the counter is for.
"""

from __future__ import annotations

from datetime import date

from flask import g, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.settings import from_environment
from recycling.errors import WindowFull
from recycling.models import ledger
from recycling.models.booking import Booking
from recycling.policy.capacity import AreaCapacity


def count_then_insert(
    session: Session, *, give_up: ledger.Promise | None, take_up: ledger.Promise, capacity: AreaCapacity
) -> None:
    """Refuse by the count taken when the request came in."""
    if g.places_left < 1:
        raise WindowFull(f"window {take_up.pickup_window} on {take_up.day} is full")


ledger.move = count_then_insert

# After the exchange: the use cases take `move` by name when they are imported.
from recycling.app import create_app  # noqa: E402
from recycling.extensions import db  # noqa: E402

app = create_app(from_environment())


@app.before_request
def count_places() -> None:
    """Count what a booking would find."""
    if request.path != "/bookings":
        return
    wish = request.get_json()
    day = date.fromisoformat(wish["day"])
    area = app.extensions["district"].network.villages[wish["village_code"]].town_key
    cap = db.session.scalars(
        select(ledger.WindowLedger.places_cap).where(
            ledger.WindowLedger.day == day,
            ledger.WindowLedger.area == area,
            ledger.WindowLedger.pickup_window == wish["pickup_window"],
        )
    ).one()
    taken = db.session.scalars(
        select(func.count())
        .select_from(Booking)
        .where(Booking.day == day, Booking.area == area, Booking.pickup_window == wish["pickup_window"])
    ).one()
    db.session.rollback()
    g.places_left = cap - taken
