"""A collector sets out for a door (出发上门): its resident hears once, while it is so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from recycling.models.booking import Booking, visits_with
from recycling.models.outbox import post
from recycling.usecases.bookings.history import one_of_fact


def tell_on_the_way(booking: Booking, *, set_out_at: datetime, session: Session, now: datetime) -> None:
    """Post that the collector is coming, once for each booking; whose visit has an outcome already hears nothing.

    The record may have waited on a phone without a network. Whether it is still so is judged when the message is sent.
    """
    if booking.made_up or booking.state != "booked":
        return
    post(
        session,
        dedupe_key=f"visit.on_the_way:{booking.id}",
        kind="visit.on_the_way",
        to=("resident", booking.resident_id),
        # A phone's clock may run ahead of ours; then our own instant is the older one, and counts.
        facts={
            "booking_id": str(booking.id),
            "day": str(booking.day),
            "set_out_at": min(set_out_at, now).isoformat(),
            **one_of_fact(visits_with(session, booking)),
        },
        now=now,
    )
