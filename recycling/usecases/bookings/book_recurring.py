"""Book the days of recurring pickups (定期回收) that became bookable, each once, through the door of everyone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import InvalidInput, WindowClosed
from recycling.logs import logger
from recycling.models.base import insert_if_absent
from recycling.models.outbox import post
from recycling.models.people import Staff
from recycling.models.recurring import OccurrenceState, RecurringDay, RecurringPickup
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.history import tell_booked
from recycling.usecases.bookings.kept_wish import rule_of, wish_from_json
from recycling.usecases.bookings.linked import parts_of, visits
from recycling.usecases.bookings.place import ForPerson, place, rows_of, write_rows
from recycling.usecases.bookings.promise import judge
from recycling.usecases.bookings.proposals import fits_together
from recycling.usecases.bookings.tentative import changing

log = logger(__name__)

NO_PLACE = "no route of the day can take it / 当日各时段均已排不下"


def book_recurring(*, by: Principal, district: District, session: Session, now: datetime) -> Counter[str]:
    """Settle every day of every active agreement within the booking horizon; how many of each outcome are new."""
    session.rollback()
    today = service_day(now)
    first, last = today + timedelta(days=1), today + timedelta(days=district.booking_rules.horizon_days)
    live = select(RecurringPickup).where(
        RecurringPickup.state == "active",
        RecurringPickup.starts_on <= last,
        or_(RecurringPickup.until.is_(None), RecurringPickup.until >= first),
    )
    due = [
        (pickup.id, day)
        for pickup in session.scalars(live.order_by(RecurringPickup.created_at, RecurringPickup.id))
        for day in rule_of(pickup).days_between(first, last)
    ]
    settled = {
        (row.recurring_id, row.day)
        for row in session.execute(
            select(RecurringDay.recurring_id, RecurringDay.day).where(RecurringDay.day.between(first, last))
        )
    }
    session.rollback()
    made: Counter[str] = Counter()
    for recurring_id, day in due:
        if (recurring_id, day) in settled or now >= district.booking_rules.booking_closes_at(day):
            continue  # done, or nobody can book it any more
        state = _settle(recurring_id, day, by=by, district=district, session=session, now=now)
        if state is not None:
            made[state] += 1
    log.info("recurring.booked", **made)
    return made


def _settle(
    recurring_id: UUID, day: date, *, by: Principal, district: District, session: Session, now: datetime
) -> OccurrenceState | None:
    """Book one day, or keep why not; ``None`` when it was settled or changed meanwhile."""
    note = holiday(day, district)
    if note is not None:
        with atomic(session):
            return "holiday" if _keep(session, recurring_id, day, state="holiday", note=note, now=now) else None
    try:
        with atomic(session):
            return _book(recurring_id, day, by=by, district=district, session=session, now=now)
    except (
        InvalidInput,
        WindowClosed,
    ) as error:  # the catalogue or the day has changed: this one fails, the rest goes on
        with atomic(session):
            pickup = session.get_one(RecurringPickup, recurring_id)
            return _leave(pickup, day, note=error.message, session=session, now=now)


def holiday(day: date, district: District) -> str | None:
    """Why an enterprise is not called on a day: we do not collect, or it is a public holiday."""
    calendar = district.calendar
    if not calendar.is_service_day(day):
        return calendar.note(day) or "no service day / 非收运日"
    note = calendar.note(day)
    return note if note and not calendar.is_working_day(day) else None


def _book(
    recurring_id: UUID, day: date, *, by: Principal, district: District, session: Session, now: datetime
) -> OccurrenceState | None:
    """The wished window, else the nearest that a route can serve. Inside `atomic`."""
    with changing(session, [day], district=district, now=now) as days:
        # After its day, as everywhere: an agreement that is being changed waits, or has changed.
        row = select(RecurringPickup).where(RecurringPickup.id == recurring_id).with_for_update()
        pickup = session.scalars(row.execution_options(populate_existing=True)).one()
        if pickup.state != "active" or not rule_of(pickup).falls_on(day):
            return None
        if session.get(RecurringDay, (recurring_id, day)) is not None:
            return None
        wish = wish_from_json(pickup.wish, day=day, pickup_window=pickup.pickup_window)
        judged = judge(wish, district=district, now=now)
        windows = district.network.pickup_windows
        near = nearest_windows(pickup.pickup_window, district)
        spans = [windows[key].window_s for key in near]
        fits = fits_together(days[day].board, visits(parts_of(wish, judged, district=district), spans[0]), spans)
        window = next((key for key, fit in zip(near, fits, strict=True) if fit is not None), None)
        if window is None:
            return _leave(pickup, day, note=NO_PLACE, session=session, now=now)
        wish = replace(wish, pickup_window=window)
        whom = ForPerson(resident_id=pickup.resident_id, consent="institution")
        parts = parts_of(wish, judged, district=district)
        rows = write_rows(session, rows_of(parts, whom=whom, by=by, district=district, now=now))
        booking = place(session, days[day], parts, bookings=rows, district=district)
        state: OccurrenceState = "booked" if window == pickup.pickup_window else "moved"
        note = "" if state == "booked" else f"{pickup.pickup_window} → {window}"
        _keep(session, recurring_id, day, state=state, note=note, now=now, booking_id=booking.id)
        tell_booked(session, booking, by=by, now=now, parts=rows[1:])
        return state


def nearest_windows(wished: str, district: District) -> list[str]:
    """The windows of a day from the wished one outwards, those of the whole day last."""
    windows = district.network.pickup_windows
    opens_s = windows[wished].opens_s
    return sorted(
        windows, key=lambda key: (key != wished, windows[key].all_day, abs(windows[key].opens_s - opens_s))
    )  # fmt: skip


def _leave(pickup: RecurringPickup, day: date, *, note: str, session: Session, now: datetime) -> OccurrenceState | None:
    """Keep that a day has no booking, and tell those who can settle it: dispatchers, and the contact."""
    if not _keep(session, pickup.id, day, state="unplaced", note=note[:200], now=now):
        return None
    at_work = select(Staff.id).where(Staff.role.in_(("dispatcher", "admin")), Staff.active.is_(True))
    for staff_id in session.scalars(at_work.order_by(Staff.id)):
        post(
            session,
            dedupe_key=f"recurring.unplaced:{pickup.id}:{day}:{staff_id}",
            kind="recurring.unplaced",
            to=("staff", staff_id),
            facts={"recurring_id": str(pickup.id), "day": str(day)},
            now=now,
        )
    post(
        session,
        dedupe_key=f"recurring.left_out:{pickup.id}:{day}",
        kind="recurring.left_out",
        to=("resident", pickup.resident_id),
        facts={"recurring_id": str(pickup.id), "day": str(day)},
        now=now,
    )
    return "unplaced"


def _keep(
    session: Session,
    recurring_id: UUID,
    day: date,
    *,
    state: OccurrenceState,
    note: str,
    now: datetime,
    booking_id: UUID | None = None,
) -> bool:
    return insert_if_absent(
        session, RecurringDay, recurring_id=recurring_id, day=day, state=state, booking_id=booking_id, note=note,
        at=now,
    )  # fmt: skip
