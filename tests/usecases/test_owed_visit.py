"""Whom we failed chooses freely and keeps their rank; whoever failed us does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from recycling.models.booking import Booking
from recycling.models.limits import NoShow
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings.owed_visit import OWED_DAYS, owed_since
from recycling.usecases.bookings.short_notice import short_notice
from recycling.usecases.messages.texts import render
from tests.builders import TOMORROW, a_booking, a_resident
from tests.callers import Callers
from tests.conftest import NOW
from tests.usecases.test_record_events import Round, a_failure
from tests.usecases.test_waiting_list import a_full_morning, free_one, offers, waits, wish

DAY = timedelta(days=1)
AFTER = instant_at(TOMORROW + DAY, 9 * 3600)


@pytest.fixture
def tour(session: Session, district: District, now: datetime) -> Round:
    """A truck with one fridge to fetch."""
    return Round(session, district, now)


def owed(session: Session, resident_id: UUID, *, now: datetime) -> datetime | None:
    """Since when a visit is owed."""
    session.rollback()
    return owed_since(resident_id, session=session, now=now)


@pytest.mark.parametrize(
    ("reason", "is_owed"), [("vehicle_full", True), ("vehicle_breakdown", True), ("no_access", False)]
)
def test_a_visit_is_owed_when_it_failed_for_a_reason_of_ours(tour: Round, *, reason: str, is_owed: bool) -> None:
    resident_id = tour.booking().resident_id
    tour.send(a_failure(tour.bookings[0], reason=reason))
    expected = tour.booking().created_at if is_owed else None
    assert owed(tour.session, resident_id, now=AFTER) == expected


def test_a_visit_that_nobody_recorded_is_owed_from_the_day_after_for_two_months(tour: Round) -> None:
    resident_id, made_at = tour.booking().resident_id, tour.booking().created_at
    assert owed(tour.session, resident_id, now=instant_at(TOMORROW, 86_399)) is None
    assert owed(tour.session, resident_id, now=instant_at(TOMORROW, 86_400)) == made_at
    assert owed(tour.session, resident_id, now=instant_at(TOMORROW + OWED_DAYS * DAY, 0)) == made_at
    assert owed(tour.session, resident_id, now=instant_at(TOMORROW + (OWED_DAYS + 1) * DAY, 0)) is None


def test_whoever_has_booked_again_is_owed_nothing_more(tour: Round, session: Session) -> None:
    by = Principal(id=tour.booking().resident_id, role="resident")
    tour.send(a_failure(tour.bookings[0], reason="vehicle_full"))
    assert owed(session, by.id, now=AFTER) is not None
    again = a_booking(session, district=tour.district, now=AFTER, by=by, day=TOMORROW + 3 * DAY)
    assert owed(session, by.id, now=AFTER) is None
    # and again when they withdraw from it
    session.execute(update(Booking).where(Booking.id == again.id).values(state="cancelled"))
    session.commit()
    assert owed(session, by.id, now=AFTER) is not None


def test_short_notice_does_not_bind_whom_we_have_failed(tour: Round, session: Session, district: District) -> None:
    # given a resident who was not at home twice, so that short notice is all they have
    resident_id = tour.booking().resident_id
    for number in (20, 40):
        missed = a_booking(session, district=district, now=NOW, day=TOMORROW + DAY)
        session.add(NoShow(booking_id=missed.id, resident_id=resident_id, day=TOMORROW - number * DAY))
        session.commit()
    assert short_notice(resident_id, district=district, session=session, now=NOW) is not None
    # when our van is full at their door, then they choose freely
    tour.send(a_failure(tour.bookings[0], reason="vehicle_full"))
    assert short_notice(resident_id, district=district, session=session, now=AFTER) is None


def test_on_the_waiting_list_whom_we_have_failed_goes_before_who_asked_since(
    session: Session, district: District
) -> None:
    # given a resident whose pickup of last Friday nobody recorded, and a full morning
    booked_at = NOW - 4 * DAY
    failed = a_booking(session, district=district, now=booked_at, day=TOMORROW - 4 * DAY)
    owed_one = Principal(id=failed.resident_id, role="resident")
    booked = a_full_morning(session, district)
    # when somebody else asks first, and they a second later
    first = waits(session, district, a_resident(session, now=NOW))
    second = waits(session, district, owed_one, now=NOW + timedelta(seconds=1))
    assert wish(session, second).queued_at == booked_at
    # then the place that is freed is theirs
    assert offers(session, district, NOW) == []
    free_one(session, district, booked[0])
    assert offers(session, district, NOW) == [second]
    assert wish(session, first).state == "waiting"


def test_the_message_says_which_way_and_how(district: District) -> None:
    def said(reason: str) -> str:
        return render("visit.failed", {"day": "2026-11-24", "reason": reason}, district=district)

    assert "（原因：车满）。这是我方原因，深表歉意：请重新预约，可选任意开放日期，候补优先。" in said("vehicle_full")
    assert "(reason: Vehicle full). It was our fault, and we are sorry: please book again" in said("vehicle_full")
    assert "请重新预约并勾选“需要拆机”" in said("dismantling_not_done")
    assert "The station looks into it and calls you" in said("unsafe")
    assert "（原因：无人应答）。请重新预约或联系我们。" in said("nobody_home")


def test_the_booking_shows_what_follows(tour: Round, callers: Callers) -> None:
    path = f"/bookings/{tour.bookings[0]}"
    tour.session.rollback()
    desk = callers.staff("dispatcher")
    assert desk.get(path).get_json()["follow_up"] is None
    tour.send(a_failure(tour.bookings[0], reason="vehicle_breakdown"))
    shown = desk.get(path).get_json()["follow_up"]
    assert (shown["code"], shown["reason"], shown["priority"]) == ("free_rebooking", "vehicle_breakdown", True)
    tour.send(a_failure(tour.bookings[0], reason="unsafe", device_time=NOW + DAY))
    shown = desk.get(path).get_json()["follow_up"]
    assert (shown["code"], shown["priority"]) == ("station_decides", False)
