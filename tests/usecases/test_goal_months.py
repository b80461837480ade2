"""Months of this year beside the last: tickets where they tell, declarations before them, nothing made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting.goal_months import goal_months
from tests.declared import table_of, upload
from tests.loads import a_keeper, a_line, a_weighing


def fridges(session: Session, district: District, at: datetime, units: int) -> None:
    weigh_in(
        a_weighing(a_line("fridge", units), net_g=40_000 * units), scale_number="1", by=a_keeper("lincheng"),
        district=district, session=session, now=at,
    )  # fmt: skip
    session.rollback()


def appliances(session: Session, district: District, now: datetime) -> dict[str, Any]:
    found = goal_months(district=district, session=session, now=now)
    return next(one for one in found["scopes"] if one["scope"] == "household-appliances/2")


def test_with_tickets_of_both_years_this_year_is_compared_to_the_same_day(
    session: Session, district: District, now: datetime
) -> None:
    # given fridges: 2 on new year's day of 2025, 3 in October, 4 in December; this year 7 today, 23 November
    for at, units in (
        (datetime(2025, 1, 1, 4, tzinfo=UTC), 2),
        (datetime(2025, 10, 9, 4, tzinfo=UTC), 3),
        (datetime(2025, 12, 9, 4, tzinfo=UTC), 4),
        (now, 7),
    ):
        fridges(session, district, at, units)
    # when the months are asked for
    found = appliances(session, district, now)
    # then each month says what its tickets say, and December of last year is no part of the comparison
    last, this = ({month["month"]: month for month in year["months"]} for year in found["years"])
    assert [last[date(2025, month, 1)]["units"] for month in (1, 10, 12)] == [2, 3, 4]
    assert this[date(2026, 11, 1)] == {
        "month": date(2026, 11, 1), "source": "tickets", "units": 7, "recovered_g": 280_000
    }  # fmt: skip
    before = found["last_year"]
    assert (before["until"], before["whole_months"]) == (date(2025, 11, 23), False)
    assert (before["units"], before["recovered_g"]) == (5, 200_000)
    assert before["by_town"] == [{"key": "lincheng", "units": 5, "recovered_g": 200_000}]


def test_scopes_that_differ_in_more_than_their_goods_are_told_apart_in_one_turn(
    session: Session, district: District, now: datetime
) -> None:
    # given fridges of last year and this one, all walk-ins from Lincheng
    for at, units in ((datetime(2025, 1, 1, 4, tzinfo=UTC), 2), (datetime(2026, 3, 9, 4, tzinfo=UTC), 3), (now, 7)):
        fridges(session, district, at, units)
    # and beside the scope of appliances one of the same goods from doors alone, and one without Lincheng
    appliance = next(one for one in district.goals.current_scopes() if one.key == "household-appliances")
    doors = replace(appliance, key="doors", channels=("door",))
    elsewhere = replace(appliance, key="elsewhere", area=tuple(key for key in appliance.area if key != "lincheng"))
    goals = replace(district.goals, scopes=(appliance, doors, elsewhere))
    # when the months are asked for
    found = goal_months(district=replace(district, goals=goals), session=session, now=now)["scopes"]
    # then the fridges are in the first alone: in their months, and in last year up to the same day
    told = [
        [month["units"] for year in scope["years"] for month in year["months"] if month["units"]] for scope in found
    ]
    assert told == [[2, 3, 7], [], []]
    assert [scope["last_year"]["units"] for scope in found] == [2, 0, 0]


def test_declared_months_are_told_apart_and_compared_whole(session: Session, district: District, now: datetime) -> None:
    # given 10 units declared of each month of 2025 and 12 of each of January to October 2026
    months = {date(2025, month, 1): 10 for month in range(1, 13)} | {date(2026, month, 1): 12 for month in range(1, 11)}
    upload(table_of(months), district=district, session=session, now=now)
    session.rollback()
    # when somebody asks on 23 November
    found = appliances(session, district, now)
    # then every month says that it is declared, and ten whole months stand against ten: 120 against 100
    assert {month["source"] for month in found["years"][0]["months"]} == {"declared"}
    assert found["years"][1]["months"][-1] == {
        "month": date(2026, 11, 1), "source": None, "units": None, "recovered_g": None
    }  # fmt: skip
    before = found["last_year"]
    assert (before["until"], before["whole_months"]) == (date(2025, 10, 31), True)
    assert (before["units"], before["this_units"]) == (100, 120)


def test_without_a_year_before_nothing_is_compared(session: Session, district: District, now: datetime) -> None:
    fridges(session, district, now, 7)
    assert appliances(session, district, now)["last_year"] is None
