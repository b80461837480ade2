"""Erase a person (删除本人信息): the account and everything of them goes, the ledger stays under a pseudonym."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import BookingsOutstanding, InvalidInput, NotFound
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.booking import PROMISED, Booking
from recycling.models.people import Resident
from recycling.models.privacy import Erasure
from recycling.models.transaction import atomic, rows_met
from recycling.policy.access import Principal
from recycling.usecases.people import traces

log = logger(__name__)

CONFIRMATIONS = ("删除", "ERASE")  # typed by whoever erases, so that no slip of a finger does it
NAMED = 5  # outstanding bookings that the refusal names


def erase_person(
    confirmation: str, *, by: Principal, session: Session, now: datetime, resident_id: UUID | None = None
) -> Erasure:
    """Erase the caller or, at the desk, the resident named. It cannot be undone.

    The same phone signing in later is a new resident. What is kept holds neither the person nor the way back to them:
    the pseudonym is new, and nothing leads from the old id to it.

    Raises
    ------
    InvalidInput
        When the word of confirmation is another, or the resident is not the caller's to name.
    NotFound
        When there is no such resident (any more).
    BookingsOutstanding
        When a pickup of today or later is still booked.
    """
    if confirmation not in CONFIRMATIONS:
        raise InvalidInput(f"confirmation: send {' or '.join(CONFIRMATIONS)} to erase for good / 请输入“删除”确认")
    if by.role == "resident" and resident_id not in (None, by.id):
        raise InvalidInput(f"resident_id {resident_id} is not you; leave it out / 只能删除本人的信息")
    wanted = by.id if by.role == "resident" else resident_id
    if wanted is None:
        raise InvalidInput("resident_id is missing: name the resident who asked for it / 请指明居民")
    with atomic(session):
        # The row lock makes a booking that is being made at the same moment wait, and then find nobody to book for.
        resident = session.scalar(
            select(Resident).where(Resident.id == wanted, Resident.erased_at.is_(None)).with_for_update()
        )
        if resident is None:
            raise NotFound(f"no resident {wanted}; find them with POST /resident-lookups / 未找到该居民")
        _refuse_outstanding(wanted, session=session, now=now)
        nobody = Resident(id=uuid4(), phone="", phone_index=secrets.token_bytes(32), created_at=now, erased_at=now)
        person = traces.Person(id=wanted, phone=resident.phone, pseudonym_id=nobody.id, now=now)
        session.add(nobody)
        session.flush()
        met = {name: trace(session, person) for name, trace in traces.TRACES.items()}
        session.expunge(resident)
        rows_met(session, delete(Resident).where(Resident.id == wanted))
        erasure = Erasure(
            id=uuid4(), at=now, by_id=None if by.role == "resident" else by.id, by_role=by.role,
            bookings_kept=met.get("bookings", 0), addresses_removed=met.get("saved_addresses", 0),
        )  # fmt: skip
        session.add(erasure)
        audit(
            session, action="resident.erased", subject=erasure.id, by=by, now=now,
            facts={"bookings_kept": erasure.bookings_kept},
        )  # fmt: skip
    # Neither the old id nor the new one: the log would lead from one to the other.
    log.info("resident.erased", erasure_id=str(erasure.id), by_role=by.role, **met)
    return erasure


def _refuse_outstanding(resident_id: UUID, *, session: Session, now: datetime) -> None:
    """Somebody is on their way to these doors: the resident cancels them first, and is told which."""
    outstanding = session.execute(
        select(Booking.id, Booking.day)
        .where(Booking.resident_id == resident_id, Booking.state.in_(PROMISED), Booking.day >= service_day(now))
        .order_by(Booking.day, Booking.id)
        .limit(NAMED + 1)
    ).all()
    if outstanding:
        named = ", ".join(f"{booking_id} ({day})" for booking_id, day in outstanding[:NAMED])
        days = "、".join(dict.fromkeys(str(day) for _, day in outstanding[:NAMED]))
        more, more_zh = (" and more", "等") if len(outstanding) > NAMED else ("", "")
        raise BookingsOutstanding(
            f"still booked: {named}{more}; cancel them, or wait for the pickup, and send the request again"
            f" / 尚有未完成的预约（{days}{more_zh}），请先取消或等待上门后再删除"
        )
