"""What has served its time is deleted, and nothing before."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.models.base import Base
from recycling.models.counters import AttemptCounter
from recycling.models.idempotency import IdempotencyKey
from recycling.models.people import OneTimeCode, SignIn
from recycling.usecases.housekeeping import clean_up
from tests.builders import a_resident

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
        "unused_counters": 0,
        "cached_travel": 0,
        "stale_limits": 0,
    }
    assert [count(session, table) for table in (OneTimeCode, IdempotencyKey, AttemptCounter, SignIn)] == [1, 1, 1, 2]
    assert sum(clean_up(session=session, now=now).values()) == 0


def test_a_live_sign_in_stays(session: Session, now: datetime) -> None:
    resident = a_resident(session, now=now)
    session.add(SignIn(resident_id=resident.id, created_at=now - timedelta(days=400), expires_at=now + SECOND))
    session.commit()
    assert clean_up(session=session, now=now)["sign_ins"] == 0


def count(session: Session, table: type[Base]) -> int:
    """Rows of a table."""
    return session.scalar(select(func.count()).select_from(table)) or 0
