"""The code for the door: its resident alone sees it, on the day alone; nobody guesses it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.extensions import db
from recycling.models.booking import Booking
from recycling.models.proof import DoorCode
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.door_code import MOST_WRONG
from recycling.units import instant_at
from recycling.usecases.field import door_code as usecases
from recycling.usecases.field.door_code import CodeCheck, check_door_code, show_door_code
from tests.builders import DISPATCHER, TOMORROW, a_booking, a_resident, a_wish_body
from tests.callers import Callers

ON_THE_DAY = instant_at(TOMORROW, 7 * 3600)


class Door:
    """A booking with its code, and the ways to try it."""

    def __init__(self, app: Flask, session: Session, district: District, now: datetime) -> None:
        self.app, self.session = app, session
        self.resident = a_resident(session, now=now)
        self.booking_id = a_booking(session, district=district, now=now, by=self.resident).id
        self.code = self.look()

    def look(self, by: Principal | None = None, *, at: datetime = ON_THE_DAY) -> str | None:
        """What somebody is shown at an instant."""
        booking = self.session.get_one(Booking, self.booking_id)
        return show_door_code(booking, by=by or self.resident, session=self.session, now=at)

    def wrong(self, number: int = 1) -> str:
        """A code that is not the right one."""
        return f"{(int(str(self.code)) + number) % 10**6:06d}"

    def typed(self, text: str, *, session: Session | None = None) -> CodeCheck:
        """What a record that brings this code comes to."""
        used = session or self.session
        with atomic(used):
            return check_door_code(used.get_one(Booking, self.booking_id), text, session=used)

    def tries(self) -> int:
        """Wrong ones so far."""
        self.session.rollback()
        return self.session.scalars(select(DoorCode.wrong_tries)).one()


@pytest.fixture
def door(app: Flask, session: Session, district: District, now: datetime) -> Door:
    """A fridge of tomorrow, its code looked at."""
    return Door(app, session, district, now)


def test_the_code_is_made_at_the_first_look_and_stays(door: Door) -> None:
    assert door.code is not None
    assert len(door.code) == 6
    assert door.code.isdigit()
    assert door.look() == door.code
    # it is encrypted where it stands
    stored = door.session.execute(text("SELECT code FROM door_code")).scalar_one()
    assert door.code.encode() not in bytes(stored)


@pytest.mark.parametrize(
    "at", [instant_at(TOMORROW, -1), instant_at(TOMORROW + timedelta(days=1), 0)], ids=["before", "after"]
)
def test_the_code_is_shown_on_its_day_alone(door: Door, at: datetime) -> None:
    assert door.look(at=at) is None
    assert door.look(at=instant_at(TOMORROW, 0)) == door.code
    assert door.look(at=instant_at(TOMORROW, 86_399)) == door.code


def test_only_its_resident_sees_it(door: Door, now: datetime) -> None:
    for other in (a_resident(door.session, now=now), DISPATCHER, Principal(id=UUID(int=9), role="admin")):
        assert door.look(other) is None
    collector = Principal(id=door.resident.id, role="collector", collector_key="c01")
    assert door.look(collector) is None


def test_a_cancelled_booking_has_none(door: Door) -> None:
    door.session.execute(update(Booking).values(state="cancelled"))
    door.session.commit()
    assert door.look() is None


def test_all_visits_of_a_booking_open_with_the_first_ones_code(
    door: Door, session: Session, district: District, now: datetime
) -> None:
    # given a further visit of the same booking
    other_id = a_booking(session, district=district, now=now, by=door.resident).id
    session.execute(update(Booking).where(Booking.id == other_id).values(part_of=door.booking_id))
    session.commit()
    other = session.get_one(Booking, other_id)
    assert show_door_code(other, by=door.resident, session=session, now=ON_THE_DAY) == door.code
    assert check_door_code(other, str(door.code), session=session) == "matched"
    session.execute(text("UPDATE booking SET part_of = NULL"))
    session.commit()


def test_five_wrong_tries_and_the_right_code_proves_nothing_any_more(door: Door) -> None:
    assert door.typed(str(door.code)) == "matched"
    for number in range(1, MOST_WRONG + 1):
        assert door.typed(door.wrong(number)) == "wrong"
    # then neither a guess nor the right one is looked at
    assert door.typed(door.wrong()) == "used_up"
    assert door.typed(str(door.code)) == "used_up"
    assert door.tries() == MOST_WRONG
    # and the database itself counts no sixth
    with pytest.raises(IntegrityError):
        door.session.execute(text("UPDATE door_code SET wrong_tries = wrong_tries + 1"))
    door.session.rollback()


def test_control_without_the_counter_guessing_succeeds(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecases, "count_wrong_try", lambda session, code: None)
    assert guesses(door)[-1] == "matched"


def test_with_the_counter_the_same_guessing_does_not(door: Door) -> None:
    answers = guesses(door)
    assert "matched" not in answers
    assert answers == ["wrong"] * MOST_WRONG + ["used_up"] * (len(answers) - MOST_WRONG)


def guesses(door: Door) -> list[CodeCheck]:
    """Fifty codes one after another, the last of them the right one."""
    return [door.typed(door.wrong(number)) for number in range(-49, 1)]


def test_twenty_tries_at_once_are_counted_one_by_one(door: Door) -> None:
    assert at_once(door, door.wrong) == {"wrong": MOST_WRONG, "used_up": 20 - MOST_WRONG}
    assert door.tries() == MOST_WRONG


def at_once(door: Door, code: Callable[[int], str]) -> dict[str, int]:
    """Twenty tries at the same moment; how many came to what."""
    together = threading.Barrier(20)

    def attempt(number: int) -> str:
        with door.app.app_context():
            try:
                together.wait(30)
                return door.typed(code(number), session=db.session())
            finally:
                db.session.remove()

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(attempt, range(1, 21)))
    return {answer: found.count(answer) for answer in sorted(set(found), reverse=True)}


def test_a_code_that_nobody_has_seen_is_matched_by_nothing(session: Session, district: District, now: datetime) -> None:
    booking = a_booking(session, district=district, now=now)
    assert check_door_code(booking, "000000", session=session) == "never_shown"
    assert session.scalars(select(DoorCode)).all() == []


def test_a_booking_shows_its_code_over_http_to_its_resident_on_the_day(callers: Callers) -> None:
    phone = "13912345678"
    resident = callers.resident(phone)
    made = resident.post("/bookings", a_wish_body(address="清泉路 5 号")).get_json()
    assert made["door_code"] is None
    path = f"/bookings/{made['id']}"
    assert resident.get(path).get_json()["door_code"] is None
    with time_machine.travel(ON_THE_DAY, tick=True):
        resident = callers.resident(phone)
        code = resident.get(path).get_json()["door_code"]
        assert code is not None
        assert resident.get(path).get_json()["door_code"] == code
        for role in ("dispatcher", "admin"):
            assert callers.staff(role).get(path).get_json()["door_code"] is None
        # it is in no list and no copy of their personal data
        for elsewhere in ("/bookings", "/my-data"):
            assert "door_code" not in resident.get(elsewhere).text
