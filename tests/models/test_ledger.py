"""The day's ledger: one row to lock, routes read by version, intake counted with the database behind it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import WindowClosed, WindowFull
from recycling.models.ledger import (
    ROUTE,
    DayLedger,
    Intake,
    StationLedger,
    close_day,
    closed_days,
    day_states,
    days_to_improve,
    locked_day,
    mark_improved,
    rewrite,
    routes_since,
)
from recycling.models.transaction import atomic
from tests.conftest import NOW

DAY = date(2026, 11, 24)
EMPTY: dict[str, Any] = {"visits": []}


def change(
    session: Session, *, routes: tuple[str, ...] = (), day: date = DAY, intake: Mapping[str, int] | None = None
) -> int:
    """One change of a day, in a transaction of its own: routes of these vehicles, or what a station gets more."""
    with atomic(session):
        state = locked_day(session, day, now=NOW)
        more = {"more_g": 0, "more_l": 0, "cap_g": 100_000, "cap_l": 2000} | dict(intake or {})
        rewrite(
            session, day, version=state.version, routes=dict.fromkeys(routes, ROUTE.seal(EMPTY)),
            intakes=[Intake(station_key="s", **more)] if intake else [],
        )  # fmt: skip
    return state.version


def used(session: Session) -> tuple[int, int]:
    """Grams and litres that the routes bring to the station."""
    session.expire_all()
    row = session.scalars(select(StationLedger)).one_or_none()
    return (0, 0) if row is None else (row.used_g, row.used_l)


def test_every_change_counts_the_days_version_up_and_a_reader_gets_what_is_newer(session: Session) -> None:
    assert [change(session, routes=("a", "b")), change(session, routes=("b",)), change(session, routes=("c",))] == [
        1, 2, 3,
    ]  # fmt: skip
    assert [key for key, _ in routes_since(session, DAY, version=-1)] == ["a", "b", "c"]
    assert [key for key, _ in routes_since(session, DAY, version=1)] == ["b", "c"]
    assert routes_since(session, DAY, version=3) == []
    # each day for itself
    change(session, day=DAY + timedelta(days=1))
    states = day_states(session, DAY, DAY + timedelta(days=9))
    assert {day: state.version for day, state in states.items()} == {DAY: 3, DAY + timedelta(days=1): 1}


def test_a_day_of_another_life_of_the_database_is_told_apart(session: Session) -> None:
    change(session)
    before = day_states(session, DAY, DAY)[DAY]
    with atomic(session):
        session.execute(delete(DayLedger))
    change(session)
    after = day_states(session, DAY, DAY)[DAY]
    assert before.version == after.version == 1
    assert before.born != after.born


def test_a_closed_day_is_changed_by_those_only_who_say_so(session: Session) -> None:
    with atomic(session):
        close_day(session, DAY, now=NOW)
    with pytest.raises(WindowClosed, match="2026-11-24 are already planned; choose a later day"):
        change(session)
    with atomic(session):
        assert locked_day(session, DAY, now=NOW, even_closed=True).closed
    # closing made the row and counted it up, so did the one who said so; the refused one left nothing
    assert day_states(session, DAY, DAY)[DAY].version == 2
    assert closed_days(session, [DAY, DAY + timedelta(days=1)]) == {DAY}
    assert days_to_improve(session, [DAY]) == []


def test_the_planner_is_asked_for_days_that_changed_since_it_last_worked_on_them(session: Session) -> None:
    days = [DAY + timedelta(days=n) for n in range(3)]
    for day in days[:2]:
        change(session, day=day)
    assert days_to_improve(session, days) == days[:2]
    with atomic(session):
        mark_improved(session, DAY, version=1)
    assert days_to_improve(session, days) == [days[1]]
    change(session)
    assert days_to_improve(session, days) == days[:2]


@pytest.mark.parametrize("intake", [{"more_g": 100_001}, {"more_l": 2001}])
def test_a_station_gets_what_it_takes_and_not_one_unit_more(session: Session, intake: dict[str, int]) -> None:
    with pytest.raises(WindowFull, match="station s takes no more on 2026-11-24"):
        change(session, routes=("a",), intake=intake)
    # then nothing of it stays: no route, no version, no intake
    assert (routes_since(session, DAY, version=-1), day_states(session, DAY, DAY), used(session)) == ([], {}, (0, 0))
    # one less fits, in two parts, of which the second finds the row
    unit, most = next(iter((name, amount - 1) for name, amount in intake.items()))
    for part in (most - 1, 1):
        change(session, intake={unit: part})
    assert sum(used(session)) == most
    with pytest.raises(WindowFull):
        change(session, intake={unit: 1})
    # and what a route brings less is free again
    change(session, intake={unit: -most})
    assert used(session) == (0, 0)


def test_less_than_nothing_is_brought_to_no_station(session: Session) -> None:
    change(session, intake={"more_g": 10})
    with pytest.raises(IntegrityError):
        change(session, intake={"more_g": -11})
    assert used(session) == (10, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE station_ledger SET used_g = cap_g + 1",
        "UPDATE station_ledger SET used_l = -1",
        # lowering a limit below what is promised is refused too
        "UPDATE station_ledger SET cap_g = used_g - 1",
        "UPDATE day_ledger SET improved_version = version + 1",
        "UPDATE day_ledger SET version = -1",
    ],
)
def test_the_database_refuses_it_whoever_writes_it(session: Session, statement: str) -> None:
    change(session, intake={"more_g": 10})
    with pytest.raises(IntegrityError):
        session.execute(text(statement))
    session.rollback()
    assert used(session) == (10, 0)
