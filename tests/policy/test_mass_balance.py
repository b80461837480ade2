"""The mass balance of a trip: how a day is parted, what is compared, what is held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.policy.mass_balance import (
    DOOR_SOURCES,
    DoorSource,
    Taken,
    TicketSeen,
    TripTolerance,
    judge_trip,
    trip_of_ticket,
    trips_of_doors,
)

TOLERANCE = TripTolerance(
    doorstep_bp=500, station_class_average_bp=2_000, type_table_bp=3_500, least_g=10_000, source="test"
)
A, B, C = (UUID(int=number) for number in (1, 2, 3))
NINE = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NINE + timedelta(hours=hours)


def a_ticket(
    net_g: int, units: Mapping[tuple[UUID, str], int], *, trip: int | None = None, number: int = 9
) -> TicketSeen:
    return TicketSeen(ticket_id=UUID(int=number), trip=trip, net_g=net_g, units=units)


def taken(booking_id: UUID, mass_g: int, *, source: DoorSource = "type_table", units: int = 1) -> Taken:
    return Taken(booking_id=booking_id, item_type="fridge", units=units, mass_g=mass_g, source=source)


def test_each_recorded_unload_ends_a_trip() -> None:
    # given doors at nine, eleven and one, and unloads at ten and at noon
    ended = {A: at(0), B: at(2), C: at(4)}
    found = trips_of_doors(ended, unloads=[at(1), at(3)], tickets=[])
    assert found == {A: 1, B: 2, C: 3}
    # goods taken at the very second of an unload came after it
    assert trips_of_doors({A: at(1)}, unloads=[at(1)], tickets=[]) == {A: 2}


def test_without_a_recorded_unload_the_tickets_say_which_trip_it_was() -> None:
    tickets = [a_ticket(1, {(B, "fridge"): 1}, trip=2, number=8), a_ticket(1, {(A, "fridge"): 1}, trip=1)]
    # C is on no ticket: it was still on board when the vehicle came home last
    assert trips_of_doors({A: at(0), B: at(2), C: at(1)}, unloads=[], tickets=tickets) == {A: 1, B: 2, C: 2}
    # and tickets that do not say which load they are make one trip of the day
    unsaid = [a_ticket(1, {(A, "fridge"): 1}), a_ticket(1, {(B, "fridge"): 1}, number=8)]
    assert set(trips_of_doors({A: at(0), B: at(2)}, unloads=[], tickets=unsaid).values()) == {1}


def test_a_ticket_is_of_the_trip_that_most_of_its_units_come_from() -> None:
    doors = {A: 1, B: 2}
    mixed = a_ticket(1, {(A, "fridge"): 1, (B, "fridge"): 3}, trip=1)
    assert trip_of_ticket(mixed, doors) == 2
    assert trip_of_ticket(a_ticket(1, {(A, "fridge"): 2, (B, "fridge"): 2}), doors) == 1  # of equals the first
    assert trip_of_ticket(a_ticket(1, {(C, "fridge"): 1}, trip=3), doors) == 3  # nobody collected it: as it says


@pytest.mark.parametrize(
    ("goods", "station_g", "causes"),
    [
        # 200 kg weighed at the doors: 5 % of it are 10 kg
        ([taken(A, 200_000, source="doorstep")], 190_000, ()),
        ([taken(A, 200_000, source="doorstep")], 189_999, ("mass",)),
        ([taken(A, 200_000, source="doorstep")], 210_001, ("mass",)),
        # 100 kg by the class average: 20 kg; by the type table: 35 kg
        ([taken(A, 100_000, source="station_class_average")], 80_000, ()),
        ([taken(A, 100_000, source="station_class_average")], 79_999, ("mass",)),
        ([taken(A, 100_000)], 135_000, ()),
        ([taken(A, 100_000)], 135_001, ("mass",)),
        # 90 g of a phone: 10 kg at least
        ([taken(A, 90)], 10_090, ()),
        ([taken(A, 90)], 10_091, ("mass",)),
    ],
)
def test_a_trip_is_held_one_gram_beyond_its_tolerance(
    goods: list[Taken], station_g: int, causes: tuple[str, ...]
) -> None:
    found = judge_trip(goods, [a_ticket(station_g, {(A, "fridge"): 1})], tolerance=TOLERANCE)
    assert found.causes == causes
    assert found.difference_g == station_g - goods[0].mass_g


def test_tolerances_of_a_mixed_load_add_up() -> None:
    goods = [taken(A, 100_000, source="doorstep"), taken(B, 100_000)]
    ticket = a_ticket(240_000, {(A, "fridge"): 1, (B, "fridge"): 1})
    found = judge_trip(goods, [ticket], tolerance=TOLERANCE)
    # 5 % of 100 kg and 35 % of 100 kg
    assert (found.tolerance_g, found.difference_g, found.causes) == (40_000, 40_000, ())


def test_units_are_compared_door_by_door_though_the_masses_agree() -> None:
    # given two fridges taken from A and one from B, and a ticket with one of A's and two of B's
    goods = [taken(A, 80_000, units=2), taken(B, 40_000)]
    found = judge_trip(goods, [a_ticket(120_000, {(A, "fridge"): 1, (B, "fridge"): 2})], tolerance=TOLERANCE)
    assert found.causes == ("units_not_weighed", "units_not_collected")
    told = [(one.booking_id, one.collected, one.weighed) for one in found.differing]
    assert told == [(A, 2, 1), (B, 1, 2)]


def test_a_load_that_came_to_no_ticket_is_held_as_not_weighed_and_for_nothing_else() -> None:
    found = judge_trip([taken(A, 500)], [], tolerance=TOLERANCE)
    assert (found.causes, found.station_g) == (("not_weighed",), 0)
    # and nothing at all is no trip to hold
    assert judge_trip([], [], tolerance=TOLERANCE).causes == ()


@pytest.mark.parametrize("wrong", [{"doorstep_bp": -1}, {"type_table_bp": 10_001}, {"doorstep_bp": 3_000}])
def test_a_tolerance_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    values = {"doorstep_bp": 500, "station_class_average_bp": 2_000, "type_table_bp": 3_500, "least_g": 0}
    with pytest.raises(ValueError, match=r"_bp"):
        TripTolerance(**(values | wrong), source="test")


loads = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 90_000), st.sampled_from(DOOR_SOURCES)), min_size=1, max_size=12
)  # fmt: skip


@given(loads, st.data())
def test_a_whole_load_passes_and_any_unit_that_is_missing_from_its_tickets_holds_it(
    goods: list[tuple[int, int, DoorSource]], data: st.DataObject
) -> None:
    # given doors with some units each, split over two tickets in whatever way, which weigh what the doors do
    doors = [taken(UUID(int=n), mass_g, source=source, units=units) for n, (units, mass_g, source) in enumerate(goods)]
    left = {(door.booking_id, door.item_type): door.units for door in doors}
    first = {key: data.draw(st.integers(0, units)) for key, units in left.items()}
    second = {key: left[key] - units for key, units in first.items()}
    net_g = sum(door.mass_g for door in doors)

    def judged(*units: Mapping[tuple[UUID, str], int]) -> tuple[str, ...]:
        tickets = [a_ticket(net_g if number == 0 else 0, own, number=number) for number, own in enumerate(units)]
        return judge_trip(doors, tickets, tolerance=TOLERANCE).causes

    assert judged(first, second) == ()
    # when one unit of one of them is on neither
    lost = data.draw(st.sampled_from(sorted(left, key=str)))
    fewer = first if first[lost] else second
    fewer[lost] -= 1
    assert judged(first, second) == ("units_not_weighed",)
