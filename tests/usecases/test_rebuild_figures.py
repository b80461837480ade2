"""Figures read by months, and all of them written anew from the tickets while people go on weighing in."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from recycling.models import recovery
from recycling.models.audit import AuditRow
from recycling.models.intake import IntakeTicket
from recycling.models.months_anew import MonthAnew, months_on_record, write_month_anew
from recycling.models.recovery import DailyRecovery, MonthlyRecovery, RecoveryDay, close_month
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting import rebuild_figures as module
from recycling.usecases.reporting.rebuild_figures import rebuild_figures
from recycling.usecases.reporting.recovered_facts import FACT_KEYS, facts_between
from tests.invariants import assert_invariants, broken
from tests.loads import a_keeper, a_line, a_weighing

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
CLERK = UUID(int=5)
FIGURES = (DailyRecovery, MonthlyRecovery, RecoveryDay)

Weigh = Callable[..., IntakeTicket]


@pytest.fixture
def weigh(session: Session, district: District, now: datetime) -> Weigh:
    """Weigh item lines in as walk-ins, at 临城 and now unless the test says otherwise."""

    def weigh(*lines: Any, net_g: int = 41_300, station_key: str = "lincheng", at: datetime = now) -> IntakeTicket:
        return weigh_in(
            a_weighing(*lines, net_g=net_g), scale_number="1", by=a_keeper(station_key), district=district,
            session=session, now=at,
        )  # fmt: skip

    return weigh


def rebuilt(session: Session, now: datetime) -> list[MonthAnew]:
    return [rebuild_figures(month, by=SYSTEM, session=session, now=now) for month in months_on_record(session)]


def stored(session: Session) -> list[set[tuple[Any, ...]]]:
    """All figures as they stand, by day and by month."""
    tables = (DailyRecovery.__table__, MonthlyRecovery.__table__)
    return [{tuple(row) for row in session.execute(select(*table.c))} for table in tables]


def by_days(session: Session, first: date, last: date) -> list[tuple[Any, ...]]:
    """The plain sums of the daily figures of a span."""
    keys = [getattr(DailyRecovery, name) for name in FACT_KEYS]
    sums = [func.sum(each) for each in (DailyRecovery.units, DailyRecovery.recovered_g, DailyRecovery.ticket_lines)]
    found = session.execute(
        select(*keys, *sums).where(DailyRecovery.day.between(first, last)).group_by(*keys).order_by(*keys)
    )
    return [(*row[:4], *(int(amount) for amount in row[4:])) for row in found]


def test_any_span_read_by_months_is_the_sum_of_its_days(session: Session) -> None:
    # given figures of 14 months on two days in three, some of them below zero, and their sums by month
    chance, first = random.Random(7), date(2023, 12, 1)
    rows = [
        {
            "day": first + timedelta(days=n), "station_key": station, "town_key": chance.choice(("lincheng", "shagou")),
            "item_type": item, "channel": "walk_in", "provenance": "weighed", "units": chance.randint(-2, 9),
            "recovered_g": chance.randint(-50_000, 400_000), "ticket_lines": 1,
        }
        for n in range(427) for station in ("lincheng", "shagou") for item in ("fan", "fridge")
        if chance.random() < 0.67
    ]  # fmt: skip
    session.execute(insert(DailyRecovery), rows)
    month = "date(day, 'start of month')" if session.get_bind().dialect.name == "sqlite" else "date_trunc('month', day)"
    keys = "station_key, town_key, item_type, channel, provenance"
    session.execute(
        text(
            f"INSERT INTO monthly_recovery SELECT {month}, {keys}, SUM(units), SUM(recovered_g), SUM(ticket_lines)"
            f" FROM daily_recovery GROUP BY {month}, {keys}"
        )
    )
    # then spans that begin and end anywhere: within a month, at its ends, over a leap day and a turn of the year
    fixed = [
        (date(2024, 1, 1), date(2024, 12, 31)), (date(2024, 2, 1), date(2024, 2, 29)),
        (date(2024, 2, 2), date(2024, 2, 29)), (date(2024, 2, 1), date(2024, 2, 28)),
        (date(2024, 1, 31), date(2024, 2, 1)), (date(2024, 1, 15), date(2024, 2, 15)),
        (date(2024, 1, 31), date(2024, 3, 1)), (date(2024, 5, 5), date(2024, 5, 5)),
        (date(2023, 12, 31), date(2025, 1, 1)), (date(2024, 6, 2), date(2024, 6, 1)),
    ]  # fmt: skip
    anywhere = [first + timedelta(days=chance.randrange(427)) for _ in range(120)]
    spans: Sequence[tuple[date, date]] = [*fixed, *zip(anywhere[::2], anywhere[1::2], strict=True)]
    for begin, end in spans:
        assert facts_between(begin, end, session=session) == by_days(session, begin, end), (begin, end)
    # and a year is indeed read by months: a figure by month changed by hand shows in it, and not in a week
    session.execute(text("UPDATE monthly_recovery SET units = units + 1000 WHERE month = '2024-05-01'"))
    assert facts_between(date(2024, 1, 1), date(2024, 12, 31), session=session) != by_days(
        session, date(2024, 1, 1), date(2024, 12, 31)
    )
    week = date(2024, 5, 6), date(2024, 5, 12)
    assert facts_between(*week, session=session) == by_days(session, *week)
    session.rollback()


def test_lost_figures_come_out_of_the_tickets_again_to_the_row(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    # given tickets of three months: several lines, another station, a correction, a withdrawal, an adjustment
    weigh(a_line("fridge", 1, 41_300), a_line("washer-top", 2), a_line("microwave"), net_g=111_300)
    late = weigh(a_line("fan"), net_g=4_000, station_key="shagou", at=now - timedelta(days=30))
    weigh(a_line("stove"), net_g=12_000, at=now + timedelta(days=10))
    gone, wrong = weigh(a_line("desk"), net_g=30_000), weigh(a_line("fridge"), net_g=41_300)
    at: dict[str, Any] = {"district": district, "session": session}
    correct_ticket(gone.id, None, reason="重复", by=a_keeper(), now=now, **at)
    correct_ticket(wrong.id, a_weighing(net_g=40_000), reason="读错", by=a_keeper(), now=now, **at)
    with atomic(session):
        close_month(session, OCTOBER, by_id=CLERK, now=now)
    adjusted = a_weighing(a_line("fan"), net_g=5_000)
    correct_ticket(late.id, adjusted, reason="读错", by=a_keeper("shagou"), now=now, **at)
    assert months_on_record(session) == [OCTOBER, NOVEMBER, DECEMBER]
    before = stored(session)
    # when all figures are lost, one of another month is invented, and everything is rebuilt
    for model in FIGURES:
        session.execute(model.__table__.delete())  # type: ignore[attr-defined]  # a Table, by SQLAlchemy's wider word
    invented = {
        "day": date(2026, 9, 9), "station_key": "lincheng", "town_key": "lincheng", "item_type": "fan",
        "channel": "bin", "provenance": "weighed", "units": 5, "recovered_g": 9_000, "ticket_lines": 1,
    }  # fmt: skip
    session.execute(insert(DailyRecovery), [invented])
    session.commit()
    later = now + timedelta(days=20)
    with capture_logs() as lines:
        found = rebuilt(session, later)
    # then they are what they were, the invented one is gone, and each month says what differed:
    # October the fan; November fridge, 2 washers, microwave and fridge again on two keys (weighed, by table), and the
    # fan taken off and put in, on one key: 5 - 4 kg; December the stove
    assert stored(session) == before
    assert [(one.month.month, one.differences, one.month_differences) for one in found] == [
        (9, 1, 0), (10, 1, 1), (11, 4, 4), (12, 1, 1),
    ]  # fmt: skip
    assert [(one.rows, one.units, one.recovered_g) for one in found] == [
        (0, 0, 0), (1, 1, 4_000), (4, 5, 111_300 + 40_000 + 1_000), (1, 1, 12_000),
    ]  # fmt: skip
    # loudly, and in the audit log
    assert [line["log_level"] for line in lines if line["event"] == "figures.difference"] == ["critical"] * 4
    rebuilds = select(AuditRow.subject).where(AuditRow.action == "figures.rebuilt").order_by(AuditRow.number)
    subjects = session.scalars(rebuilds).all()
    assert subjects == ["2026-09", "2026-10", "2026-11", "2026-12"]
    # and a second time there is nothing to change, and nothing is said
    session.rollback()
    with capture_logs() as lines:
        assert not any(one.differences or one.month_differences for one in rebuilt(session, later))
    assert not lines
    assert set(session.scalars(select(RecoveryDay.rolled_up_at))) == {later}
    assert_invariants(session)


def test_a_figure_of_a_month_changed_by_hand_is_found_and_set_right(
    session: Session, now: datetime, weigh: Weigh
) -> None:
    weigh(a_line("fridge"))
    session.execute(text("UPDATE monthly_recovery SET recovered_g = 1"))
    session.commit()
    (found,) = rebuilt(session, now)
    assert (found.differences, found.month_differences) == (0, 1)
    assert_invariants(session)


def test_without_tickets_and_figures_there_is_nothing_to_rebuild(session: Session) -> None:
    assert months_on_record(session) == []


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "control"])
def test_a_weigh_in_while_its_month_is_rebuilt_is_in_the_figures(
    *, lock: bool, session: Session, district: District, now: datetime, weigh: Weigh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rebuild reads the tickets and then writes: without the lock it would overwrite what came between."""
    engine = session.get_bind()
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time; there is no lock to take away")
    if not lock:
        monkeypatch.setattr(recovery, "_month_lock", lambda day: (0, threading.get_ident() % 2**31))
    # given a month with a wrong figure, so that it is written, and a rebuild that has read the tickets
    weigh(a_line("fridge"))
    session.execute(text("UPDATE daily_recovery SET units = 9"))
    session.commit()
    read, weighed = threading.Event(), threading.Event()

    def pausing(own: Session, month: date, *, now: datetime) -> MonthAnew:
        told = own.execute

        def execute(statement: Any, *values: Any, **options: Any) -> Any:
            answer = told(statement, *values, **options)
            if "INSERT INTO told_recovery" in str(statement):
                read.set()
                weighed.wait(0.5)
            return answer

        monkeypatch.setattr(own, "execute", execute)
        return write_month_anew(own, month, now=now)

    monkeypatch.setattr(module, "write_month_anew", pausing)

    def rebuild() -> None:
        with Session(engine) as own:
            rebuild_figures(NOVEMBER, by=SYSTEM, session=own, now=now)

    def weigh_meanwhile() -> None:
        with Session(engine) as own:
            weigh_in(
                a_weighing(a_line("fan"), net_g=4_000), scale_number="2", by=a_keeper("shagou"), district=district,
                session=own, now=now,
            )  # fmt: skip
        weighed.set()

    threads = [threading.Thread(target=rebuild), threading.Thread(target=weigh_meanwhile)]
    # when a fan is weighed in just then
    threads[0].start()
    assert read.wait(5)
    threads[1].start()
    for thread in threads:
        thread.join(10)
    # then it waited and is in the figures; in the control its figure is gone
    units = session.scalars(select(DailyRecovery.units).order_by(DailyRecovery.item_type)).all()
    assert units == ([1, 1] if lock else [1])
    assert bool(broken(session)) is not lock
