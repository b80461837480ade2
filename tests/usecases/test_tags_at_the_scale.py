"""Labels at the scale: a unit counts once whatever way it comes, and its trail goes on from door to outlet."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import AlreadyWeighed, Conflict, DomainError, InvalidInput
from recycling.models.booking import Booking
from recycling.models.custody import CustodyTag, Step, WeighedTag, record_steps
from recycling.models.intake import IntakeTicket
from recycling.models.transaction import atomic
from recycling.policy.custody_tags import make_tag
from recycling.policy.district import District
from recycling.usecases.custody.hand_over import hand_over
from recycling.usecases.custody.re_weigh import re_weigh
from recycling.usecases.field.custody import TaggedUnit, attach_tags
from recycling.usecases.intake.tagging import read_tags
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.queries.custody import BadStep, custody_trace, verify_custody
from recycling.usecases.queries.intake import find_ticket
from tests.builders import DISPATCHER, TOMORROW, a_booking
from tests.invariants import assert_invariants
from tests.loads import a_batch, a_keeper, a_line, a_weighing, collect, correct_by_two
from tests.planned_days import a_collector

TAGS = [make_tag(1_000_003 * number) for number in range(1, 9)]
Weigh = Callable[..., IntakeTicket]


@pytest.fixture
def weigh(session: Session, district: District, now: datetime) -> Weigh:
    """Weigh in at 临城, unless the test says otherwise."""

    def weigh(weighing: Any, *, station_key: str = "lincheng", scale_number: str = "1") -> IntakeTicket:
        return weigh_in(
            weighing, scale_number=scale_number, by=a_keeper(station_key), district=district, session=session, now=now
        )

    return weigh


@pytest.fixture
def correct(session: Session, district: District, now: datetime) -> Weigh:
    """Correct a ticket of 临城."""

    def correct(ticket: IntakeTicket, weighing: Any) -> IntakeTicket:
        return correct_by_two(
            ticket.id, weighing, reason="读数有误", by=a_keeper(), district=district, session=session, now=now
        )

    return correct


def from_a_door(session: Session, district: District, now: datetime, *, tag: str = TAGS[0]) -> Booking:
    """A collected fridge with its label on."""
    booking = a_booking(session, district=district, now=now)
    collect(session, booking, district=district, now=now)
    collector = a_collector(session, "c05", now=now)
    with atomic(session):
        attach_tags(
            booking, [TaggedUnit(item_type="fridge", tag=tag)], event_id=collector.id, vehicle_key="lincheng-1",
            catalogue=district.catalogue, by=collector, session=session, now=now,
        )  # fmt: skip
    return booking


def kinds(session: Session, tag: str = TAGS[0]) -> list[str]:
    """The kinds of a label's steps, and that they verify."""
    trace = custody_trace(tag, session=session)
    assert trace["verified"], trace["fault"]
    return [step["kind"] for step in trace["steps"]]


def test_a_labelled_unit_is_followed_from_its_door_to_the_processors_scale(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    # given a fridge with a label from its door
    booking = from_a_door(session, district, now)
    assert kinds(session) == ["door", "vehicle"]
    # when it is weighed in, the label typed in small letters, handed over, and weighed again
    ticket = weigh(a_weighing(a_line(booking_id=booking.id, tags=[TAGS[0].lower()])))
    batch = hand_over(a_batch(tags=[TAGS[0]]), by=a_keeper(), district=district, session=session, now=now)
    re_weigh(batch.id, net_g=41_000, slip="77", by=DISPATCHER, district=district, session=session, now=now)
    # then each step is there with its place
    trace = custody_trace(TAGS[0], session=session)
    assert kinds(session) == ["door", "vehicle", "station", "lot", "outlet", "reweighed"]
    assert [step["number"] for step in trace["steps"]] == [1, 2, 3, 4, 5, 6]
    station, lot, outlet = trace["steps"][2:5]
    assert (station["station_key"], station["ticket_id"]) == ("lincheng", str(ticket.id))
    assert (lot["item_type"], lot["day"]) == ("fridge", "2026-11-23")
    assert (outlet["processor_key"], outlet["hand_over_id"]) == ("dismantler-demo", str(batch.id))
    # and the ticket names it
    assert find_ticket(ticket.id, by=a_keeper(), session=session)["lines"][0].tags == [TAGS[0]]
    assert_invariants(session)


@pytest.mark.parametrize("channel", ["walk_in", "bin", "trade_in", "pool"])
def test_a_unit_without_a_door_gets_its_label_at_the_scale_and_counts_once_over_all_channels(
    session: Session, weigh: Weigh, channel: str
) -> None:
    first = weigh(a_weighing(a_line(tags=[TAGS[0]]), channel=channel))
    # when the same label comes a second time, at another station and by another way
    with pytest.raises(AlreadyWeighed, match=f"weighed already, on ticket {first.number} of lincheng on 2026-11-23"):
        weigh(a_weighing(a_line(tags=[TAGS[0]]), channel="walk_in"), station_key="shagou")
    # then nothing of that ticket is there
    assert len(session.scalars(select(IntakeTicket.id)).all()) == 1
    assert kinds(session) == ["station", "lot"]
    assert_invariants(session)


def test_a_label_from_a_door_belongs_to_the_line_of_its_booking_and_item_type(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    other_id = a_booking(session, district=district, now=now, day=TOMORROW + timedelta(days=1)).id
    from_a_door(session, district, now)
    for line in (a_line(tags=[TAGS[0]]), a_line("freezer", tags=[TAGS[0]])):
        with pytest.raises(Conflict, match="was put on a fridge of booking"):
            weigh(a_weighing(line))
    with pytest.raises(Conflict, match="no fridge was collected"):
        weigh(a_weighing(a_line(booking_id=other_id, tags=[TAGS[0]])))
    assert_invariants(session)


def test_a_record_that_comes_after_the_weigh_in_of_a_label_changes_nothing(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    # given a collected fridge whose label was first read at the scale, as its phone had no network
    booking = a_booking(session, district=district, now=now)
    collect(session, booking, district=district, now=now)
    weigh(a_weighing(a_line(booking_id=booking.id, tags=[TAGS[0]])))
    collector = a_collector(session, "c05", now=now)
    # when the phone's record names it
    with atomic(session):
        found = attach_tags(
            session.get_one(Booking, booking.id), [TaggedUnit(item_type="fridge", tag=TAGS[0])],
            event_id=collector.id, vehicle_key="lincheng-1", catalogue=district.catalogue, by=collector,
            session=session, now=now,
        )  # fmt: skip
    # then it is the same unit
    assert found == ()
    assert kinds(session) == ["station", "lot"]
    assert_invariants(session)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([a_line(tags=["XC-1"])], "'XC-1' is no label"),
        ([a_line(tags=TAGS[:2])], "2 tags for 1 units of 'fridge'"),
        ([a_line(units=2, tags=[TAGS[0], TAGS[0].lower()])], "comes twice on this ticket"),
        ([a_line(tags=[TAGS[0]]), a_line("fan", tags=[TAGS[0]])], "comes twice on this ticket"),
    ],
)
def test_labels_that_cannot_be_are_refused_whole(
    session: Session, weigh: Weigh, lines: list[Any], says: str
) -> None:  # fmt: skip
    with pytest.raises(InvalidInput, match=says):
        weigh(a_weighing(*lines, net_g=50_000))
    assert session.scalars(select(CustodyTag.tag)).all() == []


def test_a_ticket_takes_no_more_labels_than_can_be_written_in_a_few_seconds() -> None:
    # given two lines of 500 and 501 labels
    most = [[make_tag(first + number) for number in range(500)] for first in (0, 500)]
    lines = [a_line("fridge", 501, tags=most[0]), a_line("fan", 501, tags=most[1])]
    # then a thousand are read, and one more is refused with the number
    assert len(read_tags(lines)) == 1_000
    lines[1] = a_line("fan", 501, tags=[*most[1], make_tag(1_000)])
    with pytest.raises(InvalidInput, match="1001 labels on one ticket, and it takes 1000"):
        read_tags(lines)


def test_a_correction_gives_labels_back_and_takes_others(
    session: Session, weigh: Weigh, correct: Weigh
) -> None:  # fmt: skip
    # given two fridges under labels
    ticket = weigh(a_weighing(a_line(units=2, tags=TAGS[:2]), net_g=82_000))
    # when one of them turns out to be a freezer with another label
    right = correct(
        ticket, a_weighing(a_line("fridge", 1, 41_000, tags=[TAGS[0]]), a_line("freezer", tags=[TAGS[2]]), net_g=82_000)
    )
    # then the kept one goes on, the given back one is free, the new one begins
    assert kinds(session, TAGS[0]) == ["station", "lot", "adjusted"]
    assert kinds(session, TAGS[1]) == ["station", "lot", "adjusted"]
    assert kinds(session, TAGS[2]) == ["station", "lot"]
    assert [line.tags for line in right.lines] == [[TAGS[0]], [TAGS[2]]]
    # and the free one can be put on something else
    weigh(a_weighing(a_line("fan", tags=[TAGS[1]]), net_g=4_000), station_key="shagou")
    assert custody_trace(TAGS[1], session=session)["item_type"] == "fan"
    # and when the ticket is withdrawn, so can all
    correct(right, None)
    weigh(a_weighing(a_line(tags=[TAGS[0]])))
    assert_invariants(session)


def test_a_correction_keeps_the_label_of_what_has_left(
    session: Session, district: District, now: datetime, weigh: Weigh, correct: Weigh
) -> None:
    ticket = weigh(a_weighing(a_line(units=2, tags=[TAGS[0]]), net_g=82_000))
    hand_over(a_batch(tags=[TAGS[0]]), by=a_keeper(), district=district, session=session, now=now)
    with pytest.raises(Conflict, match="has left the station with a hand-over; keep it on a line of fridge"):
        correct(ticket, a_weighing(a_line(units=2), net_g=80_000))
    assert correct(ticket, a_weighing(a_line(units=2, tags=[TAGS[0]]), net_g=80_000)).lines[0].tags == [TAGS[0]]
    assert_invariants(session)


@pytest.mark.parametrize("guard", [True, False], ids=["guarded", "control"])
def test_two_scales_that_read_one_label_at_once_weigh_one_unit(
    *, guard: bool, session: Session, district: District, now: datetime
) -> None:
    """The database's own constraint is the guard; without it both tickets stand."""
    engine = session.get_bind()
    if not guard:
        session.execute(text("DROP INDEX uq_weighed_tag_standing"))
        session.commit()
    refused: list[DomainError] = []
    done = Event()

    def weigh(station_key: str, *, hold_s: float) -> None:
        with Session(engine) as own:
            try:
                with atomic(own):
                    weigh_in(
                        a_weighing(a_line(tags=[TAGS[0]])), scale_number="1", by=a_keeper(station_key),
                        district=district, session=own, now=now,
                    )  # fmt: skip
                    done.set()
                    time.sleep(hold_s)
            except DomainError as error:
                refused.append(error)

    threads = [Thread(target=weigh, args=("lincheng",), kwargs={"hold_s": 0.3})]
    threads[0].start()
    assert done.wait(5)
    threads.append(Thread(target=weigh, args=("shagou",), kwargs={"hold_s": 0}))
    threads[1].start()
    for thread in threads:
        thread.join(10)
    standing = session.scalars(select(WeighedTag.tag).where(WeighedTag.stands)).all()
    session.rollback()
    if not guard:
        session.execute(text("DELETE FROM weighed_tag"))
        session.execute(text("CREATE UNIQUE INDEX uq_weighed_tag_standing ON weighed_tag (tag) WHERE stands"))
        session.commit()
        assert (len(standing), refused) == (2, [])
        return
    assert standing == [TAGS[0]]
    assert [type(error) for error in refused] == [AlreadyWeighed]
    assert_invariants(session)


def test_the_constraint_holds_behind_the_program(session: Session, weigh: Weigh) -> None:
    weigh(a_weighing(a_line(tags=[TAGS[0]])))
    second = weigh(a_weighing(a_line()))
    session.add(WeighedTag(ticket_id=second.id, tag=TAGS[0], position=0, stands=True))
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


# --- the chain ---

EDIT = "UPDATE custody_event SET kind = 'vehicle' WHERE tag = :tag AND number = 2"
EDIT_FACTS = """UPDATE custody_event SET facts = '{"station_key": "shagou"}' WHERE tag = :tag AND number = 3"""
DELETION = "DELETE FROM custody_event WHERE tag = :tag AND number = 2"
CUT = "DELETE FROM custody_event WHERE tag = :tag AND number >= 3"
ALL_GONE = "DELETE FROM custody_event WHERE tag = :tag"
INSERTION = (
    "INSERT INTO custody_event (tag, number, kind, at, by_id, facts, mac)"
    " SELECT tag, 5, kind, at, by_id, facts, mac FROM custody_event WHERE tag = :tag AND number = 4"
)
LENGTHENED = "UPDATE custody_tag SET last_number = 3 WHERE tag = :tag"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (EDIT, (2, "changed")), (EDIT_FACTS, (3, "changed")), (DELETION, (2, "missing")), (CUT, (3, "cut")),
        (ALL_GONE, (1, "cut")), (INSERTION, (5, "changed")), (LENGTHENED, (4, "added")),
    ],
    ids=["edit", "edit of facts", "deletion", "cut", "all gone", "insertion", "counter set back"],
)  # fmt: skip
def test_what_is_done_to_a_trail_is_named_by_label_and_step(
    session: Session, weigh: Weigh, now: datetime, statement: str, expected: tuple[int, str]
) -> None:
    # given two labels of four steps each
    weigh(a_weighing(a_line(units=2, tags=TAGS[:2]), net_g=82_000))
    with atomic(session):
        again = [Step(tag, "adjusted", {"ticket_id": "x"}) for tag in TAGS[:2] for _ in range(2)]
        record_steps(session, again, by=DISPATCHER, now=now)
    assert verify_custody(session) == []
    # when somebody changes one of them by hand
    session.execute(text(statement), {"tag": TAGS[0]})
    # then that one is named, and no other
    assert verify_custody(session) == [BadStep(TAGS[0], *expected)]
    trace = custody_trace(TAGS[0], session=session)
    assert (trace["verified"], trace["fault"]) == (False, expected[1])
    session.rollback()
