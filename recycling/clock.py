"""Now, and the service day it belongs to. Read the clock at the edge and hand ``now`` down."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")  # China has one zone and no daylight saving


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def service_day(instant: datetime) -> date:
    """The local date of an aware instant in Asia/Shanghai."""
    return instant.astimezone(SHANGHAI).date()
