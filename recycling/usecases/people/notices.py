"""Whether a resident takes reminders and advice (提醒设置); what was agreed is told in any case."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from recycling.logs import logger
from recycling.models.people import Resident
from recycling.models.transaction import atomic, rows_met
from recycling.policy.access import Principal

log = logger(__name__)


def declined_at(by: Principal, *, session: Session) -> datetime | None:
    """Since when the resident declines reminders and advice; ``None`` while they take them."""
    return session.scalar(select(Resident.declined_at).where(Resident.id == by.id))


def take_reminders(wanted: bool, *, by: Principal, session: Session, now: datetime) -> datetime | None:  # noqa: FBT001
    """Take reminders and advice from now on, or decline them; saying the same twice keeps the first instant."""
    with atomic(session):
        mine = update(Resident).where(Resident.id == by.id)
        if wanted:
            rows_met(session, mine.values(declined_at=None))
        else:
            rows_met(session, mine.where(Resident.declined_at.is_(None)).values(declined_at=now))
    log.info("notices.changed", resident_id=str(by.id), reminders=wanted)
    return declined_at(by, session=session)
