"""The day's ledger: what fits is taken, what does not is refused whole, and the database itself stands behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import WindowClosed, WindowFull
from recycling.models.ledger import DayLedger, Promise, WindowLedger, close_day, free, move, open_ledger
from recycling.models.transaction import atomic
from recycling.policy.capacity import AreaCapacity

DAY = date(2026, 11, 24)
# Two places in the morning, one in the afternoon; 3000 s, 100 kg, 2000 l for the whole day.
SMALL = AreaCapacity(area="a", places={"am": 2, "pm": 1}, service_s=3000, mass_g=100_000, litres=2000)


def a_promise(**overrides: object) -> Promise:
    fields = {"day": DAY, "area": "a", "pickup_window": "am", "service_s": 1000, "load_g": 40_000, "load_l": 800}
    return Promise(**(fields | overrides))  # type: ignore[arg-type]  # overrides are of the fields' types


def take(session: Session, promise: Promise) -> None:
    """Take a promise, giving none up."""
    move(session, give_up=None, take_up=promise, capacity=SMALL)


def figures(session: Session, day: date = DAY, area: str = "a") -> tuple[int, int, int, dict[str, int]]:
    """Used seconds, grams, litres, and used places by window."""
    session.expire_all()
    row = session.get_one(DayLedger, (day, area))
    windows = session.query(WindowLedger).filter_by(day=day, area=area)
    return row.service_used_s, row.load_used_g, row.load_used_l, {one.pickup_window: one.places_used for one in windows}


@pytest.fixture
def opened(session: Session) -> Session:
    with atomic(session):
        open_ledger(session, day=DAY, capacity=SMALL)
    return session


def test_taking_and_freeing_add_up(opened: Session) -> None:
    # when two promises are taken and one of them is freed
    with atomic(opened):
        take(opened, a_promise())
        take(opened, a_promise(pickup_window="pm", service_s=500, load_g=10_000, load_l=100))
    # 1000 + 500 s, 40 + 10 kg, 800 + 100 l, one place each
    assert figures(opened) == (1500, 50_000, 900, {"am": 1, "pm": 1})
    with atomic(opened):
        free(opened, a_promise())
    assert figures(opened) == (500, 10_000, 100, {"am": 0, "pm": 1})


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        # 50 of 50 minutes fit, 3001 s are 51 minutes when rounded up
        ({"service_s": 3001}, "handling minutes"),
        ({"load_g": 100_001}, "kilograms"),
        ({"load_l": 2001}, "litres"),
    ],
)
def test_each_sum_of_the_day_has_its_limit_and_the_refusal_names_it(
    opened: Session, wish: dict[str, int], named: str
) -> None:
    # at the limit it fits
    at_limit = {name: value - 1 for name, value in wish.items()}
    with atomic(opened):
        take(opened, a_promise(**at_limit))
        free(opened, a_promise(**at_limit))
    # one more than that does not, and nothing of it stays
    with pytest.raises(WindowFull, match=named), atomic(opened):
        take(opened, a_promise(**wish))
    assert figures(opened) == (0, 0, 0, {"am": 0, "pm": 0})


def test_a_full_window_refuses_and_leaves_the_day_as_it_was(opened: Session) -> None:
    with atomic(opened):
        take(opened, a_promise(pickup_window="pm", service_s=10, load_g=1, load_l=1))
    with pytest.raises(WindowFull, match="pm"), atomic(opened):
        take(opened, a_promise(pickup_window="pm", service_s=10, load_g=1, load_l=1))
    # the day's sums were counted up before the window refused: they are back
    assert figures(opened) == (10, 1, 1, {"am": 0, "pm": 1})


def test_the_old_place_is_held_when_the_new_window_is_full(opened: Session) -> None:
    # given a booking in the morning and the afternoon's one place taken
    with atomic(opened):
        take(opened, a_promise())
        take(opened, a_promise(pickup_window="pm"))
    # when the first wants the afternoon
    with pytest.raises(WindowFull), atomic(opened):
        move(opened, give_up=a_promise(), take_up=a_promise(pickup_window="pm"), capacity=SMALL)
    # then both hold what they had
    assert figures(opened) == (2000, 80_000, 1600, {"am": 1, "pm": 1})


def test_a_booking_may_grow_into_the_room_that_it_holds_itself(opened: Session) -> None:
    # given a booking that takes 60 of the day's 100 kg
    small, large = a_promise(load_g=60_000), a_promise(load_g=100_000)
    with atomic(opened):
        take(opened, small)
    # when it grows to 100 kg: 60 + 100 would not fit, 60 - 60 + 100 does
    with atomic(opened):
        move(opened, give_up=small, take_up=large, capacity=SMALL)
    assert figures(opened)[1] == 100_000


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE window_ledger SET places_used = places_cap + 1",
        "UPDATE window_ledger SET places_used = -1",
        "UPDATE day_ledger SET service_used_s = service_cap_s + 1",
        "UPDATE day_ledger SET load_used_g = load_cap_g + 1",
        "UPDATE day_ledger SET load_used_l = load_cap_l + 1",
        "UPDATE day_ledger SET load_used_l = -1",
        # lowering a limit below what is promised is refused too
        "UPDATE window_ledger SET places_used = 1, places_cap = 0",
    ],
)
def test_the_database_refuses_more_than_the_limit_whoever_writes_it(opened: Session, statement: str) -> None:
    with pytest.raises(IntegrityError):
        opened.execute(text(statement))
    opened.rollback()
    assert figures(opened) == (0, 0, 0, {"am": 0, "pm": 0})


def test_more_cannot_be_freed_than_was_taken(opened: Session) -> None:
    # a promise freed twice would go below zero: the CHECK stops it and the transaction is undone
    with pytest.raises(IntegrityError), atomic(opened):
        free(opened, a_promise())
    assert figures(opened) == (0, 0, 0, {"am": 0, "pm": 0})


def test_a_closed_day_neither_takes_nor_frees(opened: Session) -> None:
    with atomic(opened):
        take(opened, a_promise())
        close_day(opened, day=DAY, areas=["a", "b"])
    for step in (take, free):
        with pytest.raises(WindowClosed, match="2026-11-24"), atomic(opened):
            step(opened, a_promise())
    assert figures(opened) == (1000, 40_000, 800, {"am": 1, "pm": 0})


def test_opening_a_ledger_again_keeps_its_limits_and_promises(opened: Session) -> None:
    with atomic(opened):
        take(opened, a_promise())
        open_ledger(opened, day=DAY, capacity=AreaCapacity(area="a", places={"am": 9}, service_s=9, mass_g=9, litres=9))
    assert figures(opened) == (1000, 40_000, 800, {"am": 1, "pm": 0})
    assert opened.get_one(DayLedger, (DAY, "a")).load_cap_g == 100_000


def test_the_first_promise_of_a_day_makes_its_rows(session: Session) -> None:
    # given a day and area without rows
    with atomic(session):
        take(session, a_promise())
    # then all its windows stand, with the limits that came along
    assert figures(session) == (1000, 40_000, 800, {"am": 1, "pm": 0})
    assert session.get_one(DayLedger, (DAY, "a")).load_cap_g == 100_000


def test_a_closed_day_is_not_opened_by_the_first_promise_of_an_area(session: Session) -> None:
    # given a day closed before anybody booked there, as publishing a plan leaves it
    with atomic(session):
        open_ledger(session, day=DAY, capacity=SMALL)
        close_day(session, day=DAY, areas=["a"])
    with pytest.raises(WindowClosed), atomic(session):
        take(session, a_promise())


def test_freeing_on_a_day_without_rows_is_refused(session: Session) -> None:
    with pytest.raises(WindowClosed), atomic(session):
        free(session, a_promise(day=DAY + timedelta(days=1)))


def test_a_window_configured_later_takes_its_places_from_the_first_promise_on(opened: Session) -> None:
    # given a day whose rows stand, and a window for one that was configured afterwards
    more = replace(SMALL, places={**SMALL.places, "eve": 1})
    with atomic(opened):
        move(opened, give_up=None, take_up=a_promise(pickup_window="eve"), capacity=more)
    assert figures(opened) == (1000, 40_000, 800, {"am": 0, "pm": 0, "eve": 1})
    # when a second wants it, then it is full like any other
    with pytest.raises(WindowFull, match="eve"), atomic(opened):
        move(opened, give_up=None, take_up=a_promise(pickup_window="eve", load_g=1), capacity=more)
    assert figures(opened) == (1000, 40_000, 800, {"am": 0, "pm": 0, "eve": 1})


def test_what_no_day_could_take_is_told_to_come_in_parts_and_not_on_another_day(opened: Session) -> None:
    with pytest.raises(WindowFull, match="needs 101 kilograms, a whole day of this area has 100: place it as several"):
        move(opened, give_up=None, take_up=a_promise(load_g=100_001), capacity=SMALL)


def test_who_gives_up_a_place_on_a_planned_day_is_not_sent_to_a_later_one(opened: Session) -> None:
    with atomic(opened):
        take(opened, a_promise())
        close_day(opened, day=DAY, areas=["a"])
    with pytest.raises(WindowClosed, match="only the dispatcher can still take the booking out"), atomic(opened):
        free(opened, a_promise())
