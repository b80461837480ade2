"""Stock by lots: tickets bring in, hand-overs take out, corrections follow, and the books balance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput
from recycling.models.intake import IntakeTicket
from recycling.models.outbox import OutboxMessage
from recycling.models.people import Staff
from recycling.models.recovery import close_month
from recycling.models.stock import StockAdjustment, StockLot
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.custody.hand_over import hand_over
from recycling.usecases.custody.stock_age import tell_of_aged_stock
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.queries.station_balance import station_balance
from recycling.usecases.queries.stock import list_lots, stock_by_station
from recycling.usecases.reporting.outflow import outflow_between
from tests.builders import DISPATCHER
from tests.invariants import assert_invariants
from tests.loads import a_batch, a_keeper, a_line, a_weighing, correct_by_two

TODAY = date(2026, 11, 23)  # of tests.conftest.NOW, in Shanghai
Weigh = Callable[..., IntakeTicket]


@pytest.fixture
def weigh(session: Session, district: District, now: datetime) -> Weigh:
    """Weigh in at 临城 today, unless the test says otherwise."""

    def weigh(weighing: Any, *, station_key: str = "lincheng", at: datetime = now) -> IntakeTicket:
        return weigh_in(
            weighing, scale_number="1", by=a_keeper(station_key), district=district, session=session, now=at
        )

    return weigh


@pytest.fixture
def correct(session: Session, district: District, now: datetime) -> Weigh:
    """Correct a ticket of 临城."""

    def correct(ticket: IntakeTicket, weighing: Any, *, at: datetime = now) -> IntakeTicket:
        return correct_by_two(
            ticket.id, weighing, reason="读数有误", by=a_keeper(), district=district, session=session, now=at
        )

    return correct


def lots(session: Session) -> list[tuple[Any, ...]]:
    """Item type, day, units and grams in, out, adjusted and left of every lot."""
    row = StockLot
    columns = (
        row.item_type, row.day, row.in_units, row.in_g, row.out_units, row.out_g, row.adjusted_units, row.adjusted_g,
        row.left_units, row.left_g,
    )  # fmt: skip
    return [
        tuple(one) for one in session.execute(select(*columns).order_by(row.item_type, row.day, row.in_units.desc()))
    ]


def test_what_tickets_bring_lies_in_the_lot_of_its_item_type_and_day(session: Session, weigh: Weigh) -> None:
    weigh(a_weighing(a_line("fridge", 1, 41_300), a_line("fan"), net_g=45_300))
    weigh(a_weighing())
    weigh(a_weighing(), station_key="shagou")
    # two fridges of 41.3 kg at 临城, one at 沙沟, a fan of 45.3 - 41.3 = 4 kg
    assert lots(session) == [
        ("fan", TODAY, 1, 4_000, 0, 0, 0, 0, 1, 4_000),
        ("fridge", TODAY, 2, 82_600, 0, 0, 0, 0, 2, 82_600),
        ("fridge", TODAY, 1, 41_300, 0, 0, 0, 0, 1, 41_300),
    ]
    assert_invariants(session)


def test_a_correction_moves_the_lot_of_the_day_of_weighing_also_when_it_counts_later(
    session: Session, weigh: Weigh, correct: Weigh, now: datetime
) -> None:
    ticket = weigh(a_weighing())
    second = correct(ticket, a_weighing(a_line("freezer"), net_g=44_000))
    assert lots(session) == [
        ("freezer", TODAY, 1, 44_000, 0, 0, 0, 0, 1, 44_000),
        ("fridge", TODAY, 0, 0, 0, 0, 0, 0, 0, 0),
    ]
    # when the month is closed, and the mass corrected in December: the goods have lain there since November
    with atomic(session):
        close_month(session, TODAY, by_id=uuid4(), now=now + timedelta(days=10))
    correct(second, a_weighing(a_line("freezer"), net_g=43_000), at=now + timedelta(days=12))
    assert lots(session)[0] == ("freezer", TODAY, 1, 43_000, 0, 0, 0, 0, 1, 43_000)
    assert_invariants(session)


def test_a_correction_does_not_take_out_what_was_handed_over(
    session: Session, district: District, now: datetime, weigh: Weigh, correct: Weigh
) -> None:
    ticket = weigh(a_weighing(a_line(units=3), net_g=123_900))
    hand_over(a_batch(("fridge", 2), net_g=82_600), by=a_keeper(), district=district, session=session, now=now)
    # when only one fridge is said to have come
    with pytest.raises(Conflict, match="2 fridge of those weighed in at lincheng on 2026-11-23 have left the stock"):
        correct(ticket, a_weighing(a_line(units=1), net_g=41_300))
    with pytest.raises(Conflict, match="takes away 2 too many"):
        correct(ticket, None)
    # then nothing has moved, and two may be said to have come
    assert lots(session) == [("fridge", TODAY, 3, 123_900, 2, 82_600, 0, 0, 1, 41_300)]
    correct(ticket, a_weighing(a_line(units=2), net_g=82_600))
    assert lots(session) == [("fridge", TODAY, 2, 82_600, 2, 82_600, 0, 0, 0, 0)]
    assert_invariants(session)


def test_a_corrected_mass_of_goods_that_have_left_is_adjusted_and_never_negative(
    session: Session, district: District, now: datetime, weigh: Weigh, correct: Weigh
) -> None:
    # given a fridge that has left with 41.3 kg
    ticket = weigh(a_weighing())
    hand_over(a_batch(), by=a_keeper(), district=district, session=session, now=now)
    # when it turns out that it weighed 42.3 kg
    second = correct(ticket, a_weighing(net_g=42_300))
    # then the figure is right, and the kilogram that nobody has is written off: 42.3 - 41.3 - 1 = 0
    assert lots(session) == [("fridge", TODAY, 1, 42_300, 1, 41_300, 0, -1_000, 0, 0)]
    row = session.scalars(select(StockAdjustment)).one()
    assert (row.reason, row.ticket_id, row.units, row.net_g) == ("ticket_corrected", second.id, 0, -1_000)
    # given two of which one has left with half of 82.6 kg, when both together weighed 40 kg only
    both = weigh(a_weighing(a_line(units=2), net_g=82_600), at=now + timedelta(days=1))
    hand_over(a_batch(), by=a_keeper(), district=district, session=session, now=now + timedelta(days=1))
    correct(both, a_weighing(a_line(units=2), net_g=40_000), at=now + timedelta(days=1))
    # then the one that is left has the new mean, 20 kg: 40 - 41.3 + 21.3
    assert lots(session)[1] == ("fridge", date(2026, 11, 24), 2, 40_000, 1, 41_300, 0, 21_300, 1, 20_000)
    assert_invariants(session)


def test_the_database_keeps_each_lot_balanced_and_at_or_above_zero(session: Session, weigh: Weigh) -> None:
    weigh(a_weighing())
    for wrong in ({"out_units": 1}, {"left_units": 0}, {"left_g": 1}, {"adjusted_units": -2, "left_units": -1}):
        lot = session.scalars(select(StockLot)).one()
        for name, value in wrong.items():
            setattr(lot, name, value)
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()


def staff(session: Session, now: datetime, *, role: str = "keeper", station_key: str | None = None) -> Staff:
    row = Staff(
        id=uuid4(), login=f"{role}-{uuid4()}", name="n", role=role, password_hash="-", station_key=station_key,
        created_at=now,
    )  # fmt: skip
    session.add(row)
    session.commit()
    return row


def messages(session: Session, kind: str) -> list[tuple[str, Any, dict[str, Any]]]:
    found = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.dedupe_key))
    return [(row.recipient_kind, row.recipient_id, row.facts) for row in found]


def test_a_full_station_takes_goods_in_and_tells_its_keepers_and_dispatchers_once_a_day(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    # given 临城 with its limit of 20 t, told of from 90 % on, and people there, elsewhere and at the desk
    keeper = staff(session, now, station_key="lincheng").id
    desk = staff(session, now, role="dispatcher").id
    staff(session, now, station_key="shagou")
    # when 17.9 t come, then it is quiet; with 100 kg more it is 18 t
    weigh(a_weighing(a_line("washer-drum", 300), net_g=17_900_000))
    assert messages(session, "stock.full") == []
    weigh(a_weighing(a_line("washer-drum", 2), net_g=100_000))
    weigh(a_weighing(a_line("washer-drum", 40), net_g=2_400_000))
    told = messages(session, "stock.full")
    assert {(kind, to) for kind, to, _ in told} == {("staff", keeper), ("staff", desk)}
    assert told[0][2]["stored_g"] == 18_000_000
    # and tomorrow again
    weigh(a_weighing(), at=now + timedelta(days=1))
    assert len(messages(session, "stock.full")) == 4
    # and it shows: 20,400,000 + 41,300 g of 20,000,000
    (shown,) = stock_by_station(
        by=DISPATCHER, district=district, session=session, now=now + timedelta(days=1), station_key="lincheng"
    )["stations"]
    assert (shown["state"], shown["stored_g"], shown["share_bp"]) == ("above", 20_441_300, 10_220)


def test_lots_that_lie_too_long_are_told_of_once(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    # given a fridge (30 days), a sofa (14 days) and a fan that has left
    keeper = staff(session, now, station_key="lincheng").id
    weigh(a_weighing(a_line("fridge", 1, 41_300), a_line("sofa-single", 1, 25_000), a_line("fan"), net_g=70_300))
    hand_over(a_batch(("fan", 1), net_g=4_000), by=a_keeper(), district=district, session=session, now=now)

    def told(days: int) -> dict[str, int]:
        return tell_of_aged_stock(district=district, session=session, now=now + timedelta(days=days))

    # when 14 days have passed nothing has lain for more than 14; on the next day the sofa has
    assert told(14) == {"stations": 0, "lots": 0}
    assert told(15) == {"stations": 1, "lots": 1}
    assert told(16) == {"stations": 0, "lots": 0}
    # and after 31 days the fridge
    assert told(31) == {"stations": 1, "lots": 1}
    found = messages(session, "stock.aged")
    assert {(kind, to) for kind, to, _ in found} == {("staff", keeper), ("bureau", None)}
    assert {(facts["lots"], facts["stored_g"]) for _, _, facts in found} == {(1, 25_000), (1, 41_300)}
    assert_invariants(session)


def test_stock_is_shown_by_station_item_type_and_age_and_a_keeper_sees_the_own(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    weigh(a_weighing())
    weigh(a_weighing(a_line("sofa-single"), net_g=25_000), at=now + timedelta(days=2))
    weigh(a_weighing(), station_key="shagou", at=now + timedelta(days=40))
    later = now + timedelta(days=40)
    given: dict[str, Any] = {"district": district, "session": session, "now": later}
    stations = stock_by_station(by=DISPATCHER, **given)["stations"]
    assert [row["station_key"] for row in stations] == list(district.network.stations)
    lincheng = stations[0]
    assert (lincheng["stored_units"], lincheng["stored_g"], lincheng["state"]) == (2, 66_300, "within")
    # the fridge has lain 40 days of 30, the sofa 38 of 14
    ages = [(row["item_type"], row["oldest_days"], row["aged_units"]) for row in lincheng["item_types"]]
    assert ages == [("fridge", 40, 1), ("sofa-single", 38, 1)]
    (own,) = stock_by_station(by=a_keeper("shagou"), **given)["stations"]
    assert (own["station_key"], own["stored_units"]) == ("shagou", 1)
    # lots come oldest first, page by page
    page = list_lots(by=DISPATCHER, limit=2, **given)
    assert [(lot["item_type"], lot["days"], lot["aged"]) for lot in page["lots"]] == [
        ("fridge", 40, True), ("sofa-single", 38, True),
    ]  # fmt: skip
    rest = list_lots(by=DISPATCHER, limit=2, cursor=page["next_cursor"], **given)
    assert ([lot["station_key"] for lot in rest["lots"]], rest["next_cursor"]) == (["shagou"], None)
    old = list_lots(by=a_keeper(), limit=9, least_days=39, item_type="fridge", station_key="lincheng", **given)
    assert len(old["lots"]) == 1


def test_the_balance_of_a_span_adds_up_from_opening_to_closing(
    session: Session, district: District, now: datetime, weigh: Weigh, correct: Weigh
) -> None:
    # given a fridge of 41.3 kg today; two more tomorrow, one of which leaves the day after with (41.3 kg), and the
    # first one corrected to 42.3 kg in a month that is closed by then
    first = weigh(a_weighing())
    weigh(a_weighing(a_line(units=2), net_g=82_600), at=now + timedelta(days=1))
    hand_over(a_batch(), by=a_keeper(), district=district, session=session, now=now + timedelta(days=2))
    with atomic(session):
        close_month(session, TODAY, by_id=uuid4(), now=now + timedelta(days=10))
    correct(first, a_weighing(net_g=42_300), at=now + timedelta(days=12))
    later = now + timedelta(days=20)

    def balance(start: int, end: int) -> dict[str, int]:
        found = station_balance(
            TODAY + timedelta(days=start), TODAY + timedelta(days=end), by=DISPATCHER, district=district,
            session=session, now=later,
        )  # fmt: skip
        (station,) = found["stations"]
        assert (station["station_key"], station["balanced"]) == ("lincheng", True)
        (row,) = station["item_types"]
        return {name: value for name, value in row.items() if name.endswith("_g") and not name.startswith("diff")}

    # from tomorrow to the day after: 41.3 + 82.6 - 41.3
    assert balance(1, 2) == {
        "opening_g": 41_300, "in_g": 82_600, "out_g": 41_300, "adjusted_g": 0, "closing_g": 82_600,
    }  # fmt: skip
    # in December the correction comes in on its day, as in the figures, and since its fridge left it is taken off again
    assert balance(12, 12) == {
        "opening_g": 82_600, "in_g": 1_000, "out_g": 0, "adjusted_g": -1_000, "closing_g": 82_600,
    }  # fmt: skip
    with pytest.raises(InvalidInput, match="give days in sequence"):
        balance(3, 2)
    assert_invariants(session)


def test_reuse_refurbishment_and_recovery_are_told_apart(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    weigh(a_weighing(a_line(units=3), net_g=123_900))
    for processor in ("second-hand-demo", "repair-demo", "dismantler-demo"):
        batch = replace(a_batch(), processor_key=processor)
        hand_over(batch, by=a_keeper(), district=district, session=session, now=now)
    found = outflow_between(TODAY, TODAY, session=session)
    assert [tuple(row) for row in found] == [
        (TODAY, "lincheng", "fridge", kind, 1, 41_300) for kind in ("recovery", "refurbish", "reuse")
    ]
    assert outflow_between(TODAY + timedelta(days=1), TODAY + timedelta(days=9), session=session) == []
