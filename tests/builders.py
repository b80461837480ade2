"""Rows and wishes with sensible defaults; a test names only what matters to it."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.models.booking import Booking
from recycling.models.people import Resident, phone_index
from recycling.models.waiting import WaitingDay, WaitingWish
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.bookings.kept_wish import wish_to_json
from recycling.usecases.bookings.promise import Wish, WishedItem

TOMORROW = date(2026, 11, 24)  # the day after tests.conftest.NOW
DISPATCHER = Principal(id=UUID(int=7), role="dispatcher")  # a caller of use cases; no row is needed for that
VILLAGE = "370403001001"  # 清泉社区居委会, 临城街道
_phones = itertools.count(13_700_000_000)
_doors = itertools.count(1)


def a_wish(**overrides: Any) -> Wish:
    """One fridge on the ground floor in 临城街道, tomorrow from 8 to 10."""
    fields: dict[str, Any] = {
        "items": [WishedItem(item_type="fridge", quantity=1)],
        "village_code": VILLAGE,
        "address": "清泉路 1 号 2 单元 301",
        "lat": 34.8,
        "lon": 117.26,
        "coordinate_system": "wgs84",
        "floor": 1,
        "has_lift": False,
        "note": "",
        "day": TOMORROW,
        "pickup_window": "08-10",
    }
    return Wish(**(fields | overrides))


def a_wish_body(**overrides: Any) -> dict[str, Any]:
    """The same wish as a JSON body."""
    return {
        "items": [{"item_type": "fridge", "quantity": 1}],
        "village_code": VILLAGE,
        "address": "清泉路 1 号 2 单元 301",
        "lat": 34.8,
        "lon": 117.26,
        "day": TOMORROW.isoformat(),
        "pickup_window": "08-10",
    } | overrides


def an_address_body(**overrides: Any) -> dict[str, Any]:
    """An address to be saved, in 临城街道."""
    return {
        "label": "家",
        "village_code": VILLAGE,
        "address": "清泉路 1 号 2 单元 301",
        "lat": 34.8,
        "lon": 117.26,
        "floor": 3,
        "note": "门禁 4321",
    } | overrides


def a_resident(session: Session, *, now: datetime) -> Principal:
    """A stored resident with a phone of their own."""
    phone = str(next(_phones))
    row = Resident(id=uuid4(), phone=phone, phone_index=phone_index(phone), created_at=now)
    session.add(row)
    session.commit()
    return Principal(id=row.id, role="resident")


def a_booking(
    session: Session, *, district: District, now: datetime, by: Principal | None = None, **overrides: Any
) -> Booking:
    """A booking made the way residents make one, at a door of its own: limits are per address."""
    overrides = {"address": f"清泉路 {next(_doors)} 号"} | overrides
    by = by or a_resident(session, now=now)
    return book_pickup(a_wish(**overrides), by=by, district=district, session=session, now=now)


def a_waiting_wish(session: Session, by: Principal, *, now: datetime, day: date = TOMORROW) -> UUID:
    """A stored wish that waits for tomorrow from 8 to 10, whether or not that is open."""
    wish = WaitingWish(
        id=uuid4(), resident_id=by.id, wish=wish_to_json(a_wish()), state="waiting", offers=0, queued_at=now,
        choices=[{"day": str(day), "pickup_windows": ["08-10"]}], last_day=day, version=1, created_at=now,
        changed_at=now,
    )  # fmt: skip
    session.add(wish)
    session.flush()
    session.add(
        WaitingDay(resident_id=by.id, day=day, wish_id=wish.id, pickup_windows=["08-10"], tried_version=-1)
    )  # fmt: skip
    wish_id = wish.id
    session.commit()
    return wish_id
