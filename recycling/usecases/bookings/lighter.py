"""A wish with less for us to do (减轻作业): carried down, taken apart beforehand, or in fewer pieces at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from recycling.policy.district import District
from recycling.policy.fleet import GAS_FITTING, REFRIGERANT
from recycling.usecases.bookings.promise import Wish, WishedItem

STREET = 1  # the floor from which nothing is carried; 0, unknown in China, is read as the same
LICENSED = frozenset({GAS_FITTING, REFRIGERANT})  # what no household may do itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Lighter:
    """A lighter wish, and what was changed about the one that was asked.

    Parameters
    ----------
    wish
        As it then is; its day and window are not looked at.
    carried
        Whether the household carries everything down.
    ready
        Whether everything stands taken apart or off the wall.
    left
        Pieces that are to be booked separately.
    """

    wish: Wish
    carried: bool = False
    ready: bool = False
    left: tuple[WishedItem, ...] = ()

    @property
    def kind(self) -> str:
        """``carry_down``, ``no_dismantling`` and ``fewer_items``, those that apply joined in this sequence."""
        steps = {"carry_down": self.carried, "no_dismantling": self.ready, "fewer_items": bool(self.left)}
        return "_".join(name for name, applies in steps.items() if applies)

    def words(self, asked: Wish, *, district: District) -> tuple[str, str]:
        """What to do, in Chinese and English."""
        kept = {item.item_type for item in self.wish.items}
        apart = [item for item in asked.items if item.dismantle and item.item_type in kept]
        zh, en = _prepared(self, licensed=_licensed(apart, asked, district=district))
        if not self.left:
            return f"请{zh}", en
        names = [(district.catalogue.item_type(item.item_type, on=asked.day), item.quantity) for item in self.left]
        left_zh = "、".join(f"{count}件{kind.name_zh}" for kind, count in names)
        left_en = ", ".join(f"{count} × {kind.name_en.lower()}" for kind, count in names)
        zh, en = (f"{zh}，并" if zh else ""), (f"{en}, and " if en else "")
        return f"请{zh}把{left_zh}另行预约", f"{en}booking {left_en} separately"


def steps(wish: Wish) -> list[Lighter]:
    """All pieces with one step taken by the household, then with two."""
    return [one for one in _eased(wish, left=()) if one.kind]


def lightest(wish: Wish) -> list[Wish]:
    """One piece of each item alone with nothing left to do beside carrying it in: no lighter wish asks for less."""
    items = [replace(item, quantity=1) for item in wish.items]
    street = replace(wish, floor=STREET)
    ready = [replace(street, items=[replace(item, dismantle=False)]) for item in items]
    # What is taken apart fills less of the vehicle.
    return ready + [replace(street, items=[item]) for item in items if item.dismantle]


def smaller(wish: Wish, *, hopeful: Sequence[str], district: District) -> Iterator[Lighter]:
    """Wishes for some of the pieces, with ever more steps by the household: most pieces first, one alone last.

    Parameters
    ----------
    hopeful
        Item types of which a piece alone would fit; no wish with another is worth trying.
    """
    tried: list[list[WishedItem]] = [list(wish.items)]
    for kept in _kept(wish, hopeful, district=district):
        if kept and kept not in tried and all(item.item_type in hopeful for item in kept):
            tried.append(kept)
            yield from _eased(replace(wish, items=kept), left=_rest(wish.items, kept))


def _eased(wish: Wish, *, left: tuple[WishedItem, ...]) -> Iterator[Lighter]:
    """The wish as it is, with one step taken by the household, and with two."""
    can_carry, can_ready = wish.floor not in (0, STREET), any(item.dismantle for item in wish.items)
    whole = [replace(item, dismantle=False) for item in wish.items]
    for carried, ready in ((False, False), (True, False), (False, True), (True, True)):
        if carried <= can_carry and ready <= can_ready:
            eased = replace(wish, floor=STREET if carried else wish.floor, items=whole if ready else wish.items)
            yield Lighter(wish=eased, carried=carried, ready=ready, left=left)


def _kept(wish: Wish, hopeful: Sequence[str], *, district: District) -> Iterator[list[WishedItem]]:
    """Pieces to keep: all but one of the heaviest, all that fit by themselves, then one item in falling numbers."""
    mass_g = {
        item.item_type: district.catalogue.item_type(item.item_type, on=wish.day).unit_mass_g for item in wish.items
    }
    heaviest = max(wish.items, key=lambda item: mass_g[item.item_type])
    fewer = [replace(one, quantity=one.quantity - (one is heaviest)) for one in wish.items]
    yield [one for one in fewer if one.quantity]
    able = [item for item in wish.items if item.item_type in hopeful]
    yield able
    for item in sorted(able, key=lambda item: -mass_g[item.item_type]):
        for quantity in (item.quantity, -(-item.quantity // 2), 1):
            yield [replace(item, quantity=quantity)]


def _rest(items: Sequence[WishedItem], kept: Sequence[WishedItem]) -> tuple[WishedItem, ...]:
    stays = {item.item_type: item.quantity for item in kept}
    left = [replace(item, quantity=item.quantity - stays.get(item.item_type, 0)) for item in items]
    return tuple(item for item in left if item.quantity)


def _licensed(apart: Sequence[WishedItem], wish: Wish, *, district: District) -> bool:
    kinds = [district.catalogue.item_type(item.item_type, on=wish.day) for item in apart]
    return any(LICENSED.intersection(kind.dismantling_skills) for kind in kinds)


def _prepared(done: Lighter, *, licensed: bool) -> tuple[str, str]:
    down_zh, down_en = "自行把物品搬到楼下", "carrying it down to the street yourself"
    ready_zh, ready_en = "自行拆卸好", "taking it apart or off the wall yourself"
    if licensed:
        ready_zh, ready_en = "先由持证人员拆卸好", "having it taken down by a licensed fitter first"
    if done.carried and done.ready:
        return f"{ready_zh}并搬到楼下", f"{ready_en} and carrying it down to the street"
    if done.carried:
        return down_zh, down_en
    return (ready_zh, ready_en) if done.ready else ("", "")
