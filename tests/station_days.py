"""A station's day as it is right now, by the clock that browsers read: a van that was emptied a moment ago."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.policy.device_clock import DeviceClock
from recycling.policy.district import District
from recycling.policy.field_events import FieldKind
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.field.record_events import record_events
from recycling.usecases.field.reports import CountedItem, FieldReport, Payload
from tests.builders import a_booking
from tests.loads import publish_route

YESTERDAY = timedelta(days=1)


def a_load_of_today(
    session: Session, *, district: District, now: datetime, wishes: Sequence[Mapping[str, int]]
) -> list[UUID]:
    """One door for each wish, booked yesterday, visited and emptied at 临城 just now; the bookings' ids."""
    before, day = now - YESTERDAY, service_day(now)
    bookings = []
    for wish in wishes:
        items = [WishedItem(item_type=key, quantity=count) for key, count in wish.items()]
        bookings.append(
            a_booking(session, district=district, now=before, day=day, items=items, pickup_window="all-day")
        )
    crew = publish_route(session, bookings, district=district, now=before)
    device_id, reports = uuid4(), []
    for number, booking in enumerate(bookings, start=1):
        items_ = [CountedItem(item_type=item.item_type, units=item.declared_units) for item in booking.items]
        at = now - timedelta(minutes=20 - number / 10)
        reports.append(_report("collected", device_id, number, booking.id, Payload(items=items_), at))
    payload, at = Payload(station_key="lincheng"), now - timedelta(minutes=2)
    reports.append(_report("unload", device_id, len(bookings) + 1, None, payload, at))
    ids = [booking.id for booking in bookings]
    answers = record_events(reports, by=crew, district=district, session=session, now=now)
    assert {answer.answer for answer in answers} == {"accepted"}, answers
    session.rollback()
    return ids


def _report(
    kind: FieldKind, device_id: UUID, number: int, booking_id: UUID | None, payload: Payload, at: datetime
) -> FieldReport:
    return FieldReport(
        event_id=uuid4(), device_id=device_id, device_seq=number, plan_version=1, booking_id=booking_id,
        kind=kind, payload=payload, clock=DeviceClock(device_time=at),
    )  # fmt: skip
