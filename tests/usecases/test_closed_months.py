"""Closed months: what is signed stays, and a late correction is a dated adjustment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from recycling.errors import Conflict
from recycling.models import recovery
from recycling.models.booking import BookedItem
from recycling.models.intake import IntakeTicket
from recycling.models.recovery import DailyRecovery, MonthlyRecovery, close_month, hold_open
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.queries.intake import list_tickets
from recycling.usecases.queries.recovered import list_recovered
from recycling.usecases.reporting.goal_progress import goal_progress
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.roll_up import roll_up_day
from tests.builders import a_booking
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_weighing, collect

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
CLERK = UUID(int=5)
LATER = timedelta(days=12)  # 5 December


@pytest.fixture
def correct(session: Session, district: District, now: datetime) -> Callable[..., IntakeTicket]:
    """Correct a ticket of 临城 on 5 December, unless the test says otherwise."""

    def correct(ticket_id: UUID, weighing: Any, *, at: datetime = now + LATER) -> IntakeTicket:
        return correct_ticket(
            ticket_id, weighing, reason="读数有误", by=a_keeper(), district=district, session=session, now=at
        )

    return correct


def weighed(session: Session, district: District, now: datetime, **fields: Any) -> IntakeTicket:
    return weigh_in(a_weighing(**fields), scale_number="1", by=a_keeper(), district=district, session=session, now=now)


def close(session: Session, now: datetime, day: date = NOVEMBER) -> None:
    with atomic(session):
        assert close_month(session, day, by_id=CLERK, now=now)


def by_day(session: Session) -> list[tuple[date, int, int, int]]:
    """Day, units, grams and lines of every figure."""
    row = DailyRecovery
    wanted = select(row.day, row.units, row.recovered_g, row.ticket_lines).order_by(row.day)
    return [(one.day, one.units, one.recovered_g, one.ticket_lines) for one in session.execute(wanted)]


def by_month(session: Session) -> list[tuple[date, int, int]]:
    row = MonthlyRecovery
    wanted = select(row.month, row.units, row.recovered_g).order_by(row.month)
    return [(one.month, one.units, one.recovered_g) for one in session.execute(wanted)]


def test_a_correction_of_a_closed_month_counts_on_the_day_it_is_made(
    session: Session, district: District, now: datetime, correct: Callable[..., IntakeTicket]
) -> None:
    # given 41.3 kg weighed in on 23 November, whose month is closed
    ticket = weighed(session, district, now)
    close(session, now + timedelta(days=10))
    # when it turns out on 5 December that it was 40 kg
    made = correct(ticket.id, a_weighing(net_g=40_000))
    # then November stays, and December has -41.3 + 40 kg on that day, with the line taken off and the line put in
    assert (made.day, made.counts_on, made.counters_id) == (date(2026, 11, 23), date(2026, 12, 5), ticket.id)
    assert by_day(session) == [(date(2026, 11, 23), 1, 41_300, 1), (date(2026, 12, 5), 0, -1_300, 2)]
    assert by_month(session) == [(NOVEMBER, 1, 41_300), (DECEMBER, 0, -1_300)]
    # and a roll-up of either day finds nothing else
    for day in (date(2026, 11, 23), date(2026, 12, 5)):
        found = roll_up_day(day, district=district, session=session, now=now + LATER)
        assert (found.differences, found.month_differences) == (0, 0)
    assert_invariants(session)


def test_an_adjustment_of_an_open_month_is_replaced_in_place_and_of_a_closed_one_adjusted_again(
    session: Session, district: District, now: datetime, correct: Callable[..., IntakeTicket]
) -> None:
    ticket = weighed(session, district, now)
    close(session, now + timedelta(days=10))
    first = correct(ticket.id, a_weighing(net_g=40_000))
    # when the adjustment itself was wrong, while December is open
    second = correct(first.id, a_weighing(net_g=42_000), at=now + LATER + timedelta(days=1))
    # then it counts where the first one did, and takes off the same ticket: -41.3 + 42 kg
    assert (second.counts_on, second.counters_id) == (date(2026, 12, 5), ticket.id)
    assert by_month(session) == [(NOVEMBER, 1, 41_300), (DECEMBER, 0, 700)]
    # when December is closed as well, and the whole load is withdrawn in January
    close(session, now + timedelta(days=40), DECEMBER)
    gone = correct(second.id, None, at=now + timedelta(days=45))
    # then January takes off the 42 kg that the closed months hold together
    assert (gone.counts_on, gone.counters_id) == (date(2027, 1, 7), second.id)
    assert by_month(session) == [(NOVEMBER, 1, 41_300), (DECEMBER, 0, 700), (date(2027, 1, 1), -1, -42_000)]
    assert_invariants(session)


def test_units_of_an_adjusted_ticket_are_free_for_the_right_one(
    session: Session, district: District, now: datetime, correct: Callable[..., IntakeTicket]
) -> None:
    # given a collected fridge on a ticket of a closed month
    booking = a_booking(session, district=district, now=now)
    collect(session, booking, district=district, now=now)
    ticket = weigh_in(
        a_weighing(a_line(booking_id=booking.id)), scale_number="1", by=a_keeper(), district=district,
        session=session, now=now,
    )  # fmt: skip
    close(session, now + timedelta(days=10))
    # when it is withdrawn later
    correct(ticket.id, None)
    # then the booking has none weighed, though the closed month keeps its figure
    weighed_units = select(BookedItem.weighed_units).where(BookedItem.booking_id == booking.id)
    assert session.scalars(weighed_units).all() == [0]
    assert by_month(session) == [(NOVEMBER, 1, 41_300), (DECEMBER, -1, -41_300)]
    assert_invariants(session)


def test_nothing_is_weighed_into_a_closed_month(session: Session, district: District, now: datetime) -> None:
    close(session, now)
    with pytest.raises(Conflict, match="2026-11 are signed and closed"):
        weighed(session, district, now)
    assert by_day(session) == []
    # a month is closed once
    with atomic(session):
        assert not close_month(session, NOVEMBER, by_id=CLERK, now=now)


@pytest.mark.parametrize("back", [timedelta(days=12), timedelta(days=50)], ids=["closed too", "before it"])
def test_an_adjustment_by_a_clock_set_back_is_refused(
    back: timedelta, session: Session, district: District, now: datetime, correct: Callable[..., IntakeTicket]
) -> None:
    """Today must be a later day of an open month: what is taken off would else stand in a signed one."""
    # given a ticket of 23 November, and October and November closed on 5 December
    ticket = weighed(session, district, now)
    for month in (date(2026, 10, 1), NOVEMBER):
        close(session, now + LATER, month)
    # when the clock says 23 November again, or 16 October
    with pytest.raises(Conflict, match="2026-11 is closed, and 2026-1"):
        correct(ticket.id, None, at=now + LATER - back)
    # or 4 September, a month that nobody has closed
    with pytest.raises(Conflict, match="2026-11 is closed, and 2026-09-04"):
        correct(ticket.id, None, at=now - timedelta(days=80))
    assert by_day(session) == [(date(2026, 11, 23), 1, 41_300, 1)]
    assert_invariants(session)


def test_an_adjustment_of_a_made_up_ticket_is_marked_in_the_year_in_which_it_counts(
    session: Session, district: District, now: datetime, correct: Callable[..., IntakeTicket]
) -> None:
    # given a made-up ticket of November, closed, and found wrong in January
    ticket = weigh_in(
        a_weighing(), scale_number="1", by=a_keeper(), district=district, session=session, now=now, made_up=True
    )
    close(session, now + timedelta(days=10))
    january = now + timedelta(days=45)
    correct(ticket.id, a_weighing(net_g=40_000), at=january)

    def marked(on: date) -> str:
        (scope, *_) = goal_progress(on, district=district, session=session, now=january)["scopes"]
        return " ".join(scope["labels"])

    # then the old year has one made-up ticket, the new one that which takes it off and puts it in
    assert "includes 1 made-up tickets" in marked(date(2026, 12, 31))
    assert "includes 2 made-up tickets" in marked(january.date())
    (report,) = make_goal_report("2027-01", district=district, session=session, now=january).body["scopes"][:1]
    assert " ".join(report["labels"]) == marked(january.date())


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "control"])
def test_a_weigh_in_under_way_is_in_the_month_before_it_is_closed(
    *, lock: bool, session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing reads what stands and then closes: without the lock it would miss what is just being written."""
    engine = session.get_bind()
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time; there is no lock to take away")
    if not lock:
        monkeypatch.setattr(recovery, "_month_lock", lambda day: (0, threading.get_ident() % 2**31))
    seen: list[int] = []
    written, closing = threading.Event(), threading.Event()

    def weigh() -> None:
        with Session(engine) as own, atomic(own):
            hold_open(own, NOVEMBER)
            own.execute(text("INSERT INTO closed_month VALUES ('2020-01-01', now(), :id)"), {"id": str(CLERK)})
            written.set()
            closing.wait(0.5)

    def close_it() -> None:
        with Session(engine) as own, atomic(own):
            close_month(own, NOVEMBER, by_id=CLERK, now=now)
            seen.extend(own.scalars(text("SELECT 1 FROM closed_month WHERE month = '2020-01-01'")))
            closing.set()

    threads = [threading.Thread(target=weigh), threading.Thread(target=close_it)]
    threads[0].start()
    assert written.wait(5)
    threads[1].start()
    for thread in threads:
        thread.join(10)
    assert seen == ([1] if lock else [])


def test_the_tickets_of_a_figure_are_those_that_count_on_its_day(
    session: Session, district: District, now: datetime, correct: Callable[..., IntakeTicket]
) -> None:
    # given a ticket of 23 November, in a closed month, withdrawn on 5 December
    ticket = weighed(session, district, now)
    close(session, now + timedelta(days=10))
    gone = correct(ticket.id, None)
    # when somebody follows each day's figure to its tickets
    found = {}
    for figure in list_recovered(district=district, session=session, limit=9)["recovered"]:
        asked: dict[str, Any] = dict(parse_qsl(urlsplit(figure["tickets"]).query))
        asked["day"] = date.fromisoformat(asked["day"])
        shown = list_tickets(by=a_keeper(), district=district, session=session, limit=9, **asked)["tickets"]
        found[figure["day"]] = figure["units"], [one["id"] for one in shown]
    # then November shows what was weighed, and December what takes it off
    assert found == {date(2026, 11, 23): (1, [ticket.id]), date(2026, 12, 5): (-1, [gone.id])}
    spans = [(NOVEMBER, date(2026, 11, 30)), (DECEMBER, date(2026, 12, 31))]
    listed = [
        list_tickets(by=a_keeper(), district=district, session=session, limit=9, first=one, last=two)
        for one, two in spans
    ]
    assert [[row["id"] for row in page["tickets"]] for page in listed] == [[ticket.id], [gone.id]]


def test_nothing_is_adjusted_into_a_month_that_is_closed_as_well(
    session: Session, district: District, now: datetime, correct: Callable[..., IntakeTicket]
) -> None:
    ticket = weighed(session, district, now)
    for month in (NOVEMBER, DECEMBER):
        close(session, now + timedelta(days=40), month)
    # when the server's clock was set back to 5 December
    with pytest.raises(Conflict, match="2026-12-05 is no later day of an open month"):
        correct(ticket.id, None)
    assert by_month(session) == [(NOVEMBER, 1, 41_300)]
    assert_invariants(session)
