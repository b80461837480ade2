"""What opens a window that is not offered (如何约上): changes of a wish, each tried on the routes, the nearest first.

The days of one answer are searched together, and only as far as needed: a window that is offered on some day is a
change that costs nothing to find, and for a day where not even the lightest visit fits nothing more is tried.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from recycling.policy.district import District
from recycling.policy.service_time import StopNeed
from recycling.routing.board import Board
from recycling.routing.standing import Visit
from recycling.usecases.bookings.lighter import Lighter, lightest, smaller, steps
from recycling.usecases.bookings.linked import Part, parts_of, visits
from recycling.usecases.bookings.promise import Wish, needs
from recycling.usecases.bookings.proposals import fits_together

NEAR_DAYS = 3  # a day that is no further off is a smaller change than to part what is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A day that was asked: its tentative routes, the visits of the wish on it, and the windows that are offered."""

    board: Board
    parts: tuple[Part, ...]
    offered: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the wish that opens the window, or another window; tried, not guessed.

    Parameters
    ----------
    kind
        ``window``, ``day``, or that of a `Lighter` wish; with another day or window where that is needed too.
    wish
        The wish after the change, its day and window included.
    """

    kind: str
    wish: Wish
    zh: str
    en: str


def openings(
    wish: Wish, days: Mapping[date, Looked], *, district: District
) -> dict[date, dict[str, tuple[Change, ...]]]:
    """By day and window that is not offered, the changes that open it, nearest first; none where nothing was found."""
    tries = _Tries(wish, days, district)
    found = {day: _first_steps(tries, day) for day in days}
    for day, looked in days.items():
        if not looked.offered and not found[day] and not _near(day, days):
            found[day] = _parted(tries, day)
    return {
        day: {key: tuple(_changes(tries, found, day, key)) for key in tries.shut(day)} for day in days
    }  # fmt: skip


def on_other_days(
    wish: Wish, key: str, offered: Mapping[date, Collection[str]], *, district: District, any_window: bool = True
) -> Iterator[Change]:
    """The nearest day on which the window is offered, or else, with ``any_window``, on which another one is."""
    others = _nearest_days(wish.day, offered)
    near = next((day for day in others if key in offered[day]), None)
    if near is None and any_window:
        near = next((day for day in others if offered[day]), None)
    if near is not None:
        window = _nearest_windows(key, offered[near], district=district)[0]
        zh, en = when_words(near, window, district=district)
        yield Change(kind="day", wish=replace(wish, day=near, pickup_window=window), zh=f"改为 {zh}", en=en)


class _Tries:
    """What was asked of the routes of each day, so that nothing is asked twice."""

    def __init__(self, wish: Wish, days: Mapping[date, Looked], district: District) -> None:
        self.wish, self.days, self.district = wish, days, district
        self.windows = district.network.pickup_windows
        self.offered = {day: looked.offered for day, looked in days.items()}
        self._known: dict[tuple[object, ...], bool] = {}

    def shut(self, day: date) -> list[str]:
        """The windows that are not offered."""
        return [key for key in self.windows if key not in self.days[day].offered]

    def opened(self, wish: Wish, day: date, keys: Collection[str]) -> list[str]:
        """Those of the windows that are open for another wish."""
        looked = self.days[day]
        need = self._need(wish, day)
        parts = parts_of(
            replace(wish, day=day), replace(looked.parts[0].judged, need=need), district=self.district
        )  # fmt: skip
        return self._opened(visits(parts, (0, 0)), day, keys)

    def hopeful(self, day: date, keys: Collection[str]) -> list[str]:
        """Those of the windows in which a visit fits that is as light as the lightest wish in every respect."""
        asked = [self._need(one, day) for one in lightest(self.wish)]
        least = StopNeed(
            service_s=min(one.service_s for one in asked),
            mass_g=min(one.mass_g for one in asked),
            litres=min(one.litres for one in asked),
            skills=tuple(sorted(frozenset.intersection(*(frozenset(one.skills) for one in asked)))),
        )
        judged = replace(self.days[day].parts[0].judged, need=least)
        return self._opened([judged.visit("lightest", (0, 0))], day, keys)

    def _need(self, wish: Wish, day: date) -> StopNeed:
        return needs(wish.items, floor=wish.floor, has_lift=wish.has_lift, day=day, district=self.district)

    def _opened(self, asked: Sequence[Visit], day: date, keys: Collection[str]) -> list[str]:
        marks = {key: (day, key, *((one.service_s, one.load, one.skills) for one in asked)) for key in keys}
        new = [key for key in keys if marks[key] not in self._known]
        if new:
            fits = fits_together(self.days[day].board, asked, [self.windows[key].window_s for key in new])
            self._known |= {marks[key]: fit is not None for key, fit in zip(new, fits, strict=True)}
        return [key for key in keys if self._known[marks[key]]]


def _first_steps(tries: _Tries, day: date) -> dict[str, Lighter]:
    """By window, the first step by the household that opens it; both steps where none does alone."""
    shut, found = tries.shut(day), dict[str, Lighter]()
    lighter = steps(tries.wish)
    if lighter and shut and not tries.offered[day]:
        shut = tries.hopeful(day, shut)
    for one in lighter:
        waiting = [key for key in shut if key not in found]
        if not waiting or (one.carried and one.ready and (found or tries.offered[day])):
            break
        found |= dict.fromkeys(tries.opened(one.wish, day, waiting), one)
    return found


def _parted(tries: _Tries, day: date) -> dict[str, Lighter]:
    """By window, the first wish for some of the pieces that opens any."""
    wish = tries.wish
    if len(wish.items) == 1 and wish.items[0].quantity == 1:
        return {}
    shut = tries.hopeful(day, tries.shut(day))
    if not shut:
        return {}
    hopeful = {one.items[0].item_type for one in lightest(wish) if tries.opened(one, day, shut)}
    for one in smaller(replace(wish, day=day), hopeful=sorted(hopeful), district=tries.district):
        found = tries.opened(one.wish, day, shut)
        if found:
            return dict.fromkeys(found, one)
    return {}


def _near(day: date, days: Mapping[date, Looked]) -> bool:
    """Whether something is offered a few days off."""
    return any(looked.offered and abs((other - day).days) <= NEAR_DAYS for other, looked in days.items())


def _changes(tries: _Tries, found: Mapping[date, Mapping[str, Lighter]], day: date, key: str) -> list[Change]:
    """All that was found for one window: on its day, and on another."""
    wish, offered = replace(tries.wish, day=day, pickup_window=key), tries.offered
    changes = list(_other_windows(wish, offered[day], district=tries.district))
    if key in found[day] or (found[day] and not changes):
        changes.append(_lighter_change(tries, found[day], wish, day))
    changes += on_other_days(wish, key, offered, district=tries.district, any_window=not changes)
    if not changes:
        others = [other for other in _nearest_days(day, found) if found[other]]
        for other in sorted(others, key=lambda other: key not in found[other])[:1]:
            changes.append(_lighter_change(tries, found[other], wish, other))
    return changes


def _other_windows(wish: Wish, offered: Collection[str], *, district: District) -> Iterator[Change]:
    """The nearest windows of the same day."""
    for key in _nearest_windows(wish.pickup_window, offered, district=district)[:2]:
        name = district.network.pickup_windows[key]
        changed = replace(wish, pickup_window=key)
        yield Change(kind="window", wish=changed, zh=f"改为 {name.name_zh}", en=f"{name.name_en} on the same day")


def _lighter_change(tries: _Tries, found: Mapping[str, Lighter], asked: Wish, day: date) -> Change:
    """A lighter wish in the window asked for, or in the nearest that it opens on a day."""
    window = _nearest_windows(asked.pickup_window, found, district=tries.district)[0]
    lighter, name = found[window], tries.windows[window]
    zh, en = lighter.words(asked, district=tries.district)
    if lighter.left:
        where_zh, where_en = _where_rest(tries, lighter, day)
        zh, en = zh + where_zh, en + where_en
    if day != asked.day:
        when_zh, when_en = when_words(day, window, district=tries.district)
        zh, en = f"{zh}，改为 {when_zh}", f"{en}, on {when_en}"
    elif window != asked.pickup_window:
        zh, en = f"{zh}，改为 {name.name_zh}", f"{en}, {name.name_en} on the same day"
    return Change(kind=lighter.kind, wish=replace(lighter.wish, day=day, pickup_window=window), zh=zh, en=en)


def _where_rest(tries: _Tries, lighter: Lighter, day: date) -> tuple[str, str]:
    """Where the pieces that were left out have room: on another day, so that neither is in the other's way."""
    rest, others = replace(tries.wish, items=list(lighter.left)), _nearest_days(day, tries.days)
    if not others:
        return "", ""  # none was asked: closed, or not left to the resident
    for other in others:
        keys = tries.opened(rest, other, list(tries.windows))
        if keys:
            zh, en = when_words(other, keys[0], district=tries.district)
            return f"（可约 {zh}）", f" (there is room on {en})"
    return "（其他日期目前也约满）", " (for which the other days have no room at present)"


def _nearest_days(day: date, others: Iterable[date]) -> list[date]:
    return sorted((one for one in others if one != day), key=lambda one: (abs((one - day).days), one))


def _nearest_windows(key: str, others: Collection[str], *, district: District) -> list[str]:
    windows = district.network.pickup_windows
    return sorted(
        others, key=lambda other: (other != key, abs(windows[other].opens_s - windows[key].opens_s))
    )  # fmt: skip


def when_words(day: date, key: str, *, district: District) -> tuple[str, str]:
    """A window of a day, in Chinese and English."""
    window = district.network.pickup_windows[key]
    return f"{day.month}月{day.day}日 {window.name_zh}", f"{day:%a} {day.day} {day:%b}, {window.name_en}"
