"""Recurring pickups of enterprises (企业定期回收): agreed, changed and ended by staff; the nightly job books them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, false, select, true
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, InvalidInput, NotFound, StaleVersion
from recycling.logs import logger
from recycling.models.people import Resident, resident_of
from recycling.models.recurring import RecurringPickup
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.kept_wish import rule_of, wish_from_json, wish_to_json
from recycling.usecases.bookings.promise import Wish, area_of, needs

log = logger(__name__)

FIRST_AHEAD_DAYS = 2  # the coming night's run books from the day after its own on


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What is agreed with an enterprise: the contact, what to fetch in which window, and on which days."""

    name: str
    wish: Wish
    weekdays: tuple[int, ...]
    every_weeks: int
    month_day: int | None
    starts_on: date
    until: date | None
    phone: str | None
    resident_id: UUID | None


def agree_recurring(
    agreement: Agreement, *, by: Principal, district: District, session: Session, now: datetime
) -> RecurringPickup:
    """Keep an agreement; its days are booked at night, each as it becomes bookable.

    Raises
    ------
    InvalidInput
        When the wish, the rule or the contact cannot be taken, or the first day is too near for the nightly run.
    """
    first = service_day(now) + timedelta(days=FIRST_AHEAD_DAYS)
    if agreement.starts_on < first:
        raise InvalidInput(
            f"starts_on {agreement.starts_on}: the nightly run books from {first} on; book earlier days one by one"
            f" / 最早可自 {first} 起自动预约，更早的请单次预约"
        )
    wish = agreement.wish
    area_of(wish, district=district)
    _check(wish, agreement.starts_on, district=district)
    row = RecurringPickup(
        id=uuid4(), name=agreement.name, wish=wish_to_json(wish), weekdays=sorted(set(agreement.weekdays)),
        every_weeks=agreement.every_weeks, month_day=agreement.month_day, pickup_window=wish.pickup_window,
        starts_on=agreement.starts_on, until=agreement.until, state="active", made_by=by.id, version=1, created_at=now,
        changed_at=now,
    )  # fmt: skip
    _check_rule(row)
    with atomic(session):
        row.resident_id = _contact(agreement, session=session, now=now)
        session.add(row)
    log.info("recurring.agreed", recurring_id=str(row.id))
    return row


def recurs_visible_to(by: Principal) -> ColumnElement[bool]:
    """The contact sees their own agreements, dispatchers and administrators all, others none."""
    if by.role in ("dispatcher", "admin"):
        return true()
    return RecurringPickup.resident_id == by.id if by.role == "resident" else false()


def amend_recurring(
    recurring_id: UUID,
    changes: Mapping[str, Any],
    *,
    version: int,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> RecurringPickup:
    """Change name, items, window, rule or state of an agreement; bookings that are made already stay as they are.

    Raises
    ------
    NotFound, StaleVersion
        When the caller sees none of that id, or it is no longer the version that they saw.
    Conflict
        When it has ended.
    InvalidInput
        When the agreement would break a rule.
    """
    with atomic(session):
        wanted = select(RecurringPickup).where(RecurringPickup.id == recurring_id, recurs_visible_to(by))
        row = session.scalar(wanted.with_for_update())
        if row is None:
            raise NotFound(f"no recurring pickup {recurring_id} / 未找到该定期回收")
        if row.version != version:
            raise StaleVersion(
                f"the agreement is now version {row.version}, you sent {version}; read it again / 已变更，请刷新后重试"
            )
        if row.state == "ended":
            raise Conflict("this agreement has ended; make a new one / 该定期回收已终止，请新建")
        for name, value in changes.items():
            if name == "items":
                row.wish = row.wish | {"items": [asdict(item) for item in value]}
            elif name == "weekdays":
                row.weekdays = sorted(set(value))
            else:
                setattr(row, name, value)
        row.version, row.changed_at = row.version + 1, now
        _check_rule(row)
        day = max(row.starts_on, service_day(now))
        kept = wish_from_json(row.wish, day=day, pickup_window=row.pickup_window)
        _check(kept, day, district=district)
    log.info("recurring.amended", recurring_id=str(recurring_id), version=row.version, state=row.state)
    return row


def _check_rule(pickup: RecurringPickup) -> None:
    try:
        rule_of(pickup)
    except ValueError as error:
        raise InvalidInput(f"{error}; correct the rule of days / 日期规则有误，请按星期或按每月某日填写其一") from None


def _check(wish: Wish, day: date, *, district: District) -> None:
    if wish.pickup_window not in district.network.pickup_windows:
        raise InvalidInput(
            f"pickup_window {wish.pickup_window!r} is unknown; choose from {', '.join(district.network.pickup_windows)}"
        )
    needs(wish.items, floor=wish.floor, has_lift=wish.has_lift, day=day, district=district)


def _contact(agreement: Agreement, *, session: Session, now: datetime) -> UUID:
    if (agreement.phone is None) == (agreement.resident_id is None):
        raise InvalidInput("give either phone or resident_id of the contact / 手机号与 resident_id 须填且只填一个")
    if agreement.phone is not None:
        return resident_of(session, agreement.phone, now=now)
    found = session.get(Resident, agreement.resident_id)
    if found is None:
        raise InvalidInput(f"resident_id {agreement.resident_id} is nobody's; give the phone / 没有该居民，请填手机号")
    return found.id
