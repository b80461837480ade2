"""What a resident may still book: live bookings of how many, no-shows and what follows from them (我的预约限额)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.limits import LiveCount, live_days, no_show_days, resident_scope
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.no_shows import rule_on
from recycling.usecases.bookings.short_notice import short_notice


def my_limits(*, by: Principal, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """Where the caller, a resident, stands against each limit."""
    today = service_day(now)
    count, rule = session.get(LiveCount, resident_scope(by.id)), rule_on(district.no_shows, today)
    left = short_notice(by.id, district=district, session=session, now=now)
    return {
        "live": 0 if count is None else count.used,
        "live_most": district.booking_rules.live_per_resident,
        "live_most_per_address": district.booking_rules.live_per_address,
        "live_days": live_days(session, resident_id=by.id, digest=None),
        "no_shows": 0 if rule is None else len(no_show_days(session, by.id, since=rule.counts_since(today))),
        "no_shows_free": None if rule is None else rule.free,
        "short_notice_until": None if left is None else left.until,
        "short_notice_days": None if left is None else left.days,
        "note_zh": None if left is None else left.zh,
        "note_en": None if left is None else left.en,
    }
