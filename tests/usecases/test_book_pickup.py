"""Booking: a wish becomes a promise in the day's ledger, or is refused with the value and the next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput, WindowClosed, WindowFull
from recycling.models import Base
from recycling.models.booking import Booking, BookingChange
from recycling.models.ledger import DayLedger, WindowLedger, close_day
from recycling.models.outbox import OutboxMessage
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.service_calendar import DayOverride, ServiceCalendar
from recycling.units import wgs84_to_gcj02
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.bookings.promise import WishedItem
from tests.builders import TOMORROW, a_booking, a_resident, a_wish
from tests.invariants import assert_invariants

AREA = "lincheng"


def row_counts(session: Session) -> dict[str, int]:
    """Rows of every table, the resident that a test made beforehand included."""
    return {table.name: len(session.execute(table.select()).all()) for table in Base.metadata.sorted_tables}


def lower_cap(session: Session, table: type[Base], **values: int) -> None:
    """Set limits by direct SQL."""
    with atomic(session):
        session.execute(update(table).values(**values))


def test_a_booking_takes_its_place_seconds_grams_and_litres(
    session: Session, district: District, now: datetime
) -> None:
    # when a fridge and four chairs are booked on the third floor without a lift
    items = [WishedItem(item_type="fridge", quantity=1), WishedItem(item_type="chair-dining", quantity=4)]
    booking = a_booking(session, district=district, now=now, items=items, floor=3)
    # then the stop takes 300 base + 720 fridge + 4 x 60 chairs + 2 storeys x (90 for the fridge, carried alone,
    # + 42 for the chairs' 20 kg in one load) = 1524 s; 40.8 + 4 x 5 = 60.8 kg; 800 + 4 x 200 = 1600 l
    assert (booking.service_s, booking.declared_g, booking.declared_l) == (1524, 60_800, 1600)
    ledger = session.get_one(DayLedger, (TOMORROW, AREA))
    assert (ledger.service_used_s, ledger.load_used_g, ledger.load_used_l) == (1524, 60_800, 1600)
    places = {row.pickup_window: row.places_used for row in session.scalars(select(WindowLedger))}
    assert places == {"08-10": 1, "10-12": 0, "13-15": 0, "15-17": 0, "all-day": 0}
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


def test_the_last_place_is_given_and_the_next_wish_hears_which_window_is_full(
    session: Session, district: District, now: datetime
) -> None:
    # 临城 has a truck and a van: 2 x 7200 s x 75 % / 1500 s = 7.2 places from 8 to 10
    for _ in range(7):
        a_booking(session, district=district, now=now)
    with pytest.raises(WindowFull, match="window 08-10 on 2026-11-24 is full"):
        a_booking(session, district=district, now=now)
    # another window of the day still takes it
    assert a_booking(session, district=district, now=now, pickup_window="10-12").state == "booked"
    assert_invariants(session)


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        # a fridge takes 300 + 720 = 1020 s = 17 min, 40.8 kg and 800 l; what is used is rounded up, the limit down
        ({"service_cap_s": 2039}, "17 of 33 handling minutes are promised, this booking needs 17"),
        ({"load_cap_g": 81_599}, "41 of 81 kilograms are promised, this booking needs 41"),
        ({"load_cap_l": 1599}, "800 of 1599 litres are promised, this booking needs 800"),
    ],
)
def test_a_day_without_room_names_what_is_used_up(
    session: Session, district: District, now: datetime, limits: dict[str, int], named: str
) -> None:
    # given one fridge promised, and room for a second but for one unit
    a_booking(session, district=district, now=now)
    lower_cap(session, DayLedger, **limits)
    with pytest.raises(WindowFull, match=named):
        a_booking(session, district=district, now=now)
    # with that unit it fits
    lower_cap(session, DayLedger, **{name: value + 1 for name, value in limits.items()})
    assert a_booking(session, district=district, now=now).state == "booked"


def test_a_day_whose_plan_is_published_takes_nothing_more(session: Session, district: District, now: datetime) -> None:
    a_booking(session, district=district, now=now)
    with atomic(session):
        close_day(session, day=TOMORROW, areas=[AREA])
    with pytest.raises(WindowClosed, match="already planned"):
        a_booking(session, district=district, now=now)


def test_a_refused_wish_leaves_nothing_behind(session: Session, district: District, now: datetime) -> None:
    # given a window with no place left, in a day with room
    a_booking(session, district=district, now=now)
    lower_cap(session, WindowLedger, places_cap=1)
    resident = a_resident(session, now=now)
    before, used = row_counts(session), session.get_one(DayLedger, (TOMORROW, AREA)).load_used_g
    with pytest.raises(WindowFull):
        book_pickup(a_wish(), by=resident, district=district, session=session, now=now)
    # then no row of any table is more, and the day's sums, counted up before the window refused, are as before
    session.expire_all()
    assert row_counts(session) == before
    assert session.get_one(DayLedger, (TOMORROW, AREA)).load_used_g == used


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


def test_staff_book_for_the_resident_they_name(session: Session, district: District, now: datetime) -> None:
    resident = a_resident(session, now=now)
    dispatcher = Principal(id=uuid4(), role="dispatcher")
    booking = book_pickup(a_wish(), by=dispatcher, district=district, session=session, now=now, resident_id=resident.id)
    assert booking.resident_id == resident.id
    assert session.scalars(select(BookingChange.by_role)).one() == "dispatcher"
    # nobody, or somebody unknown, is refused
    for nobody in (None, uuid4()):
        with pytest.raises(InvalidInput, match=f"resident_id is {nobody}"):
            book_pickup(a_wish(), by=dispatcher, district=district, session=session, now=now, resident_id=nobody)


def test_a_resident_books_for_nobody_else(session: Session, district: District, now: datetime) -> None:
    me, other = a_resident(session, now=now), a_resident(session, now=now)
    with pytest.raises(InvalidInput, match="is not you"):
        book_pickup(a_wish(), by=me, district=district, session=session, now=now, resident_id=other.id)
    mine = book_pickup(a_wish(), by=me, district=district, session=session, now=now, resident_id=me.id)
    assert session.scalars(select(Booking.resident_id)).all() == [mine.resident_id]
