"""Re-optimising a day: every promise keeps one place, those without one get it, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from recycling.models.booking import Booking
from recycling.models.ledger import DayLedger, TentativeRoute
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem
from recycling.routing.solve import solve
from recycling.usecases.bookings.book_pickup import HOLD, hold_pickup
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from recycling.usecases.bookings.tentative import boards
from recycling.usecases.planning.improve_day import Improvement, improve_day
from tests.builders import TOMORROW, a_booking, a_resident, a_wish
from tests.invariants import assert_invariants
from tests.places import places, visits
from tests.planned_days import with_vehicles

Change = Callable[[Booking, Principal], object]


def improve(session: Session, district: District, now: datetime, meanwhile: Callable[[], object]) -> Improvement:
    """Let the planner work on tomorrow, with something happening when it has its answer."""

    def solver(problem: Problem, **how: Any) -> Plan:
        answer = solve(problem, **how)
        meanwhile()
        return answer

    return improve_day(
        TOMORROW, district=district, session=session, now=now, seconds=1, workers=1, seed=1, solve=solver
    )


def lose_places(session: Session) -> None:
    """Leave the bookings of all days without places, as a move from counters does."""
    with atomic(session):
        session.execute(delete(TentativeRoute))
        session.execute(update(DayLedger).values(born=uuid4()))  # so that no process remembers them either


def without_vehicles_in_use(session: Session, district: District) -> District:
    """The district after every vehicle that has promises has left the fleet."""
    used = set(session.scalars(select(TentativeRoute.vehicle_key)))
    session.rollback()
    return with_vehicles(district, *(key for key in district.network.vehicles if key not in used))


@pytest.fixture
def changes(session: Session, now: datetime) -> Callable[[str, District], Change]:
    """A change of a booking by its owner, by name."""

    def named(kind: str, district: District) -> Change:
        if kind == "cancel":
            return lambda booking, by: cancel_pickup(
                booking.id, version=1, by=by, district=district, session=session, now=now
            )
        return lambda booking, by: amend_pickup(
            booking.id, {"pickup_window": "13-15"}, version=1, by=by, district=district, session=session, now=now
        )

    return named


@pytest.mark.parametrize(("kind", "left"), [("cancel", {}), ("amend", {("2026-11-24", "13-15"): 1})])
def test_a_booking_on_a_vehicle_that_left_the_fleet_is_changed_without_a_trace(
    session: Session, district: District, now: datetime, changes: Callable[[str, District], Change], kind: str,
    left: dict[tuple[str, str], int],
) -> None:  # fmt: skip
    by = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, by=by)
    smaller = without_vehicles_in_use(session, district)
    changes(kind, smaller)(booking, by)
    # then the old place is gone, and where there is a new one it is the only one
    assert places(session) == left
    assert_invariants(session)


def test_bookings_of_a_vehicle_that_left_the_fleet_move_to_others(
    session: Session, district: District, now: datetime
) -> None:
    bookings = {str(a_booking(session, district=district, now=now).id) for _ in range(3)}
    smaller = without_vehicles_in_use(session, district)
    assert improve(session, smaller, now, lambda: None).outcome == "improved"
    assert visits(session).keys() == bookings
    assert set(session.scalars(select(TentativeRoute.vehicle_key))) & smaller.network.vehicles.keys()
    assert_invariants(session)


@pytest.mark.parametrize(("kind", "left"), [("cancel", {}), ("amend", {("2026-11-24", "13-15"): 1})])
def test_a_booking_without_a_place_that_is_changed_while_the_planner_works_is_placed_as_it_is_then(
    session: Session, district: District, now: datetime, changes: Callable[[str, District], Change], kind: str,
    left: dict[tuple[str, str], int],
) -> None:  # fmt: skip
    # given two bookings without a place
    by = a_resident(session, now=now)
    booking, other = (a_booking(session, district=district, now=now, by=by) for _ in range(2))
    other_id = str(other.id)
    lose_places(session)
    # when one of them is changed after the planner has placed both
    done = improve(session, district, now, lambda: changes(kind, district)(booking, by))
    # then the other has its place, and the changed one what it asked for last
    assert done.outcome == "improved"
    assert other_id in visits(session)
    assert places(session) == {("2026-11-24", "08-10"): 1} | left
    assert_invariants(session)


@pytest.mark.parametrize("placed", [True, False], ids=["with a place", "without one"])
def test_a_hold_that_lapsed_gets_no_place_back_from_the_planner(
    session: Session, district: District, now: datetime, *, placed: bool
) -> None:
    # given a hold, and bookings that an improvement has something to do for
    by = a_resident(session, now=now)
    if not placed:
        hold_pickup(a_wish(), by=by, district=district, session=session, now=now)
    booking_id = str(a_booking(session, district=district, now=now).id)
    lose_places(session)
    if placed:
        hold_pickup(a_wish(), by=by, district=district, session=session, now=now)
    # when the day is improved after its time, and before anybody swept it away
    done = improve(session, district, now + HOLD, lambda: None)
    # then it is gone with its place
    assert done.outcome == "improved"
    assert visits(session).keys() == {booking_id}
    assert_invariants(session)


def test_what_a_process_remembers_of_a_day_is_what_the_database_has(
    session: Session, district: District, now: datetime
) -> None:
    # given a day changed, improved and changed again in this process, and nothing of it read back
    by = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, by=by)
    a_booking(session, district=district, now=now)
    lose_places(session)
    improve(session, district, now, lambda: None)
    amend_pickup(
        booking.id, {"pickup_window": "13-15"}, version=1, by=by, district=district, session=session, now=now
    )  # fmt: skip
    known = boards(session, [TOMORROW], district=district)[TOMORROW]
    # when another process reads it
    fresh = boards(session, [TOMORROW], district=replace(district))[TOMORROW]
    # then both see the same routes
    assert known is not None
    assert fresh is not None
    assert known.routes == fresh.routes
    assert known.taken == fresh.taken
    assert sum(len(route.visits) for route in known.routes) == 2
    session.rollback()


def test_routes_that_cost_as_much_once_everybody_has_a_place_are_left_as_they_are(
    session: Session, district: District, now: datetime
) -> None:
    # given a planner whose plan is cheap because it forgets somebody
    for _ in range(2):
        a_booking(session, district=district, now=now)
    before = visits(session)
    done = improve_day(
        TOMORROW, district=district, session=session, now=now, seconds=1, workers=0, seed=1,
        solve=lambda problem, **how: replace(solve(problem, **how), routes=(), unassigned=()),
    )  # fmt: skip
    # then that is seen when those who were forgotten are put back
    assert (done.outcome, done.cost_after) == ("no_better", done.cost_before)
    assert visits(session) == before
    assert_invariants(session)
