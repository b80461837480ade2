"""Waking time: from seven to ten in the evening, local."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from recycling.clock import SHANGHAI
from recycling.policy.quiet_hours import waking_end


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-23 10:00", "2026-11-23 12:00"),
        ("2026-11-23 20:00", "2026-11-23 22:00"),
        # half an hour is left of the evening, the rest is next morning's
        ("2026-11-23 21:30", "2026-11-24 08:30"),
        ("2026-11-23 22:00", "2026-11-24 09:00"),
        ("2026-11-24 03:00", "2026-11-24 09:00"),
        ("2026-12-31 23:59", "2027-01-01 09:00"),
    ],
)
def test_the_night_does_not_count(now: str, end: str) -> None:
    local = datetime.fromisoformat(now).replace(tzinfo=SHANGHAI)
    assert waking_end(local, after=timedelta(hours=2)) == datetime.fromisoformat(end).replace(tzinfo=SHANGHAI)


def test_a_span_longer_than_a_day_goes_on_the_next_day() -> None:
    local = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)
    # 12 hours today, 15 tomorrow, 3 on the day after
    assert waking_end(local, after=timedelta(hours=30)) == datetime(2026, 11, 25, 10, 0, tzinfo=SHANGHAI)
