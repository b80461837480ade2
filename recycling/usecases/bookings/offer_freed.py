"""Offer freed places to who waits for them (候补递补): in the sequence of the list, each as a hold of some hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import InvalidInput, WindowClosed, WindowFull
from recycling.logs import logger
from recycling.models.ledger import DayLedger, day_states
from recycling.models.outbox import post
from recycling.models.transaction import atomic
from recycling.models.waiting import WaitingDay, WaitingWish, leave_days
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.quiet_hours import waking_end
from recycling.usecases.bookings.kept_wish import wish_from_json
from recycling.usecases.bookings.linked import parts_of, visits
from recycling.usecases.bookings.place import ForPerson, place, rows_of, write_rows
from recycling.usecases.bookings.promise import judge
from recycling.usecases.bookings.proposals import fits_together
from recycling.usecases.bookings.tentative import boards, changing

log = logger(__name__)

OFFERED_FOR = timedelta(hours=2)  # of waking time: long enough to see a text message


def offer_freed(
    *, district: District, session: Session, now: datetime, offered_for: timedelta = OFFERED_FOR
) -> list[UUID]:
    """Look, for each wish whose days have changed since its last look, for a place; the wishes that got one."""
    session.rollback()
    _end_over(district=district, session=session, now=now)
    changed = func.coalesce(DayLedger.version, 0) != WaitingDay.tried_version
    worth_a_look = (
        select(WaitingWish.id)
        .join(WaitingDay, WaitingDay.wish_id == WaitingWish.id)
        .outerjoin(DayLedger, DayLedger.day == WaitingDay.day)
        .where(WaitingWish.state == "waiting", changed)
        .order_by(WaitingWish.queued_at, WaitingWish.id)
    )
    line = list(dict.fromkeys(session.scalars(worth_a_look)))
    session.rollback()
    return [
        wish_id
        for wish_id in line
        if _offer(wish_id, district=district, session=session, now=now, offered_for=offered_for)
    ]


def _offer(wish_id: UUID, *, district: District, session: Session, now: datetime, offered_for: timedelta) -> bool:
    """Keep the first place found for a wish; else note which states of its days have none."""
    tried: dict[date, int] = {}
    wish = session.get(WaitingWish, wish_id)
    waits = session.scalars(select(WaitingDay).where(WaitingDay.wish_id == wish_id).order_by(WaitingDay.day)).all()
    found: tuple[date, str] | None = None
    for wait in waits:
        if wish is None or found is not None:
            break
        state = day_states(session, wait.day, wait.day).get(wait.day)
        tried[wait.day] = 0 if state is None else state.version
        window = _open_window(wish, wait.day, wait.pickup_windows, district=district, session=session, now=now)
        found = None if window is None else (wait.day, window)
    session.rollback()
    if found is None:
        with atomic(session):
            for day, version in tried.items():
                mine = update(WaitingDay).where(WaitingDay.wish_id == wish_id, WaitingDay.day == day)
                session.execute(mine.values(tried_version=version).execution_options(synchronize_session=False))
        return False
    try:
        with atomic(session):
            return _hold(wish_id, *found, district=district, session=session, now=now, offered_for=offered_for)
    except (WindowFull, WindowClosed):
        return False  # somebody was faster; that changed the day, so the next look is due


def _open_window(
    wish: WaitingWish, day: date, keys: Sequence[str], *, district: District, session: Session, now: datetime
) -> str | None:
    """The first of the windows in which a route of the day can serve the wish."""
    windows = district.network.pickup_windows
    keys = [key for key in keys if key in windows]
    if not keys:
        return None
    try:
        wanted = wish_from_json(wish.wish, day=day, pickup_window=keys[0])
        judged = judge(wanted, district=district, now=now)
    except (InvalidInput, WindowClosed):
        return None  # over, or no longer in the catalogue
    board = boards(session, [day], district=district)[day]
    if board is None:
        return None
    spans = [windows[key].window_s for key in keys]
    fits = fits_together(board, visits(parts_of(wanted, judged, district=district), spans[0]), spans)
    return next((key for key, fit in zip(keys, fits, strict=True) if fit is not None), None)


def _hold(
    wish_id: UUID,
    day: date,
    window: str,
    *,
    district: District,
    session: Session,
    now: datetime,
    offered_for: timedelta,
) -> bool:
    """Keep a place for a wish that still waits, and tell its resident. Inside `atomic`."""
    until = min(waking_end(now, after=offered_for), district.booking_rules.booking_closes_at(day))
    with changing(session, [day], district=district, now=now) as days:
        row = select(WaitingWish).where(WaitingWish.id == wish_id).with_for_update()
        wish = session.scalar(row.execution_options(populate_existing=True))
        if wish is None or wish.state != "waiting":
            return False
        asked = wish_from_json(wish.wish, day=day, pickup_window=window)
        judged = judge(asked, district=district, now=now)
        whom = ForPerson(resident_id=wish.resident_id, consent=wish.consent, held_until=until)
        asker = Principal(id=wish.resident_id, role="resident")
        parts = parts_of(asked, judged, district=district)
        rows = write_rows(session, rows_of(parts, whom=whom, by=asker, district=district, now=now))
        held = place(session, days[day], parts, bookings=rows, district=district)
        wish.state, wish.booking_id, wish.offered_until, wish.offers = "offered", held.id, until, wish.offers + 1
        wish.version, wish.changed_at = wish.version + 1, now
        session.flush()
        post(
            session,
            dedupe_key=f"waiting.offered:{held.id}",
            kind="waiting.offered",
            to=("resident", wish.resident_id),
            facts={
                "booking_id": str(held.id), "wish_id": str(wish.id), "day": str(day), "pickup_window": window,
                "until": until.isoformat(),
            },
            now=now,
        )  # fmt: skip
    log.info("waiting.offered", wish_id=str(wish_id), booking_id=str(held.id), day=str(day))
    return True


def _end_over(*, district: District, session: Session, now: datetime) -> None:
    """End the wishes none of whose days can be booked any more, and say so."""
    nearly = (
        select(WaitingWish.id, WaitingWish.last_day)
        .where(WaitingWish.state == "waiting", WaitingWish.last_day <= service_day(now) + timedelta(days=1))
        .order_by(WaitingWish.queued_at)
    )
    over = [
        wish_id
        for wish_id, last_day in session.execute(nearly)
        if district.booking_rules.booking_closes_at(last_day) <= now
    ]
    session.rollback()
    for wish_id in over:
        with atomic(session):
            row = select(WaitingWish).where(WaitingWish.id == wish_id, WaitingWish.state == "waiting")
            wish = session.scalar(row.with_for_update())
            if wish is None:
                continue
            wish.state, wish.version, wish.changed_at = "lapsed", wish.version + 1, now
            session.flush()
            leave_days(session, [wish.id])
            post(
                session,
                dedupe_key=f"waiting.ended:{wish.id}",
                kind="waiting.ended",
                to=("resident", wish.resident_id),
                facts={"wish_id": str(wish.id), "day": str(wish.last_day)},
                now=now,
            )
