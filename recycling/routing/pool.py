"""Every route worth remembering, whoever found it: what set partitioning chooses from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from recycling.routing.day import Day, Load
from recycling.routing.draft import Draft
from recycling.routing.timing import Timed

MOST_ROUTES = 60_000  # remembered at once
MOST_CHOICES = 12_000  # given to one choice: the youngest, which come from the best plans


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """One route: its kind of vehicle, stops in sequence, cost with preferences, intake at the limited stations."""

    kind: int
    stops: tuple[int, ...]
    cost: int
    intake: tuple[Load, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A set partitioning problem: which of these routes to drive.

    Parameters
    ----------
    kinds
        Vehicles of each kind.
    routes
        The standing ones first; ``chosen`` is how many those are.
    skip_costs
        What leaving out each stop of the routes costs.
    room
        What each limited station takes.
    """

    kinds: tuple[int, ...]
    routes: tuple[Pooled, ...]
    skip_costs: Mapping[int, int]
    room: tuple[Load, ...]
    chosen: int


class RoutePool:
    """Routes of one day by kind of vehicle and set of stops, the cheapest sequence of each.

    Vehicles are of one kind when they differ in nothing but their number: their routes can be exchanged.
    """

    def __init__(self, day: Day) -> None:
        self._day = day
        wanted = {int(v) for v in day.stop_table.prefer_vehicle if v >= 0}
        kinds: dict[object, list[int]] = {}
        for rig in day.rigs:
            kinds.setdefault((replace(rig, index=-1), rig.index if rig.index in wanted else -1), []).append(rig.index)
        self.members = tuple(tuple(members) for members in kinds.values())
        self.kind_of = {v: kind for kind, members in enumerate(self.members) for v in members}
        self._routes: dict[tuple[int, frozenset[int]], Pooled] = {}
        self.added = 0

    def __len__(self) -> int:
        """How many routes are remembered."""
        return len(self._routes)

    def add(self, vehicle: int, stops: tuple[int, ...], cost: int, intake: tuple[Load, ...]) -> None:
        """Remember a route; ``cost`` is without preferences."""
        kind = self.kind_of[vehicle]
        cost += self._day.preference_cost([(vehicle, stops)])
        key = kind, frozenset(stops)
        old = self._routes.pop(key, None)
        if old is None:
            self.added += 1
        elif old.cost <= cost:
            self._routes[key] = old  # popped and put back: it is young again
            return
        self._routes[key] = Pooled(kind=kind, stops=stops, cost=cost, intake=intake)
        if len(self._routes) > MOST_ROUTES:
            for oldest in list(self._routes)[: MOST_ROUTES // 4]:
                del self._routes[oldest]

    def add_timed(self, routes: Iterable[Timed | None]) -> None:
        """Remember the routes of a draft."""
        for timed in routes:
            if timed is not None:
                self.add(timed.vehicle, timed.stops, timed.cost, timed.intake)

    def within(self, vehicles: Collection[int], stops: Collection[int]) -> list[Pooled]:
        """Routes that these vehicles could drive over no other stops than these; at most `MOST_CHOICES`."""
        kinds = {self.kind_of[v] for v in vehicles}
        inside = frozenset(stops)
        found = [r for (kind, served), r in self._routes.items() if kind in kinds and served <= inside]
        return found[-MOST_CHOICES:]

    def standing(self, draft: Draft, vehicles: Collection[int]) -> list[Pooled]:
        """The routes of a draft as pooled ones."""
        found = []
        for v in sorted(vehicles):
            timed = draft.routes[v]
            if timed is not None:
                cost = timed.cost + self._day.preference_cost([(v, timed.stops)])
                found.append(Pooled(kind=self.kind_of[v], stops=timed.stops, cost=cost, intake=timed.intake))
        return found

    def choice(self, draft: Draft, vehicles: Collection[int], stops: Collection[int]) -> Choice | None:
        """What to choose from for these vehicles and stops; ``None`` when nothing but the standing routes is known."""
        now = self.standing(draft, vehicles)
        routes = list(dict.fromkeys([*now, *self.within(vehicles, stops)]))
        if len(routes) <= len(now):
            return None
        kinds = [0] * len(self.members)
        for v in vehicles:
            kinds[self.kind_of[v]] += 1
        skip = self._day.stop_table.skip_cost
        return Choice(
            kinds=tuple(kinds),
            routes=tuple(routes),
            skip_costs={s: int(skip[s]) for s in sorted({s for route in routes for s in route.stops})},
            room=draft.room_for(vehicles),
            chosen=len(now),
        )

    def dealt(self, chosen: Sequence[Pooled], standing: Mapping[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
        """Chosen routes dealt out to vehicles of their kinds; a route that stands keeps its vehicle."""
        wanted: dict[int, list[tuple[int, ...]]] = {}
        for route in chosen:
            wanted.setdefault(route.kind, []).append(route.stops)
        rows: dict[int, tuple[int, ...]] = {}
        for v, row in standing.items():
            mine = wanted.get(self.kind_of[v], [])
            if row and row in mine:
                mine.remove(row)
                rows[v] = row
        for v in standing:
            if v not in rows:
                mine = wanted.get(self.kind_of[v], [])
                rows[v] = mine.pop() if mine else ()
        return rows
