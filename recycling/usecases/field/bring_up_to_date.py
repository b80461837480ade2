"""The shared step after records are stored: a booking becomes what all its records come to (上门结果汇总)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import LimitReached
from recycling.models.booking import BookedItem, Booking, BookingState, visits_with
from recycling.models.field import FieldEvent
from recycling.models.limits import note_no_show
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.failed_visits import is_no_show
from recycling.policy.field_events import (
    DECIDING,
    OUTCOMES,
    FieldRecord,
    OutcomeKind,
    Visit,
    in_sequence,
    visit_of,
    without_effect,
)
from recycling.usecases.bookings import live_limits
from recycling.usecases.bookings.history import enter, note_change, one_of_fact, tell_resident
from recycling.usecases.field.flags import Flag

STATES: Mapping[OutcomeKind, BookingState] = {
    "collected": "collected",
    "partly": "partly_collected",
    "failed": "failed",
}


def bring_up_to_date(
    booking: Booking,
    records: Sequence[FieldRecord],
    *,
    before: Visit,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> set[Flag]:
    """Fold a locked booking's records, set its state and collected units, and tell what has changed.

    ``before`` is what they came to before the newest ones. Returned is what a person has to look at: nothing that
    clashes is refused, for whoever recorded it was there.
    """
    found = visit_of(records)
    flags: set[Flag] = {(event_id, "claimed_by_other") for event_id in found.contested}
    flags |= {(event_id, "undo_without_effect") for event_id in without_effect(records)}
    if booking.state == "cancelled":
        return flags | {(one.event_id, "booking_cancelled") for one in in_sequence(records) if one.kind in OUTCOMES}
    if found.outcome is None or found.decided_by is None:
        if booking.state in STATES.values() and not _come_back(
            booking, by=by, district=district, session=session, now=now
        ):
            # Whatever told of an outcome, taken back or ruled out: the booking still is what it said.
            told = select(FieldEvent.event_id).where(FieldEvent.booking_id == booking.id, FieldEvent.kind.in_(DECIDING))
            flags |= {(event_id, "undo_blocked") for event_id in session.scalars(told)}
        return flags
    state = STATES[found.outcome]
    items = _locked_items(booking, session)
    if state == "failed" and any(item.weighed_units for item in items.values()):
        return flags | {(found.decided_by, "already_weighed")}  # something was weighed of it, so it did not fail
    counted, weighed_more = _count(booking, items, found.units)
    if weighed_more:
        flags.add((found.decided_by, "already_weighed"))
    news = state != booking.state or (before.outcome is not None and before.reason != found.reason)
    if not news and not counted:
        return flags
    enter(booking, state, now=now)
    session.flush()
    # A visited booking is not live any more, and whether it was a no-show is what its outcome says now.
    live_limits.end(session, booking.id, resident_id=booking.resident_id)
    note_no_show(session, booking, counts=state == "failed" and is_no_show(found.reason))
    note_change(session, booking, kind=state, by=by, now=now)
    if news:  # a count put right is none: the message names state and reason, and no numbers
        tell_resident(
            session, booking, kind=f"visit.{state}", now=now, reason=found.reason,
            **one_of_fact(visits_with(session, booking)),
        )  # fmt: skip
    return flags


def _come_back(booking: Booking, *, by: Principal, district: District, session: Session, now: datetime) -> bool:
    """Make a booking whose outcome was taken back wait again; whether that could be done."""
    if any(item.weighed_units for item in booking.items):
        return False
    # The first visit of a booking holds the limits of them all, a further one none of its own.
    if booking.part_of is None and not _take_limits(booking, district=district, session=session):
        return False
    for item in list(booking.items):
        item.collected_units = 0
        if item.declared_units == 0:
            booking.items.remove(item)
    enter(booking, "booked", now=now)
    session.flush()
    note_no_show(session, booking, counts=False)
    note_change(session, booking, kind="outcome_undone", by=by, now=now)
    return True


def _take_limits(booking: Booking, *, district: District, session: Session) -> bool:
    parts = [part for part in booking.parts if part.state != "cancelled"]
    try:
        with session.begin_nested():
            live_limits.take(session, booking, district=district, parts=parts)
            live_limits.settle(session)
    except LimitReached:
        session.info.pop("limits", None)
        return False
    return True


def _locked_items(booking: Booking, session: Session) -> dict[str, BookedItem]:
    # Locked, so that a weigh-in of the same items queues behind us or we behind it.
    rows = session.scalars(
        select(BookedItem)
        .where(BookedItem.booking_id == booking.id)
        .order_by(BookedItem.item_type)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {item.item_type: item for item in rows}


def _count(booking: Booking, items: Mapping[str, BookedItem], units: Mapping[str, int]) -> tuple[bool, bool]:
    """Set what was taken on board, item type by item type, never below what a station has weighed.

    Returned is whether anything differs from before, and whether a station has weighed more than was counted.
    """
    changed = weighed_more = False
    for item_type, item in items.items():
        count = units.get(item_type, 0)
        weighed_more |= count < item.weighed_units
        count = max(count, item.weighed_units)
        changed |= count != item.collected_units
        item.collected_units = count
        if not (item.declared_units or count):  # found at the door and put right since
            booking.items.remove(item)
    for item_type in sorted(units.keys() - items.keys()):
        booking.items.append(
            BookedItem(
                item_type=item_type, declared_units=0, dismantle=False, collected_units=units[item_type],
                weighed_units=0,
            )
        )  # fmt: skip
        changed = True
    return changed, weighed_more
