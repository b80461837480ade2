"""A van's place against its arrival, both at once: whichever comes first, nobody is shown it afterwards."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.extensions import db
from recycling.models.position import VehiclePosition
from recycling.policy.district import District
from recycling.usecases.field.record_events import record_events
from recycling.usecases.live import share_position as sharing
from recycling.usecases.live.links import tracking_token
from recycling.usecases.live.share_position import Position, share_position
from recycling.usecases.queries.arrivals import tracking
from tests.builders import TOMORROW
from tests.invariants import assert_invariants
from tests.usecases.test_record_events import NINE, Round, a_failure, a_note_of

MINUTE = timedelta(minutes=1)
HERE = Position(lat=34.8, lon=117.26, accuracy_m=5, at=NINE + MINUTE)


@pytest.fixture
def tour(session: Session, district: District, now: datetime) -> Round:
    """A truck that has set out for its one fridge at nine."""
    tour = Round(session, district, now)
    tour.send(a_note_of("on_the_way", booking_id=tour.bookings[0], device_time=NINE), at=NINE)
    return tour


def kept(session: Session) -> int:
    """How many places are kept."""
    session.rollback()
    return session.scalar(select(func.count()).select_from(VehiclePosition)) or 0


def share_while_the_visit_ends(tour: Round, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send a place; between its first look at the records and its lock the visit's outcome comes in elsewhere."""
    looked, real = threading.Event(), sharing._heading_to

    def crew() -> None:
        with app.app_context():
            looked.wait(timeout=10)
            outcome = a_failure(tour.bookings[0], reason="no_access", device_time=NINE + MINUTE)
            record_events(
                [outcome], by=tour.collector, district=tour.district, session=db.session(), now=NINE + 2 * MINUTE
            )

    other = threading.Thread(target=crew)

    def look(vehicle_key: str, *, session: Session, now: datetime) -> UUID | None:
        found = real(vehicle_key, session=session, now=now)
        if not looked.is_set():
            looked.set()
            other.join(timeout=1)  # on PostgreSQL it is through by then; on SQLite it waits for us
        return found

    monkeypatch.setattr(sharing, "_heading_to", look)
    other.start()
    share_position(HERE, by=tour.collector, session=tour.session, now=NINE + MINUTE)
    other.join()


def test_a_place_that_crosses_with_an_outcome_is_left_nowhere(
    tour: Round, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    tour.session.rollback()
    share_while_the_visit_ends(tour, app, monkeypatch)
    # on PostgreSQL the outcome comes first, so the place is not kept; on SQLite it is, and the outcome takes it away
    assert kept(tour.session) == 0
    assert_invariants(tour.session)


def test_without_the_second_look_the_place_would_be_left_behind(tour: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    # given the control: what the records said before the van arrived is believed, and not asked for again
    monkeypatch.setattr(sharing, "_heading_to", lambda _key, **_: tour.bookings[0])
    tour.send(a_note_of("arrive", booking_id=tour.bookings[0], device_time=NINE + MINUTE), at=NINE + MINUTE)
    assert share_position(HERE, by=tour.collector, session=tour.session, now=NINE + MINUTE)
    # then a place is kept of a van that stands at the door, and is hidden all the same
    assert kept(tour.session) == 1
    token = tracking_token(tour.bookings[0], TOMORROW)
    seen = tracking(token, district=tour.district, session=tour.session, now=NINE + 2 * MINUTE)
    assert (seen["state"], seen["van"]) == ("at_door", None)
