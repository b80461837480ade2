"""The shared step of everything that promises: the tentative routes of days, read, and changed under the day's lock.

What a process has read of a day it remembers, and each time reads only the routes that changed since. Offers are made
from that. A promise is made under the day's lock, from the routes as they then are.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from recycling.errors import WindowFull
from recycling.logs import logger
from recycling.models.booking import BookedItem, Booking
from recycling.models.encrypted import Sealed
from recycling.models.ledger import (
    ROUTE,
    DayState,
    Intake,
    check_facts,
    day_states,
    locked_day,
    rewrite,
    routes_since,
)
from recycling.models.limits import give_back_limits
from recycling.models.transaction import on_commit
from recycling.models.waiting import lose_offers
from recycling.policy.day_changes import DayChange
from recycling.policy.district import District
from recycling.policy.network import TravelEstimate
from recycling.routing.board import Board, Fit, Window
from recycling.routing.course import PICKUP
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem
from recycling.routing.standing import (
    StandingRoute,
    Visit,
    route_from_json,
    route_to_json,
    standing_plan,
    timed_route,
    without,
)
from recycling.usecases.bookings import live_limits
from recycling.usecases.bookings.proposals import Proposal, propose
from recycling.usecases.planning.day_problem import day_problem

log = logger(__name__)

# Under this key, which is no vehicle's, stand promises that a change of the fleet has left without a place.
UNPLACED = "unplaced"
DAYS_KEPT = 40  # remembered days of one database; more than anybody can book ahead


@dataclass(frozen=True, slots=True)
class _Known:
    """The routes of a day as they were at a state of its ledger."""

    state: DayState
    board: Board


class _Memory:
    """What this process has read of one database. A board is never changed once it stands here, only replaced."""

    def __init__(self, district: District) -> None:
        self.district, self.lock = district, threading.Lock()
        self.empty: dict[tuple[TravelEstimate, tuple[DayChange, ...]], Board] = {}
        self.days: dict[date, _Known] = {}

    def nothing(self, day: date) -> Board:
        """A day without promises."""
        alike = self.district.travel_on(day), self.district.day_changes.on(day)
        empty = self.empty.get(alike)
        if empty is None:
            empty = self.empty[alike] = Board(day_problem(day, [], district=self.district))
            _ = empty.mark  # once for all days alike: the boards of days are copies
        return empty.on(day)

    def keep(self, day: date, known: _Known) -> None:
        with self.lock:
            before = self.days.get(day)
            if before is None or before.state.born != known.state.born or before.state.version < known.state.version:
                self.days[day] = known
            while len(self.days) > DAYS_KEPT:
                del self.days[min(self.days)]


_memories: WeakKeyDictionary[object, _Memory] = WeakKeyDictionary()


def boards(session: Session, days: Collection[date], *, district: District) -> dict[date, Board | None]:
    """The tentative routes of days as they are now, to look at; ``None`` for a day whose plan is published."""
    if not days:
        return {}
    memory = _memory(session, district)
    states = day_states(session, min(days), max(days))
    found: dict[date, Board | None] = {}
    for day in days:
        state = states.get(day)
        if state is not None and state.closed:
            found[day] = None
        else:
            found[day] = memory.nothing(day) if state is None else _up_to_date(session, day, state, memory)
    return found


def remembered(session: Session, day: date, *, district: District) -> Board | None:
    """The routes of a day as this process last saw them, asked for only if never seen: to propose before the lock."""
    known = _memory(session, district).days.get(day)
    return boards(session, [day], district=district)[day] if known is None else known.board


def tentative_plan(session: Session, day: date, *, district: District) -> Plan | None:
    """The promises of a day as a plan to start from, of a closed day too; ``None`` when there are none."""
    state = day_states(session, day, day).get(day)
    if state is None:
        return None
    board = _up_to_date(session, day, state, _memory(session, district))
    _, plan = standing_plan(board.frame, board.routes)
    return plan if plan.routes else None


class DayDraft:
    """The routes of one locked day, being changed; `changing` makes it and writes it. ``seen`` is how they stood."""

    def __init__(self, day: date, state: DayState, board: Board) -> None:
        self.day, self.state, self.seen, self.board = day, state, board, board.copy()
        self._written = dict(board.taken)
        self._changed: dict[str, Sealed | None] = {}  # by vehicle; None is still to be sealed
        self._moved_off: set[str] = set()
        self._left: list[Visit] = []

    @property
    def is_written(self) -> bool:
        """Whether the database has all that was changed."""
        return not (self._changed or self._moved_off or self._left)

    def take(self, visit: Visit, window: Window, *, proposal: Proposal | None = None) -> Fit:
        """Give a visit its place, service starting in ``window``.

        Parameters
        ----------
        proposal
            What was found before the lock was held; it saves the work when the vehicle's route is still the same.

        Raises
        ------
        WindowFull
            When no route of the day can serve it.
        """
        if proposal is not None and proposal.still_holds(self.board):
            self._put(proposal.route, proposal.stored)
            return proposal.fit
        found = propose(self.board, visit, window)
        if found is None:
            raise WindowFull(
                f"no route of {self.day} can take this any more in that window; choose another one from"
                f" POST /slot-offers / {self.day} 该时段的路线已排不下，请重新查询可约时段"
            )
        self._put(found.route)
        return found.fit

    def release(self, key: str) -> None:
        """Take a visit out; nothing happens when no route holds it."""
        vehicle = self.board.vehicle_of(key)
        if vehicle is None:
            self._moved_off.add(key)
        else:
            self._put(without(self.board.frame, self.board.route(vehicle), key))

    def place_anew(self, session: Session) -> list[str]:
        """Find other places, in their windows, for the visits of vehicles that left the fleet and of routes that broke.

        Answers with the keys of those for which there is none. They stay promised, for the planner to place.
        """
        known, strays = self.board.frame.vehicle_by_key, list[Visit]()
        for vehicle, raw in routes_since(session, self.day, version=-1):
            if vehicle not in known:
                strays += (visit for visit in route_from_json(vehicle, raw).visits if not visit.gone)
        broken: list[Visit] = []
        for route in [route for route in self.board.routes if route.visits and not route.end_s]:
            broken += (visit for visit in route.visits if not visit.gone)
            self._put(StandingRoute(vehicle=route.vehicle))
        without_place = []
        stray_keys = {visit.key for visit in strays}
        for visit in sorted([*strays, *broken], key=lambda one: (one.windows_s[0][1], -one.service_s, one.key)):
            found = propose(self.board, visit, visit.windows_s[0])
            if found is None:
                without_place.append(visit.key)
                self._left += [] if visit.key in stray_keys else [visit]
                continue
            self._put(found.route)
            if visit.key in stray_keys:
                self._moved_off.add(visit.key)
        return without_place

    def replace_all(self, other: Exchange) -> None:
        """Put other routes in the place of all that stand; ``other`` was made for the board as it is now."""
        self.board = other.after.copy()
        self._changed |= other.stored
        self._moved_off |= other.moved

    def _put(self, route: StandingRoute, stored: Sealed | None = None) -> None:
        self.board.put(route)
        self._changed[route.vehicle] = stored

    def write(self, session: Session) -> None:
        """Write what changed since the last time."""
        intakes = [
            Intake(
                station_key=key, more_g=taken[0] - self._written[key][0][0], more_l=taken[1] - self._written[key][0][1],
                cap_g=most[0], cap_l=most[1],
            )
            for key, (taken, most) in self.board.taken.items()
            if taken != self._written[key][0]
        ]  # fmt: skip
        routes = {
            vehicle: ready or sealed(self.board, self.board.route(vehicle)) for vehicle, ready in self._changed.items()
        }
        if self._moved_off:
            routes |= self._strays_without(session)
        if self._left:
            routes[UNPLACED] = self._unplaced(session)
        rewrite(session, self.day, version=self.state.version, routes=routes, intakes=intakes)
        self._written = dict(self.board.taken)
        self._changed.clear()
        self._moved_off.clear()
        self._left.clear()

    def _strays_without(self, session: Session) -> dict[str, Sealed]:
        """Routes of vehicles that left the fleet, without what was taken out or has its place on another now."""
        found = {}
        for vehicle, raw in routes_since(session, self.day, version=-1):
            if vehicle not in self.board.frame.vehicle_by_key:
                visits = route_from_json(vehicle, raw).visits
                kept = tuple(visit for visit in visits if visit.key not in self._moved_off)
                if len(kept) < len(visits):
                    untimed = _untimed(self.board.frame, vehicle, kept)
                    found[vehicle] = ROUTE.seal(route_to_json(untimed) | {"frame": ""})
        return found

    def _unplaced(self, session: Session) -> Sealed:
        """The promises that have no place, with those that have lost theirs now."""
        before = [raw for vehicle, raw in routes_since(session, self.day, version=-1) if vehicle == UNPLACED]
        stood = [visit for raw in before for visit in route_from_json(UNPLACED, raw).visits]
        kept = [visit for visit in stood if visit.key not in self._moved_off]
        return ROUTE.seal(route_to_json(_untimed(self.board.frame, UNPLACED, [*kept, *self._left])) | {"frame": ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Other routes for all vehicles of a day, ready to be written: ``stored`` holds those that differ.

    ``moved`` are the visits that have a place in them and had none before.
    """

    after: Board
    stored: Mapping[str, Sealed]
    moved: frozenset[str]


def exchange(before: Board, after: Board, *, known: Exchange | None = None) -> Exchange:
    """Make ready what differs between two boards of a day; what ``known`` has sealed is not sealed again."""
    changed = [new for old, new in zip(before.routes, after.routes, strict=True) if new != old]
    stored = {}
    for route in changed:
        same = known is not None and known.after.route(route.vehicle) is route
        stored[route.vehicle] = (known.stored.get(route.vehicle) if same and known else None) or sealed(after, route)
    return Exchange(after=after, stored=stored, moved=frozenset(_keys(after) - _keys(before)))


def _keys(board: Board) -> set[str]:
    return {visit.key for route in board.routes for visit in route.visits}


def sealed(board: Board, route: StandingRoute) -> Sealed:
    """A route of a board as the ledger keeps it."""
    return ROUTE.seal(route_to_json(route) | {"frame": board.mark})


@contextmanager
def changing(
    session: Session, days: Collection[date], *, district: District, now: datetime, even_closed: bool = False
) -> Iterator[dict[date, DayDraft]]:
    """Lock days and change their routes; written when the block ends without an error. Inside `atomic`.

    Holds of these days that have lapsed are dropped first. In one transaction a day is locked once: what came before in
    it is seen.

    Raises
    ------
    WindowClosed
        When the plan of one of the days is published.
    Busy
        When ``district`` was read before a change of fleet or calendar that is worked into one of the days.
    LimitReached
        At the end of the block, when what was booked in it is more than its resident or address may have.
    """
    drafts: dict[date, DayDraft] = session.info.setdefault("drafts", {})
    memory = _memory(session, district)
    for day in sorted(set(days)):
        if day not in drafts:
            state = locked_day(session, day, now=now, even_closed=even_closed)
            check_facts(state, day, newest=district.day_changes.newest_on(day))
            # Our own change will be this version; what is committed is the one before.
            committed = DayState(version=state.version - 1, closed=state.closed, born=state.born)
            board = _up_to_date(session, day, committed, memory)
            drafts[day] = draft = DayDraft(day, state, board)
            # What this change leaves is known here when it is committed, and need not be read back.
            on_commit(session, partial(_keep, memory, draft))
            if state.lapsed:
                _drop_lapsed(session, drafts[day], now=now)
    mine = {day: drafts[day] for day in days}
    yield mine
    live_limits.settle(session)
    for draft in mine.values():
        draft.write(session)


def _keep(memory: _Memory, draft: DayDraft) -> None:
    if draft.is_written:
        memory.keep(draft.day, _Known(draft.state, draft.board))


def _drop_lapsed(session: Session, draft: DayDraft, *, now: datetime) -> None:
    lapsed = session.execute(
        select(Booking.id, Booking.resident_id).where(
            Booking.day == draft.day, Booking.state == "held", Booking.held_until <= now
        )
    )
    drop_holds(session, draft, {row.id: row.resident_id for row in lapsed}, now=now)


def drop_holds(session: Session, draft: DayDraft, holds: Mapping[UUID, UUID], *, now: datetime) -> None:
    """Delete holds, named with their residents, and free their places and limits; they were nobody's booking.

    The further visits of a hold go with it.
    """
    if not holds:
        return
    parts = session.execute(select(Booking.id, Booking.resident_id).where(Booking.part_of.in_(list(holds))))
    going = {**holds, **{row.id: row.resident_id for row in parts}}
    booking_ids = list(going)
    for booking_id, resident_id in going.items():
        draft.release(str(booking_id))
        give_back_limits(session, booking_id, resident_id=resident_id)
    lose_offers(session, booking_ids, now=now)
    session.execute(delete(BookedItem).where(BookedItem.booking_id.in_(booking_ids)))
    session.execute(delete(Booking).where(Booking.id.in_(booking_ids)))
    log.info("hold.dropped", day=str(draft.day), holds=len(holds))


def _up_to_date(session: Session, day: date, state: DayState, memory: _Memory) -> Board:
    known = memory.days.get(day)
    if known is not None and (known.state.born != state.born or known.state.version > state.version):
        known = None
    if known is not None and known.state.version == state.version:
        return known.board
    board = memory.nothing(day) if known is None else known.board.copy()
    for vehicle, raw in routes_since(session, day, version=-1 if known is None else known.state.version):
        if vehicle in board.frame.vehicle_by_key:
            board.put(_understood(board.frame, vehicle, raw, mark=board.mark))
        else:
            # Its promises are for the next plan to move, and nothing more is promised on it.
            log.warning("route.without_vehicle", vehicle=vehicle, day=str(day))
    memory.keep(day, _Known(state, board))
    return board


def _understood(frame: Problem, vehicle: str, raw: Mapping[str, Any], *, mark: str) -> StandingRoute:
    """A stored route; timed anew when it was made for another fleet, or for other stations or ways."""
    route = route_from_json(vehicle, raw)
    if raw["frame"] == mark:
        return route
    timed = timed_route(frame, vehicle, route.visits)
    if timed is not None:
        return timed
    log.warning("route.broken", vehicle=vehicle, day=str(frame.day), visits=len(route.visits))
    return _untimed(frame, vehicle, route.visits)


def _untimed(frame: Problem, vehicle: str, visits: Sequence[Visit]) -> StandingRoute:
    """A route without a timetable: it has no gap that a visit could still reach in time."""
    pickups = tuple((PICKUP, n, len(frame.locations) + n) for n in range(len(visits)))
    return StandingRoute(vehicle=vehicle, visits=tuple(visits), acts=pickups)


def _memory(session: Session, district: District) -> _Memory:
    engine = session.get_bind()
    memory = _memories.get(engine)
    if memory is None or memory.district is not district:
        memory = _memories[engine] = _Memory(district)
    return memory
