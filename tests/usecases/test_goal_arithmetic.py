"""The goals' arithmetic from the scale to the percentage, worked out by hand: every number is derived beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import AlreadyWeighed
from recycling.models.intake import IntakeTicket
from recycling.models.recovery import DailyRecovery
from recycling.policy.district import District
from recycling.policy.scope import Baseline, GoalBook
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting.goal_progress import goal_progress
from tests.builders import a_booking
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_weighing, collect

APPLIANCES, FURNITURE, BOTH = "household-appliances", "furniture", "appliances-and-furniture"

Weigh = Callable[..., IntakeTicket]
Judge = Callable[..., dict[str, Any]]


def at(text: str) -> datetime:
    """An instant by Shanghai's clock."""
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.fixture
def confirmed(district: District) -> District:
    """The district once the bureau has confirmed 1,000 units and 20 t for 2023."""
    book = district.goals
    baseline = Baseline(
        scope_key=APPLIANCES, scope_version=2, year=2023, version=2, state="confirmed", units=1_000, mass_g=20_000_000,
        source_document="test letter 1", confirmed_by="a test", confirmed_on=date(2024, 1, 1),
    )  # fmt: skip
    return replace(district, goals=GoalBook(book.scopes, book.goals, (*book.baselines, baseline)))


@pytest.fixture
def weigh(session: Session, district: District) -> Weigh:
    """Weigh walk-ins in at 临城, at an instant by Shanghai's clock."""

    def weigh(when: str, *lines: Any, net_g: int, station_key: str = "lincheng") -> IntakeTicket:
        return weigh_in(
            a_weighing(*lines, net_g=net_g), scale_number="1", by=a_keeper(station_key), district=district,
            session=session, now=at(when),
        )  # fmt: skip

    return weigh


@pytest.fixture
def judge(session: Session, confirmed: District) -> Judge:
    """A scope at the end of a day, as it is seen in 2028."""

    def judge(day: date, scope: str = APPLIANCES) -> dict[str, Any]:
        found = goal_progress(day, district=confirmed, session=session, now=at("2028-01-10T12:00:00"))
        return next(one for one in found["scopes"] if one["scope"]["key"] == scope)

    return judge


def test_the_goals_of_2025_and_2027(weigh: Weigh, judge: Judge) -> None:
    # given in 2025 a fridge and three fans until 1 July, and a desk; in 2027 two fridges, one on the last day
    weigh("2025-01-02T09:00:00", a_line("fridge"), net_g=41_300)
    weigh("2025-07-01T09:00:00", a_line("fan", 3), net_g=12_000)
    weigh("2025-07-01T10:00:00", a_line("desk"), net_g=30_000)
    weigh("2025-07-02T09:00:00", a_line("fridge"), net_g=41_300)
    weigh("2027-01-01T09:00:00", a_line("fridge"), net_g=41_300)
    weigh("2027-12-31T17:00:00", a_line("fridge"), net_g=41_300)
    # then on 1 July 2025, the 182nd of 365 days, 4 units and 53.3 kg against 1,000 x 1.15 and 20 t x 1.15
    half = judge(date(2025, 7, 1))
    assert (half["elapsed_days"], half["year_days"]) == (182, 365)
    assert half["units_progress"] == {
        "recovered": 4, "baseline": 1_000, "target": 1_150,
        "progress_bp": 34,  # 4 / 1,150 = 0.35 %
        "pace_bp": 69,  # 4 x 365 / (1,150 x 182) = 0.70 %
        "missing": 1_146,
        "needed_per_day": 7,  # 1,146 / 183 = 6.3
        "needed_per_working_day": 10,  # 1,146 / 127 = 9.02, the days as in the tests of the arithmetic alone
    }  # fmt: skip
    mass = half["mass_progress"]
    assert (mass["recovered"], mass["target"], mass["progress_bp"]) == (53_300, 23_000_000, 23)  # 0.23 %
    # and on the last day of 2027 two units and 82.6 kg against x 1.3, with no day left for the rest
    over = judge(date(2027, 12, 31))
    assert over["units_progress"] == {
        "recovered": 2, "baseline": 1_000, "target": 1_300,
        "progress_bp": 15, "pace_bp": 15,  # 2 / 1,300 = 0.15 %, and the year is whole
        "missing": 1_298, "needed_per_day": None, "needed_per_working_day": None,
    }  # fmt: skip
    assert (over["mass_progress"]["recovered"], over["mass_progress"]["target"]) == (82_600, 26_000_000)
    # a day before, one of them; a year without a ticket has nothing, and no share of anything
    assert judge(date(2027, 12, 30))["recovered"]["units"] == 1
    none = judge(date(2026, 12, 31))
    assert (none["recovered"]["units"], none["weighed_share_bp"], none["units_progress"]["progress_bp"]) == (0, None, 0)


def test_furniture_moves_no_goal_and_stands_beside_it(weigh: Weigh, judge: Judge) -> None:
    weigh("2025-03-01T09:00:00", a_line("fridge"), net_g=41_300)
    before = judge(date(2025, 12, 31))
    # when 90 kg of furniture come in, some on a ticket together with a fan of 4 kg that stood on the scale alone
    weigh("2025-03-02T09:00:00", a_line("sofa-three"), net_g=60_000)
    weigh("2025-03-02T10:00:00", a_line("desk"), a_line("fan", 1, 4_000), net_g=34_000)
    after = judge(date(2025, 12, 31))
    # then the goal moves by the fan alone: 1 unit and 4 kg
    assert after["units_progress"]["recovered"] - before["units_progress"]["recovered"] == 1
    assert after["mass_progress"]["recovered"] - before["mass_progress"]["recovered"] == 4_000
    # furniture shows 2 units and 90 kg and has no goal, both together 4 and 41.3 + 4 + 90 kg, and none either
    furniture, both = judge(date(2025, 12, 31), FURNITURE), judge(date(2025, 12, 31), BOTH)
    assert (furniture["recovered"]["units"], furniture["recovered"]["recovered_g"]) == (2, 90_000)
    assert (both["recovered"]["units"], both["recovered"]["recovered_g"]) == (4, 135_300)
    assert (furniture["units_progress"], both["units_progress"]) == (None, None)


def test_the_29th_of_february_counts_and_a_leap_year_has_366_days(weigh: Weigh, judge: Judge) -> None:
    for day in ("2024-02-28", "2024-02-29", "2024-03-01"):
        weigh(f"{day}T09:00:00", a_line("fridge"), net_g=41_300)
    found = judge(date(2024, 2, 29))
    # 31 + 29 = 60 of 366 days, with two of the three fridges; our milestone is 1,000 x 1.075, and says so
    assert (found["elapsed_days"], found["year_days"], found["remaining_days"]) == (60, 366, 306)
    assert (found["recovered"]["units"], found["units_progress"]["target"]) == (2, 1_075)
    assert found["units_progress"]["pace_bp"] == 113  # 2 x 366 / (1,075 x 60) = 1.135 %
    assert "插值, 非政策目标 / interpolated, not a policy goal" in found["labels"]
    assert judge(date(2024, 12, 31))["elapsed_bp"] == 10_000


def test_without_a_confirmed_baseline_2025_has_figures_and_no_percentage(
    session: Session, district: District, weigh: Weigh
) -> None:
    weigh("2025-03-01T09:00:00", a_line("fridge"), net_g=41_300)
    for book, state in (
        (district.goals, "provisional"), (GoalBook(district.goals.scopes, district.goals.goals, ()), "absent"),
    ):  # fmt: skip
        bare = replace(district, goals=book)
        found = goal_progress(date(2025, 12, 31), district=bare, session=session, now=at("2026-01-01T09:00:00"))
        scope = found["scopes"][0]
        assert (scope["recovered"]["units"], scope["baseline_state"]) == (1, state)
        assert (scope["units_progress"], scope["mass_progress"], scope["goal"]["target_units"]) == (None, None, None)
        assert scope["labels"][0].startswith("基准未确认")


def test_the_same_fridge_counts_once_wherever_it_is_weighed_again(
    session: Session, district: District, now: datetime, confirmed: District
) -> None:
    # given a fridge that a crew collected, weighed in at 临城
    booking = a_booking(session, district=district, now=now)
    collect(session, booking, district=district, now=now)
    load = a_weighing(a_line(booking_id=booking.id))
    given: dict[str, Any] = {"district": district, "session": session, "now": now}
    first = weigh_in(load, scale_number="1", by=a_keeper(), **given)

    def recovered() -> tuple[int, int]:
        (found, *_) = goal_progress(district=confirmed, session=session, now=now)["scopes"]
        return found["recovered"]["units"], found["recovered"]["recovered_g"]

    # when it is brought to that scale again, or to another station, then it is caught and counts once
    for keeper in (a_keeper(), a_keeper("shagou")):
        with pytest.raises(AlreadyWeighed, match="0 of 1 collected fridge are left to weigh"):
            weigh_in(load, scale_number="1", by=keeper, **given)
        assert recovered() == (1, 41_300)
    # when the first ticket is withdrawn, then it counts nowhere, and once again where it is weighed then
    correct_ticket(first.id, None, reason="错站", by=a_keeper(), **given)
    assert recovered() == (0, 0)
    weigh_in(load, scale_number="1", by=a_keeper("shagou"), **given)
    assert recovered() == (1, 41_300)
    assert_invariants(session)


def test_midnight_parts_days_and_years_to_the_millisecond(session: Session, weigh: Weigh, judge: Judge) -> None:
    # given fridges on New Year's Eve 2025 at 23:59:59.999 and at midnight, by Shanghai's clock: 15:59:59.999 and 16:00
    # by UTC on the same day
    last = weigh("2025-12-31T23:59:59.999000", a_line("fridge"), net_g=41_300)
    first = weigh("2026-01-01T00:00:00", a_line("fridge"), net_g=41_300)
    assert (last.day, first.day) == (date(2025, 12, 31), date(2026, 1, 1))
    # then the goal of each year has one of them
    assert [judge(day)["recovered"]["units"] for day in (last.day, first.day)] == [1, 1]
    days = select(DailyRecovery.day, DailyRecovery.units).order_by(DailyRecovery.day)
    assert [tuple(row) for row in session.execute(days)] == [(last.day, 1), (first.day, 1)]
    assert_invariants(session)


def test_a_clock_set_back_over_midnight_loses_and_doubles_nothing(
    session: Session, district: District, weigh: Weigh, judge: Judge
) -> None:
    # given a fridge ten seconds after midnight by a clock that is half a minute fast, and one when it was set right
    early = weigh("2026-01-01T00:00:10", a_line("fridge"), net_g=41_300)
    right = weigh("2025-12-31T23:59:40", a_line("fridge"), net_g=41_300)
    then = weigh("2026-01-01T00:00:05", a_line("fridge"), net_g=41_300)
    # then each counts once, for the day that its clock said, and the numbers of the scale go on
    assert [one.number for one in (early, right, then)] == [1, 2, 3]
    assert [one.day.year for one in (early, right, then)] == [2026, 2025, 2026]
    assert [judge(day)["recovered"]["units"] for day in (date(2025, 12, 31), date(2026, 1, 1))] == [1, 2]
    # and the first one, corrected while the clock stands before it, stays on its day and is not older than it was
    made = correct_ticket(
        early.id, a_weighing(net_g=40_000), reason="读错", by=a_keeper(), district=district, session=session,
        now=at("2025-12-31T23:59:50"),
    )  # fmt: skip
    assert (made.day, made.counts_on, made.weighed_at) == (early.day, early.day, early.weighed_at)
    assert judge(date(2026, 1, 1))["recovered"]["recovered_g"] == 40_000 + 41_300
    assert_invariants(session)


def test_an_hour_back_at_noon_changes_no_day(weigh: Weigh, judge: Judge) -> None:
    first = weigh("2025-06-01T12:30:00", a_line("fridge"), net_g=41_300)
    again = weigh("2025-06-01T11:30:00", a_line("fridge"), net_g=41_300)
    assert again.weighed_at - first.weighed_at == -timedelta(hours=1)
    assert judge(date(2025, 6, 1))["recovered"]["units"] == 2
