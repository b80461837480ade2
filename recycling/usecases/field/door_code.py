"""The resident's code of a visit (上门核验码): shown to them on the day, checked when the collector's record comes."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.base import insert_if_absent
from recycling.models.booking import Booking
from recycling.models.proof import DoorCode, count_wrong_try
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.door_code import MOST_WRONG, door_code_matches, new_door_code

log = logger(__name__)

# matched; wrong; used_up: too many wrong ones before, so that even the right one proves nothing any more; never_shown:
# the resident has not looked at it, so whatever was typed in was not told by them.
CodeCheck = Literal["matched", "wrong", "used_up", "never_shown"]


def show_door_code(booking: Booking, *, by: Principal, session: Session, now: datetime) -> str | None:
    """The code of the caller's own booking on its day, made at the first look; ``None`` for others and other days."""
    if by.role != "resident" or booking.resident_id != by.id:
        return None
    if booking.state in ("held", "cancelled") or booking.day != service_day(now):
        return None
    stands_for = booking.part_of or booking.id
    standing = session.get(DoorCode, stands_for)
    if standing is not None:
        return standing.code
    with atomic(session):
        return door_code_of(stands_for, session=session, now=now)


def door_code_of(booking_id: UUID, *, session: Session, now: datetime) -> str:
    """The shared step: the code of a booking, made when there is none, so that a message may tell it as well.

    ``booking_id`` is that of the first visit, which stands for the booking: one code opens for all its visits.
    """
    # Of two who look at once the second takes the first one's.
    insert_if_absent(session, DoorCode, booking_id=booking_id, code=new_door_code(), wrong_tries=0, made_at=now)
    return session.scalars(select(DoorCode).where(DoorCode.booking_id == booking_id)).one().code


def check_door_code(booking: Booking, typed: str, *, session: Session) -> CodeCheck:
    """The shared step: whether a typed code is the booking's. After `MOST_WRONG` wrong ones none is any more.

    Call it once for each new record, in its transaction and after everything that may refuse the record: a try whose
    transaction is undone would not be counted, and the answer would tell whether it was right.
    """
    stands_for = booking.part_of or booking.id
    # The lock makes tries that come at once queue, so that not one of them is uncounted.
    wanted = select(DoorCode).where(DoorCode.booking_id == stands_for).with_for_update()
    code = session.scalar(wanted.execution_options(populate_existing=True))
    if code is None:
        return "never_shown"
    if code.wrong_tries >= MOST_WRONG:
        return "used_up"
    if door_code_matches(code.code, typed):
        return "matched"
    count_wrong_try(session, code)
    log.info("door_code.wrong", booking_id=str(stands_for), tries=code.wrong_tries)
    return "wrong"
