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
from recycling.routing.board import Board, Window
from recycling.routing.standing import Visit, can_serve
from recycling.usecases.bookings.linked import CREW_WORDS, Part, no_vehicle_words, visits
from recycling.usecases.bookings.openings import Change, Looked, openings, when_words
from recycling.usecases.bookings.promise import Judged, Wish
from recycling.usecases.bookings.proposals import propose

Binding = Literal["no_vehicle", "crew", "load", "time", "window", "no_show"]

NOTHING_OPENS = (
    "；可约日期内换时段或减轻作业也约不上，可加入候补，有空位即通知",
    "; nothing that could be changed opens it on the days that can be booked, but the waiting list tells of a place",
)
SHORTEST_S = 300  # of a visit: what is left when nothing has to be carried
FEW_TRIES = 2  # demands that are looked at one by one, without asking first whether any of them can be it


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one window is not offered: the binding demand in words, and the changes that open it, nearest first."""

    binding: Binding
    skill: str | None
    zh: str
    en: str
    changes: tuple[Change, ...]


def refusals(wish: Wish, days: Mapping[date, Looked], *, district: District) -> dict[date, dict[str, Refusal]]:
    """Why each window of the days that were asked is not offered; the day and window of ``wish`` are not looked at."""
    opened = openings(wish, days, district=district)
    return {
        day: _refusals(replace(wish, day=day), looked, opened[day], district=district)
        for day, looked in days.items()
        if opened[day]
    }


def _refusals(
    wish: Wish, looked: Looked, opened: Mapping[str, tuple[Change, ...]], *, district: District
) -> dict[str, Refusal]:
    """The same of one day."""
    bindings = dict(_bindings(looked.parts, looked.board, list(opened), district=district))
    out = {}
    for key, changes in opened.items():
        binding, skill = bindings[key]
        zh, en = _words(binding, skill, wish, key, district=district)
        if not changes and binding != "no_vehicle":
            zh, en = zh + NOTHING_OPENS[0], en + NOTHING_OPENS[1]
        out[key] = Refusal(binding=binding, skill=skill, zh=zh, en=en, changes=changes)
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
    waiting, named = dict(zip(shut, spans, strict=True)), set[str]()
    for n, (binding, variant) in enumerate(zip(tries, variants, strict=True)):
        if n == 1 and len(tries) > FEW_TRIES:
            # Where a visit without any demand has no place, none of them alone is what keeps this one out.
            waiting = _fitting(board, replace(variants[-1], skills=frozenset(), load=variants[-2].load), waiting)
        found = _fitting(board, variant, waiting)
        yield from ((key, binding) for key in found)
        waiting = {key: span for key, span in waiting.items() if key not in found}
        named |= found.keys()
    yield from ((key, ("window", None)) for key in shut if key not in named)


def _fitting(board: Board, visit: Visit, spans: Mapping[str, Window]) -> dict[str, Window]:
    """Those of the windows in which a visit fits."""
    fits = board.fits(visit, list(spans.values())) if spans else []
    return {key: span for (key, span), fit in zip(spans.items(), fits, strict=True) if fit is not None}


def _holders(board: Board, skill: str) -> int:
    return sum(skill in vehicle.skills for vehicle in board.frame.vehicles)


def _words(binding: Binding, skill: str | None, wish: Wish, key: str, *, district: District) -> tuple[str, str]:
    when_zh, when_en = when_words(wish.day, key, district=district)
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
