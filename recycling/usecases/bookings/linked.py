"""A wish as the visits it takes (关联上门): one where one crew can do it all, else a few in one window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recycling.errors import Conflict
from recycling.models.booking import Booking
from recycling.policy.district import District
from recycling.policy.fleet import DISMANTLING, GAS_FITTING, REFRIGERANT, TWO_PERSON_LIFT, UPRIGHT, Shift
from recycling.policy.linked_visits import LinkedVisits, linked_visits
from recycling.policy.service_time import ItemCount, StopNeed
from recycling.routing.board import Window
from recycling.routing.standing import Visit
from recycling.usecases.bookings.promise import Judged, Wish, needs

# Each visit takes a place that others could have, and one booking counts once against its resident's limit. A household
# of everything in the catalogue needs two; more is a clearance, which the desk books in pieces.
MOST_VISITS = 3

CREW_WORDS = {
    TWO_PERSON_LIFT: ("双人搬运车组", "two-person crews"),
    DISMANTLING: ("拆装车组", "crews that take things apart"),
    REFRIGERANT: ("空调拆移车组", "crews that may take air conditioners down"),
    GAS_FITTING: ("燃气拆移车组", "crews that may disconnect gas"),
    UPRIGHT: ("可立放冰箱的车辆", "vehicles that carry fridges upright"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One visit of a wish: as a wish with its items alone, and what that asks of a crew."""

    wish: Wish
    judged: Judged


def parts_of(wish: Wish, judged: Judged, *, district: District) -> tuple[Part, ...]:
    """The visits of a judged wish, largest first.

    One where a single crew can do it, and one too where parting does not help or would take more than `MOST_VISITS`: no
    route has a place for that one.
    """
    whole = (Part(wish=wish, judged=judged),)
    network = district.network_on(wish.day)
    if any(_can(network.shift_of(key), judged.need) for key in network.vehicles):
        return whole
    found = _parted(wish, district=district)
    if found.unfit or not 1 < len(found.visits) <= MOST_VISITS:
        return whole
    return tuple(_part(wish, judged, visit, district=district) for visit in found.visits)


def visits(parts: Sequence[Part], window: Window) -> list[Visit]:
    """The visits, to ask where they would fit."""
    return [part.judged.visit(f"asked:{n}", window) for n, part in enumerate(parts)]


def apart_words(parts: Sequence[Part], *, district: District) -> tuple[str, str]:
    """Which items go apart, and why, in Chinese and English."""
    load = any(
        set(shift.skills) >= {skill for part in parts for skill in part.judged.need.skills}
        for shift in district.network_on(parts[0].wish.day).shifts()
    )
    why_zh, why_en = ("一车装不下", "one vehicle cannot carry all of it") if load else (
        "没有一个车组能一次完成", "no single crew can do all of it"
    )  # fmt: skip
    shared = frozenset.intersection(*(frozenset(part.judged.need.skills) for part in parts))
    zh, en = [], []
    for part in parts:
        own = [] if load else [CREW_WORDS.get(one, (one, one)) for one in part.judged.need.skills if one not in shared]
        items_zh, items_en = _named(part, district=district)
        zh.append(items_zh + (f"（{'、'.join(word for word, _ in own)}）" if own else ""))
        en.append(items_en + (f" ({', '.join(word for _, word in own)})" if own else ""))
    return (
        f"{why_zh}，同一时段分 {len(parts)} 次上门：{'；'.join(zh)}",
        f"{why_en}: {len(parts)} visits in the same window, {'; '.join(en)}",
    )


def no_vehicle_words(wish: Wish, *, district: District) -> tuple[str, str]:
    """Why not even several visits could do it."""
    unfit = _parted(wish, district=district).unfit
    if unfit:
        zh, en = "、".join(item.item_type.name_zh for item in unfit), ", ".join(
            item.item_type.name_en.lower() for item in unfit
        )  # fmt: skip
        return f"没有车组能收运{zh}", f"no crew with its vehicle can take {en}"
    return (
        f"这些物品需要上门 {MOST_VISITS} 次以上，请分开预约",
        f"this would take more than {MOST_VISITS} visits; book part of it separately",
    )


def refuse_part(booking: Booking) -> None:
    """See that a row stands for its booking.

    Raises
    ------
    Conflict
        When it is a further visit of another one.
    """
    if booking.part_of is not None:
        raise Conflict(
            f"{booking.id} is one of the visits of booking {booking.part_of}; send this for that booking, its visits go"
            f" together / 此为预约 {booking.part_of} 的其中一次上门，请对该预约操作，各次上门一并变更"
        )


def _can(shift: Shift, need: StopNeed) -> bool:
    kind = shift.vehicle_class
    return set(need.skills) <= set(shift.skills) and need.mass_g <= kind.capacity_g and need.litres <= kind.capacity_l


def _parted(wish: Wish, *, district: District) -> LinkedVisits:
    counts = [
        ItemCount(
            item_type=district.item_type(item.item_type, on=wish.day), quantity=item.quantity,
            dismantle=item.dismantle,
        )
        for item in wish.items
    ]  # fmt: skip
    rule = district.service_time_on(wish.day)
    shifts = district.network_on(wish.day).shifts()
    return linked_visits(counts, shifts=shifts, floor=wish.floor, lift=wish.has_lift, rule=rule)


def _part(wish: Wish, judged: Judged, visit: Sequence[ItemCount], *, district: District) -> Part:
    said = {item.item_type: item for item in wish.items}
    items = [replace(said[count.item_type.key], quantity=count.quantity) for count in visit]
    need = needs(items, floor=wish.floor, has_lift=wish.has_lift, day=wish.day, district=district)
    return Part(wish=replace(wish, items=items), judged=replace(judged, need=need))


def _named(part: Part, *, district: District) -> tuple[str, str]:
    kinds = [(district.catalogue.item_type(one.item_type, on=part.wish.day), one.quantity) for one in part.wish.items]
    return (
        "、".join(f"{kind.name_zh} × {quantity}" for kind, quantity in kinds),
        ", ".join(f"{quantity} × {kind.name_en.lower()}" for kind, quantity in kinds),
    )
