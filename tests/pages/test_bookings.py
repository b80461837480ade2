"""The resident's own bookings: newest first, by page, nobody else's."""

import itertools
import re
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from recycling.extensions import db
from recycling.models.people import Resident, phone_index
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.usecases.queries.bookings import own_addresses
from tests.builders import a_booking, a_resident
from tests.conftest import NOW
from tests.pages.browsers import Browsers
from tests.planned_days import generous

PHONE = "13900139000"


_doors = itertools.count(1)


def booked(app: Flask, district: District, *, count: int, **overrides: object) -> None:
    """Give the resident of PHONE, who has signed in before, so many bookings, each at a door of its own."""
    with app.app_context():
        session = db.session()
        resident = session.query(Resident).filter_by(phone_index=phone_index(PHONE)).one()
        by = Principal(id=resident.id, role="resident")
        for _ in range(count):
            fields = {"address": f"长江路 {next(_doors)} 号院"} | overrides
            a_booking(session, district=district, now=NOW, by=by, **fields)
        db.session.remove()


def test_without_a_booking_the_page_says_so(browsers: Browsers) -> None:
    page = browsers.of("resident").open("/pages/bookings").text
    assert "还没有预约" in page
    assert 'href="/pages/book"' in page


def test_a_resident_sees_their_own_bookings_and_nobody_elses(
    app: Flask, district: District, browsers: Browsers
) -> None:
    # given one booking of theirs and one of a neighbour's
    browser = browsers.new()
    browser.sign_in_resident(PHONE)
    booked(app, district, count=1, address="长江路 1 号院")
    with app.app_context():
        neighbour = a_resident(db.session(), now=NOW)
        a_booking(db.session(), district=district, now=NOW, by=neighbour, address="黄河路 9 号")
        db.session.remove()

    # when they look
    page = browser.open("/pages/bookings").text

    # then theirs is there with day, window, items, state and its whole address, and nothing of the neighbour's
    assert "2026-11-24 周二" in page
    assert "08:00–10:00" in page
    assert "电冰箱 × 1" in page
    assert "已预约" in page
    assert "长江路 1 号院" in page
    assert "黄河路" not in page
    # and the way to the next booking
    assert 'href="/pages/book"' in page


def test_a_whole_address_is_its_owners_alone(session: Session, district: District, browsers: Browsers) -> None:
    # given a booking
    owner = a_resident(session, now=NOW)
    booking = a_booking(session, district=district, now=NOW, by=owner, address="长江路 1 号院")
    # then it is shown whole to whom it belongs, and to no other resident or staff
    assert own_addresses([booking.id], by=owner, session=session) == {booking.id: "长江路 1 号院"}
    others = [a_resident(session, now=NOW), Principal(id=uuid4(), role="dispatcher"), SYSTEM]
    assert [own_addresses([booking.id], by=one, session=session) for one in others] == [{}, {}, {}]
    # and the list that staff read masks it as ever: a third of eight characters
    listed = browsers.of("dispatcher").open("/bookings").json
    assert listed is not None
    assert [row["address_masked"] for row in listed["bookings"]] == ["长江…"]


def test_older_bookings_are_one_page_further(
    app: Flask, district: District, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given 21 bookings over the day's windows, and 20 on a page
    browser = browsers.new()
    browser.sign_in_resident(PHONE)
    monkeypatch.setitem(app.extensions, "district", generous(district))
    for window, count in (("08-10", 6), ("10-12", 6), ("13-15", 5), ("15-17", 4)):
        booked(app, generous(district), count=count, pickup_window=window)

    # when the link to earlier ones is followed
    first = browser.open("/pages/bookings").text
    link = re.search(r'href="(/pages/bookings\?cursor=[^"]+)"', first)
    assert link is not None
    second = browser.open(link[1]).text

    # then 20 and 1 are shown, and there is no third page
    assert (first.count("电冰箱 × 1"), second.count("电冰箱 × 1")) == (20, 1)
    assert "cursor=" not in second


def test_a_made_up_cursor_is_refused_in_words(browsers: Browsers) -> None:
    answer = browsers.of("resident").open("/pages/bookings?cursor=%3Cscript%3E")

    assert answer.status_code == 422
    assert "<script>" not in answer.text
