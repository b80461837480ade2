"""Weighing in: masses and their provenance, gapless numbers, no unit twice, corrections by new tickets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import AlreadyWeighed, Conflict, DomainError, Forbidden, InvalidInput, NotFound
from recycling.models import stock
from recycling.models.booking import BookedItem, Booking
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.recovery import DailyRecovery
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.intake import replacing as correcting
from recycling.usecases.intake import weigh_in as weighing_in
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.line_masses import shared
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.intake.weighing import Weighing
from tests.builders import a_booking, a_resident, a_wish
from tests.conftest import empty
from tests.invariants import assert_invariants, broken
from tests.loads import a_keeper, a_line, a_weighing, collect

TODAY = date(2026, 11, 23)  # of tests.conftest.NOW, in Shanghai


IMPOSSIBLE: list[tuple[Weighing, str]] = [
    (a_weighing(gross_g=10_000, tare_g=10_000), "tare 10 kg is not below gross 10 kg"),
    (a_weighing(gross_g=9_000, tare_g=10_000), "tare 10 kg is not below gross 9 kg"),
    (a_weighing(gross_g=60_000_001), "gross 60000.001 kg is above 60000 kg"),
    # lincheng-1 is a truck of 1,500 kg payload
    (
        a_weighing(vehicle_key="lincheng-1", net_g=1_500_001),
        "1500.001 kg is more than lincheng-1 may carry (1500 kg)",
    ),
    (a_weighing(vehicle_key="moon-1"), "'moon-1' is no vehicle"),
    (a_weighing(refused_g=1, refused_reason=None), "refused 0.001 kg without refused_reason; give one of waste, wet"),
    (a_weighing(trip=1), "trip 1: give which load of the day it is, 1 to 20, and vehicle_key beside it"),
    (a_weighing(trip=21, vehicle_key="lincheng-1"), "trip 21: give which load"),
    (a_weighing(a_line(units=2, missing_parts=3)), "missing_parts 3 of 'fridge': give how many of its 2 units"),
    (a_weighing(refused_g=41_301), "refused 41.301 kg is not between 0 and the net 41.3 kg"),
    (a_weighing(a_line(net_g=41_299)), "add up to 41.299 kg, but gross - tare - refused is 41.3 kg"),
    (a_weighing(a_line("fridge", 1, 41_300), a_line("fan", 1, 1)), "add up to 41.301 kg"),
    (a_weighing(a_line("fridge", 1, 41_400), a_line("fan")), "add up to 41.4 kg"),
    (a_weighing(a_line("fridge", 1, 41_300), a_line("fan")), "0 kg is left for 1 lines without a reading"),
    (a_weighing(a_line("fan"), a_line("stove"), a_line("fax"), net_g=2), "0.002 kg is left for 3 lines"),
    (a_weighing(lines=()), "add up to 0 kg, but gross - tare - refused is 41.3 kg"),
    (a_weighing(a_line("fridg")), "item type 'fridg' is not in the catalogue"),
    (a_weighing(a_line(units=0)), "units 0 of 'fridge'"),
    (a_weighing(a_line(units=10_000)), "units 10000 of 'fridge': give 1 to 1000"),
    (a_weighing(a_line(net_g=0)), "net_g 0 of 'fridge'"),
    (a_weighing(a_line(), a_line()), "item_type 'fridge' comes twice"),
    (a_weighing(*[a_line(f"type-{number}") for number in range(201)]), "lines has 201 entries"),
    (a_weighing(a_line(booking_id=UUID(int=7)), channel="walk_in"), "on a walk_in, bin, trade_in, pool ticket none"),
    (a_weighing(a_line(), channel="door"), "on a door ticket every line names its booking_id"),
    # the table's 90 g: at most 10 x 90 + 5,000 = 5,900 g; 1,000 fridges of 40.8 kg: at least 40,800/10 - 5 = 4,075 kg
    (a_weighing(a_line("phone-mobile"), net_g=55_000_000), "55000 kg for 1 × 移动通信手持机 phone-mobile cannot be"),
    (a_weighing(a_line("phone-mobile"), net_g=5_901), "0 kg to 5.9 kg are taken; check gross_g, tare_g, refused_g"),
    (a_weighing(a_line("fridge", 1_000), net_g=1), "0.001 kg for 1000 × 电冰箱 fridge cannot be"),
    (a_weighing(a_line("fridge", 1_000), net_g=4_074_999), "4075 kg to 408005 kg are taken"),
    # what is refused as dirt is no part of the goods: 4,074,999 g of 5 t are left
    (a_weighing(a_line("fridge", 1_000), net_g=5_000_000, refused_g=925_001), "4074.999 kg for 1000 × 电冰箱"),
    # a line's own reading, and what it leaves for the others
    (a_weighing(a_line("fridge", 1, 413_001), a_line("desk"), net_g=443_001), "413.001 kg for 1 × 电冰箱 fridge"),
    (a_weighing(a_line("fridge", 1, 41_300), a_line("phone-mobile"), net_g=49_300), "8 kg for 1 × 移动通信手持机"),
    (a_weighing(*[a_line(key) for key in ("fan", "stove", "fax", "desk")], net_g=10**6), "fax、… (4) cannot be"),
    (a_weighing(a_line(booking_id=UUID(int=7))), f"booking_id {UUID(int=7)} does not exist"),
]


@pytest.fixture
def weigh(session: Session, district: District, now: datetime) -> Callable[..., IntakeTicket]:
    """Weigh in at 临城 on scale 1, now, unless the test says otherwise."""

    def weigh(weighing: Weighing, **overrides: Any) -> IntakeTicket:
        fields: dict[str, Any] = {
            "scale_number": "1",
            "by": a_keeper(),
            "district": district,
            "session": session,
            "now": now,
        }
        return weigh_in(weighing, **(fields | overrides))

    return weigh


@pytest.fixture
def correct(session: Session, district: District, now: datetime) -> Callable[..., IntakeTicket]:
    """Correct a ticket as a keeper of 临城, now, unless the test says otherwise."""

    def correct(ticket_id: UUID, weighing: Weighing | None, **overrides: Any) -> IntakeTicket:
        fields: dict[str, Any] = {
            "reason": "读数有误",
            "by": a_keeper(),
            "district": district,
            "session": session,
            "now": now,
        }
        return correct_ticket(ticket_id, weighing, **(fields | overrides))

    return correct


def a_collected_booking(
    session: Session, district: District, now: datetime, *, taken: dict[str, int] | None = None, **items: int
) -> Booking:
    """A booking in 临城, its items taken on board."""
    wished = [WishedItem(item_type=key.replace("_", "-"), quantity=count) for key, count in items.items()]
    booking = a_booking(session, district=district, now=now, items=wished)
    collect(session, booking, district=district, now=now, taken=taken)
    return booking


def facts(session: Session) -> list[tuple[Any, ...]]:
    """Station, origin, item type, provenance, units, grams of every figure."""
    row = DailyRecovery
    columns = (row.station_key, row.town_key, row.item_type, row.provenance, row.units, row.recovered_g)
    return [tuple(one) for one in session.execute(select(*columns).order_by(*columns))]


def weighed_units(session: Session, booking: Booking) -> dict[str, int]:
    rows = select(BookedItem.item_type, BookedItem.weighed_units).where(BookedItem.booking_id == booking.id)
    return {row.item_type: row.weighed_units for row in session.execute(rows)}


def test_a_collected_fridge_is_weighed_once_and_counts_for_the_town_it_came_from(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    # given a fridge collected in 临城
    booking = a_collected_booking(session, district, now, fridge=1)
    # when the van unloads at 新城
    ticket = weigh(a_weighing(a_line(booking_id=booking.id)), by=a_keeper("xincheng"))
    # then the ticket has the scale's first number, and net = 51,300 - 10,000
    assert (ticket.station_key, ticket.number, ticket.day, ticket.net_g) == ("xincheng", 1, TODAY, 41_300)
    # and the one line stood on the scale alone, so it is weighed
    assert [(line.units, line.net_g, line.provenance) for line in ticket.lines] == [(1, 41_300, "weighed")]
    assert weighed_units(session, booking) == {"fridge": 1}
    # and the figure stands at the station, with the origin of the goods
    assert facts(session) == [("xincheng", "lincheng", "fridge", "weighed", 1, 41_300)]
    assert_invariants(session)


def test_lines_without_a_reading_share_the_rest_by_the_type_table(
    session: Session, weigh: Callable[..., IntakeTicket]
) -> None:
    # given 111,800 g net, of which 500 g are dirt; the fridge stood on the scale alone
    lines = (a_line("fridge", 1, 41_300), a_line("washer-top", 2), a_line("microwave", 1))
    ticket = weigh(a_weighing(*lines, net_g=111_800, refused_g=500))
    # then 111,800 - 500 - 41,300 = 70,000 g are shared as 2 x 30,000 : 14,000
    # 70,000 x 60/74 = 56,756.76 and 70,000 x 14/74 = 13,243.24; the gram left over goes to the larger remainder
    assert [(line.net_g, line.provenance) for line in ticket.lines] == [
        (41_300, "weighed"),
        (56_757, "type_table"),
        (13_243, "type_table"),
    ]
    assert_invariants(session)


def test_the_only_line_without_a_reading_is_weighed_by_what_the_others_leave(
    session: Session, weigh: Callable[..., IntakeTicket]
) -> None:
    # given 75,800 g net, of which 500 g are dirt; the fridge and the fan stood on the scale alone
    lines = (a_line("fridge", 1, 41_300), a_line("washer-top"), a_line("fan", 1, 4_000))
    ticket = weigh(a_weighing(*lines, net_g=75_800, refused_g=500))
    # then 75,800 - 500 - 41,300 - 4,000 = 30,000 g can only be the washer's
    assert [(line.net_g, line.provenance) for line in ticket.lines] == [
        (41_300, "weighed"),
        (30_000, "weighed"),
        (4_000, "weighed"),
    ]
    assert_invariants(session)


def test_of_equal_remainders_the_earlier_line_takes_the_gram(weigh: Callable[..., IntakeTicket]) -> None:
    # fan and rice cooker weigh 4,000 g each in the table: 5,001 g are 2,500.5 each
    ticket = weigh(a_weighing(a_line("fan"), a_line("rice-cooker"), net_g=5_001))
    assert [line.net_g for line in ticket.lines] == [2_501, 2_500]


@given(total=st.integers(0, 10**9), weights=st.lists(st.integers(1, 10**6), min_size=1, max_size=30))
def test_shares_add_up_exactly_and_are_within_one_gram_of_proportion(total: int, weights: list[int]) -> None:
    parts = shared(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


def test_a_load_refused_whole_makes_a_ticket_and_no_figure(
    session: Session, weigh: Callable[..., IntakeTicket]
) -> None:
    ticket = weigh(a_weighing(net_g=3_000, refused_g=3_000, lines=()))
    assert (ticket.net_g, ticket.refused_g, ticket.lines) == (3_000, 3_000, [])
    assert facts(session) == []
    assert_invariants(session)


def test_each_scale_numbers_its_tickets_without_a_gap(session: Session, weigh: Callable[..., IntakeTicket]) -> None:
    assert [weigh(a_weighing()).number for _ in range(2)] == [1, 2]
    # a refused weigh-in takes no number: its transaction gave it back
    with pytest.raises(InvalidInput):
        weigh(a_weighing(a_line(booking_id=uuid4())))
    assert weigh(a_weighing()).number == 3
    # another scale, and the same number at another station, count for themselves
    assert weigh(a_weighing(), scale_number="2").number == 1
    assert weigh(a_weighing(), by=a_keeper("shagou")).number == 1
    assert_invariants(session)


def test_a_weighing_that_cannot_be_is_refused_by_value_and_leaves_nothing(
    session: Session, weigh: Callable[..., IntakeTicket]
) -> None:
    for weighing, named in IMPOSSIBLE:
        with pytest.raises(InvalidInput) as refused:
            weigh(weighing)
        assert named in refused.value.message
    assert session.scalar(select(IntakeTicket.id)) is None
    assert_invariants(session)


def test_a_full_truck_weighs_in(weigh: Callable[..., IntakeTicket]) -> None:
    # 1,500 kg net is exactly the payload of a truck
    assert weigh(a_weighing(a_line("fridge", 36), vehicle_key="lincheng-1", net_g=1_500_000)).net_g == 1_500_000


def test_a_day_of_many_full_trucks_adds_up(session: Session, weigh: Callable[..., IntakeTicket]) -> None:
    # given trucks of other owners, 59.99 t net each on a scale of 60 t
    for _ in range(36):
        weigh(a_weighing(a_line("fridge", 1_000), net_g=59_990_000))
    # then the day's figure is 36 x 59,990,000 g, more than a 32-bit column takes (2,147,483,647)
    assert facts(session) == [("lincheng", "lincheng", "fridge", "weighed", 36_000, 2_159_640_000)]


def test_only_the_keeper_of_a_station_weighs_in(weigh: Callable[..., IntakeTicket]) -> None:
    with pytest.raises(Forbidden):
        weigh(a_weighing(), by=Principal(id=uuid4(), role="clerk"))


def test_no_unit_is_weighed_twice_and_the_refusal_says_how_many_are_left(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    # given two washers, both collected, one of them weighed
    booking = a_collected_booking(session, district, now, washer_top=2)
    weigh(a_weighing(a_line("washer-top", booking_id=booking.id), net_g=30_000))
    # when a ticket brings two more
    with pytest.raises(AlreadyWeighed) as refused:
        weigh(a_weighing(a_line("washer-top", 2, booking_id=booking.id), net_g=60_000))
    # then it hears that 2 - 1 = 1 is left
    assert "1 of 2 collected washer-top are left to weigh, the ticket brings 2 more" in refused.value.message
    # and that one may still come
    weigh(a_weighing(a_line("washer-top", booking_id=booking.id), net_g=30_000))
    assert weighed_units(session, booking) == {"washer-top": 2}
    assert_invariants(session)


def test_what_no_collector_took_on_board_is_not_weighed_for_a_booking(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    # given a booking that nobody has visited yet
    waiting = a_booking(session, district=district, now=now)
    with pytest.raises(Conflict, match="is booked and no fridge was collected"):
        weigh(a_weighing(a_line(booking_id=waiting.id)))
    # when only its microwave is handed over
    collect(session, waiting, district=district, now=now, taken={"microwave": 1})
    # then the microwave may be weighed, the fridge may not
    with pytest.raises(Conflict, match="is partly_collected and no fridge was collected"):
        weigh(a_weighing(a_line(booking_id=waiting.id)))
    weigh(a_weighing(a_line("microwave", booking_id=waiting.id), net_g=14_000))
    assert_invariants(session)


def test_a_correction_replaces_a_ticket_for_the_day_of_its_original(
    session: Session, district: District, now: datetime,
    weigh: Callable[..., IntakeTicket], correct: Callable[..., IntakeTicket],
) -> None:  # fmt: skip
    # given two washers weighed at 60 kg, on a ticket that counts one microwave too many
    booking = a_collected_booking(session, district, now, washer_top=2, microwave=1)
    wrong = weigh(
        a_weighing(
            a_line("washer-top", 1, booking_id=booking.id), a_line("microwave", 1, 14_000, booking_id=booking.id),
            net_g=74_000,
        )
    )  # fmt: skip
    # when the keeper corrects it the day after
    right = correct(
        wrong.id, a_weighing(a_line("washer-top", 2, booking_id=booking.id), net_g=60_000), now=now + timedelta(days=1)
    )
    # then the new ticket has the scale's next number, names the old one and counts for its day
    assert (right.number, right.corrects_id, right.correction_reason, right.day) == (2, wrong.id, "读数有误", TODAY)
    # and counters and figures are those of the new ticket alone
    assert weighed_units(session, booking) == {"microwave": 0, "washer-top": 2}
    assert facts(session) == [("lincheng", "lincheng", "washer-top", "weighed", 2, 60_000)]
    # and the old ticket stands as it was written
    session.expire_all()
    assert (session.get_one(IntakeTicket, wrong.id).net_g, len(wrong.lines)) == (74_000, 2)
    assert_invariants(session)


def test_a_withdrawn_ticket_counts_no_more_and_its_units_can_be_weighed_again(
    session: Session, district: District, now: datetime,
    weigh: Callable[..., IntakeTicket], correct: Callable[..., IntakeTicket],
) -> None:  # fmt: skip
    booking = a_collected_booking(session, district, now, fridge=1)
    wrong = weigh(a_weighing(a_line(booking_id=booking.id)))
    # when it is withdrawn
    gone = correct(wrong.id, None, reason="重复录入")
    # then nothing is left of it in the figures, and the fridge is free for the right ticket
    assert (gone.gross_g, gone.net_g, gone.lines, gone.channel) == (0, 0, [], "door")
    assert facts(session) == []
    weigh(a_weighing(a_line(booking_id=booking.id)), by=a_keeper("shagou"))
    assert facts(session) == [("shagou", "lincheng", "fridge", "weighed", 1, 41_300)]
    assert_invariants(session)


def test_a_ticket_for_a_made_up_booking_is_made_up_whoever_writes_it(
    session: Session, district: District, now: datetime,
    weigh: Callable[..., IntakeTicket], correct: Callable[..., IntakeTicket],
) -> None:  # fmt: skip
    # given a fridge of the demo day that a visitor collected
    booking = book_pickup(
        a_wish(), by=a_resident(session, now=now), district=district, session=session, now=now, made_up=True
    )
    collect(session, booking, district=district, now=now)
    # when a keeper weighs it in as any other, then its ticket says what it is
    assert weigh(a_weighing(a_line(booking_id=booking.id))).made_up
    # and so does a correction that turns to such a booking, while a real walk-in stays real
    real = weigh(a_weighing())
    assert not real.made_up
    correct(session.scalars(select(IntakeTicket.id).where(IntakeTicket.made_up)).one(), None)
    assert correct(real.id, a_weighing(a_line(booking_id=booking.id))).made_up


def test_a_replaced_ticket_cannot_be_corrected_again_and_the_newest_is_named(
    session: Session, weigh: Callable[..., IntakeTicket], correct: Callable[..., IntakeTicket]
) -> None:
    first = weigh(a_weighing())
    second = correct(first.id, a_weighing(net_g=40_000))
    third = correct(second.id, a_weighing(net_g=41_000))
    with pytest.raises(Conflict, match=f"correct the newest, {third.id}"):
        correct(first.id, a_weighing(net_g=39_000))
    # the chain's end may still be corrected
    correct(third.id, a_weighing(net_g=42_000))
    assert facts(session) == [("lincheng", "lincheng", "fridge", "weighed", 1, 42_000)]
    assert_invariants(session)


def test_a_correction_obeys_the_rules_of_a_ticket(
    session: Session, district: District, now: datetime,
    weigh: Callable[..., IntakeTicket], correct: Callable[..., IntakeTicket],
) -> None:  # fmt: skip
    booking = a_collected_booking(session, district, now, fridge=1)
    ticket = weigh(a_weighing(a_line(booking_id=booking.id)))
    # one fridge was collected: the correction adds 2 - 1 = 1 to the one weighed already
    with pytest.raises(AlreadyWeighed, match="0 of 1 collected fridge are left to weigh, the ticket brings 1 more"):
        correct(ticket.id, a_weighing(a_line(units=2, booking_id=booking.id)))
    with pytest.raises(InvalidInput, match="tare"):
        correct(ticket.id, a_weighing(a_line(booking_id=booking.id), gross_g=1, tare_g=2))
    with pytest.raises(InvalidInput, match=r"413\.001 kg for 1 × 电冰箱 fridge cannot be"):
        correct(ticket.id, a_weighing(a_line(booking_id=booking.id), net_g=413_001))
    with pytest.raises(NotFound):
        correct(ticket.id, None, by=a_keeper("shagou"))
    assert weighed_units(session, booking) == {"fridge": 1}
    assert_invariants(session)


def test_a_ticket_is_written_once(session: Session, weigh: Callable[..., IntakeTicket]) -> None:
    ticket = weigh(a_weighing())
    ticket.gross_g += 1
    with pytest.raises(TypeError, match="written once"):
        session.flush()
    session.rollback()
    session.delete(session.scalars(select(IntakeLine)).one())
    with pytest.raises(TypeError, match="written once"):
        session.flush()
    session.rollback()


def at_the_same_time(
    first: Callable[[Session], object], second: Callable[[Session], object], *, engine: Any
) -> list[DomainError]:
    """Begin ``second`` while the transaction of ``first`` is done but not committed; returns what was refused."""
    done, refused = threading.Event(), []

    def run(step: Callable[[Session], object], *, hold_s: float) -> None:
        with Session(engine) as session:
            try:
                with atomic(session):
                    step(session)
                    done.set()
                    time.sleep(hold_s)
            except DomainError as error:
                refused.append(error)

    threads = [threading.Thread(target=run, args=(first,), kwargs={"hold_s": 0.3})]
    threads[0].start()
    assert done.wait(5)
    threads.append(threading.Thread(target=run, args=(second,), kwargs={"hold_s": 0}))
    threads[1].start()
    for thread in threads:
        thread.join(10)
    return refused


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "control"])
def test_two_scales_of_a_station_rebuild_its_figures_one_after_the_other(
    *, lock: bool, session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch,
    weigh: Callable[..., IntakeTicket],
) -> None:  # fmt: skip
    # given a fridge on scale 1
    ticket_id = weigh(a_weighing()).id
    session.rollback()
    if not lock:
        for module in (weighing_in, correcting):
            monkeypatch.setattr(module, "lock_day", lambda *_args, **_kwargs: None)
        monkeypatch.setattr(stock, "hold_stock", lambda *_args: None)  # it makes them queue as well

    # when it is withdrawn while a fan arrives at scale 2
    def withdraw(own: Session) -> None:
        correct_ticket(ticket_id, None, reason="重复录入", by=a_keeper(), district=district, session=own, now=now)

    def weigh_fan(own: Session) -> None:
        weigh_in(a_weighing(a_line("fan")), scale_number="2", by=a_keeper(), district=district, session=own, now=now)

    assert at_the_same_time(withdraw, weigh_fan, engine=session.get_bind()) == []
    # then the fan alone counts; without the lock scale 2 would write the fridge back that it still sees.
    # (On SQLite the database has one writer at a time, lock or no lock.)
    overseen = not lock and session.get_bind().dialect.name == "postgresql"
    assert [fact[2] for fact in facts(session)] == (["fan", "fridge"] if overseen else ["fan"])
    assert bool(broken(session)) == overseen
    if overseen:  # what the control has broken is swept away with it
        empty(session)


def counted_by_hand(session: Session, *, put: Iterable[IntakeLine], **_: Any) -> None:
    """The double-count guard with a read before the write instead of one conditional UPDATE."""
    for line in put:
        item = session.get_one(BookedItem, (line.booking_id, line.item_type))
        if item.weighed_units + line.units > item.collected_units:
            raise AlreadyWeighed("seen by the read")
        item.weighed_units += line.units


@pytest.mark.parametrize("guard", [True, False], ids=["guarded", "control"])
def test_two_stations_that_weigh_the_same_fridge_at_once_make_one_ticket(
    *, guard: bool, session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking_id = a_collected_booking(session, district, now, fridge=1).id
    session.rollback()
    if not guard:
        monkeypatch.setattr(weighing_in, "count_units", counted_by_hand)

    def weigh_at(station_key: str) -> Callable[[Session], object]:
        return lambda own: weigh_in(
            a_weighing(a_line(booking_id=booking_id)), scale_number="1", by=a_keeper(station_key), district=district,
            session=own, now=now,
        )  # fmt: skip

    refused = at_the_same_time(weigh_at("lincheng"), weigh_at("shagou"), engine=session.get_bind())
    overseen = not guard and session.get_bind().dialect.name == "postgresql"
    assert [type(error) for error in refused] == ([] if overseen else [AlreadyWeighed])
    assert len(facts(session)) == (2 if overseen else 1)
    assert bool(broken(session)) == overseen
    if overseen:  # what the control has broken is swept away with it
        empty(session)
