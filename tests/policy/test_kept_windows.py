"""Whether a promised window was kept: by when service started, to the second, and why it was missed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from recycling.policy.field_events import Visit
from recycling.policy.kept_windows import MissCause, judge_window
from recycling.units import instant_at

DAY = date(2026, 11, 24)
EIGHT, TEN = 8 * 3600, 10 * 3600


def at(second: int) -> datetime:
    """An instant of the day."""
    return instant_at(DAY, second)


def judged(visit: Visit, **fields: Any) -> tuple[int | None, int | None, MissCause | None]:
    """A visit promised from eight to ten, of twenty minutes."""
    found = judge_window((EIGHT, TEN), visit, day=DAY, service_s=1200, **fields)
    assert found.kept == (found.cause is None)
    return found.started_s, found.late_s, found.cause


@pytest.mark.parametrize(
    ("started_s", "late_s", "cause"),
    [
        (EIGHT - 1, -1, "early"),
        (EIGHT, 0, None),
        (TEN, 0, None),
        (TEN + 1, 1, "late"),
    ],
)
def test_both_ends_of_a_window_keep_it(started_s: int, late_s: int, cause: MissCause | None) -> None:
    visit = Visit(started_at=at(started_s), ended_at=at(started_s + 600), outcome="collected")
    assert judged(visit) == (started_s, late_s, cause)


def test_whoever_we_find_not_at_home_in_time_was_kept_their_window() -> None:
    visit = Visit(started_at=at(TEN), ended_at=at(TEN + 600), outcome="failed", reason="nobody_home")
    assert judged(visit) == (TEN, 0, None)


def test_where_only_the_outcome_was_recorded_service_began_its_planned_time_before() -> None:
    # ended at 10:20 and planned for 20 minutes: begun at ten sharp
    assert judged(Visit(ended_at=at(TEN + 1200), outcome="collected")) == (TEN, 0, None)
    assert judged(Visit(ended_at=at(TEN + 1201), outcome="collected")) == (TEN + 1, 1, "late")


def test_what_never_started_is_missed_for_its_reason() -> None:
    full = Visit(ended_at=at(TEN), outcome="failed", reason="vehicle_full")
    assert judged(full) == (None, None, "vehicle_full")
    # even when they stood at the door in time
    at_the_door = Visit(started_at=at(EIGHT), ended_at=at(EIGHT + 60), outcome="failed", reason="vehicle_breakdown")
    assert judged(at_the_door) == (None, None, "breakdown")
    assert judged(Visit(ended_at=at(EIGHT), outcome="failed", reason="cancelled")) == (None, None, "customer")
    assert judged(Visit()) == (None, None, "no_record")
    assert judged(Visit(), broke_down_at=at(EIGHT)) == (None, None, "breakdown")


def test_a_breakdown_before_a_late_start_is_what_made_it_late() -> None:
    visit = Visit(started_at=at(TEN + 60), ended_at=at(TEN + 600), outcome="collected")
    assert judged(visit, broke_down_at=at(TEN))[2] == "breakdown"
    assert judged(visit, broke_down_at=at(TEN + 61))[2] == "late"
