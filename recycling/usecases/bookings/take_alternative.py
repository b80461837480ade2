"""Take a window of another day for a promise that broke (改约补偿): the old booking ends, a new one has its place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput, NotFound, WindowClosed
from recycling.logs import logger
from recycling.models.booking import BookedItem, Booking, with_parts
from recycling.models.healing import BrokenPromise, TakenAlternative
from recycling.models.ledger import day_is_closed
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.field_events import RouteState, route_state
from recycling.usecases.bookings.history import note_change, tell_resident, visits_fact
from recycling.usecases.bookings.linked import parts_of
from recycling.usecases.bookings.place import ForPerson, place, rows_of, write_rows
from recycling.usecases.bookings.promise import judge
from recycling.usecases.bookings.sight import visible_to
from recycling.usecases.bookings.standing_wish import wish_of
from recycling.usecases.bookings.tentative import DayDraft, changing
from recycling.usecases.bookings.withdraw import withdraw
from recycling.usecases.field.records import records_of_bookings, records_of_day

log = logger(__name__)

UNDER_WAY = ("on_the_way", "arrive", "start")


def take_alternative(
    promise_id: UUID, number: int, *, by: Principal, district: District, session: Session, now: datetime
) -> Booking:
    """Move a booking whose window broke to one of the windows offered for it, counted from 1.

    It has priority: neither the evening's booking cut-off nor the resident's no-shows stand in its way, only
    a published plan of that day does, and whoever took the place in the meantime.

    Raises
    ------
    NotFound
        When the caller has no broken promise of that id.
    InvalidInput
        When no alternative has that number.
    Conflict
        When one has been taken, or the booking is over or being served.
    WindowClosed, WindowFull
        When the day's plan is published, or no route of it can serve the window any more; the booking stays as it was.
    """
    with atomic(session):
        promise = _visible(promise_id, by=by, session=session)
        alternative = _alternative(promise, number)
        new_day, old_day, booking_id = date.fromisoformat(alternative["day"]), promise.day, promise.booking_id
        with changing(session, {old_day, new_day}, district=district, now=now, even_closed=True) as days:
            if days[new_day].state.closed:
                raise day_is_closed(new_day)
            visits = _open_visits(booking_id, session=session)
            if session.get(TakenAlternative, promise_id) is not None:
                raise Conflict("an alternative was taken for this promise / 已改约，无需重复操作")
            _refuse_under_way(visits, session)
            withdraw(session, days[old_day], visits, by=by, now=now, in_exchange=True)
            fresh = _rebooked(
                visits, days[new_day], window=alternative["pickup_window"], by=by, district=district, session=session,
                now=now,
            )  # fmt: skip
            session.add(TakenAlternative(promise_id=promise_id, number=number, booking_id=fresh[0].id, at=now))
            tell_resident(
                session, fresh[0], kind="booking.amended", now=now, pickup_window=fresh[0].pickup_window,
                **visits_fact(len(fresh)),
            )  # fmt: skip
    log.info("promise.exchanged", promise_id=str(promise_id), booking_id=str(fresh[0].id), day=str(new_day))
    return fresh[0]


def _visible(promise_id: UUID, *, by: Principal, session: Session) -> BrokenPromise:
    promise = session.scalar(
        select(BrokenPromise)
        .join(Booking, Booking.id == BrokenPromise.booking_id)
        .where(BrokenPromise.id == promise_id, visible_to(by))
    )
    if promise is None:
        raise NotFound(f"no broken promise {promise_id} of yours; list them with GET /broken-promises / 未找到该记录")
    return promise


def _alternative(promise: BrokenPromise, number: int) -> dict[str, str]:
    if not 1 <= number <= len(promise.alternatives):
        raise InvalidInput(
            f"number {number}: this promise has {len(promise.alternatives)} alternatives, counted from 1"
            f" / 可选方案共 {len(promise.alternatives)} 个，请从 1 起选择"
        )
    return promise.alternatives[number - 1]


def _open_visits(booking_id: UUID, *, session: Session) -> list[Booking]:
    """The visits of the booking still to come, locked; the one that stands for it first."""
    wanted = select(Booking).where(with_parts(booking_id)).order_by(Booking.id).with_for_update()
    rows = session.scalars(wanted.execution_options(populate_existing=True)).all()
    booking = next(row for row in rows if row.id == booking_id)
    if booking.state != "booked":
        raise Conflict(
            f"the booking is {booking.state} and needs no other window; book again for what is still to be fetched"
            " / 该预约已结束，如仍需回收请重新预约"
        )
    return [booking, *(row for row in rows if row is not booking and row.state == "booked")]


def _refuse_under_way(visits: Sequence[Booking], session: Session) -> None:
    """Refuse while a van that drives is on its way to one of the visits, or at its door; one that broke down is not."""
    ids = {visit.id for visit in visits}
    records = records_of_bookings(session, ids)
    vehicles = {record.vehicle_key for own in records.values() for record in own if record.kind in UNDER_WAY}
    states = [route_state(records_of_day(session, visits[0].day, vehicle_key=key)) for key in sorted(vehicles)]
    if any(_comes(state, ids) for state in states):
        raise Conflict(
            "a collector is on the way to you already; wait for them, or call the dispatcher"
            " / 回收员已在途中，请等候或联系调度"
        )


def _rebooked(
    visits: Sequence[Booking],
    draft: DayDraft,
    *,
    window: str,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> list[Booking]:
    """The same wish in another window, written and placed; what was agreed about data stays as it was said."""
    old = visits[0]
    wish = replace(wish_of(visits), day=draft.day, pickup_window=window)
    if window not in district.network.pickup_windows:
        raise WindowClosed(f"window {window} is no longer offered; choose the other one / 该时段已停用，请选择另一个")
    judged = judge(wish, district=district, now=now, standing=(wish.day, wish.pickup_window))
    parts = parts_of(wish, judged, district=district)
    whom = ForPerson(resident_id=old.resident_id, consent=old.consent, made_up=old.made_up)
    rows = rows_of(parts, whom=whom, by=by, district=district, now=now)
    _keep_consents([item for visit in visits for item in visit.items], [item for row in rows for item in row.items])
    write_rows(session, rows)
    for row in rows:
        note_change(session, row, kind="booked", by=by, now=now)
    place(session, draft, parts, bookings=rows, district=district)
    return rows


def _keep_consents(before: Sequence[BookedItem], after: Sequence[BookedItem]) -> None:
    said = {item.item_type: (item.wipe_terms, item.wipe_consent_at, item.wipe_consent_by) for item in before}
    for item in after:
        item.wipe_terms, item.wipe_consent_at, item.wipe_consent_by = said[item.item_type]


def _comes(state: RouteState, ids: Collection[UUID]) -> bool:
    return state.drives and (state.heading_to in ids or (state.doing == "serving" and state.at_booking in ids))
