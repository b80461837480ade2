"""A service day written as a planning problem."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.planning.day_problem import day_problem, fingerprint
from tests.builders import TOMORROW, a_booking


def test_equal_bookings_give_an_equal_problem_in_whatever_sequence_they_come(
    session: Session, district: District, now: datetime
) -> None:
    # given three bookings
    bookings = [a_booking(session, district=district, now=now) for _ in range(3)]
    # when the day is written in two sequences
    one = day_problem(TOMORROW, bookings, district=district)
    other = day_problem(TOMORROW, bookings[::-1], district=district)
    # then the problems are equal, and so are their fingerprints; with a booking less they are not
    assert one == other
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(day_problem(TOMORROW, bookings[1:], district=district))


def test_a_stop_asks_for_what_its_booking_promised(session: Session, district: District, now: datetime) -> None:
    # given a fridge and a wall unit of an air conditioner to be taken off, on the third floor without a lift
    booking = a_booking(
        session,
        district=district,
        now=now,
        items=[
            WishedItem(item_type="fridge", quantity=1),
            WishedItem(item_type="ac-split", quantity=1, dismantle=True),
        ],
        floor=3,
        pickup_window="10-12",
        lat=34.81,
        lon=117.27,
    )
    problem = day_problem(TOMORROW, [booking], district=district)
    (stop,) = problem.stops
    # then key, place, load, seconds and window are the booking's own
    assert stop.key == str(booking.id)
    assert problem.locations[stop.location] == (34.81, 117.27)
    assert stop.load == (booking.declared_g, booking.declared_l)
    assert stop.service_s == booking.service_s
    assert stop.windows_s == ((36_000, 43_200),)  # 10:00 to 12:00
    # a fridge is lifted by two and stands upright; taking an air conditioner off needs its own two skills
    assert stop.skills == {"two-person-lift", "upright", "dismantling", "refrigerant"}


def test_fleet_and_stations_are_those_of_the_network(session: Session, district: District, now: datetime) -> None:
    # given a station that takes 5 t and 40 m³ a day
    network = district.network
    full = replace(network.stations["lincheng"], intake_limit_g=5_000_000, intake_limit_l=40_000)
    limited = replace(district, network=replace(network, stations=dict(network.stations) | {"lincheng": full}))
    problem = day_problem(TOMORROW, [], district=limited)
    # then ten stations open from 07:30 to 19:00, and that limit on one of them
    assert [station.open_s for station in problem.stations] == [(27_000, 68_400)] * 10
    limits = {station.key: station.intake_limit for station in problem.stations}
    assert limits.pop("lincheng") == (5_000_000, 40_000)
    assert set(limits.values()) == {None}
    # twenty vehicles, each with the skills of its crew: the two-person lift only where two hold it
    vehicles = problem.vehicle_by_key
    assert len(vehicles) == 20
    assert "two-person-lift" in vehicles["lincheng-1"].skills
    assert "two-person-lift" not in vehicles["lincheng-2"].skills
    assert vehicles["lincheng-1"].capacity == (1_500_000, 16_000)  # the truck of network.toml


def test_no_saving_of_the_whole_fleet_pays_for_a_broken_promise(
    session: Session, district: District, now: datetime
) -> None:
    booking = a_booking(session, district=district, now=now)
    (stop,) = day_problem(TOMORROW, [booking], district=district).stops
    # 10 trucks and 10 vans, each driving all 36,000 s from 08:00 to 18:00 at 1 a second, no metres, no overtime:
    # 10 × (5,400 + 36,000) + 10 × (3,600 + 36,000) = 810,000; leaving a pickup out costs one more than that
    assert stop.skip_cost == 810_001
