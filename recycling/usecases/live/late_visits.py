"""The shared step of telling residents that we come late, and of checking later that it is still so (迟到判断)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from recycling.policy.lateness import LatenessRule
from recycling.units import instant_at
from recycling.usecases.live.live_routes import RunningRoute
from recycling.usecases.planning.expected_times import QUARTER_S


def told_s(route: RunningRoute, booking_id: UUID) -> int | None:
    """The quarter of an hour that a booking's resident was told by the plan that stands."""
    planned = next((step.start_s for step in route.steps if step.booking_id == booking_id), None)
    return None if planned is None else planned // QUARTER_S * QUARTER_S


def is_silent(route: RunningRoute, rule: LatenessRule, *, now: datetime) -> bool:
    """Whether nothing was heard of a vehicle for so long that its estimates prove nothing against it."""
    word_s = route.estimate.word_s
    return word_s is None or now - instant_at(route.day, word_s) > timedelta(seconds=rule.silent_after_s)


def late_step(route: RunningRoute, booking_id: UUID, rule: LatenessRule, *, now: datetime) -> int:
    """How many steps of lateness a visit that is still to come has reached; 0 for one that nobody can speak for."""
    one = route.estimate.of(booking_id)
    if one is None or one.under_way or one.step.window_s is None or is_silent(route, rule, now=now):
        return 0
    return rule.step(one.start_s, closes_s=one.step.window_s[1], told_s=told_s(route, booking_id))


def interval_facts(route: RunningRoute | None, booking_id: UUID) -> dict[str, Any]:
    """Between when service is expected to start, as a message says it; nothing when nobody can say."""
    one = None if route is None else route.estimate.of(booking_id)
    if one is None or one.under_way:
        return {}
    return {"earliest_s": one.earliest_s, "latest_s": one.latest_s}
