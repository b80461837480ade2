"""Take in what collectors recorded (外勤记录): each record by itself, and as often as it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, DomainError, EventIdReused, StaleVersion
from recycling.logs import logger
from recycling.models.base import insert_into, table_of
from recycling.models.booking import Booking
from recycling.models.field import FieldEvent, FieldEventClash
from recycling.models.position import forget_positions
from recycling.models.recovery import GoalReport
from recycling.models.transaction import atomic, queue_for
from recycling.policy.access import Principal
from recycling.policy.device_clock import DeviceClock, WorkedOut, worked_out
from recycling.policy.district import District
from recycling.policy.field_events import DECIDING
from recycling.usecases.field.check_report import check_instant, check_outcome
from recycling.usecases.field.custody import attach_tags
from recycling.usecases.field.door_code import CodeCheck, check_door_code
from recycling.usecases.field.flags import FLAG_WORDS, Flag, FlagCode, add_flags, open_flags, waiting_undos
from recycling.usecases.field.fold_bookings import fold_bookings, locked_bookings
from recycling.usecases.field.my_stops import MyStops, Ridden, my_stops, not_yours
from recycling.usecases.field.reports import (
    FieldReport,
    check_form,
    clashing,
    fingerprint,
    items_of,
    payload_of,
    words_of,
)
from recycling.usecases.field.set_out import tell_on_the_way
from recycling.usecases.field.visit_proof import visit_proof
from recycling.usecases.planning.breakdowns import note_fault

log = logger(__name__)

MOST_EVENTS = 100  # in one request; a route has some twenty stops
MOST_UNITS = 1000  # of one item type, in the form of a record; what a door may give is judged against its booking

MOST_SKEW_S = 2**31 - 1  # what the column takes: 68 years

Answered = Literal["accepted", "duplicate", "conflict", "refused"]

_event = table_of(FieldEvent)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAnswer:
    """What became of one record.

    ``code`` and ``detail`` say why it was not taken, or why a person will look at it; ``retryable`` whether to resend.
    ``plan_version`` is the version it now counts for, where that is not the one it named. ``flags`` are all reasons
    for which a person will look at it.
    """

    event_id: UUID
    answer: Answered
    code: str | None = None
    detail: str | None = None
    retryable: bool = False
    plan_version: int | None = None
    flags: tuple[FlagCode, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """A record that is about to be stored."""

    report: FieldReport
    ridden: Ridden
    clock: WorkedOut
    row: dict[str, Any]


def record_events(
    reports: Sequence[FieldReport],
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    sent: DeviceClock | None = None,
) -> list[EventAnswer]:
    """Take in records, and answer each in the same sequence.

    A record that is refused or clashes takes nothing from the others. All are stored in one transaction; when
    somebody else holds one of their bookings, each is tried in a transaction of its own. ``sent`` is what the
    device's clocks showed when it sent them.
    """
    if len(reports) > 1:
        try:
            return _take_in(reports, sent, by=by, district=district, session=session, now=now)
        except (Conflict, StaleVersion) as error:
            log.info("field.one_by_one", events=len(reports), code=error.code)
    return [_alone(report, sent, by=by, district=district, session=session, now=now) for report in reports]


def _alone(
    report: FieldReport, sent: DeviceClock | None, *, by: Principal, district: District, session: Session, now: datetime
) -> EventAnswer:
    try:
        return _take_in([report], sent, by=by, district=district, session=session, now=now)[0]
    except (Conflict, StaleVersion) as error:
        return _not_taken(report, error)


def _not_taken(report: FieldReport, error: DomainError) -> EventAnswer:
    clash = isinstance(error, Conflict | StaleVersion)
    log.info("field.not_taken", event_id=str(report.event_id), code=error.code)
    return EventAnswer(
        event_id=report.event_id,
        answer="conflict" if clash else "refused",
        code=error.code,
        detail=error.message,
        retryable=error.retryable or isinstance(error, StaleVersion),
    )


def _take_in(
    reports: Sequence[FieldReport],
    sent: DeviceClock | None,
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> list[EventAnswer]:
    """Store records in one transaction, the first of each id, and bring their bookings up to date."""
    with atomic(session):
        batch = _Batch(session, by=by, district=district, now=now, sent=sent)
        batch.read(reports)
        for place, report in enumerate(reports):
            batch.judge(place, report)
        batch.store()
        batch.read_flags_again(reports)
    return batch.answers(reports)


class _Batch:
    """Records of one request on their way into the database."""

    def __init__(
        self, session: Session, *, by: Principal, district: District, now: datetime, sent: DeviceClock | None
    ) -> None:
        self.session, self.by, self.district, self.now, self.sent = session, by, district, now, sent
        self.standing: dict[UUID, bytes] = {}
        self.days: dict[UUID, date] = {}  # of the records that are taken back
        self.bookings: dict[UUID, Booking] = {}
        self.stops = MyStops(of_day={}, of_booking={}, first={}, now_with={})
        self.closed: set[str] = set()
        self.found: dict[int, EventAnswer] = {}
        self.again: set[int] = set()  # places of records that stood already
        self.stored: dict[UUID, _Stored] = {}
        self.places: dict[UUID, int] = {}
        self.clashes: list[tuple[FieldReport, bytes]] = []
        self.flags: set[Flag] = set()

    def read(self, reports: Sequence[FieldReport]) -> None:
        """Lock the bookings, and read what the records are judged by."""
        about = {report.booking_id for report in reports if report.booking_id is not None}
        # Two phones that call themselves the same queue, so that the second sees the first one's numbers.
        queue_for(self.session, {report.device_id for report in reports})
        self.bookings = locked_bookings(self.session, about)
        # In a statement after the lock: what somebody else has stored of these bookings meanwhile is seen.
        known = select(_event.c.event_id, _event.c.fingerprint).where(
            _event.c.event_id.in_([report.event_id for report in reports])
        )
        self.standing = {row.event_id: row.fingerprint for row in self.session.execute(known)}
        undone = [report.payload.undoes for report in reports if report.payload.undoes is not None]
        known_days = select(_event.c.event_id, _event.c.day).where(_event.c.event_id.in_(undone))
        self.days = {row.event_id: row.day for row in self.session.execute(known_days)} if undone else {}
        days = {booking.day for booking in self.bookings.values()}
        days |= {self._day(report) for report in reports if report.booking_id is None}
        self.stops = my_stops(self.session, self.by.collector_key, days=days, bookings=self.bookings.keys())
        self.closed = _closed_months(self.session, days, today=service_day(self.now))

    def _clock(self, report: FieldReport) -> WorkedOut:
        return worked_out(report.clock, self.sent, received_at=self.now)

    def _day(self, report: FieldReport) -> date:
        """The day of a record about no booking: its own, or that of what it takes back."""
        undone = None if report.payload.undoes is None else self.days.get(report.payload.undoes)
        return undone or service_day(self._clock(report).made_at)

    def judge(self, place: int, report: FieldReport) -> None:
        """Answer a record that is not to be stored, and make the row of one that is."""
        try:
            digest = fingerprint(report)
            if report.event_id not in self.standing:
                self.stored[report.event_id] = self._new(report, digest)
                self.standing[report.event_id] = digest
                self.places[report.event_id] = place
                return
            self._again(place, report, digest)
        except DomainError as error:
            self.found[place] = _not_taken(report, error)

    def _again(self, place: int, report: FieldReport, digest: bytes) -> None:
        """An id that stands already: it says nothing new, or something else, which is kept."""
        if self.standing[report.event_id] == digest:
            self.again.add(place)
            return
        self.clashes.append((report, digest))
        raise EventIdReused(
            f"event_id {report.event_id} came before with another content; both are kept and the first one counts."
            " Give a new record a new id / 该记录编号已用于其他内容，两者均已保留、以首次为准，新记录请使用新编号"
        )

    def _new(self, report: FieldReport, digest: bytes) -> _Stored:
        check_form(report)
        booking = None if report.booking_id is None else self.bookings.get(report.booking_id)
        if report.booking_id is not None and booking is None:
            raise not_yours(report.booking_id)
        day = self._day(report) if booking is None else booking.day
        ridden = self.stops.ridden(report.booking_id, day, version=report.plan_version)
        clock = self._clock(report)
        if not clock.quarantined:
            made_up = booking is not None and booking.made_up
            check_instant(clock.made_at, day, published_at=self.stops.first[day], made_up=made_up, now=self.now)
        if booking is not None:
            check_outcome(report, booking, district=self.district)
        code = self._code(report, booking)
        if booking is not None and visit_proof(report, booking, code=code, district=self.district):
            self.flags.add((report.event_id, "proof_missing"))
        late = f"{day:%Y-%m}" in self.closed
        row = {
            "event_id": report.event_id, "day": day, "vehicle_key": ridden.vehicle_key,
            "plan_version": report.plan_version, "booking_id": report.booking_id, "collector_id": self.by.id,
            "device_id": report.device_id, "device_seq": report.device_seq, "kind": report.kind,
            "reason": report.payload.reason, "items": items_of(report), "payload": payload_of(report, code=code),
            "words": words_of(report),
            "device_time": report.clock.device_time, "made_at": clock.made_at,
            "skew_s": _seconds(clock.skew),
            "quarantined": clock.quarantined, "counts_on": service_day(self.now) if late else day,
            "received_at": self.now, "fingerprint": digest,
        }  # fmt: skip
        return _Stored(report=report, ridden=ridden, clock=clock, row=row)

    def _code(self, report: FieldReport, booking: Booking | None) -> CodeCheck | None:
        """What becomes of a code that the resident told; looked at last, for a wrong one counts as a try."""
        proof = report.payload.proof
        if booking is None or proof is None or proof.code is None:
            return None
        return check_door_code(booking, proof.code, session=self.session)

    def store(self) -> None:
        """Write the new rows, and what follows from them."""
        if self.stored:
            self._store()
        for report, digest in self.clashes:  # a clash names a row, which stands by now
            _keep_clash(report, digest, by=self.by, session=self.session, now=self.now)
        add_flags(self.session, {(report.event_id, "id_reused") for report, _ in self.clashes}, now=self.now)

    def _store(self) -> None:
        insert = insert_into(self.session, FieldEvent).on_conflict_do_nothing().returning(FieldEvent.event_id)
        written = set(self.session.scalars(insert, [one.row for one in self.stored.values()]))
        for event_id in self.stored.keys() - written:  # the same id arrived twice at once; the other one is in by now
            self._lost(self.stored.pop(event_id))
        self._label()
        self._flag_arrival()
        self._note_faults()
        touched = {one.report.booking_id for one in self.stored.values() if one.report.kind in DECIDING}
        touched |= waiting_undos(self.session, {one.report.booking_id for one in self.stored.values()} - touched)
        bookings = [self.bookings[booking_id] for booking_id in touched if booking_id is not None]
        if bookings:
            self.flags |= fold_bookings(
                bookings, recorded=self.stored.keys(), by=self.by, district=self.district, session=self.session,
                now=self.now,
            )  # fmt: skip
        for one in self.stored.values():  # after the fold: a visit that is over is not told of as coming
            if one.report.kind == "on_the_way" and one.report.booking_id is not None and not one.clock.quarantined:
                booking = self.bookings[one.report.booking_id]
                tell_on_the_way(booking, set_out_at=one.clock.made_at, session=self.session, now=self.now)
        there = {one.ridden.vehicle_key for one in self.stored.values() if one.report.kind in ("arrive", "shift_end")}
        forget_positions(self.session, vehicles=there)  # nobody waits for the van any more
        log.info("field.recorded", events=len(self.stored), bookings=len(bookings), flags=len(self.flags))

    def _note_faults(self) -> None:
        """A van that stands still is something the dispatcher has to mend, or the clock where the district lets it."""
        for event_id, one in sorted(self.stored.items()):
            if one.report.kind == "fault" and one.report.payload.drives is False and not one.clock.quarantined:
                note_fault(
                    self.session, event_id=event_id, day=one.row["day"], vehicle_key=one.ridden.vehicle_key, by=self.by,
                    district=self.district, now=self.now,
                )  # fmt: skip

    def _label(self) -> None:
        """Give what was taken on board its labels and seals, in one sequence for all who do."""
        for event_id, one in sorted(self.stored.items()):
            booking = None if one.report.booking_id is None else self.bookings[one.report.booking_id]
            if booking is None or not one.report.payload.tags:
                continue
            conflicts = attach_tags(
                booking, one.report.payload.tags, event_id=event_id, vehicle_key=one.ridden.vehicle_key,
                catalogue=self.district.catalogue, by=self.by, session=self.session, now=self.now,
            )  # fmt: skip
            if conflicts:
                self.flags.add((event_id, "label_clash"))

    def _lost(self, one: _Stored) -> None:
        report, place = one.report, self.places[one.report.event_id]
        stands = self.session.scalars(select(_event.c.fingerprint).where(_event.c.event_id == report.event_id)).one()
        self.standing[report.event_id] = stands
        try:
            self._again(place, report, one.row["fingerprint"])
        except DomainError as error:
            self.found[place] = _not_taken(report, error)

    def _flag_arrival(self) -> None:
        """Flags that tell how a record came, and stay."""
        for event_id, one in self.stored.items():
            if one.clock.quarantined:
                self.flags.add((event_id, "clock_quarantined"))
            elif one.clock.flagged:
                self.flags.add((event_id, "clock_skew"))
            if self.by.device_id is not None and self.by.device_id != one.report.device_id:
                self.flags.add((event_id, "other_device"))
            if one.row["counts_on"] != one.row["day"]:
                self.flags.add((event_id, "late_adjustment"))
        self.flags |= {(event_id, "sequence_reused") for event_id in self._clones()}
        add_flags(self.session, self.flags, now=self.now)

    def _clones(self) -> set[UUID]:
        """Events, ours and those before, that share their device's number with another one."""
        devices = {one.report.device_id for one in self.stored.values()}
        numbers = {one.report.device_seq for one in self.stored.values()}
        rows = self.session.execute(
            select(_event.c.device_id, _event.c.device_seq, _event.c.event_id).where(
                _event.c.device_id.in_(devices), _event.c.device_seq.in_(numbers)
            )
        ).all()
        of_number: dict[tuple[UUID, int], set[UUID]] = {}
        for row in rows:
            of_number.setdefault((row.device_id, row.device_seq), set()).add(row.event_id)
        return {event_id for events in of_number.values() if len(events) > 1 for event_id in events}

    def read_flags_again(self, reports: Sequence[FieldReport]) -> None:
        """Read what waits for a person of records that stood already: their first answer may have got lost."""
        self.flags |= open_flags(self.session, {reports[place].event_id for place in self.again})

    def answers(self, reports: Sequence[FieldReport]) -> list[EventAnswer]:
        """What is said to each record, once all is committed."""
        flags_of: dict[UUID, list[FlagCode]] = {}
        for event_id, code in sorted(self.flags):
            flags_of.setdefault(event_id, []).append(code)
        return [
            self.found.get(place) or self._standing(place, report, tuple(flags_of.get(report.event_id, ())))
            for place, report in enumerate(reports)
        ]

    def _standing(self, place: int, report: FieldReport, flags: tuple[FlagCode, ...]) -> EventAnswer:
        """What is said to a record that stands, now or since before: of a contradiction, each time it is sent."""
        current = None if report.booking_id is None else self.stops.now_with.get(report.booking_id)
        moved_to = current[1] if current is not None and current[1] != report.plan_version else None
        one = self.stored.get(report.event_id)
        if moved_to is None and one is not None and one.ridden.version != report.plan_version:
            moved_to = one.ridden.version
        against = next((code for code in flags if code in CONFLICTS), None)
        if against is None:
            answer: Answered = "duplicate" if place in self.again else "accepted"
            return EventAnswer(event_id=report.event_id, answer=answer, plan_version=moved_to, flags=flags)
        zh, en = FLAG_WORDS[against]
        return EventAnswer(
            event_id=report.event_id, answer="conflict", code=against,
            detail=f"kept, and a person will look at it: {en} / 已保留待核实：{zh}", plan_version=moved_to, flags=flags,
        )  # fmt: skip


def _seconds(skew: timedelta | None) -> int | None:
    """A difference of clocks as it is stored: a phone of the year 2150 is as wrong as one of 2093."""
    return None if skew is None else max(-MOST_SKEW_S, min(MOST_SKEW_S, round(skew.total_seconds())))


# Flags of a record that is kept and, as things stand, does not count.
CONFLICTS = ("booking_cancelled", "claimed_by_other", "already_weighed", "undo_blocked", "clock_quarantined")


def _closed_months(session: Session, days: Iterable[date], *, today: date) -> set[str]:
    """The months of these days whose figures have been reported; the running one never is."""
    months = {f"{day:%Y-%m}" for day in days} - {f"{today:%Y-%m}"}
    if not months:
        return set()
    return set(session.scalars(select(GoalReport.period).where(GoalReport.period.in_(months)).distinct()))


def _keep_clash(report: FieldReport, digest: bytes, *, by: Principal, session: Session, now: datetime) -> None:
    row = insert_into(session, FieldEventClash).values(
        event_id=report.event_id,
        fingerprint=digest,
        booking_id=report.booking_id,
        collector_id=by.id,
        content=clashing(report),
        received_at=now,
    )
    session.execute(row.on_conflict_do_nothing())
