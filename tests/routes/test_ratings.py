"""Ratings over HTTP: put again, the last word counts; shown to whoever gave it, and in figures to the desk."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
import time_machine
from sqlalchemy.orm import Session

from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import instant_at
from tests.builders import TOMORROW, a_booking
from tests.callers import Callers
from tests.loads import collect

PHONE = "13912345678"
NOON = instant_at(TOMORROW, 12 * 3600)


@pytest.fixture
def fetched(session: Session, district: District, now: datetime, callers: Callers) -> UUID:
    """A booking of PHONE that was fetched at nine."""
    me = Principal(id=callers.resident(PHONE).id, role="resident")
    booking = a_booking(session, district=district, now=now, by=me)
    booking_id = booking.id
    collect(session, booking, district=district, now=now)
    session.rollback()
    return booking_id


def test_a_rating_is_put_changed_and_shown_to_its_resident_alone(fetched: UUID, callers: Callers) -> None:
    with time_machine.travel(NOON, tick=True):
        caller, desk = callers.resident(PHONE), callers.staff("dispatcher")
        path = f"/bookings/{fetched}"
        before = caller.get(path).get_json()
        assert (before["rating"], before["rate_until"]) == (None, "2026-12-08")
        first = caller.call("PUT", f"{path}/rating", {"stars": 5, "reasons": ["careful", "on_time"], "words": "好"})
        # reasons come as they are listed, whatever sequence they were sent in
        assert (first.status_code, first.get_json()["reasons"]) == (200, ["on_time", "careful"])
        assert caller.call("PUT", f"{path}/rating", {"stars": 2}).status_code == 200
        after = caller.get(path).get_json()["rating"]
        assert (after["stars"], after["reasons"], after["words"]) == (2, [], None)
        # the desk reads the booking without it, and may not give one
        assert (desk.get(path).get_json()["rating"], desk.get(path).get_json()["rate_until"]) == (None, None)
        assert desk.call("PUT", f"{path}/rating", {"stars": 5}).status_code == 403


def test_what_is_no_rating_is_refused(fetched: UUID, callers: Callers) -> None:
    with time_machine.travel(NOON, tick=True):
        caller = callers.resident(PHONE)
        for wrong in ({}, {"stars": 0}, {"stars": 6}, {"stars": 4.5}, {"stars": "5"}, {"stars": 5, "reasons": ["rich"]},
                      {"stars": 5, "words": "好" * 301}, {"stars": 5, "collector": "c01"}):  # fmt: skip
            answer = caller.call("PUT", f"/bookings/{fetched}/rating", wrong)
            assert answer.status_code == 422, wrong


def test_figures_are_of_a_month_and_none_before_it_is_settled(callers: Callers) -> None:
    desk = callers.staff("dispatcher")
    body = desk.get("/rating-figures?month=2026-11").get_json()
    assert (body["settled"], body["settled_from"], body["least_ratings"]) == (False, "2026-12-15", 5)
    assert (body["collectors"], body["stations"]) == ([], [])
    assert desk.get("/rating-figures?month=2026-10").get_json()["settled"] is True
    for wrong in ("2026-13", "2026", "11-2026"):
        assert desk.get(f"/rating-figures?month={wrong}").status_code == 422
