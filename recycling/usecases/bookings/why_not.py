"""Why a window is not offered, in words, and the nearest change that opens it (为什么约不上).

Nothing is guessed: a reason is a demand without which the visit would fit, a change is one that was tried on the same
routes and fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from recycling.policy.district import District
from recycling.routing.board import Board
from recycling.routing.standing import can_serve
from recycling.usecases.bookings.linked import CREW_WORDS, Part, no_vehicle_words, parts_of, visits
from recycling.usecases.bookings.promise import Judged, Wish, WishedItem, needs
from recycling.usecases.bookings.tentative import fits_together, propose

Binding = Literal["no_vehicle", "crew", "load", "time", "window", "no_show"]

SHORTEST_S = 300  # of a visit: what is left when nothing has to be carried


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the wish that opens the window, or another window; tried, not guessed.

    Parameters
    ----------
    kind
        ``window``, ``carry_down``, ``no_dismantling``, ``carry_down_no_dismantling``, ``fewer_items`` or ``day``.
    wish
        The wish after the change, its day and window included.
    """

    kind: Literal["window", "carry_down", "no_dismantling", "carry_down_no_dismantling", "fewer_items", "day"]
    wish: Wish
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one window is not offered: the binding demand in words, and the changes that open it, nearest first."""

    binding: Binding
    skill: str | None
    zh: str
    en: str
    changes: tuple[Change, ...]


def refusals(
    wish: Wish,
    parts: Sequence[Part],
    board: Board,
    *,
    open_here: Sequence[str],
    open_on: Mapping[str, Sequence[date]],
    district: District,
) -> dict[str, Refusal]:
    """Why each window of the wish's day that is not in ``open_here`` is not offered.

    Parameters
    ----------
    parts
        The visits of the wish on that day.
    board
        The day's tentative routes.
    open_here
        Windows of the day that are offered.
    open_on
        By window, the other days on which it is offered.
    """
    windows = district.network.pickup_windows
    shut = [key for key in windows if key not in open_here]
    bindings = dict(_bindings(parts, board, shut, district=district))
    opened: dict[str, list[Change]] = {key: [] for key in shut}
    for change in _lighter(wish, district=district):
        need = needs(
            change.wish.items, floor=change.wish.floor, has_lift=change.wish.has_lift, day=wish.day, district=district
        )
        spans = [windows[key].window_s for key in shut]
        lighter = parts_of(change.wish, replace(parts[0].judged, need=need), district=district)
        fits = fits_together(board, visits(lighter, spans[0]), spans)
        for key, fit in zip(shut, fits, strict=True):
            if fit is not None:
                opened[key].append(replace(change, wish=replace(change.wish, pickup_window=key)))
    out = {}
    for key in shut:
        binding, skill = bindings[key]
        changes = [
            *_other_windows(wish, key, open_here, district=district),
            *opened[key],
            *other_days(wish, key, open_on.get(key, ()), district=district),
        ]
        zh, en = _words(binding, skill, wish, key, district=district)
        out[key] = Refusal(binding=binding, skill=skill, zh=zh, en=en, changes=tuple(changes))
    return out


def _bindings(
    parts: Sequence[Part], board: Board, shut: Sequence[str], *, district: District
) -> Iterator[tuple[str, tuple[Binding, str | None]]]:
    """Per window, the first demand without which the visit would fit, or the first of several that does not."""
    if len(parts) == 1:
        yield from _bindings_of(parts[0].judged, board, shut, district=district)
        return
    for key in shut:
        span, rehearsal = district.network.pickup_windows[key].window_s, board.copy()
        for visit, part in zip(visits(parts, span), parts, strict=True):
            proposal = propose(rehearsal, visit, span)
            if proposal is None:
                yield from _bindings_of(part.judged, rehearsal, [key], district=district)
                break
            rehearsal.put(proposal.route)


def _bindings_of(
    judged: Judged, board: Board, shut: Sequence[str], *, district: District
) -> Iterator[tuple[str, tuple[Binding, str | None]]]:
    """The same of one visit."""
    windows = district.network.pickup_windows
    spans = [windows[key].window_s for key in shut]
    visit = judged.visit("refused", spans[0])
    if not any(can_serve(board.frame, vehicle.key, visit) for vehicle in board.frame.vehicles):
        yield from ((key, ("no_vehicle", None)) for key in shut)
        return
    # From the demand most often in the way: one skill, all of them, the load, the time at the door.
    tries: list[tuple[Binding, str | None]] = [("crew", skill) for skill in sorted(visit.skills)]
    variants = [replace(visit, skills=visit.skills - {skill}) for skill in sorted(visit.skills)]
    if len(visit.skills) > 1:
        tries.append(("crew", min(visit.skills, key=lambda skill: _holders(board, skill))))
        variants.append(replace(visit, skills=frozenset()))
    tries += [("load", None), ("time", None)]
    variants += [
        replace(visit, load=tuple(0 for _ in visit.load)),
        replace(visit, service_s=min(visit.service_s, SHORTEST_S)),
    ]
    waiting = dict(zip(shut, spans, strict=True))
    for binding, variant in zip(tries, variants, strict=True):
        if not waiting:
            return
        keys = list(waiting)
        for key, fit in zip(keys, board.fits(variant, list(waiting.values())), strict=True):
            if fit is not None:
                del waiting[key]
                yield key, binding
    yield from ((key, ("window", None)) for key in waiting)


def _holders(board: Board, skill: str) -> int:
    return sum(skill in vehicle.skills for vehicle in board.frame.vehicles)


def _lighter(wish: Wish, *, district: District) -> Iterator[Change]:
    """The wish with less for us to do, the smallest change first."""
    down = replace(wish, floor=1) if wish.floor not in (0, 1) and not wish.has_lift else None
    apart = [item for item in wish.items if item.dismantle]
    ready = replace(wish, items=[replace(item, dismantle=False) for item in wish.items]) if apart else None
    if down is not None:
        yield Change(
            kind="carry_down", wish=down, zh="请自行把物品搬到楼下", en="carrying it down to the street yourself"
        )
    if ready is not None:
        yield Change(
            kind="no_dismantling", wish=ready, zh="请自行拆卸好", en="taking it apart or off the wall yourself"
        )
    if down is not None and ready is not None:
        yield Change(
            kind="carry_down_no_dismantling", wish=replace(ready, floor=1), zh="请自行拆卸好并搬到楼下",
            en="taking it apart and carrying it down yourself",
        )  # fmt: skip
    if len(wish.items) > 1 or wish.items[0].quantity > 1:
        yield from _fewer(wish, district=district)


def _fewer(wish: Wish, *, district: District) -> Iterator[Change]:
    """Without the item that weighs most, which then is a booking of its own."""
    heaviest = max(wish.items, key=lambda item: district.catalogue.item_type(item.item_type, on=wish.day).unit_mass_g)
    kept: list[WishedItem] = []
    for item in wish.items:
        if item is not heaviest:
            kept.append(item)
        elif item.quantity > 1:
            kept.append(replace(item, quantity=item.quantity - 1))
    kind = district.catalogue.item_type(heaviest.item_type, on=wish.day)
    yield Change(
        kind="fewer_items", wish=replace(wish, items=kept), zh=f"请把一件{kind.name_zh}另行预约",
        en=f"booking one {kind.name_en.lower()} separately",
    )  # fmt: skip


def _other_windows(wish: Wish, key: str, open_here: Sequence[str], *, district: District) -> Iterator[Change]:
    """The nearest windows of the same day."""
    windows = district.network.pickup_windows
    near = sorted(open_here, key=lambda other: abs(windows[other].opens_s - windows[key].opens_s))
    for other in near[:2]:
        yield Change(
            kind="window", wish=replace(wish, pickup_window=other), zh=f"改为 {windows[other].name_zh}",
            en=f"{windows[other].name_en} on the same day",
        )  # fmt: skip


def other_days(wish: Wish, key: str, days: Sequence[date], *, district: District) -> Iterator[Change]:
    """The nearest day on which the same window is offered."""
    for day in sorted(days, key=lambda other: (abs((other - wish.day).days), other))[:1]:
        name = district.network.pickup_windows[key]
        yield Change(
            kind="day", wish=replace(wish, day=day, pickup_window=key),
            zh=f"改为 {day.month}月{day.day}日 {name.name_zh}",
            en=f"{day:%a} {day.day} {day:%b}, {name.name_en}",
        )  # fmt: skip


def _words(binding: Binding, skill: str | None, wish: Wish, key: str, *, district: District) -> tuple[str, str]:
    day, window = wish.day, district.network.pickup_windows[key]
    when_zh, when_en = f"{day.month}月{day.day}日 {window.name_zh}", f"{day:%a} {day.day} {day:%b}, {window.name_en}"
    if binding == "no_vehicle":
        return no_vehicle_words(wish, district=district)
    if binding == "crew":
        who_zh, who_en = CREW_WORDS.get(skill or "", (skill or "", skill or ""))
        return f"{when_zh} {who_zh}已约满", f"{who_en} are full on {when_en}"
    if binding == "load":
        return f"{when_zh} 车辆已装不下", f"the vehicles have no room left on {when_en}"
    if binding == "time":
        return f"{when_zh} 车组没有足够的作业时间", f"the crews have not enough time left on {when_en}"
    return f"{when_zh} 没有车辆能按时到达", f"no vehicle can be there in time on {when_en}"
