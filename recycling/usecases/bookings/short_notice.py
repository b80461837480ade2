"""What repeated no-shows leave a resident: the windows of the next days, and the reason in words (爽约后的可约范围)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import ShortNoticeOnly
from recycling.models.limits import no_show_days
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.no_shows import rule_on
from recycling.usecases.bookings.owed_visit import owed_since


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortNotice:
    """The only days that a resident may book, until when that holds, after how many no-shows, and so in words."""

    days: tuple[date, ...]
    until: date
    no_shows: int
    zh: str
    en: str


def short_notice(resident_id: UUID, *, district: District, session: Session, now: datetime) -> ShortNotice | None:
    """What is left to a resident; ``None`` when nothing is taken from them."""
    today = service_day(now)
    rule = rule_on(district.no_shows, today)
    if rule is None:
        return None
    found = no_show_days(session, resident_id, since=rule.counts_since(today))
    until = rule.short_notice_until(found, on=today)
    if until is None:
        return None
    if owed_since(resident_id, session=session, now=now) is not None:
        return None  # whom we have failed since then chooses freely
    days = district.booking_rules.bookable_days(now=now, calendar=district.calendar)[: rule.short_notice_days]
    dates = ", ".join(str(day) for day in sorted(found))
    return ShortNotice(
        days=days,
        until=until,
        no_shows=len(found),
        zh=f"{len(found)} 次上门无人应答（{dates}），在 {until} 之前（含当日）只能预约最近 {rule.short_notice_days} 个"
        "服务日；如有误请联系调度",
        en=f"nobody was home at {len(found)} visits ({dates}), so until {until} only the next"
        f" {rule.short_notice_days} service days can be booked; call the dispatcher if that is not so",
    )


def refuse_long_notice(day: date, *, by: Principal, district: District, session: Session, now: datetime) -> None:
    """See that a resident books a day that is left to them; staff, who have spoken with the resident, may book any.

    Raises
    ------
    ShortNoticeOnly
        When the day is further off.
    """
    if by.role != "resident":
        return
    left = short_notice(by.id, district=district, session=session, now=now)
    if left is not None and day not in left.days:
        days = ", ".join(str(one) for one in left.days)
        raise ShortNoticeOnly(f"{day} cannot be booked: {left.en}. Open are {days} / {left.zh}。当前可约：{days}")
