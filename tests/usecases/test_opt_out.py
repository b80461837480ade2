"""Who declines reminders and advice gets none from that moment on, and everything that was agreed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.outbox import OutboxMessage, dead_messages, post
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.messages.deliver import deliver_next
from recycling.usecases.messages.texts import OPTIONAL_KINDS, WORDINGS
from recycling.usecases.people.notices import declined_at, take_reminders
from tests.builders import a_resident
from tests.callers import KeptSms
from tests.invariants import assert_invariants

FACTS: dict[str, Any] = {
    "day": "2026-11-24", "pickup_window": "08-10", "expected_s": 29_700, "reason": "nobody_home", "booking_ids": ["b"],
    "vehicle_key": "v", "period": "2026-10", "version": 1, "job": "roll_up", "scope": "",
    "bookings": 2, "recurring_id": "r", "until": "2026-11-24T02:00:00+00:00",
    "scope_zh": "废旧家电", "scope_en": "Household appliances", "year": 2026, "level": 1,
    "judged_zh": "", "judged_en": "", "report_id": "r", "sha256": "s", "files": {},
    "anchor": {"number": 1, "audit": [3, "m"], "mac": "m"}, "findings": 2, "record_kind": "audit_row", "row": "3",
    "due_at": "2026-11-24T02:00:00+00:00", "station_key": "lincheng", "stored_g": 18_000_001, "limit_g": 20_000_000,
    "lots": 3,
    "alternatives": [{"day": "2026-11-25", "pickup_window": "08-10"}],
}  # fmt: skip


def told(kind: str, to: Principal, session: Session, district: District, now: datetime) -> bool:
    """Whether a message of a kind reaches the phone; these tell of no booking, so nothing else can hold them back."""
    sms = KeptSms()
    with atomic(session):
        post(session, dedupe_key=str(uuid4()), kind=kind, to=("resident", to.id), facts=FACTS, now=now)
    outcome = deliver_next(sms=sms, district=district, session=session, now=now)
    assert outcome == ("sent" if sms.sent else "obsolete")
    return bool(sms.sent)


@pytest.mark.parametrize("kind", WORDINGS)
def test_each_kind_reaches_who_declines_unless_the_table_calls_it_optional(
    session: Session, district: District, now: datetime, kind: str
) -> None:
    resident, other = a_resident(session, now=now), a_resident(session, now=now)
    take_reminders(False, by=resident, session=session, now=now)
    assert told(kind, resident, session, district, now) == (kind not in OPTIONAL_KINDS)
    assert told(kind, other, session, district, now)
    assert_invariants(session)


def test_it_is_heard_for_what_waits_already_and_can_be_taken_back(
    session: Session, district: District, now: datetime
) -> None:
    resident, sms = a_resident(session, now=now), KeptSms()
    with atomic(session):
        post(session, dedupe_key="x", kind="booking.reminder", to=("resident", resident.id), facts=FACTS, now=now)
    take_reminders(False, by=resident, session=session, now=now)
    assert deliver_next(sms=sms, district=district, session=session, now=now) == "obsolete"
    assert session.scalars(select(OutboxMessage.last_error)).one() == "obsolete: opted out"
    assert list(dead_messages(session)) == []
    take_reminders(True, by=resident, session=session, now=now)
    assert told("booking.reminder", resident, session, district, now)


def test_the_first_instant_of_declining_is_kept(session: Session, now: datetime) -> None:
    resident = a_resident(session, now=now)
    assert declined_at(resident, session=session) is None
    for later in (0, 1):
        assert take_reminders(False, by=resident, session=session, now=now + timedelta(days=later)) == now
    assert take_reminders(True, by=resident, session=session, now=now) is None
