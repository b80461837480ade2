"""What collectors record in the field, and the folds that make one state of it: pure, and blind to arrival."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

FieldKind = Literal[
    "shift_start", "shift_end", "on_the_way", "arrive", "start", "collected", "partly", "failed", "unload",
    "break_start", "break_end", "fault", "note", "photo", "undo",
]  # fmt: skip
FIELD_KINDS: tuple[FieldKind, ...] = get_args(FieldKind)

OutcomeKind = Literal["collected", "partly", "failed"]
OUTCOMES: tuple[OutcomeKind, ...] = get_args(OutcomeKind)
# Records after which a booking may be something else than before.
DECIDING: frozenset[FieldKind] = frozenset((*OUTCOMES, "undo"))

# What a vehicle is doing, by what was recorded last. ``idle`` is at a place with nothing under way.
Doing = Literal["not_begun", "driving", "serving", "unloading", "resting", "idle", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRecord:
    """One stored event as the folds read it.

    Parameters
    ----------
    device_id, device_seq
        The device and its own count of events: what orders events of one device, whatever its clock said.
    made_at
        When it happened, by our clock as far as it could be worked out.
    vehicle_key
        The vehicle whose crew recorded it.
    units
        Taken on board, by item type; with an outcome.
    station_key
        Where it unloaded or arrived.
    undoes
        The event that an ``undo`` takes back.
    drives
        Whether the vehicle still drives, with a ``fault``.
    """

    event_id: UUID
    device_id: UUID
    device_seq: int
    kind: FieldKind
    made_at: datetime
    vehicle_key: str
    booking_id: UUID | None = None
    reason: str | None = None
    units: Mapping[str, int] = field(default_factory=dict)
    station_key: str | None = None
    undoes: UUID | None = None
    drives: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What all records about one booking come to.

    ``outcome`` is ``None`` until one is recorded; ``decided_by`` is then the event that decides, of ``vehicle_key``'s
    crew. ``contested`` are outcomes of other crews, which do not count: a person looks at them.
    """

    vehicle_key: str | None = None
    set_out_at: datetime | None = None
    arrived_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: OutcomeKind | None = None
    reason: str | None = None
    units: Mapping[str, int] = field(default_factory=dict)
    decided_by: UUID | None = None
    contested: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unloaded:
    """A vehicle was emptied at a station."""

    station_key: str
    at: datetime
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteState:
    """Where one vehicle's day stands.

    Parameters
    ----------
    began_at, ended_at
        Of the shift: the first event stands for a start that nobody recorded.
    doing, since
        What it is doing, and since when; ``since`` is ``None`` before anything was recorded.
    at_booking, at_station
        The last place known; at most one of them is set, neither while it has not left its start.
    heading_to
        The booking it has set out for and not reached.
    visits
        By booking, of this vehicle's records alone, in the sequence in which they were begun.
    unloads
        In their sequence.
    rested
        Whether its break has begun.
    stopped_at
        When it had the fault with which it cannot go on; ``None`` while it drives.
    """

    began_at: datetime | None = None
    ended_at: datetime | None = None
    doing: Doing = "not_begun"
    since: datetime | None = None
    at_booking: UUID | None = None
    at_station: str | None = None
    heading_to: UUID | None = None
    visits: Mapping[UUID, Visit] = field(default_factory=dict)
    unloads: tuple[Unloaded, ...] = ()
    rested: bool = False
    stopped_at: datetime | None = None

    @property
    def drives(self) -> bool:
        """Whether it can go on."""
        return self.stopped_at is None


def in_sequence(records: Iterable[FieldRecord]) -> list[FieldRecord]:
    """Records that still stand, in the one sequence that the set of them has.

    Within a device its own count decides and never its clock: an event counts as made no earlier than those counted
    before it, so a clock set back moves nothing. Between devices the instants decide, then the ids. A record that its
    own vehicle's crew took back is gone, and so is the taking back.
    """
    of_device: dict[UUID, list[FieldRecord]] = defaultdict(list)
    for record in records:
        of_device[record.device_id].append(record)
    placed: list[tuple[datetime, str, int, FieldRecord]] = []
    for device_id, own in of_device.items():
        own.sort(key=lambda record: (record.device_seq, record.made_at, record.event_id))
        reached = own[0].made_at
        for place, record in enumerate(own):
            reached = max(reached, record.made_at)
            placed.append((reached, str(device_id), place, record))
    placed.sort(key=lambda one: one[:3])
    gone = taken_back(record for *_, record in placed)
    return [record for *_, record in placed if record.kind != "undo" and record.event_id not in gone]


def visit_of(records: Iterable[FieldRecord]) -> Visit:
    """Fold everything recorded about one booking, by whichever crew.

    The crew with the first outcome keeps the visit; within it the last outcome holds, so that a slip of the finger is
    put right by recording again. Outcomes of any other crew are contested. What decides is in its sequence by itself:
    that somebody arrived, heard of sooner or later, moves no outcome.
    """
    own_records = [record for record in records if record.booking_id is not None]
    standing = in_sequence(own_records)
    told = [
        record for record in in_sequence(one for one in own_records if one.kind in DECIDING) if record.kind != "undo"
    ]
    owner = told[0].vehicle_key if told else None
    own = standing if owner is None else [record for record in standing if record.vehicle_key == owner]
    mine = [record for record in told if record.vehicle_key == owner]
    last = mine[-1] if mine else None
    started_at = _first(own, "start") or _first(own, "arrive")
    return Visit(
        vehicle_key=own[0].vehicle_key if own else None,
        set_out_at=_first(own, "on_the_way"),
        arrived_at=_first(own, "arrive") or _first(own, "start"),
        started_at=started_at,
        ended_at=mine[0].made_at if mine else None,  # one put right an hour later did not take an hour longer
        outcome=None if last is None else _outcome(last),
        reason=None if last is None else last.reason,
        units={} if last is None else last.units,
        decided_by=None if last is None else last.event_id,
        contested=frozenset(record.event_id for record in told if record.vehicle_key != owner),
    )


def taken_back(records: Iterable[FieldRecord]) -> set[UUID]:
    """Records that an ``undo`` of the same crew and booking takes back."""
    own = list(records)
    about = {record.event_id: (record.vehicle_key, record.booking_id) for record in own if record.kind != "undo"}
    return {
        record.undoes
        for record in own
        if record.kind == "undo"
        and record.undoes is not None
        and about.get(record.undoes) == (record.vehicle_key, record.booking_id)
    }


def without_effect(records: Iterable[FieldRecord]) -> set[UUID]:
    """Takings back without effect: of what never came, of another crew's or door's record, or of a taking back."""
    own = list(records)
    gone = taken_back(own)
    return {record.event_id for record in own if record.kind == "undo" and record.undoes not in gone}


def _first(records: Iterable[FieldRecord], kind: FieldKind) -> datetime | None:
    return next((record.made_at for record in records if record.kind == kind), None)


def _outcome(record: FieldRecord) -> OutcomeKind:
    kind = record.kind
    if kind == "collected" or kind == "partly" or kind == "failed":  # the type checker reads it so
        return kind
    raise AssertionError(f"{kind} is no outcome")


def route_state(records: Iterable[FieldRecord]) -> RouteState:
    """Fold everything that one vehicle's crew recorded on one day."""
    every = list(records)
    standing = in_sequence(every)
    of_booking: dict[UUID, list[FieldRecord]] = {}
    for record in standing:
        if record.booking_id is not None:
            of_booking.setdefault(record.booking_id, [])
    for record in every:
        if record.booking_id in of_booking:
            of_booking[record.booking_id].append(record)
    visits = {booking_id: visit_of(own) for booking_id, own in of_booking.items()}
    now = _Now()
    for record in standing:
        now.see(record, visits)
    starts = [record.made_at for record in standing]
    faults = [record for record in standing if record.kind == "fault"]
    return RouteState(
        began_at=_first(standing, "shift_start") or (starts[0] if starts else None),
        ended_at=now.ended_at,
        doing=now.doing,
        since=now.since,
        at_booking=now.at_booking,
        at_station=now.at_station,
        heading_to=now.heading_to,
        visits=visits,
        unloads=tuple(
            Unloaded(station_key=record.station_key, at=record.made_at, event_id=record.event_id)
            for record in standing
            if record.kind == "unload" and record.station_key is not None
        ),
        rested=any(record.kind == "break_start" for record in standing),
        stopped_at=None if not faults or faults[-1].drives else faults[-1].made_at,
    )


@dataclass(slots=True)
class _Now:
    """What the vehicle is doing, event by event."""

    doing: Doing = "not_begun"
    since: datetime | None = None
    at_booking: UUID | None = None
    at_station: str | None = None
    heading_to: UUID | None = None
    ended_at: datetime | None = None

    def see(self, record: FieldRecord, visits: Mapping[UUID, Visit]) -> None:
        kind = record.kind
        if kind in ("note", "photo", "fault"):
            return
        if kind == "shift_end":
            self.doing, self.since, self.ended_at = "over", record.made_at, record.made_at
            self.heading_to = None
            return
        self.ended_at = None  # whatever is recorded after an end says that it was none
        if kind in OUTCOMES and record.booking_id is not None and self._put_right(record, visits[record.booking_id]):
            return
        self.since = record.made_at
        if kind == "shift_start":
            self.doing = "idle"
        elif kind == "on_the_way":
            self.doing, self.heading_to = "driving", record.booking_id
        elif kind in ("arrive", "start"):
            self._stand(record, "serving" if record.booking_id is not None else "unloading")
        elif kind in OUTCOMES or kind == "unload":
            self._stand(record, "idle")
        elif kind == "break_start":
            self.doing = "resting"
        elif kind == "break_end":
            self.doing = "idle"

    def _put_right(self, record: FieldRecord, visit: Visit) -> bool:
        """Whether an outcome only corrects one of a door that the vehicle has left."""
        return visit.ended_at is not None and record.made_at > visit.ended_at and self.at_booking != record.booking_id

    def _stand(self, record: FieldRecord, doing: Doing) -> None:
        self.doing, self.at_booking, self.at_station = doing, record.booking_id, record.station_key
        self.heading_to = None
