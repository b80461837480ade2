"""Hand-overs: licences, the wipe gate, oldest lots first, labels that leave, re-weighs, and two hands on one lot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound
from recycling.models.audit import AuditRow
from recycling.models.hand_over import HandOver, HandOverLine, ReWeighResolution
from recycling.models.stock import StockLot
from recycling.policy.access import Principal
from recycling.policy.custody_tags import make_tag
from recycling.policy.district import District
from recycling.policy.processors import ProcessorBook
from recycling.usecases.custody.hand_over import WantedUnits, hand_over
from recycling.usecases.custody.re_weigh import re_weigh, resolve_difference
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.queries.hand_overs import find_hand_over, list_hand_overs
from tests.invariants import assert_invariants, broken
from tests.loads import a_batch, a_keeper, a_line, a_weighing
from tests.stock_races import both_read_before_either_writes

TODAY = date(2026, 11, 23)  # of tests.conftest.NOW, in Shanghai
TAGS = [make_tag(1_000_003 * number) for number in range(1, 9)]
CLERK = Principal(id=uuid4(), role="clerk")


@pytest.fixture
def weigh(session: Session, district: District, now: datetime) -> Callable[..., Any]:
    """Weigh in at 临城, so many days from now."""

    def weigh(*lines: Any, net_g: int = 41_300, days: int = 0, station_key: str = "lincheng") -> Any:
        return weigh_in(
            a_weighing(*lines, net_g=net_g), scale_number="1", by=a_keeper(station_key), district=district,
            session=session, now=now + timedelta(days=days),
        )  # fmt: skip

    return weigh


@pytest.fixture
def hand(session: Session, district: District, now: datetime) -> Callable[..., HandOver]:
    """Hand a batch of 临城 over, so many days from now."""

    def hand(batch: Any, *, days: int = 0, by: Principal | None = None) -> HandOver:
        return hand_over(batch, by=by or a_keeper(), district=district, session=session, now=now + timedelta(days=days))

    return hand


def lines(batch: HandOver) -> list[tuple[str, date, int, int]]:
    return [(line.item_type, line.lot_day, line.units, line.net_g) for line in batch.lines]


def left(session: Session) -> list[tuple[object, ...]]:
    row = StockLot
    wanted = select(row.item_type, row.day, row.left_units).where(row.left_units > 0).order_by(row.item_type, row.day)
    return [tuple(one) for one in session.execute(wanted)]


def test_a_batch_is_numbered_takes_the_oldest_lots_first_and_keeps_the_licence_of_its_day(
    session: Session, weigh: Callable[..., Any], hand: Callable[..., HandOver]
) -> None:
    # given two fridges of 82 kg today and three of 120 kg tomorrow
    weigh(a_line(units=2), net_g=82_000)
    weigh(a_line(units=3), net_g=120_000, days=1)
    # when three leave tomorrow
    made = hand(a_batch(("fridge", 3), net_g=121_000, seal="ab 1234"), days=1)
    # then both of today's do, and one of tomorrow's at a third of its mass
    assert lines(made) == [("fridge", TODAY, 2, 82_000), ("fridge", TODAY + timedelta(days=1), 1, 40_000)]
    assert (made.number, made.station_key, made.net_g, made.seal) == (1, "lincheng", 121_000, "AB1234")
    assert (made.licence_number, made.licensed_to, made.kind) == ("占位-0001", date(2027, 12, 31), "recovery")
    assert left(session) == [("fridge", TODAY + timedelta(days=1), 2)]
    # and the next one has the next number; it may name its lot
    named = WantedUnits(item_type="fridge", units=2, day=TODAY + timedelta(days=1))
    assert hand(a_batch(net_g=80_000, lines=[named]), days=2).number == 2
    # and both are in the audit log
    actions = session.execute(select(AuditRow.action, AuditRow.facts).order_by(AuditRow.number)).all()
    assert [(row.action, row.facts["units"]) for row in actions] == [("hand_over.made", 3), ("hand_over.made", 2)]
    assert_invariants(session)


def test_a_batch_is_written_once(session: Session, weigh: Callable[..., Any], hand: Callable[..., HandOver]) -> None:
    weigh()
    made = hand(a_batch())
    made.net_g += 1
    with pytest.raises(TypeError, match="written once"):
        session.flush()
    session.rollback()


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        (a_batch(("fridge", 2)), "1 fridge are in stock and 2 are to be handed over"),
        (a_batch(("fan", 1)), "0 fan are in stock"),
        (a_batch(lines=[WantedUnits(item_type="fridge", units=1, day=date(2026, 11, 22))]), "0 fridge of 2026-11-22"),
        (a_batch(tags=[TAGS[0]]), "is not in stock here"),
    ],
)
def test_more_than_there_is_is_not_handed_over(
    session: Session, weigh: Callable[..., Any], hand: Callable[..., HandOver], batch: Any, says: str
) -> None:
    weigh()
    weigh(a_line(tags=[TAGS[0]]), station_key="shagou")
    with pytest.raises(Conflict, match=says):
        hand(batch)
    assert left(session) == [("fridge", TODAY, 1), ("fridge", TODAY, 1)]
    assert_invariants(session)


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        (a_batch(lines=()), "lines and tags are both empty"),
        (a_batch(tags=["XC-1"]), "'XC-1' is no label"),
        (a_batch(tags=[TAGS[0], TAGS[0]]), "comes twice"),
        (a_batch(seal="!"), "seal '!' is no number"),
        (a_batch(processor_key="moon"), "'moon' is no processor of ours; choose from dismantler-demo"),
        (a_batch(("fridg", 1)), "item type 'fridg' is not in the catalogue"),
        (a_batch(net_g=500_000), "500 kg for 1 × 电冰箱 fridge cannot be"),
    ],
)
def test_a_batch_that_cannot_be_is_refused(
    session: Session, weigh: Callable[..., Any], hand: Callable[..., HandOver], batch: Any, says: str
) -> None:
    weigh()
    with pytest.raises(InvalidInput, match=says):
        hand(batch)
    assert session.scalars(select(HandOver.id)).all() == []
    assert_invariants(session)


def test_only_the_keeper_of_a_station_hands_over(hand: Callable[..., HandOver]) -> None:
    with pytest.raises(Forbidden):
        hand(a_batch(), by=CLERK)


def test_a_licence_that_lapsed_or_does_not_cover_is_named_with_its_last_day(
    session: Session, district: District, now: datetime, weigh: Callable[..., Any], hand: Callable[..., HandOver]
) -> None:
    weigh(a_line("microwave"), a_line("desk"), net_g=44_000)
    # the refurbisher's is made up until the end of 2026: 38 days after 23 November is 31 December
    with pytest.raises(Conflict, match="占位-0003 of repair-demo was in force until 2026-12-31 and has lapsed on 2027"):
        hand(a_batch(("microwave", 1), processor_key="repair-demo"), days=39)
    with pytest.raises(Conflict, match="占位-0001 of dismantler-demo, in force until 2027-12-31, does not cover desk"):
        hand(a_batch(("microwave", 1), ("desk", 1)))
    # on its last day it still holds
    hand(a_batch(("microwave", 1), processor_key="repair-demo", net_g=14_000), days=38)
    # and one that begins later is no licence yet
    later = replace(district.processors.rows[0], valid_from=date(2027, 1, 1))
    early = replace(district, processors=ProcessorBook((later,)))
    with pytest.raises(Conflict, match="in force from 2027-01-01 only"):
        hand_over(a_batch(), by=a_keeper(), district=early, session=session, now=now)


def test_what_holds_data_is_not_reused_or_refurbished_before_a_wipe(
    session: Session, weigh: Callable[..., Any], hand: Callable[..., HandOver]
) -> None:
    weigh(a_line("computer-desktop"), net_g=9_000)
    for processor in ("repair-demo", "second-hand-demo"):
        with pytest.raises(Conflict, match="GB 46864-2025") as refused:
            hand(a_batch(("computer-desktop", 1), processor_key=processor, net_g=9_000))
        assert "can hold somebody's data" in refused.value.message
    made = hand(a_batch(("computer-desktop", 1), net_g=9_000))
    # and the database says so too, whoever writes
    row = {
        "hand_over_id": made.id, "position": 9, "item_type": "computer-desktop", "lot_day": TODAY, "units": 1,
        "net_g": 1, "kind": "reuse", "data_bearing": True,
    }  # fmt: skip
    with pytest.raises(IntegrityError):
        session.execute(insert(HandOverLine).values(row))
    session.rollback()


def test_labelled_units_leave_by_their_labels_and_a_whole_lot_takes_its_labels_along(
    session: Session, weigh: Callable[..., Any], hand: Callable[..., HandOver]
) -> None:
    # given four fridges of which two have labels
    weigh(a_line(units=4, tags=TAGS[:2]), net_g=164_000)
    # when two without a label leave, then nobody asks
    assert hand(a_batch(("fridge", 2), net_g=82_000)).tags == []
    # when one more leaves, it is one with a label: which one must be said
    with pytest.raises(Conflict, match="2 of the fridge weighed in on 2026-11-23 have labels, and 1 would stay"):
        hand(a_batch())
    assert [row.tag for row in hand(a_batch(tags=[TAGS[1]])).tags] == [TAGS[1]]
    # and the last one takes its label along
    assert [row.tag for row in hand(a_batch()).tags] == [TAGS[0]]
    # once: it is not there any more
    with pytest.raises(Conflict, match="is not in stock here"):
        hand(a_batch(tags=[TAGS[0]]))
    assert_invariants(session)


# --- re-weighs ---


def test_a_difference_within_the_tolerance_passes_and_a_larger_one_waits_for_a_second_person(
    session: Session, district: District, now: datetime, weigh: Callable[..., Any], hand: Callable[..., HandOver]
) -> None:
    # given a batch of 2,000 kg: 2 % of it is 40 kg, more than the 20 kg of a division
    weigh(a_line(units=48), net_g=2_000_000)
    keeper = a_keeper()
    made = hand(a_batch(("fridge", 48), net_g=2_000_000), by=keeper)
    given: dict[str, Any] = {"session": session, "now": now}
    weighed = given | {"district": district, "slip": None}
    re_weigh(made.id, net_g=1_960_000, by=keeper, **weighed)
    assert find_hand_over(made.id, by=keeper, session=session)["state"] == "settled"
    with pytest.raises(Conflict, match="nothing of batch 1 is held"):
        resolve_difference(made.id, code="moisture", reason="途中失水", by=CLERK, **given)
    # when a gram more is missing
    other = a_keeper()
    re_weigh(made.id, net_g=1_959_999, by=other, **weighed)
    shown = find_hand_over(made.id, by=CLERK, session=session)
    assert (shown["state"], shown["re_weighs"][1]["difference_g"]) == ("held", -40_001)
    # 40,001 of 2,000,000 is 20.0005 thousandths
    assert shown["re_weighs"][1]["difference_per_mille"] == -20
    assert [row["id"] for row in list_hand_overs(by=CLERK, session=session, limit=9, state="held")["hand_overs"]] == [
        made.id
    ]
    # then neither who handed over nor who wrote it down settles it, and somebody else does, once
    for same in (keeper, other):
        with pytest.raises(Forbidden, match="settled by a second person"):
            resolve_difference(made.id, code="moisture", reason="途中失水", by=same, **given)
    resolve_difference(made.id, code="moisture", reason="途中失水", by=CLERK, **given)
    assert find_hand_over(made.id, by=CLERK, session=session)["state"] == "settled"
    actions = session.scalars(select(AuditRow.action).order_by(AuditRow.number)).all()
    assert actions[-2:] == ["hand_over.re_weighed", "hand_over.resolved"]
    assert list_hand_overs(by=CLERK, session=session, limit=9, state="held")["hand_overs"] == []
    with pytest.raises(Conflict, match="settled already"):
        resolve_difference(made.id, code="moisture", reason="途中失水", by=CLERK, **given)
    # and what the processor weighed has moved no figure and no stock
    assert_invariants(session)


def test_another_re_weigh_does_not_settle_a_difference_that_waits_for_a_second_person(
    session: Session, district: District, now: datetime, weigh: Callable[..., Any], hand: Callable[..., HandOver]
) -> None:
    # given a batch of 41.3 kg of which the processor has 30 kg more
    weigh()
    keeper = a_keeper()
    made = hand(a_batch(), by=keeper)
    given: dict[str, Any] = {"session": session, "now": now}
    weighed = given | {"by": keeper, "district": district, "slip": None}
    re_weigh(made.id, net_g=71_300, **weighed)
    # when whoever handed it over writes down that it fits after all
    re_weigh(made.id, net_g=41_300, **weighed)
    # then it still waits for somebody else, and a re-weigh after their word stands by itself
    assert find_hand_over(made.id, by=CLERK, session=session)["state"] == "held"
    with pytest.raises(Forbidden, match="settled by a second person"):
        resolve_difference(made.id, code="their_scale", reason="对方误读", by=keeper, **given)
    resolve_difference(made.id, code="their_scale", reason="对方误读", by=CLERK, **given)
    assert not re_weigh(made.id, net_g=41_300, **weighed).re_weighs[2].held
    assert_invariants(session)


def test_a_small_batch_may_differ_by_one_division_of_a_truck_scale(
    session: Session, district: District, now: datetime, weigh: Callable[..., Any], hand: Callable[..., HandOver]
) -> None:
    weigh()
    made = hand(a_batch())
    given: dict[str, Any] = {"by": CLERK, "district": district, "session": session, "now": now, "slip": "A-1"}
    assert not re_weigh(made.id, net_g=61_300, **given).re_weighs[0].held
    assert re_weigh(made.id, net_g=61_301, **given).re_weighs[1].held
    with pytest.raises(InvalidInput, match=r"900 kg for batch 1 cannot be"):
        re_weigh(made.id, net_g=900_000, **given)
    with pytest.raises(NotFound):
        re_weigh(made.id, net_g=41_300, **given | {"by": a_keeper("shagou")})


def test_the_database_wants_a_second_person_too(
    session: Session, district: District, now: datetime, weigh: Callable[..., Any], hand: Callable[..., HandOver]
) -> None:
    weigh()
    keeper = a_keeper()
    made = hand(a_batch(), by=keeper)
    re_weigh(made.id, net_g=90_000, slip=None, by=CLERK, district=district, session=session, now=now)
    for by_id in (keeper.id, CLERK.id):
        session.add(
            ReWeighResolution(
                hand_over_id=made.id, number=1, code="other", reason="我说了算", weighed_by_id=CLERK.id,
                handed_by_id=keeper.id, by_id=by_id, at=now,
            )
        )  # fmt: skip
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()


# --- two at once ---


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "control"])
def test_two_who_take_the_same_lot_at_once_take_what_is_there_once(
    *, lock: bool, session: Session, district: District, now: datetime, weigh: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Both come before either writes; only the lock on the lot keeps the second from the first one's fridges."""
    engine = session.get_bind()
    if engine.dialect.name == "sqlite" and not lock:
        pytest.skip("SQLite has one writer at a time; there is no lock to take away")
    weigh(a_line(units=3), net_g=123_900)
    session.rollback()
    refused: list[DomainError] = []

    def take() -> None:
        with Session(engine) as own:
            try:
                hand_over(a_batch(("fridge", 2), net_g=82_600), by=a_keeper(), district=district, session=own, now=now)
            except DomainError as error:
                refused.append(error)

    both_read_before_either_writes(monkeypatch, take, take, lock=lock)
    taken = [units for (units,) in session.execute(select(HandOverLine.units))]
    assert left(session) == [("fridge", TODAY, 1)]
    if lock:
        assert taken == [2]
        assert "1 fridge are in stock and 2 are to be handed over" in refused[0].message
        assert_invariants(session)
    else:
        # four of three fridges left, and the books show one
        assert taken == [2, 2]
        assert any(key.startswith("I-13") for key in broken(session))


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "control"])
def test_a_correction_and_a_hand_over_of_the_same_lot_at_once_do_not_both_have_it(
    *, lock: bool, session: Session, district: District, now: datetime, weigh: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The keeper withdraws the ticket while somebody else hands its fridge over."""
    engine = session.get_bind()
    if engine.dialect.name == "sqlite" and not lock:
        pytest.skip("SQLite has one writer at a time; there is no lock to take away")
    ticket_id = weigh().id
    session.rollback()
    refused: list[Exception] = []

    def run(step: Callable[[Session], object]) -> None:
        with Session(engine) as own:
            try:
                step(own)
            except (DomainError, IntegrityError) as error:
                refused.append(error)

    def withdraw(own: Session) -> None:
        correct_ticket(ticket_id, None, reason="重复录入", by=a_keeper(), district=district, session=own, now=now)

    def hand_it_over(own: Session) -> None:
        hand_over(a_batch(), by=a_keeper(), district=district, session=own, now=now)

    both_read_before_either_writes(monkeypatch, partial(run, hand_it_over), partial(run, withdraw), lock=lock)
    session.rollback()
    # without the lock the lot's own constraint still stands in the way, but nobody is told what is the matter
    assert [type(error) for error in refused] == [Conflict if lock else IntegrityError]
    assert ("have left the stock" in str(refused[0])) == lock
    assert_invariants(session)
