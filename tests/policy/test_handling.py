"""Handling tables in force by their day, and routes timed anew with other minutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from recycling.policy.handling import HandlingBook, HandlingTable, item_part
from recycling.policy.retiming import TimedStep, retimed_arrivals
from recycling.policy.service_time import ItemCount, carrying_counts, stop_need
from tests.policy.builders import a_piece_of_furniture, a_service_time_rule, an_item_type

MONDAY = date(2026, 11, 23)
RULE = a_service_time_rule()


def test_of_two_tables_in_force_the_later_one_holds_and_what_it_lacks_is_as_configured() -> None:
    # given one from Monday, and one from Wednesday that knows fridges only
    wednesday = MONDAY + timedelta(days=2)
    book = HandlingBook(
        (
            HandlingTable(number=1, valid_from=MONDAY, seconds={"base_s": 240}),
            HandlingTable(number=2, valid_from=wednesday, seconds={item_part("fridge"): 900}),
        )
    )
    fridge = an_item_type()
    # then Sunday is as configured, Tuesday is the first one's, and Wednesday the second one's alone
    sunday, tuesday = MONDAY - timedelta(days=1), MONDAY + timedelta(days=1)
    assert (book.rule(RULE, on=sunday), book.item_type(fridge, on=sunday)) == (RULE, fridge)
    assert (book.rule(RULE, on=tuesday).base_s, book.item_type(fridge, on=tuesday).handling_s) == (240, 720)
    assert (book.rule(RULE, on=wednesday).base_s, book.item_type(fridge, on=wednesday).handling_s) == (300, 900)


def test_a_factor_on_travel_begins_on_its_own_day_and_the_one_before_goes_on_until_then() -> None:
    later = MONDAY + timedelta(days=30)
    first = HandlingTable(number=1, valid_from=MONDAY, seconds={}, travel_bp=12_000, travel_from=MONDAY)
    second = HandlingTable(number=2, valid_from=MONDAY, seconds={}, travel_bp=13_000, travel_from=later)
    book = HandlingBook((first, second))
    assert book.travel_bp(MONDAY - timedelta(days=1)) == 10_000
    assert book.travel_bp(later - timedelta(days=1)) == 12_000
    assert book.travel_bp(later) == 13_000


def test_the_parts_of_a_stop_add_up_to_its_time_whatever_is_carried() -> None:
    # learning takes a stop's time to be the sum of its parts: that must stay so when the rule changes
    chair = a_piece_of_furniture()
    items = [ItemCount(item_type=an_item_type(), quantity=2), ItemCount(item_type=chair, quantity=7)]
    for floor in (-1, 0, 1, 2, 6):
        for lift in (False, True):
            counts = carrying_counts(items, floor=floor, lift=lift, rule=RULE)
            carried = sum(count * getattr(RULE, part) for part, count in counts.items())
            need = stop_need(items, floor=floor, lift=lift, rule=RULE)
            assert need.service_s == carried + 2 * 720 + 7 * 60, (floor, lift)
    # two fridges down five storeys and 35 kg of chairs in two loads of 25 kg
    counts = carrying_counts(items, floor=6, lift=False, rule=RULE)
    assert counts == {"base_s": 1, "stairs_heavy_s": 10, "stairs_light_s": 10}
    assert carrying_counts(items, floor=6, lift=True, rule=RULE) == {"base_s": 1, "lift_load_s": 4}


ROUTE = (
    TimedStep(key=None, arrival_s=28_800, start_s=28_800, end_s=28_800),
    TimedStep(key="a", arrival_s=29_400, start_s=29_400, end_s=30_600),  # 10 min there, 20 min
    TimedStep(key="b", arrival_s=31_200, start_s=36_000, end_s=37_200),  # 10 min there, waits until 10:00
    TimedStep(key=None, arrival_s=37_800, start_s=37_800, end_s=38_700),  # unloads 15 min
    TimedStep(key="c", arrival_s=39_300, start_s=39_300, end_s=39_900),
)


def timed(travel_after: int = 10_000, **seconds: int) -> dict[str, int]:
    return retimed_arrivals(ROUTE, seconds=seconds, travel_before=10_000, travel_after=travel_after)


def test_a_route_timed_with_the_same_minutes_arrives_as_planned() -> None:
    assert timed() == {"a": 29_400, "b": 31_200, "c": 39_300}


def test_what_takes_longer_moves_what_follows_unless_there_was_a_wait() -> None:
    # 10 min more at a are waited away at b; 10 min more at b arrive at c
    assert timed(a=1_800) == {"a": 29_400, "b": 31_800, "c": 39_300}
    assert timed(b=1_800) == {"a": 29_400, "b": 31_200, "c": 39_900}
    # half as long again on the road: 15 min to a, 30 min later than planned at b: still before ten; c is 2 × 5 min late
    assert timed(travel_after=15_000) == {"a": 29_700, "b": 31_800, "c": 39_900}


def test_a_window_that_opened_long_ago_is_not_waited_for() -> None:
    # 2 h more at a: b is reached at 38,400, after ten, and served at once: 38,400 + 20 min + 10 + 15 + 10 min
    assert timed(a=1_200 + 7_200) == {"a": 29_400, "b": 38_400, "c": 38_400 + 1_200 + 600 + 900 + 600}


def test_a_plan_made_with_a_factor_is_timed_from_what_lies_under_it() -> None:
    steps = (ROUTE[0], replace(ROUTE[1], arrival_s=28_800 + 720, start_s=29_520, end_s=30_720))
    # 12 min with a factor of 1.2 are 10 min as estimated, and 15 min with 1.5
    found = retimed_arrivals(steps, seconds={}, travel_before=12_000, travel_after=15_000)
    assert found == {"a": 28_800 + 900}
