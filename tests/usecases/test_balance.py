"""Turns: nothing changes without a weight, and with one the hours of two crews come closer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from recycling.policy.balance import BalanceRule
from recycling.policy.district import District
from recycling.routing.problem import problem_to_json
from recycling.units import instant_at
from recycling.usecases.planning.balance import balanced, offsets_of
from recycling.usecases.planning.day_problem import changes_since, day_problem, unfinished_bookings
from recycling.usecases.queries.fairness import fairness
from tests.builders import TOMORROW, a_booking, a_resident
from tests.planned_days import a_published_plan, with_vehicles

MONDAYS = date(2026, 11, 30), date(2026, 12, 7)


def text(problem: object) -> str:
    return json.dumps(problem, ensure_ascii=False, sort_keys=True)


def test_without_a_weight_the_planner_is_given_the_day_as_it_is_to_the_letter(
    session: Session, district: District, now: datetime
) -> None:
    # given a booking, and the rule as it is shipped
    assert district.balance.weight == 0
    a_booking(session, district=district, now=now)
    asked = day_problem(TOMORROW, unfinished_bookings(session, TOMORROW), district=district)
    # then the planner's problem is that of the day, byte by byte
    assert balanced(asked, offsets_of(TOMORROW, district=district, session=session)) is asked
    session.rollback()
    plan = a_published_plan(session, district=district, now=now)
    assert text(plan.problem) == text(problem_to_json(asked))


def test_a_dearer_vehicle_never_makes_it_worth_leaving_a_pickup_out(
    session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    asked = day_problem(TOMORROW, unfinished_bookings(session, TOMORROW), district=district)
    turned = balanced(asked, {"lincheng-1": 3_000, "lincheng-2": -9_000, "xingren-1": 500})
    costs = {one.key: one.fixed_cost for one in turned.vehicles}
    # a truck's 5,400 and 3,000 more; a van's 3,600 cannot fall below nothing; a stop left out costs 3,500 more
    assert (costs["lincheng-1"], costs["lincheng-2"], costs["xingren-1"]) == (8_400, 0, 5_900)
    assert turned.stops[0].skip_cost == (asked.stops[0].skip_cost or 0) + 3_500


def play(session: Session, district: District, *, weight: float) -> list[int]:
    """Two weeks of a few pickups a day, enough for one truck of two; the hours of each crew over both."""
    trucks = with_vehicles(district, "lincheng-1", "xingren-1")
    facts = replace(trucks, balance=BalanceRule(weight=weight, weeks=1, most=5_000))
    by = a_resident(session, now=instant_at(MONDAYS[0] - timedelta(days=3), 3600))
    for monday in MONDAYS:
        for day in (monday + timedelta(days=n) for n in range(5)):
            eve = instant_at(day - timedelta(days=1), 9 * 3600)
            for _ in range(3):
                a_booking(session, district=facts, now=eve, by=by, day=day, pickup_window="all-day")
            plan = a_published_plan(session, district=facts, now=eve + timedelta(hours=11), day=day)
            # what the plan is compared with later is the day as it was asked for: turns make no plan out of date
            assert changes_since(plan, district=facts, session=session) is None
            session.rollback()
    worked = dict.fromkeys(("c01", "c04"), 0)
    for monday in MONDAYS:
        year, number, _ = monday.isocalendar()
        found = fairness(f"{year}-W{number:02d}", district=facts, session=session, now=instant_at(monday, 0))
        for row in found["collectors"]:
            if row["collector_key"] in worked:
                worked[row["collector_key"]] += row["worked_s"]
    session.rollback()
    return sorted(worked.values())


def test_with_a_weight_the_spread_of_hours_over_two_weeks_falls(session: Session, district: District) -> None:
    less, more = play(session, district, weight=1.0)
    # ten days for two crews: in the second week it is the other one's turn
    assert less > 0
    assert more - less < 0.3 * more


def test_control_without_a_weight_one_crew_works_every_day(session: Session, district: District) -> None:
    less, more = play(session, district, weight=0.0)
    assert less == 0
    assert more > 0
