"""Where a vehicle may unload between two locations: only the stations that no other station beats there."""

from __future__ import annotations

from dataclasses import dataclass

from recycling.routing.day import Day, Rig


@dataclass(frozen=True, slots=True, kw_only=True)
class Detour:
    """One way of unloading between two locations.

    Parameters
    ----------
    station
        Index of the station; ``tight`` is its place among the stations whose limit may be reached, or -1.
    place, opens_s, last_start_s, unload_s
        Where it is, and the interval in which an unload may start so that it ends while the station is open.
    shortcut
        Whether going through the station is quicker or cheaper than driving straight on.
    """

    station: int
    tight: int
    place: int
    opens_s: int
    last_start_s: int
    unload_s: int
    shortcut: bool


class Unloading:
    """Answers, and remembers, which stations are worth a look between two locations.

    Parameters
    ----------
    day
        The day whose stations these are.
    tight
        Indices of the stations whose intake limit the routes asked about could reach; the others count as unlimited.
    shut
        Indices of the stations that cannot take even the smallest load of the routes asked about.
    """

    def __init__(self, day: Day, tight: tuple[int, ...], shut: tuple[int, ...]) -> None:
        self._day, self.tight, self.shut = day, tight, shut
        self._seconds, self._metres, self._uses_metres = day.seconds, day.metres, day.uses_metres
        self._places = len(day.problem.locations)
        self._seen: dict[int, tuple[tuple[Detour, ...], tuple[Detour, ...]]] = {}
        self._straightest: set[int] = set()
        self._stations = tuple(
            Detour(
                station=i,
                tight=tight.index(i) if i in tight else -1,
                place=s.location,
                opens_s=s.open_s[0],
                last_start_s=s.open_s[1] - s.unload_s,
                unload_s=s.unload_s,
                shortcut=False,
            )
            for i, s in enumerate(day.problem.stations)
            if s.can_unload and s.open_s[0] <= s.open_s[1] - s.unload_s and i not in shut
        )
        self._station_places = tuple({d.place for d in self._stations})

    def only_when_full(self, rig: Rig) -> bool:
        """Whether an unload that capacity does not force can never help the vehicle, short of a shortcut.

        True when its final unload is nowhere refused, and nowhere slower than an unload elsewhere. Then a route that
        unloads without need is no better than the same route without: it saves nothing later and costs a detour now.
        Where a shortcut leads through a station that may get full, arriving there with less can be worth an unload.
        """
        return (
            rig.end_station not in (*self.tight, *self.shut)
            and not (self.tight and self._day.detours_shorten)
            and rig.end_unload_s <= min((d.unload_s for d in self._stations), default=rig.end_unload_s)
            and rig.end_open_s[0] <= rig.ready_s
        )

    def between(self, a: int, b: int, *, only_shortcuts: bool) -> tuple[Detour, ...]:
        """Stations to consider on the way from ``a`` to ``b``; each is best for some clock, price or intake limit."""
        leg = a * self._places + b
        found = self._seen.get(leg)
        if found is None:
            # Mostly shortcuts are asked for and there are none: that is known without weighing up the stations.
            if only_shortcuts and (leg in self._straightest or self._is_straightest(a, b)):
                self._straightest.add(leg)
                return ()
            every = self._unbeaten(a, b)
            found = self._seen[leg] = every, tuple(d for d in every if d.shortcut)
        return found[only_shortcuts]

    def _is_straightest(self, a: int, b: int) -> bool:
        seconds, metres = self._seconds, self._metres
        straight_s, straight_m = seconds[a, b], metres[a, b]
        for place in self._station_places:
            if seconds[a, place] + seconds[place, b] < straight_s:
                return False
            if self._uses_metres and metres[a, place] + metres[place, b] < straight_m:
                return False
        return True

    def _unbeaten(self, a: int, b: int) -> tuple[Detour, ...]:
        rows = []
        straight_s, straight_m = self._seconds[a, b], self._metres[a, b]
        for d in self._stations:
            there_s = self._seconds[a, d.place]
            way_s = there_s + self._seconds[d.place, b]
            way_m = self._metres[a, d.place] + self._metres[d.place, b] if self._uses_metres else 0
            # Smaller is better in every number: arrival, end of the unload, arrival at b, price, opening hours, limit.
            row = (
                there_s, there_s + d.unload_s, way_s + d.unload_s, way_s, way_m, d.opens_s, -d.last_start_s,
                d.tight,
            )  # fmt: skip
            rows.append((row, d, way_s < straight_s or way_m < straight_m * self._uses_metres))
        rows.sort(key=lambda entry: entry[0][3])
        kept: list[tuple[tuple[int, ...], Detour]] = []
        for row, d, shortcut in rows:
            if not any(_beats(other, row) for other, _ in kept):
                kept.append((row, _marked(d, shortcut=shortcut)))
        return tuple(d for _, d in kept)


def _beats(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether a station is as good in every respect; one that may get full never beats another."""
    return one[-1] == -1 and all(x <= y for x, y in zip(one[:-1], other[:-1], strict=True))


def _marked(detour: Detour, *, shortcut: bool) -> Detour:
    if not shortcut:
        return detour
    return Detour(
        station=detour.station, tight=detour.tight, place=detour.place, opens_s=detour.opens_s,
        last_start_s=detour.last_start_s, unload_s=detour.unload_s, shortcut=True,
    )  # fmt: skip
