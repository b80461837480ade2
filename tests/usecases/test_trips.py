"""A vehicle's load from doors is on one standing ticket, whoever weighs it at whichever station."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, DomainError
from recycling.models.booking import Booking
from recycling.models.intake import IntakeTicket
from recycling.models.weighbridge import WeighedTrip
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.intake import claims
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.intake.weighing import MOST_TRIPS, Weighing
from tests.builders import a_booking
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_weighing, collect


@pytest.fixture
def visited(session: Session, district: District, now: datetime) -> list[Booking]:
    """Three fridges collected."""
    bookings = [a_booking(session, district=district, now=now) for _ in range(3)]
    collect(session, *bookings, district=district, now=now)
    return bookings


@pytest.fixture
def weigh(session: Session, district: District, now: datetime) -> Callable[..., IntakeTicket]:
    """Weigh in at 临城, now, unless the test says otherwise."""

    def weigh(weighing: Weighing, **overrides: Any) -> IntakeTicket:
        fields: dict[str, Any] = {"scale_number": "1", "by": a_keeper(), "session": session, "now": now}
        return weigh_in(weighing, district=district, **(fields | overrides))

    return weigh


def from_doors(booking: Booking, **fields: Any) -> Weighing:
    """The fridge of a booking, off lincheng-1."""
    return a_weighing(a_line(booking_id=booking.id), **{"vehicle_key": "lincheng-1"} | fields)


def test_a_second_ticket_of_a_trip_is_refused_and_the_first_is_named(
    session: Session, visited: list[Booking], weigh: Callable[..., IntakeTicket]
) -> None:
    first = weigh(from_doors(visited[0], trip=2))
    # at another station as well
    with pytest.raises(
        Conflict, match=rf"trip 2 of lincheng-1 on 2026-11-23 is on ticket 1 of scale 1 at lincheng \({first.id}\)"
    ):
        weigh(from_doors(visited[1], trip=2), by=a_keeper("shagou"))
    # while another trip, another vehicle, another day are other loads
    assert weigh(from_doors(visited[1], trip=1)).trip == 1
    assert weigh(from_doors(visited[2], trip=2, vehicle_key="shagou-1")).trip == 2
    assert_invariants(session)


def test_a_trip_that_is_left_out_is_the_vehicles_next(
    session: Session, visited: list[Booking], weigh: Callable[..., IntakeTicket], now: datetime
) -> None:
    assert weigh(from_doors(visited[0])).trip == 1
    assert weigh(from_doors(visited[1], trip=5)).trip == 5
    assert weigh(from_doors(visited[2]), by=a_keeper("shagou")).trip == 6
    # what was not fetched from doors is no load of a trip, unless the keeper says so
    assert weigh(a_weighing(vehicle_key="lincheng-1")).trip is None
    assert [weigh(a_weighing(vehicle_key="lincheng-1", trip=1)).trip for _ in range(2)] == [1, 1]
    # and every day begins anew
    assert weigh(a_weighing(channel="door", lines=(), refused_g=41_300, refused_reason="wet", vehicle_key="lincheng-1"),
                 now=now + timedelta(days=1)).trip == 1  # fmt: skip
    assert_invariants(session)


def test_a_load_of_an_earlier_day_takes_no_number_from_todays_trips(
    session: Session, district: District, visited: list[Booking], weigh: Callable[..., IntakeTicket]
) -> None:
    # given a load of yesterday that is weighed in this morning, and corrected
    next_day = instant_at(visited[0].day + timedelta(days=1), 8 * 3600)
    late = weigh(from_doors(visited[0]), now=next_day)
    assert late.trip is None
    given: dict[str, Any] = {"by": a_keeper(), "district": district, "session": session, "now": next_day}
    assert correct_ticket(late.id, from_doors(visited[0], net_g=41_000), reason="误读", **given).trip is None
    # then the first load of today is still the first
    empty = a_weighing(channel="door", lines=(), refused_g=41_300, refused_reason="wet", vehicle_key="lincheng-1")
    assert weigh(empty, now=next_day).trip == 1
    assert_invariants(session)


def test_after_the_last_number_a_load_is_weighed_without_one(
    session: Session, visited: list[Booking], weigh: Callable[..., IntakeTicket]
) -> None:
    weigh(from_doors(visited[0], trip=MOST_TRIPS))
    assert weigh(from_doors(visited[1])).trip is None
    assert_invariants(session)


def test_a_correction_takes_the_trip_over_and_a_withdrawal_frees_it(
    session: Session, district: District, now: datetime, visited: list[Booking], weigh: Callable[..., IntakeTicket]
) -> None:
    def correct(ticket: IntakeTicket, weighing: Weighing | None) -> IntakeTicket:
        return correct_ticket(
            ticket.id, weighing, reason="读数有误", by=a_keeper(), district=district, session=session, now=now
        )

    first = weigh(from_doors(visited[0]))
    # when the correction says nothing of the trip, it stays the first
    second = correct(first, from_doors(visited[0], net_g=40_000))
    assert second.trip == 1
    # when it says another, that one is taken and the first is free
    third = correct(second, from_doors(visited[0], trip=3))
    assert weigh(from_doors(visited[1], trip=1)).trip == 1
    with pytest.raises(Conflict, match="trip 3 of lincheng-1"):
        weigh(from_doors(visited[2], trip=3))
    with pytest.raises(Conflict, match="trip 1 of lincheng-1"):
        correct(third, from_doors(visited[0], trip=1))
    # when it was another vehicle, it is that one's next
    fourth = correct(third, from_doors(visited[0], vehicle_key="shagou-1"))
    assert (fourth.vehicle_key, fourth.trip) == ("shagou-1", 1)
    # when it is withdrawn, its trip is free
    assert correct(fourth, None).trip is None
    assert weigh(from_doors(visited[2], vehicle_key="shagou-1", trip=1)).trip == 1
    assert_invariants(session)


@pytest.mark.parametrize("guard", [True, False], ids=["claimed", "control"])
def test_two_stations_that_weigh_one_trip_at_once_make_one_ticket(
    *, guard: bool, session: Session, district: District, now: datetime, visited: list[Booking],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if not guard:  # whoever claims a trip gets it
        monkeypatch.setattr(claims, "insert_if_absent", lambda *_args, **_row: True)
    weighings = [from_doors(booking, trip=1) for booking in visited[:2]]
    engine, outcomes, together = session.get_bind(), [], threading.Barrier(2)
    session.rollback()

    def weigh(weighing: Weighing, station_key: str) -> None:
        with Session(engine) as own:
            together.wait(10)
            try:
                weigh_in(weighing, scale_number="1", by=a_keeper(station_key), district=district, session=own, now=now)
                outcomes.append("made")
            except DomainError as error:
                outcomes.append(error.code)

    threads = [
        threading.Thread(target=weigh, args=pair) for pair in zip(weighings, ("lincheng", "shagou"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    session.expire_all()
    made = session.scalars(select(IntakeTicket.trip)).all()
    if guard:
        assert (sorted(outcomes), made) == (["conflict", "made"], [1])
        assert session.scalars(select(WeighedTrip.trip)).all() == [1]
        assert_invariants(session)
    else:
        assert (outcomes, made) == (["made", "made"], [1, 1])


def test_two_stations_that_name_no_trip_at_once_take_two(
    session: Session, district: District, now: datetime, visited: list[Booking]
) -> None:
    weighings = [from_doors(booking) for booking in visited[:2]]
    engine, together = session.get_bind(), threading.Barrier(2)
    session.rollback()

    def weigh(weighing: Weighing, station_key: str) -> None:
        with Session(engine) as own:
            together.wait(10)
            weigh_in(weighing, scale_number="1", by=a_keeper(station_key), district=district, session=own, now=now)

    threads = [
        threading.Thread(target=weigh, args=pair) for pair in zip(weighings, ("lincheng", "shagou"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(session.scalars(select(WeighedTrip.trip))) == [1, 2]
    assert_invariants(session)
