"""Why a window is not offered, and what opens it: the smallest change first, each of them true."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from recycling.errors import WindowFull
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.lighter import Lighter, lightest, smaller, steps
from recycling.usecases.bookings.offer_slots import OfferedDay, offer_slots
from recycling.usecases.bookings.openings import Change
from recycling.usecases.bookings.promise import Wish, WishedItem
from recycling.usecases.bookings.why_not import Refusal
from tests.builders import TOMORROW, a_booking, a_resident, a_wish
from tests.conftest import NOW
from tests.places import one_truck
from tests.planned_days import VAN, with_vehicles

DESK = WishedItem(item_type="desk", quantity=1)  # 30 kg: two people from the third floor up
WARDROBE = WishedItem(item_type="wardrobe-two", quantity=1, dismantle=True)  # 70 kg: two people anywhere
NEXT_DAY = TOMORROW + timedelta(days=1)


def asked(wish: Wish, *, by: Principal, district: District, session: Session) -> list[OfferedDay]:
    """The answer to a wish; each change that it names is made, and opens its window."""
    days = offer_slots(wish, by=by, district=district, session=session, now=NOW)
    for change in [change for day in days for why in refused(day).values() for change in why.changes]:
        again = offer_slots(change.wish, by=by, district=district, session=session, now=NOW, explain=False)
        opened = {(one.day, window.pickup_window) for one in again for window in one.windows if window.fits}
        assert (change.wish.day, change.wish.pickup_window) in opened, change
    return days


def refused(day: OfferedDay) -> dict[str, Refusal]:
    """Why each window of a day is not offered."""
    return {window.pickup_window: window.refusal for window in day.windows if window.refusal is not None}


def told(changes: tuple[Change, ...]) -> list[tuple[str, int, str]]:
    """Kind, days from tomorrow and window of each change."""
    return [(one.kind, (one.wish.day - TOMORROW).days, one.wish.pickup_window) for one in changes]


def book_out(session: Session, district: District, *windows: str, **wish: Any) -> None:
    """Fill windows of the first day, one fridge after the other."""
    for key in windows:
        for _ in range(100):
            try:
                a_booking(session, district=district, now=NOW, pickup_window=key, **wish)
            except WindowFull:
                session.rollback()
                break
        else:
            raise AssertionError(f"{key} is never full")


def bookable_on(district: District, days: int) -> District:
    """The district that takes bookings so many days ahead."""
    return replace(district, booking_rules=replace(district.booking_rules, horizon_days=days))


# --- the search on real routes ---


def test_what_fits_on_another_day_is_named_last_and_nothing_is_parted_for_it(
    session: Session, district: District
) -> None:
    # given one truck with a full morning, and a free day after
    small, by = one_truck(district), a_resident(session, now=NOW)
    book_out(session, small, "08-10")
    # when somebody asks for it
    why = refused(asked(a_wish(), by=by, district=small, session=session)[0])
    # then the nearest windows come first, the same window on the next day last
    assert told(why["08-10"].changes) == [("window", 0, "all-day"), ("window", 0, "10-12"), ("day", 1, "08-10")]
    assert why["08-10"].changes[-1].en == "Wed 25 Nov, 08:00-10:00"


def test_a_full_day_names_the_next_one(session: Session, district: District) -> None:
    small, by = bookable_on(one_truck(district), 2), a_resident(session, now=NOW)
    book_out(session, small, "08-10", "10-12", "13-15", "15-17", "all-day")
    first, second = asked(a_wish(), by=by, district=small, session=session)
    assert {key: told(why.changes) for key, why in refused(first).items()} == {
        key: [("day", 1, key)] for key in small.network.pickup_windows
    }
    assert refused(second) == {}


def test_when_nothing_opens_it_the_answer_says_so_and_names_the_waiting_list(
    session: Session, district: District
) -> None:
    # given the only bookable day booked out
    small, by = bookable_on(one_truck(district), 1), a_resident(session, now=NOW)
    book_out(session, small, "08-10", "10-12", "13-15", "15-17", "all-day")
    (day,) = asked(a_wish(), by=by, district=small, session=session)
    # then a fridge on the ground floor, of which nothing can be made less, has no change in any window
    assert {why.changes for why in refused(day).values()} == {()}
    assert len(refused(day)) == 5
    assert all("候补" in why.zh and "waiting list" in why.en for why in refused(day).values())


def test_what_no_vehicle_takes_is_not_sent_to_the_waiting_list(session: Session, district: District) -> None:
    alone, by = with_vehicles(district, VAN), a_resident(session, now=NOW)
    days = asked(a_wish(items=[WARDROBE]), by=by, district=alone, session=session)
    why = refused(days[0])["08-10"]
    assert (why.binding, why.changes) == ("no_vehicle", ())
    assert "waiting list" not in why.en


def test_two_steps_are_named_where_one_does_not_do(session: Session, district: District) -> None:
    # given a van with one person, a wardrobe that takes two anywhere, and a desk that takes two on the third floor
    alone, by = with_vehicles(district, VAN), a_resident(session, now=NOW)
    wish = a_wish(items=[WARDROBE, DESK], floor=3)
    days = asked(wish, by=by, district=alone, session=session)
    # then the desk goes, carried down, without the wardrobe: neither step alone is enough
    for day in days:
        for key, why in refused(day).items():
            (change,) = why.changes
            assert (change.kind, change.wish.day, change.wish.pickup_window) == ("carry_down_fewer_items", day.day, key)
            assert [item.item_type for item in change.wish.items] == ["desk"]
            # and it is said that the wardrobe has no place for now
            assert change.zh == "请自行把物品搬到楼下，并把1件两门衣柜另行预约（其他日期目前也约满）"
            assert change.en.endswith("(for which the other days have no room at present)")


def test_a_step_that_opens_only_another_day_is_named_with_that_day(session: Session, district: District) -> None:
    # given a van with one person that is booked out tomorrow, and free on the day after
    alone, by = bookable_on(with_vehicles(district, VAN), 2), a_resident(session, now=NOW)
    book_out(session, alone, "all-day", "08-10", "10-12", "13-15", "15-17", items=[DESK])
    first, second = asked(a_wish(items=[DESK], floor=3), by=by, district=alone, session=session)
    # then the desk on the third floor, which takes two people, has to be carried down, and then only that day does
    for key, why in refused(first).items():
        assert told(why.changes) == [("carry_down", 1, key)]
    assert refused(first)["08-10"].changes[0].en.endswith("yourself, on Wed 25 Nov, 08:00-10:00")
    assert [told(why.changes) for why in refused(second).values()] == [
        [("carry_down", 1, key)] for key in alone.network.pickup_windows
    ]


def test_many_of_one_item_are_shared_out_over_two_days(session: Session, district: District) -> None:
    # given a van that carries one chair, so that six would take six visits, and no booking may have more than three
    alone, by = with_vehicles(district, VAN), a_resident(session, now=NOW)
    litres = alone.catalogue.item_type("chair-dining", on=TOMORROW).litres
    classes = {key: replace(one, capacity_l=litres) for key, one in alone.network.vehicle_classes.items()}
    alone = replace(alone, network=replace(alone.network, vehicle_classes=classes))
    chairs = a_wish(items=[WishedItem(item_type="chair-dining", quantity=6)])
    why = refused(asked(chairs, by=by, district=alone, session=session)[0])["all-day"]
    # then half of them can be fetched, and the answer says where the other half has room: on the day after
    assert why.binding == "no_vehicle"
    (change,) = why.changes
    assert (change.kind, [item.quantity for item in change.wish.items]) == ("fewer_items", [3])
    assert "booking 3 × dining chair separately (there is room on Wed 25 Nov" in change.en
    again = asked(change.wish, by=by, district=alone, session=session)
    assert [day.day for day in again if refused(day).keys() < alone.network.pickup_windows.keys()][1] == NEXT_DAY


# --- lighter wishes ---


def test_steps_come_alone_first_and_only_where_there_is_something_to_spare() -> None:
    upstairs = a_wish(items=[WARDROBE, DESK], floor=3)
    assert [one.kind for one in steps(upstairs)] == ["carry_down", "no_dismantling", "carry_down_no_dismantling"]
    assert [one.kind for one in steps(a_wish(items=[DESK], floor=3, has_lift=True))] == ["carry_down"]
    assert [one.kind for one in steps(a_wish(items=[DESK], floor=-1))] == ["carry_down"]
    assert steps(a_wish(items=[DESK])) == []


def test_wishes_grow_smaller_and_lose_no_piece(district: District) -> None:
    wish = a_wish(items=[replace(DESK, quantity=5), WARDROBE, WishedItem(item_type="fan", quantity=2)], floor=2)

    def pieces(lighter: Lighter) -> dict[str, int]:
        every = [*lighter.wish.items, *lighter.left]
        return {
            key: sum(one.quantity for one in every if one.item_type == key) for key in ("desk", "wardrobe-two", "fan")
        }

    found = list(smaller(wish, hopeful=["desk", "fan"], district=district))
    # the wardrobe, of which no piece fits, is in none of them; what is left out is told
    assert [(sum(item.quantity for item in one.wish.items), one.kind) for one in found] == [
        (count, kind) for count in (7, 5, 3, 1, 2, 1) for kind in ("fewer_items", "carry_down_fewer_items")
    ]
    assert {str(pieces(one)) for one in found} == {str({"desk": 5, "wardrobe-two": 1, "fan": 2})}
    assert not any(item.item_type == "wardrobe-two" for one in found for item in one.wish.items)
    assert list(smaller(wish, hopeful=[], district=district)) == []
    assert {one.floor for one in lightest(wish)} == {1}


def test_a_household_is_never_told_to_take_down_gas_or_cooling_itself(district: District) -> None:
    cooling = a_wish(items=[WishedItem(item_type="ac-split", quantity=1, dismantle=True)])
    (step,) = steps(cooling)
    assert step.words(cooling, district=district) == (
        "请先由持证人员拆卸好", "having it taken down by a licensed fitter first",
    )  # fmt: skip
    wardrobe = a_wish(items=[WARDROBE])
    (step,) = steps(wardrobe)
    assert step.words(wardrobe, district=district)[0] == "请自行拆卸好"
