"""A day as it really goes: vans in traffic, doors that stay shut, phones without a signal, vans that break down.

Every van is a generator that wakes when its crew does something. What the crew records waits on its phone until there
is a signal; the list it goes by is the one it last saw. The truth (how long a way or a door takes) is drawn once from a
seed, and neither planner nor estimates know it.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from recycling.policy.access import Principal
from recycling.policy.device_clock import DeviceClock
from recycling.policy.field_events import FieldKind
from recycling.routing.cost import leg
from recycling.routing.problem import Problem
from recycling.units import instant_at
from recycling.usecases.field.reports import CountedItem, FieldReport, Payload

Steps = Sequence[Mapping[str, Any]]
Sleep = Generator[float, None, None]
BATCH = 50
FAILED, PARTLY = 0.07, 0.03  # of the visits


class BrokeDown(Exception):  # what happened, not an error
    """The van stands still from now on."""


@dataclass(slots=True)
class Phone:
    """A crew's phone: what it has not sent yet, when it has no signal, how far its clock is off."""

    device_id: UUID
    by: Principal
    off: timedelta
    silent: Sequence[tuple[float, float]]
    waiting: list[FieldReport] = field(default_factory=list)
    seq: int = 0

    def hears(self, second: float) -> bool:
        """Whether there is a signal."""
        return not any(first <= second < last for first, last in self.silent)


@dataclass(slots=True)
class Van:
    """One van, its crew's list, and what it has done."""

    key: str
    phone: Phone
    leaves_s: float
    breaks_s: float | None = None
    version: int = 0
    steps: Steps = ()
    place: int = 0
    done: set[Any] = field(default_factory=set)
    pace: float = 1.0
    stands: bool = False
    out: bool = False
    home: bool = False
    at_door: UUID | None = None


@dataclass(slots=True, kw_only=True)
class Visited:
    """What truly happened at a door."""

    vehicle_key: str
    arrived_s: float
    started_s: float


class PlayedDay:
    """The day's vans, second by second.

    Parameters
    ----------
    look
        What a crew sees when it opens its list: the version and the steps of ``GET /my-route``.
    send
        Takes a batch of one phone; whatever it answers is not needed, for a phone sends again until it is told.
    """

    def __init__(
        self,
        problem: Problem,
        day: date,
        *,
        seed: int,
        look: Callable[[Van, float], tuple[int, Steps]],
        send: Callable[[Phone, Sequence[FieldReport], DeviceClock, float], None],
    ) -> None:
        self.problem, self.day, self.look, self.send = problem, day, look, send
        self.rng = random.Random(seed)  # the same day again
        self.vans: list[Van] = []
        self.visited: dict[UUID, Visited] = {}
        self.sent = itertools.count()
        self._heap: list[tuple[float, int, Any]] = []
        self._turn = itertools.count()
        self._place = {stop.key: stop.location for stop in problem.stops} | {
            station.key: station.location for station in problem.stations
        }
        self._stop = problem.stop_by_key

    def add(self, key: str, by: Principal, *, leaves_s: float, breaks_s: float | None = None) -> None:
        """A van that leaves its station, with a phone that will have no signal now and then."""
        rng = self.rng
        silent = []
        for _ in range(rng.randint(0, 3)):
            begins = rng.uniform(leaves_s, leaves_s + 8 * 3600)
            silent.append((begins, begins + rng.uniform(300, 5400)))
        if breaks_s is not None:  # somebody calls: a van that stands is heard of
            silent = [span for span in silent if not span[0] - 60 <= breaks_s < span[1]]
        off = timedelta(seconds=rng.choice((0, 0, 20, -40, 90, 480)))
        phone = Phone(device_id=UUID(int=rng.getrandbits(128)), by=by, off=off, silent=silent)
        van = Van(key=key, phone=phone, leaves_s=leaves_s, breaks_s=breaks_s, pace=rng.uniform(0.85, 1.25))
        van.place = self._place[self.problem.vehicle_by_key[key].start_station]
        self.vans.append(van)
        self._wake(leaves_s, self._drive(van, leaves_s))

    def run(self, until_s: float) -> None:
        """Let everybody go on until an instant of the day."""
        while self._heap and self._heap[0][0] <= until_s:
            _, _, one = heapq.heappop(self._heap)
            again = next(one, None)
            if again is not None:
                self._wake(again, one)
        for van in self.vans:
            self._flush(van, until_s)

    @property
    def over(self) -> bool:
        """Whether every van is home or stands, and every phone has sent all it had."""
        return not self._heap and not any(van.phone.waiting for van in self.vans)

    def _wake(self, at: float, one: Any) -> None:
        heapq.heappush(self._heap, (at, next(self._turn), one))

    # --- one van ---

    def _drive(self, van: Van, leaves_s: float) -> Iterator[float]:
        if leaves_s != van.leaves_s or (van.out and not van.home):
            return  # it was called to leave at another time
        now = leaves_s
        van.out, van.home = True, False
        self._record(van, now, "shift_start")
        try:
            while (step := self._next(van, now)) is not None:
                legs = self._visit(van, step, now) if step["kind"] == "pickup" else self._else(van, step, now)
                for now in legs:  # the van's clock
                    self._stops(van, now)
                    yield now
                if step["kind"] == "end" and not self._called_back(van, now):
                    break
            self._record(van, now, "shift_end")
            van.home = True
        except BrokeDown:
            stands = van.breaks_s or now
            yield stands
            van.stands = True
            self._record(van, stands, "fault", payload=Payload(drives=False))
            if van.at_door is not None:  # the resident is told at the door
                self._record(van, stands, "failed", booking_id=van.at_door, payload=Payload(reason="vehicle_breakdown"))

    def call(self, second: float) -> None:
        """Call the crews that are not on the road and have other stops now: they set out again, or at another time."""
        for van in self.vans:
            if van.stands or (van.out and not van.home):
                continue
            van.version, van.steps = self.look(van, second)
            if self._open(van):
                begins = next(float(step["start_s"]) for step in van.steps if step["kind"] == "start")
                van.leaves_s = second if van.out else max(second, begins)
                van.done.discard("end")
                self._wake(van.leaves_s, self._drive(van, van.leaves_s))

    def _called_back(self, van: Van, now: float) -> bool:
        """Whether a crew that comes home finds stops on its list that it did not know when it turned back."""
        if van.phone.hears(now):
            van.version, van.steps = self.look(van, now)
        if not self._open(van):
            return False
        van.done.discard("end")
        return True

    def _open(self, van: Van) -> bool:
        return any(
            step["kind"] == "pickup" and step["pickup"]["state"] == "booked" and _mark(step) not in van.done
            for step in van.steps
        )

    def _stops(self, van: Van, now: float) -> None:
        if van.breaks_s is not None and now >= van.breaks_s:
            raise BrokeDown

    def _next(self, van: Van, now: float) -> Mapping[str, Any] | None:
        if van.phone.hears(now) or not van.steps:
            van.version, van.steps = self.look(van, now)
        for step in van.steps:
            mark = _mark(step)
            if step["kind"] == "start" or mark in van.done:
                continue
            if step["kind"] == "pickup" and step["pickup"]["state"] != "booked":
                continue
            van.done.add(mark)
            return step
        return None

    def _visit(self, van: Van, step: Mapping[str, Any], now: float) -> Sleep:
        booking_id = UUID(str(step["pickup"]["booking_id"]))
        self._record(van, now, "on_the_way", booking_id=booking_id)
        now += self._way(van, self._place[str(booking_id)])
        yield now
        self._record(van, now, "arrive", booking_id=booking_id)
        arrived, van.at_door = now, booking_id
        opens_s = float(step["pickup"]["window"].window_s[0])
        if now < opens_s:
            now = opens_s
            yield now
        self._record(van, now, "start", booking_id=booking_id)
        self.visited.setdefault(booking_id, Visited(vehicle_key=van.key, arrived_s=arrived, started_s=now))
        chance = self.rng.random()
        planned = self._stop[str(booking_id)].service_s
        now += planned * van.pace * self.rng.lognormvariate(0, 0.25) if chance > FAILED else 600
        yield now
        self._outcome(van, now, booking_id, step["pickup"]["items"], chance)
        van.at_door = None

    def _outcome(self, van: Van, now: float, booking_id: UUID, items: Sequence[Any], chance: float) -> None:
        counted = [CountedItem(item_type=one["item_type"], units=one["declared_units"]) for one in items]
        if chance < FAILED:
            self._record(van, now, "failed", booking_id=booking_id, payload=Payload(reason="nobody_home"))
        elif chance < FAILED + PARTLY and len(counted) > 1:
            left = Payload(reason="not_presented", items=counted[:-1])
            self._record(van, now, "partly", booking_id=booking_id, payload=left)
        else:
            self._record(van, now, "collected", booking_id=booking_id, payload=Payload(items=counted))

    def _else(self, van: Van, step: Mapping[str, Any], now: float) -> Sleep:
        """Lunch, unloading, or home."""
        if step["kind"] == "break":
            self._record(van, now, "break_start")
            now += step["end_s"] - step["start_s"]
            yield now
            self._record(van, now, "break_end")
            return
        station = step["station"]["key"]
        now += self._way(van, self._place[station])
        yield now
        if step["kind"] == "unload":
            self._record(van, now, "arrive", payload=Payload(station_key=station))
            now += step["end_s"] - step["start_s"]
            yield now
            self._record(van, now, "unload", payload=Payload(station_key=station))

    def _way(self, van: Van, to: int) -> float:
        seconds = leg(self.problem, van.place, to)[0]
        van.place = to
        return max(1.0, seconds * van.pace * self.rng.lognormvariate(0, 0.2))

    # --- its phone ---

    def _record(
        self,
        van: Van,
        second: float,
        kind: FieldKind,
        *,
        booking_id: UUID | None = None,
        payload: Payload | None = None,
    ) -> None:
        phone = van.phone
        phone.seq += 1
        phone.waiting.append(
            FieldReport(
                event_id=UUID(int=self.rng.getrandbits(128)),
                device_id=phone.device_id,
                device_seq=phone.seq,
                plan_version=max(1, van.version),
                booking_id=booking_id,
                kind=kind,
                payload=payload or Payload(),
                clock=self._clock(phone, second),
            )
        )
        self._flush(van, second)

    def _flush(self, van: Van, second: float) -> None:
        phone = van.phone
        while phone.waiting and phone.hears(second):
            batch = phone.waiting[:BATCH]
            self.send(phone, batch, self._clock(phone, second), second)
            del phone.waiting[: len(batch)]

    def _clock(self, phone: Phone, second: float) -> DeviceClock:
        at = instant_at(self.day, 0) + timedelta(seconds=math.floor(second))
        return DeviceClock(device_time=at + phone.off, monotonic_ms=math.floor(second) * 1000, boot_id="b")


def _mark(step: Mapping[str, Any]) -> Any:
    """What tells a step apart from all others of a van's day, in whatever version of its list."""
    if step["kind"] == "pickup":
        return str(step["pickup"]["booking_id"])
    if step["kind"] == "break":
        return "break"
    if step["kind"] == "end":
        return "end"
    return ("unload", step["station"]["key"], step["start_s"])


def at_second(day: date, second: float) -> datetime:
    """The instant of a second of the day."""
    return instant_at(day, 0) + timedelta(seconds=math.floor(second))
