"""A clock that is corrected backwards while bookings stand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from tests.builders import a_booking, a_resident
from tests.conftest import NOW
from tests.invariants import assert_invariants


def test_a_change_is_never_older_than_what_it_changes(session: Session, district: District) -> None:
    # given a booking made by a clock that was an hour fast
    by, corrected = a_resident(session, now=NOW), NOW - timedelta(hours=1)
    booking = a_booking(session, district=district, now=NOW, by=by)
    # when it is amended and cancelled by the clock set right
    at: dict[str, Any] = {"by": by, "district": district, "session": session, "now": corrected}
    amend_pickup(booking.id, {"pickup_window": "13-15"}, version=1, **at)
    assert_invariants(session)
    cancelled = cancel_pickup(booking.id, version=2, **at)
    # then its times still follow each other
    assert cancelled.created_at <= cancelled.changed_at
    assert_invariants(session)
