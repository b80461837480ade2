"""What has served its time is deleted, and nothing before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.gateways.photo_decoder import PlainPhoto
from recycling.models.base import Base
from recycling.models.counters import AttemptCounter
from recycling.models.idempotency import IdempotencyKey
from recycling.models.people import OneTimeCode, SignIn
from recycling.models.photo import Photo, PhotoCount
from recycling.models.receipt import SmsReceipt
from recycling.policy.district import District
from recycling.usecases.bookings.photos import add_photo
from recycling.usecases.housekeeping import clean_up
from tests.builders import a_booking, a_resident

SECOND = timedelta(seconds=1)


def test_each_kind_goes_a_second_after_its_time(session: Session, now: datetime) -> None:
    # given of each kind one row that is exactly as old as it may become, and one a second older
    resident = a_resident(session, now=now)
    for older in (timedelta(0), SECOND):
        session.add_all([
            OneTimeCode(
                phone="13800138000", code_digest=b"0" * 32, tries_left=0, expires_at=now - timedelta(days=1) - older
            ),
            IdempotencyKey(
                caller_id=uuid4(), endpoint="POST /bookings", key="k", fingerprint=b"0" * 32, answer={"status": 201},
                created_at=now - timedelta(days=31) - older,
            ),
            AttemptCounter(
                kind="code_phone", subject=b"0" * 32, period_s=60, starts_at=now - timedelta(days=2) - older, used=1
            ),
            SignIn(
                resident_id=resident.id, created_at=now - timedelta(days=200), expires_at=now,
                ended_at=now - timedelta(days=190) - older,
            ),
            SmsReceipt(
                provider="one", receipt_id=f"r{older}", reference="x", state="delivered", reported_at=now,
                received_at=now - timedelta(days=190) - older,
            ),
            SignIn(
                resident_id=resident.id, created_at=now - timedelta(days=300),
                expires_at=now - timedelta(days=190) - older,
            ),
        ])  # fmt: skip
    session.commit()
    # when the house is kept, twice
    gone = clean_up(session=session, now=now)
    # then the older ones are gone, the others stay, and nothing is left to do
    assert gone == {
        "idempotency_keys": 1,
        "one_time_codes": 1,
        "attempt_counters": 1,
        "sign_ins": 2,
        "sms_receipts": 1,
        "cached_travel": 0,
        "photos": 0,
    }
    assert [count(session, table) for table in (OneTimeCode, IdempotencyKey, AttemptCounter, SignIn)] == [1, 1, 1, 2]
    assert sum(clean_up(session=session, now=now).values()) == 0


def test_a_live_sign_in_stays(session: Session, now: datetime) -> None:
    resident = a_resident(session, now=now)
    session.add(SignIn(resident_id=resident.id, created_at=now - timedelta(days=400), expires_at=now + SECOND))
    session.commit()
    assert clean_up(session=session, now=now)["sign_ins"] == 0


def test_photos_go_with_their_counter_180_days_after_the_visit(
    session: Session, district: District, now: datetime
) -> None:
    # given a photo of a booking for 24 November
    by = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, by=by)
    add_photo(
        booking.id, b"as sent", decode=lambda _: PlainPhoto(content=b"kept", width=1, height=1), by=by,
        district=district, session=session, now=now,
    )  # fmt: skip
    # 180 days after it is 23 May; the day after that, the photo is gone
    still, over = (datetime(2027, 5, day, 4, 0, tzinfo=UTC) for day in (23, 24))
    assert clean_up(session=session, now=still)["photos"] == 0
    assert clean_up(session=session, now=over)["photos"] == 1
    assert [count(session, table) for table in (Photo, PhotoCount)] == [0, 0]


def count(session: Session, table: type[Base]) -> int:
    """Rows of a table."""
    return session.scalar(select(func.count()).select_from(table)) or 0
