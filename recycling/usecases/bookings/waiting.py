"""Wait for a place to be freed (候补), and stop waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, false, select, true
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput, NotFound, StaleVersion, WindowClosed
from recycling.logs import logger
from recycling.models.base import insert_if_absent
from recycling.models.booking import Booking, Consent
from recycling.models.transaction import atomic
from recycling.models.waiting import WaitingDay, WaitingWish, leave_days
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.kept_wish import wish_to_json
from recycling.usecases.bookings.linked import parts_of, visits
from recycling.usecases.bookings.owed_visit import owed_since
from recycling.usecases.bookings.promise import Wish, check_bookable, judge
from recycling.usecases.bookings.proposals import fits_together
from recycling.usecases.bookings.sight import for_whom
from recycling.usecases.bookings.tentative import boards, changing, drop_holds

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A day that would do, and its windows that would, the best first."""

    day: date
    pickup_windows: tuple[str, ...]


def waits_visible_to(by: Principal) -> ColumnElement[bool]:
    """Residents see their own wishes, dispatchers and administrators all, others none."""
    if by.role in ("dispatcher", "admin"):
        return true()
    return WaitingWish.resident_id == by.id if by.role == "resident" else false()


def join_waiting_list(
    wish: Wish,
    choices: Sequence[Choice],
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    resident_id: UUID | None = None,
    consent: Consent | None = None,
) -> WaitingWish:
    """Put a wish on the list for the windows named; its own day and window are not looked at.

    Raises
    ------
    InvalidInput, WindowClosed
        When the wish, a day or a window cannot be asked for.
    Conflict
        When one of the windows is open, so that it can be booked, or the resident waits for one of the days already.
    """
    if len({choice.day for choice in choices}) < len(choices):
        raise InvalidInput("choices: a day comes twice; name it once with all its windows / 日期重复，请合并时段")
    with atomic(session):
        for_id = for_whom(by, resident_id, consent, session, made_up=False)
        for choice in choices:
            _nothing_open(wish, choice, district=district, session=session, now=now)
        # Whom we failed keeps the rank of the booking that we did not keep, ahead of all who asked since.
        rank = owed_since(for_id, session=session, now=now) or now
        row = WaitingWish(
            id=uuid4(), resident_id=for_id, consent=consent, wish=wish_to_json(wish),
            choices=[{"day": str(one.day), "pickup_windows": list(one.pickup_windows)} for one in choices],
            state="waiting", offers=0, queued_at=rank, last_day=max(choice.day for choice in choices), version=1,
            created_at=now, changed_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        for choice in sorted(choices, key=lambda one: one.day):
            mine = insert_if_absent(
                session, WaitingDay, resident_id=for_id, day=choice.day, wish_id=row.id,
                pickup_windows=list(choice.pickup_windows), tried_version=-1,
            )  # fmt: skip
            if not mine:
                raise Conflict(
                    f"you wait for {choice.day} already; withdraw that wish to make another / 您已候补 {choice.day}，"
                    "如需更改请先取消原候补"
                )
    log.info("waiting.joined", wish_id=str(row.id), days=len(choices))
    return row


def withdraw_wish(
    wish_id: UUID, *, version: int, by: Principal, district: District, session: Session, now: datetime
) -> WaitingWish:
    """Stop waiting; a place that is offered just now is freed.

    Raises
    ------
    NotFound
        When the caller has no wish of that id.
    StaleVersion
        When it is no longer the version that the caller saw.
    Conflict
        When it has ended already.
    """
    with atomic(session):
        seen = session.scalar(select(WaitingWish).where(WaitingWish.id == wish_id, waits_visible_to(by)))
        if seen is None:
            raise NotFound(f"no waiting wish {wish_id} of yours / 未找到该候补")
        _check_live(seen, version)
        held = None if seen.booking_id is None else session.get(Booking, seen.booking_id)
        # The day before the wish, as everywhere: a sweeper or a confirmation may be at both.
        days = [] if held is None else [held.day]
        with changing(session, days, district=district, now=now, even_closed=True) as drafts:
            row = select(WaitingWish).where(WaitingWish.id == wish_id).with_for_update()
            wish = session.scalars(row.execution_options(populate_existing=True)).one()
            _check_live(wish, version)
            place_id = wish.booking_id
            wish.state, wish.booking_id, wish.offered_until = "withdrawn", None, None
            wish.version, wish.changed_at = wish.version + 1, now
            session.flush()
            leave_days(session, [wish.id])
            if place_id is not None:
                drop_holds(session, drafts[days[0]], {place_id: wish.resident_id}, now=now)
    log.info("waiting.withdrawn", wish_id=str(wish_id))
    return wish


def _nothing_open(wish: Wish, choice: Choice, *, district: District, session: Session, now: datetime) -> None:
    """See that the windows can be asked for and that none is open: else a wish would keep a place for hours."""
    windows = district.network.pickup_windows
    for window in choice.pickup_windows:
        check_bookable(choice.day, window, district=district, now=now)
    wanted = replace(wish, day=choice.day, pickup_window=choice.pickup_windows[0])
    judged = judge(wanted, district=district, now=now)
    board = boards(session, [choice.day], district=district)[choice.day]
    if board is None:
        raise WindowClosed(f"the routes of {choice.day} are already planned; choose a later day / 该日路线已排定")
    spans = [windows[window].window_s for window in choice.pickup_windows]
    parts = parts_of(wanted, judged, district=district)
    fits = fits_together(board, visits(parts, spans[0]), spans)
    for window, fit in zip(choice.pickup_windows, fits, strict=True):
        if fit is not None:
            raise Conflict(
                f"{window} on {choice.day} is open: book it / {choice.day} {windows[window].name_zh} 可约，请直接预约"
            )


def _check_live(wish: WaitingWish, version: int) -> None:
    if wish.version != version:
        raise StaleVersion(
            f"the wish is now version {wish.version}, you sent {version}; read it again / 候补已变更，请刷新后重试"
        )
    if wish.state not in ("waiting", "offered"):
        raise Conflict(f"the wish is {wish.state}; there is nothing to withdraw / 该候补已结束（{wish.state}）")
