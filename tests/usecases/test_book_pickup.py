"""Booking: a wish becomes a place in a tentative route, or is refused with the value and the next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput, WindowClosed, WindowFull
from recycling.models import Base
from recycling.models.booking import Booking, BookingChange, Consent
from recycling.models.ledger import DayLedger, StationLedger, close_day
from recycling.models.outbox import OutboxMessage
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.fleet import TWO_PERSON_LIFT, UPRIGHT
from recycling.policy.service_calendar import DayOverride, ServiceCalendar
from recycling.units import wgs84_to_gcj02
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.bookings.promise import WishedItem
from tests.builders import TOMORROW, a_booking, a_resident, a_wish
from tests.conftest import NOW
from tests.invariants import assert_invariants
from tests.places import ROOM_OF_TRUCK, fill, one_truck, places, visits

AREA = "lincheng"
Restrict = Callable[[District], District]


def row_counts(session: Session) -> dict[str, int]:
    """Rows of every table, the resident that a test made beforehand included."""
    return {table.name: len(session.execute(table.select()).all()) for table in Base.metadata.sorted_tables}


def with_intake_limit(district: District, *, mass_g: int, litres: int) -> District:
    """A district with one truck, whose stations take in so much on a day."""
    one = one_truck(district)
    stations = {
        key: replace(station, intake_limit_g=mass_g, intake_limit_l=litres)
        for key, station in one.network.stations.items()
    }
    return replace(one, network=replace(one.network, stations=stations))


def with_day_until(district: District, ends_s: int) -> District:
    """A district with one truck, whose crew goes home then, without lunch."""
    one = one_truck(district)
    patterns = {
        key: replace(pattern, ends_s=ends_s, break_opens_s=28_800, break_closes_s=28_801, break_s=0)
        for key, pattern in one.network.shift_patterns.items()
    }
    return replace(one, network=replace(one.network, shift_patterns=patterns))


def test_a_booking_takes_its_place_seconds_grams_and_litres(
    session: Session, district: District, now: datetime
) -> None:
    # when a fridge and four chairs are booked on the third floor without a lift
    items = [WishedItem(item_type="fridge", quantity=1), WishedItem(item_type="chair-dining", quantity=4)]
    booking = a_booking(session, district=district, now=now, items=items, floor=3)
    # then the stop takes 300 base + 720 fridge + 4 x 60 chairs + 2 storeys x (90 for the fridge, carried alone,
    # + 42 for the chairs' 20 kg in one load) = 1524 s; 40.8 + 4 x 5 = 60.8 kg; 800 + 4 x 200 = 1600 l
    assert (booking.service_s, booking.declared_g, booking.declared_l) == (1524, 60_800, 1600)
    visit = visits(session)[str(booking.id)]
    assert (visit.service_s, visit.load, visit.windows_s) == (1524, (60_800, 1600), ((28_800, 36_000),))
    assert (visit.lat, visit.lon, visit.skills) == (34.8, 117.26, frozenset({TWO_PERSON_LIFT, UPRIGHT}))
    assert places(session) == {("2026-11-24", "08-10"): 1}
    assert (booking.state, booking.version, booking.area) == ("booked", 1, AREA)
    assert {item.item_type: item.declared_units for item in booking.items} == {"fridge": 1, "chair-dining": 4}
    # and history and message stand in the same transaction, the message with ids only
    change = session.scalars(select(BookingChange)).one()
    assert (change.kind, change.by_role, change.version) == ("booked", "resident", 1)
    message = session.scalars(select(OutboxMessage)).one()
    assert (message.kind, message.recipient_id) == ("booking.confirmed", booking.resident_id)
    assert message.facts == {"booking_id": str(booking.id), "day": "2026-11-24", "pickup_window": "08-10"}
    assert_invariants(session)


def test_a_point_in_gcj02_is_stored_in_wgs84(session: Session, district: District, now: datetime) -> None:
    # given the point that a GCJ-02 map shows for 34.8, 117.26
    lat, lon = wgs84_to_gcj02(34.8, 117.26)
    booking = a_booking(session, district=district, now=now, lat=lat, lon=lon, coordinate_system="gcj02")
    # then the true one is kept, to a tenth of a metre
    assert (booking.place["lat"], booking.place["lon"]) == (34.8, 117.26)


# --- when ---

# Bookings for a day end at 18:00 of the day before in Shanghai, 10:00 UTC.
CUTOFF = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_booking_ends_at_the_cutoff_to_the_microsecond(session: Session, district: District) -> None:
    last = CUTOFF - timedelta(microseconds=1)
    assert a_booking(session, district=district, now=last).day == TOMORROW
    with pytest.raises(
        WindowClosed, match="2026-11-24 cannot be booked; choose a bookable day: 2026-11-25 to 2026-12-07"
    ):
        a_booking(session, district=district, now=CUTOFF)


@pytest.mark.parametrize(
    ("day", "bookable"),
    [
        (date(2026, 11, 22), False),  # yesterday
        (date(2026, 11, 23), False),  # today
        (date(2026, 11, 24), True),
        (date(2026, 12, 7), True),  # today + 14 days
        (date(2026, 12, 8), False),
        (date(1, 1, 1), False),
        (date(9999, 12, 31), False),
    ],
)
def test_days_from_tomorrow_to_the_horizon_can_be_booked(
    session: Session,
    district: District,
    now: datetime,
    day: date,
    bookable: bool,  # noqa: FBT001 - a parameter of the table above
) -> None:
    if bookable:
        assert a_booking(session, district=district, now=now, day=day).day == day
    else:
        with pytest.raises(WindowClosed, match=f"{day} cannot be booked"):
            a_booking(session, district=district, now=now, day=day)


def test_the_service_day_is_counted_in_shanghai(session: Session, district: District) -> None:
    # 16:00 UTC on the 23rd is midnight of the 24th in Shanghai: the 24th is today and no longer bookable
    midnight = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    with pytest.raises(WindowClosed, match="2026-11-25 to 2026-12-08"):
        a_booking(session, district=district, now=midnight)


def test_a_day_that_the_bureau_closed_cannot_be_booked_and_the_note_says_why(
    session: Session, district: District, now: datetime
) -> None:
    override = DayOverride(day=TOMORROW, is_working=False, note="暴雪停运", source="薛城区通知")
    closed = replace(district, calendar=ServiceCalendar({TOMORROW: override}))
    with pytest.raises(WindowClosed, match="暴雪停运"):
        a_booking(session, district=closed, now=now)
    # the day after is as ever
    assert a_booking(session, district=closed, now=now, day=TOMORROW + timedelta(days=1)).state == "booked"


def test_a_public_holiday_is_a_service_day_like_any_other(session: Session, district: District) -> None:
    # 2027-01-01; booked from 2026-12-28, 10:00 in Shanghai
    booking = a_booking(session, district=district, now=datetime(2026, 12, 28, 2, 0, tzinfo=UTC), day=date(2027, 1, 1))
    assert booking.state == "booked"


# --- how much ---


def test_the_last_place_is_given_and_the_next_wish_hears_what_to_do(
    session: Session, district: District, now: datetime
) -> None:
    small = one_truck(district)
    fill(session, district=small, now=now, count=ROOM_OF_TRUCK)
    with pytest.raises(WindowFull, match=r"no route of 2026-11-24 can take this .* POST /slot-offers"):
        a_booking(session, district=small, now=now)
    # another window of the day still takes it
    assert a_booking(session, district=small, now=now, pickup_window="10-12").state == "booked"
    assert_invariants(session)


@pytest.mark.parametrize(
    ("short", "enough"),
    [
        # a fridge takes 300 + 720 = 1020 s, 40.8 kg and 800 l; two of them from eight on, and 900 s to unload
        (lambda one: with_day_until(one, 31_739), lambda one: with_day_until(one, 31_740)),
        (
            lambda one: with_intake_limit(one, mass_g=81_599, litres=9_999),
            lambda one: with_intake_limit(one, mass_g=81_600, litres=9_999),
        ),
        (
            lambda one: with_intake_limit(one, mass_g=999_999, litres=1_599),
            lambda one: with_intake_limit(one, mass_g=999_999, litres=1_600),
        ),
    ],
    ids=["seconds", "grams", "litres"],
)
def test_a_day_takes_what_fits_to_the_unit(
    session: Session, district: District, now: datetime, short: Restrict, enough: Restrict
) -> None:
    # given one fridge promised, and room for a second but for one unit
    tight, fitting = short(district), enough(district)
    a_booking(session, district=tight, now=now)
    with pytest.raises(WindowFull, match="no route of 2026-11-24"):
        a_booking(session, district=tight, now=now)
    assert len(visits(session)) == 1
    # with that unit it fits
    with atomic(session):
        for row in session.scalars(select(StationLedger)):
            station = fitting.network.stations[row.station_key]
            row.cap_g, row.cap_l = station.intake_limit_g or 0, station.intake_limit_l or 0
    assert a_booking(session, district=fitting, now=now).state == "booked"
    assert_invariants(session)


def test_a_day_whose_plan_is_published_takes_nothing_more(session: Session, district: District, now: datetime) -> None:
    a_booking(session, district=district, now=now)
    with atomic(session):
        close_day(session, TOMORROW, now=NOW)
    with pytest.raises(WindowClosed, match="already planned"):
        a_booking(session, district=district, now=now)


def test_a_refused_wish_leaves_nothing_behind(session: Session, district: District, now: datetime) -> None:
    # given a window with no place left, in a day with room
    small = one_truck(district)
    fill(session, district=small, now=now, count=ROOM_OF_TRUCK)
    resident = a_resident(session, now=now)
    before, held = row_counts(session), visits(session)
    version = session.get_one(DayLedger, TOMORROW).version
    with pytest.raises(WindowFull):
        book_pickup(a_wish(), by=resident, district=small, session=session, now=now)
    # then no row of any table is more, and the day's version, counted up before the routes refused, is as before
    session.expire_all()
    assert row_counts(session) == before
    assert visits(session) == held
    assert session.get_one(DayLedger, TOMORROW).version == version


# --- what and where ---


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"items": []}, "0 entries"),
        ({"items": [WishedItem(item_type="piano", quantity=1)]}, "'piano'"),
        ({"items": [WishedItem(item_type="fridge", quantity=1)] * 2}, "'fridge' comes twice"),
        ({"items": [WishedItem(item_type="fridge", quantity=0)]}, "quantity 0"),
        ({"items": [WishedItem(item_type="fridge", quantity=3)]}, "quantity 3 of 'fridge': book 1 to 2"),
        ({"items": [WishedItem(item_type="fridge", quantity=1, dismantle=True)]}, "not offered for 'fridge'"),
        ({"village_code": "370403999999"}, "'370403999999'"),
        ({"pickup_window": "03-05"}, "'03-05' is unknown; choose from 08-10, 10-12"),
        ({"lat": 117.26, "lon": 34.8}, "look exchanged; send lat=34.8, lon=117.26"),
        ({"lat": 39.9, "lon": 116.4}, "outside 薛城区"),
        ({"lat": float("nan")}, "not a point on Earth"),
    ],
)
def test_a_wish_that_cannot_be_served_is_refused_by_value(
    session: Session, district: District, now: datetime, overrides: dict[str, Any], named: str
) -> None:
    resident = a_resident(session, now=now)
    before = row_counts(session)
    with pytest.raises(InvalidInput, match=named):
        book_pickup(a_wish(**overrides), by=resident, district=district, session=session, now=now)
    assert row_counts(session) == before


# --- for whom ---


def test_staff_book_for_the_resident_they_name_and_note_the_consent(
    session: Session, district: District, now: datetime
) -> None:
    resident = a_resident(session, now=now)
    dispatcher = Principal(id=uuid4(), role="dispatcher")

    def book(resident_id: UUID | None, consent: Consent | None = "phone") -> Booking:
        return book_pickup(
            a_wish(), by=dispatcher, district=district, session=session, now=now, resident_id=resident_id,
            consent=consent,
        )  # fmt: skip

    booking = book(resident.id)
    assert (booking.resident_id, booking.consent) == (resident.id, "phone")
    assert session.scalars(select(BookingChange.by_role)).one() == "dispatcher"
    # nobody, or somebody unknown, is refused
    for nobody in (None, uuid4()):
        with pytest.raises(InvalidInput, match=f"resident_id is {nobody}"):
            book(nobody)
    # and so is a booking that does not say how the resident agreed
    with pytest.raises(InvalidInput, match="consent is missing: say how the resident agreed"):
        book(resident.id, consent=None)


def test_a_resident_books_for_nobody_else(session: Session, district: District, now: datetime) -> None:
    me, other = a_resident(session, now=now), a_resident(session, now=now)
    with pytest.raises(InvalidInput, match="is not you"):
        book_pickup(a_wish(), by=me, district=district, session=session, now=now, resident_id=other.id)
    with pytest.raises(InvalidInput, match="consent is what staff note"):
        book_pickup(a_wish(), by=me, district=district, session=session, now=now, consent="phone")
    mine = book_pickup(a_wish(), by=me, district=district, session=session, now=now, resident_id=me.id)
    assert session.scalars(select(Booking.resident_id)).all() == [mine.resident_id]
