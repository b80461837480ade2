"""The shared step after a record is stored: its booking becomes what all its records come to (上门结果汇总)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import AlreadyWeighed
from recycling.models.booking import BookedItem, Booking, visits_with
from recycling.models.field import FieldEvent
from recycling.models.limits import note_no_show
from recycling.policy.access import Principal
from recycling.policy.failed_visits import is_no_show
from recycling.usecases.bookings import live_limits
from recycling.usecases.bookings.history import enter, note_change, one_of_fact, tell_resident
from recycling.usecases.field.outcome import Record, outcome


def bring_up_to_date(booking: Booking, *, recorded: UUID, by: Principal, session: Session, now: datetime) -> None:
    """Fold all records of a booking and set its state and collected units, if that changes anything.

    ``recorded`` is the event that has just been stored.

    Raises
    ------
    AlreadyWeighed, Conflict
        When a station has weighed more than would be left, or the booking was cancelled.
    """
    records = [
        Record(
            event_id=row.event_id,
            kind=row.kind,
            reason=row.reason,
            units={item["item_type"]: item["units"] for item in row.items},
            device_time=row.device_time,
        )
        for row in session.scalars(select(FieldEvent).where(FieldEvent.booking_id == booking.id))
    ]
    found = outcome(records)
    if found is None:  # the caller has just stored one with an outcome
        raise AssertionError("a booking without records is not brought up to date")
    before = outcome(record for record in records if record.event_id != recorded)
    counted = _count(booking, found.units, session)
    news = found.state != booking.state or (before is not None and before.reason != found.reason)
    if not news and not counted:
        return
    enter(booking, found.state, now=now)
    session.flush()
    # A visited booking is not live any more, and whether it was a no-show is what its outcome says now.
    live_limits.end(session, booking.id, resident_id=booking.resident_id)
    note_no_show(session, booking, counts=found.state == "failed" and is_no_show(found.reason))
    note_change(session, booking, kind=found.state, by=by, now=now)
    if news:  # a count put right is none: the message names state and reason, and no numbers
        tell_resident(
            session, booking, kind=f"visit.{found.state}", now=now, reason=found.reason,
            **one_of_fact(visits_with(session, booking)),
        )  # fmt: skip


def _count(booking: Booking, units: Mapping[str, int], session: Session) -> bool:
    """Set what was taken on board, item type by item type; whether anything differs from before.

    Raises
    ------
    AlreadyWeighed
        When a station has weighed more units than would be left.
    """
    # Locked, so that a weigh-in of the same items queues behind us or we behind it.
    rows = session.scalars(
        select(BookedItem)
        .where(BookedItem.booking_id == booking.id)
        .order_by(BookedItem.item_type)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    items = {item.item_type: item for item in rows}
    changed = False
    for item_type, item in items.items():
        count = units.get(item_type, 0)
        if count < item.weighed_units:
            raise AlreadyWeighed(
                f"{item.weighed_units} of {item_type!r} are weighed already, the record leaves {count}; ask the station"
                f" to correct its ticket first / {item_type} 已入库称重 {item.weighed_units} 件，请先由站点更正磅单"
            )
        changed |= count != item.collected_units
        item.collected_units = count
    for item_type in sorted(units.keys() - items.keys()):
        booking.items.append(
            BookedItem(
                item_type=item_type, declared_units=0, dismantle=False, collected_units=units[item_type],
                weighed_units=0,
            )
        )  # fmt: skip
        changed = True
    return changed
