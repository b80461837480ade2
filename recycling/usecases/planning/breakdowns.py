"""The shared step of a breakdown: it is written down, and where the district lets a day mend itself, planned around."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.base import insert_if_absent
from recycling.models.healing import Disruption
from recycling.models.job_run import enqueue
from recycling.policy.access import Principal
from recycling.policy.district import District

log = logger(__name__)

REPLAN_JOB = "replan_day"


def note_fault(
    session: Session,
    *,
    event_id: UUID,
    day: date,
    vehicle_key: str,
    by: Principal,
    district: District,
    now: datetime,
) -> None:
    """Write a breakdown down for a collector's ``fault`` with which the vehicle drives no more; once for each event.

    One of a day that is over changes nothing for anybody.
    """
    if day != service_day(now):
        return
    fresh = insert_if_absent(
        session, Disruption, id=uuid4(), day=day, kind="breakdown", vehicle_key=vehicle_key, station_key=None,
        booking_id=None, minutes=None, substitutes=[], event_id=event_id, note=None, at=now, by_id=by.id,
    )  # fmt: skip
    if fresh:
        log.info("disruption.recorded", day=str(day), kind="breakdown", vehicle_key=vehicle_key, event_id=str(event_id))
        mend_by_itself(session, day, district=district, now=now)


def mend_by_itself(session: Session, day: date, *, district: District, now: datetime) -> None:
    """Ask for the rest of a day to be planned, in the clock's name, where the district lets it mend itself."""
    if district.healing.automatic:
        enqueue(session, job=REPLAN_JOB, due_at=now, scope=day.isoformat(), now=now)
