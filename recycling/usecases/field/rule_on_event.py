"""A person says whether a record counts (核实外勤记录): its booking is folded anew, its flags are settled."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.field import FieldEvent, FieldFlag, FieldRuling
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.field.fold_bookings import fold_bookings, locked_bookings
from recycling.usecases.planning.breakdowns import note_fault

log = logger(__name__)


def rule_on_event(
    event_id: UUID, *, counts: bool, note: str, by: Principal, district: District, session: Session, now: datetime
) -> FieldEvent:
    """Let a record count or not, whatever its clock said; the newest ruling holds, and all of them stay.

    To let the second of two crews have a pickup, rule that the first one's record does not count.

    Raises
    ------
    NotFound
        When there is no such record.
    """
    with atomic(session):
        # The row's lock makes two rulings on one event queue, a booking's one on any of its events.
        event = session.get(FieldEvent, event_id, with_for_update=True)
        if event is None:
            raise NotFound(f"no field event {event_id}; list what waits with GET /field-flags / 未找到该记录")
        bookings = locked_bookings(session, {event.booking_id} if event.booking_id is not None else set())
        last = session.scalar(select(func.max(FieldRuling.number)).where(FieldRuling.event_id == event_id)) or 0
        session.add(
            FieldRuling(event_id=event_id, number=last + 1, counts=counts, note=note, by_id=by.id, at=now)
        )  # fmt: skip
        session.flush()
        # Before the fold: what the ruling itself brings to light waits for a person like everything else.
        session.execute(
            update(FieldFlag)
            .where(FieldFlag.event_id == event_id, FieldFlag.settled_at.is_(None))
            .values(settled_at=now)
            .execution_options(synchronize_session=False)
        )
        if bookings:
            fold_bookings(
                list(bookings.values()), recorded={event_id}, by=by, district=district, session=session, now=now
            )
        if counts and event.kind == "fault" and (event.payload or {}).get("drives") is False:
            note_fault(
                session, event_id=event_id, day=event.day, vehicle_key=event.vehicle_key, by=by, district=district,
                now=now,
            )  # fmt: skip
        facts = {"number": last + 1, "counts": counts, "kind": event.kind}
        audit(session, action="field_event.ruled", subject=event_id, by=by, now=now, facts=facts)
    log.info("field.ruled", event_id=str(event_id), counts=counts, by_id=str(by.id))
    return event
