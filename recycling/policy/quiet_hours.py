"""When people may be expected to read a message (免打扰时段)."""

from __future__ import annotations

from datetime import datetime, timedelta

from recycling.clock import service_day
from recycling.units import instant_at, second_of_day

DAYTIME_S = range(7 * 3600, 22 * 3600)  # of the local day: when a message may come that nobody is waiting for


def is_daytime(now: datetime) -> bool:
    """Whether an aware instant lies in the local day's waking hours."""
    return DAYTIME_S.start <= second_of_day(now, day=service_day(now)) < DAYTIME_S.stop


def next_morning(now: datetime) -> datetime:
    """The first morning after an instant at night, or after its day."""
    today = service_day(now)
    this_morning = instant_at(today, DAYTIME_S.start)
    return this_morning if now < this_morning else instant_at(today + timedelta(days=1), DAYTIME_S.start)


def waking_end(now: datetime, *, after: timedelta) -> datetime:
    """The instant at which so much waking time has passed since ``now``; the night does not count."""
    start = now if is_daytime(now) else next_morning(now)
    evening = instant_at(service_day(start), DAYTIME_S.stop)
    while start + after > evening:
        after -= evening - start
        start = next_morning(evening)
        evening = instant_at(service_day(start), DAYTIME_S.stop)
    return start + after
