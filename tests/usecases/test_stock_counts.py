"""Stock counts: differences adjust the lots, large ones with a second person, and stock is never negative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import Conflict, Forbidden, InvalidInput, NotFound
from recycling.models.audit import AuditRow
from recycling.models.custody import WeighedTag
from recycling.models.stock import StockAdjustment, StockCount, StockCountDecision, StockLot, add_lots
from recycling.policy.access import Principal
from recycling.policy.custody_tags import make_tag
from recycling.policy.district import District
from recycling.usecases.custody import count_stock as counting
from recycling.usecases.custody.count_stock import Counted, count_stock, decide_count
from recycling.usecases.custody.hand_over import hand_over
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.queries.custody import custody_trace
from recycling.usecases.queries.stock import find_count, list_counts
from tests.invariants import assert_invariants
from tests.loads import a_batch, a_keeper, a_line, a_weighing

TODAY = date(2026, 11, 23)  # of tests.conftest.NOW, in Shanghai
CLERK = Principal(id=uuid4(), role="clerk")
KEEPER = a_keeper()
TAGS = [make_tag(1), make_tag(2)]


@pytest.fixture
def weigh(session: Session, district: District, now: datetime) -> Callable[..., Any]:
    """Weigh in at 临城, so many days from now."""

    def weigh(*lines: Any, net_g: int = 41_300, days: int = 0) -> Any:
        return weigh_in(
            a_weighing(*lines, net_g=net_g), scale_number="1", by=KEEPER, district=district, session=session,
            now=now + timedelta(days=days),
        )  # fmt: skip

    return weigh


@pytest.fixture
def count(session: Session, district: District, now: datetime) -> Callable[..., StockCount]:
    """Count at 临城 in two days."""

    def count(*counted: Counted, by: Principal = KEEPER) -> StockCount:
        return count_stock(counted, by=by, district=district, session=session, now=now + timedelta(days=2))

    return count


def fridges(units: int, net_g: int | None = None, reason: Any = "lost") -> Counted:
    return Counted(item_type="fridge", units=units, net_g=net_g, reason=reason)


def left(session: Session) -> list[tuple[object, ...]]:
    wanted = select(StockLot.day, StockLot.left_units, StockLot.left_g).where(StockLot.left_units > 0)
    return [tuple(row) for row in session.execute(wanted.order_by(StockLot.item_type, StockLot.day))]


def test_a_count_that_meets_the_books_changes_nothing(
    session: Session, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    weigh(a_line(units=2), net_g=82_000)
    made = count(fridges(2, reason=None), Counted(item_type="fan", units=0))
    assert (made.number, made.held) == (1, False)
    assert session.scalars(select(StockAdjustment)).all() == []
    # a reason without a difference is none
    assert count(fridges(2, 82_000)).lines[0].reason is None
    assert_invariants(session)


def test_what_is_missing_goes_out_of_the_oldest_lot_and_what_is_there_too_many_into_the_newest(
    session: Session, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    # given a fridge of 41 kg today and two of 80 kg tomorrow; three on the books weigh 121 kg, 40,333 g each
    weigh(net_g=41_000)
    weigh(a_line(units=2), net_g=80_000, days=1)
    # when one is missing, then the oldest lot is empty and 121,000 - 40,333 = 80,667 g are left in the other
    made = count(fridges(2))
    assert not made.held
    assert left(session) == [(TODAY + timedelta(days=1), 2, 80_667)]
    # when the two are weighed at 82 kg, only the mass moves
    count(fridges(2, 82_000, "other"))
    assert left(session) == [(TODAY + timedelta(days=1), 2, 82_000)]
    # when one is found again, without a mass it weighs what the others do
    count(fridges(3, reason="found"))
    assert left(session) == [(TODAY + timedelta(days=1), 3, 123_000)]
    # and what was never booked lies in a lot of the day of the count, by the type table: 4 kg for a fan
    count(Counted(item_type="fan", units=1, reason="found"))
    assert left(session)[0] == (TODAY + timedelta(days=2), 1, 4_000)
    # each is in the audit log
    actions = session.scalars(select(AuditRow.action).order_by(AuditRow.number)).all()
    assert actions == ["stock.counted"] * 4
    assert_invariants(session)


@pytest.mark.parametrize(
    ("counted", "says"),
    [
        ([fridges(1, reason=None)], "1 counted and 2 booked, a difference of -1 units and -41 kg; say why"),
        ([fridges(2, 80_000, None)], "a difference of 0 units and -2 kg; say why"),
        ([fridges(2), fridges(2)], "'fridge' comes twice"),
        ([Counted(item_type="fridg", units=1)], "not in the catalogue"),
        ([fridges(2, 2_000_000)], "2000 kg for 2 × 电冰箱 fridge cannot be"),
        ([fridges(0, 1_000)], "net_g 1000 of 0 fridge: nothing weighs that"),
    ],
)
def test_a_count_that_cannot_be_is_refused(
    session: Session, weigh: Callable[..., Any], count: Callable[..., StockCount], counted: list[Counted], says: str
) -> None:
    weigh(a_line(units=2), net_g=82_000)
    with pytest.raises(InvalidInput, match=says):
        count(*counted)
    assert session.scalars(select(StockCount.id)).all() == []


def test_a_large_difference_waits_for_somebody_else_than_who_counted(
    session: Session, now: datetime, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    # given five fridges, of which three are missing: from three on it takes two people
    weigh(a_line(units=5), net_g=205_000)
    made = count(fridges(2))
    later = now + timedelta(days=3)
    assert find_count(made.id, by=CLERK, session=session)["state"] == "held"
    assert left(session) == [(TODAY, 5, 205_000)]
    # then the one who counted does not decide, nobody of another station sees it, and a clerk lets it hold
    given: dict[str, Any] = {"approved": True, "note": "已核实", "session": session, "now": later}
    with pytest.raises(Forbidden, match="a second person decides"):
        decide_count(made.id, by=KEEPER, **given)
    with pytest.raises(NotFound):
        decide_count(made.id, by=a_keeper("shagou"), **given)
    assert len(list_counts(by=CLERK, session=session, limit=9, state="held")["stock_counts"]) == 1
    decide_count(made.id, by=CLERK, **given)
    assert left(session) == [(TODAY, 2, 82_000)]
    assert list_counts(by=CLERK, session=session, limit=9, state="held")["stock_counts"] == []
    with pytest.raises(Conflict, match="waits for nobody"):
        decide_count(made.id, by=CLERK, **given)
    assert_invariants(session)


def test_a_count_that_is_put_aside_changes_nothing_and_a_mass_may_be_large_too(
    session: Session, now: datetime, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    weigh(a_line(units=5), net_g=205_000)
    # 100 kg too much of the same five
    made = count(fridges(5, 305_000, "miscounted"))
    assert made.held
    decide_count(made.id, approved=False, note="秤未归零", by=a_keeper(), session=session, now=now + timedelta(days=3))
    assert find_count(made.id, by=CLERK, session=session)["state"] == "rejected"
    assert left(session) == [(TODAY, 5, 205_000)]
    assert_invariants(session)


def test_a_count_whose_goods_have_left_meanwhile_never_makes_stock_negative(
    session: Session, district: District, now: datetime, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    # given a held count that takes three of five away, and four that leave before it is approved
    weigh(a_line(units=5), net_g=205_000)
    made = count(fridges(2))
    later = now + timedelta(days=3)
    hand_over(a_batch(("fridge", 4), net_g=164_000), by=KEEPER, district=district, session=session, now=later)
    with pytest.raises(Conflict, match="1 fridge are left by now, and the count takes away 3; count again"):
        decide_count(made.id, approved=True, note="已核实", by=CLERK, session=session, now=later)
    assert left(session) == [(TODAY, 1, 41_000)]
    assert find_count(made.id, by=CLERK, session=session)["state"] == "held"
    assert_invariants(session)


def test_only_a_keeper_counts_and_the_database_wants_two_people(
    session: Session, now: datetime, count: Callable[..., StockCount]
) -> None:
    with pytest.raises(Forbidden):
        count(fridges(0), by=CLERK)
    made = count(Counted(item_type="fan", units=9, reason="found"))
    session.add(
        StockCountDecision(count_id=made.id, approved=True, note="", counted_by_id=KEEPER.id, by_id=KEEPER.id, at=now)
    )
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_a_missing_label_is_written_off_its_own_lot_and_leaves_the_stock(
    session: Session, district: District, now: datetime, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    # given a fridge today, and two with labels tomorrow
    weigh(net_g=41_000)
    weigh(a_line(units=2, tags=TAGS), net_g=82_000, days=1)
    # when the one of the second label is missed, then it is tomorrow's lot that is smaller
    made = count(replace(fridges(2), missing=[TAGS[1].lower()]))
    assert find_count(made.id, by=CLERK, session=session)["lines"][0].missing_tags == [TAGS[1]]
    assert [row[:2] for row in left(session)] == [(TODAY, 1), (TODAY + timedelta(days=1), 1)]
    # and it cannot be handed over, be missed again, or be taken off its ticket
    trace = custody_trace(TAGS[1], session=session)
    assert (trace["steps"][-1]["kind"], trace["steps"][-1]["count_id"]) == ("missing", str(made.id))
    with pytest.raises(Conflict, match="is not in stock here"):
        hand_over(a_batch(tags=[TAGS[1]]), by=KEEPER, district=district, session=session, now=now + timedelta(days=2))
    with pytest.raises(Conflict, match="is not in stock here"):
        count(replace(fridges(1), missing=[TAGS[1]]))
    ticket_id = session.scalars(select(WeighedTag.ticket_id)).first()
    assert ticket_id is not None
    with pytest.raises(Conflict, match="has left the station by a stock count"):
        correct_ticket(
            ticket_id, a_weighing(a_line(units=2, tags=TAGS[:1]), net_g=82_000), reason="读数有误", by=KEEPER,
            district=district, session=session, now=now + timedelta(days=2),
        )  # fmt: skip
    assert_invariants(session)


def test_a_held_count_leaves_its_missing_labels_in_stock_until_it_is_approved(
    session: Session, now: datetime, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    weigh(a_line(units=4, tags=TAGS), net_g=164_000)
    made = count(replace(fridges(1), missing=TAGS))
    assert len(custody_trace(TAGS[0], session=session)["steps"]) == 2
    later = now + timedelta(days=3)
    decide_count(made.id, approved=True, note="已核实", by=CLERK, session=session, now=later)
    assert custody_trace(TAGS[0], session=session)["steps"][-1]["kind"] == "missing"
    assert [row[:2] for row in left(session)] == [(TODAY, 1)]
    assert_invariants(session)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (Counted(item_type="fridge", units=2, missing=[make_tag(1)]), "1 labels are missing and 0 units"),
        (Counted(item_type="fridge", units=1, reason="lost", missing=["x"]), "'x' is no label"),
        (Counted(item_type="fan", units=0, reason="lost", missing=[make_tag(1)]), "is on a fridge, not on a fan"),
    ],
)
def test_labels_that_a_count_cannot_miss_are_refused(
    session: Session, weigh: Callable[..., Any], count: Callable[..., StockCount], line: Counted, says: str
) -> None:
    weigh(a_line("fridge", 2, 82_000, tags=[make_tag(1)]), a_line("fan"), net_g=86_000)
    with pytest.raises((InvalidInput, Conflict), match=says):
        count(line)
    assert session.scalars(select(StockCount.id)).all() == []


def test_a_count_names_the_labels_that_are_missing_and_takes_the_others_first(
    session: Session, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    # given a labelled fridge in the oldest lot, and one without a label tomorrow
    weigh(a_line(tags=TAGS[:1]), net_g=41_000)
    weigh(net_g=41_000, days=1)
    # when one is missing, then it is the one without a label, though its lot is the newer
    count(fridges(1))
    assert [row[:2] for row in left(session)] == [(TODAY, 1)]
    # when that one is missing too, then its label must be said: the control, a label in stock without a unit
    with pytest.raises(InvalidInput, match="0 counted, and 1 in stock have labels; name at least 1 in missing"):
        count(fridges(0))
    assert_invariants(session)
    # the month's losses together wait for a second person from three units on; these are two
    assert not count(replace(fridges(0), missing=TAGS[:1])).held
    assert left(session) == []
    assert_invariants(session)


def test_a_label_that_is_found_again_is_in_its_own_lot_again(
    session: Session, district: District, now: datetime, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    # given a labelled fridge of 41 kg that a count has missed, and one of the day after
    weigh(a_line(tags=TAGS[:1]), net_g=41_000)
    weigh(a_line(tags=TAGS[1:]), net_g=41_000, days=1)
    count(replace(fridges(1), missing=TAGS[:1]))
    # when it is found, then it lies in the lot of its day with the mass of the others, and is handed over
    made = count(replace(fridges(2, reason="found"), found=TAGS[:1]))
    assert find_count(made.id, by=CLERK, session=session)["lines"][0].found_tags == TAGS[:1]
    assert left(session) == [(TODAY, 1, 41_000), (TODAY + timedelta(days=1), 1, 41_000)]
    kinds = [step["kind"] for step in custody_trace(TAGS[0], session=session)["steps"]]
    assert kinds == ["station", "lot", "missing", "found"]
    assert_invariants(session)
    # one that no count misses is not found
    with pytest.raises(Conflict, match="is missed by no count of this station"):
        count(replace(fridges(3, reason="found"), found=TAGS[:1]))
    hand_over(
        a_batch(tags=TAGS[:1], net_g=41_000), by=KEEPER, district=district, session=session,
        now=now + timedelta(days=2),
    )  # fmt: skip
    assert_invariants(session)


def test_one_label_missing_and_another_found_at_once_need_no_difference_of_units(
    session: Session, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    weigh(a_line(tags=TAGS[:1]), net_g=41_000)
    weigh(a_line(tags=TAGS[1:]), net_g=41_000, days=1)
    count(replace(fridges(1), missing=TAGS[:1]))
    made = count(replace(fridges(1, reason="miscounted"), missing=TAGS[1:], found=TAGS[:1]))
    assert (made.lines[0].units, left(session)) == (0, [(TODAY, 1, 41_000)])
    assert_invariants(session)


def test_what_is_weighed_in_while_an_empty_shelf_is_counted_keeps_its_mass(
    session: Session, district: District, now: datetime, count: Callable[..., StockCount],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    engine, later, make = session.get_bind(), now + timedelta(days=2), add_lots
    session.rollback()

    def weigh_three() -> None:
        weighing = a_weighing(a_line(units=3), net_g=123_000)
        with Session(engine) as own:
            weigh_in(weighing, scale_number="1", by=KEEPER, district=district, session=own, now=later)

    keeper = Thread(target=weigh_three)

    def meanwhile(*args: Any) -> Any:
        keeper.start()
        keeper.join(1)  # on SQLite it waits for the count to end
        return make(*args)

    monkeypatch.setattr(counting, "add_lots", meanwhile)
    # given an empty shelf on which two fridges of 41 kg are found
    count(fridges(2, 82_000, reason="found"))
    keeper.join(10)
    # then 3 + 2 fridges weigh 123 + 82 kg
    session.expire_all()
    assert [row[1:] for row in left(session)] == [(5, 205_000)]
    assert_invariants(session)


def test_small_losses_one_after_the_other_wait_for_a_second_person_as_a_large_one_does(
    session: Session, weigh: Callable[..., Any], count: Callable[..., StockCount]
) -> None:
    # given ten fridges, of which one person may write off two
    weigh(a_line(units=10), net_g=410_000)
    assert not count(fridges(8)).held
    # when the same shelf loses one more within the month: 2 + 1 are three
    third = count(fridges(7))
    # then a second person is asked, and the stock stays
    assert third.held
    assert [units for _, units, _ in left(session)] == [8]
    # a count that meets the books is none of that, nor another item type
    assert not count(fridges(8, reason=None)).held
    assert_invariants(session)
