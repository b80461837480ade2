"""Take in what collectors recorded at the door (上门结果): each record by itself, and as often as it is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, DomainError, EventIdReused, InvalidInput, NotFound, StaleVersion
from recycling.logs import logger
from recycling.models.base import insert_into
from recycling.models.booking import Booking
from recycling.models.field import FieldEvent, FieldKind
from recycling.models.plan import PublishedPlan
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.failed_visits import FAILED_VISIT_CODES
from recycling.units import instant_at
from recycling.usecases.bookings.sight import visible_to
from recycling.usecases.field.bring_up_to_date import bring_up_to_date
from recycling.usecases.field.set_out import check_set_out, tell_on_the_way

log = logger(__name__)

MOST_EVENTS = 100  # in one request; a route has some twenty stops
MOST_UNITS = 1000  # of one item type, in the form of a record; what a door may give is judged against its booking
# More than was declared is found at many a door; beyond twenty more of one item type it is a slip of the finger, or
# another van's work that nobody has planned.
MOST_MORE = 20

# A phone's clock may be wrong by hours and the record still true. Beyond a day ahead it would win over every later
# correction, so it is refused. Before its day, or before the routes were published, nobody could stand at the door,
# save for a clock that is a little behind.
MOST_AHEAD = timedelta(hours=24)
MOST_BEHIND = timedelta(minutes=5)
# After the day: people put right what they recorded, and a phone comes back from weeks without a network or in repair.
# A door that is first remembered after a month is not, and the month's figures are reported by then.
MOST_LATE = timedelta(days=30)

Answered = Literal["accepted", "duplicate", "conflict", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedItem:
    """Units of one item type taken on board, with the collector's guess of their mass if they made one."""

    item_type: str
    units: int
    estimated_g: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReport:
    """One record of a collector's device, under the id the device gave it."""

    event_id: UUID
    booking_id: UUID
    kind: FieldKind
    reason: str | None
    items: Sequence[CountedItem]
    device_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAnswer:
    """What became of one record. ``code`` and ``detail`` say why it was not taken; ``retryable`` whether to resend."""

    event_id: UUID
    answer: Answered
    code: str | None = None
    detail: str | None = None
    retryable: bool = False


def record_events(
    reports: Sequence[FieldReport], *, by: Principal, district: District, session: Session, now: datetime
) -> list[EventAnswer]:
    """Take in records one by one, each in a transaction of its own, and answer each in the same sequence.

    A record that is refused or clashes keeps nothing of itself and takes nothing from the others.
    """
    return [_answer(report, by=by, district=district, session=session, now=now) for report in reports]


def _answer(
    report: FieldReport, *, by: Principal, district: District, session: Session, now: datetime
) -> EventAnswer:
    try:
        with atomic(session):
            fresh = _record(report, by=by, district=district, session=session, now=now)
    except DomainError as error:
        clash = isinstance(error, Conflict | StaleVersion)
        log.info("doorstep.not_taken", event_id=str(report.event_id), code=error.code)
        return EventAnswer(
            event_id=report.event_id,
            answer="conflict" if clash else "refused",
            code=error.code,
            detail=error.message,
            retryable=error.retryable or isinstance(error, StaleVersion),
        )
    return EventAnswer(event_id=report.event_id, answer="accepted" if fresh else "duplicate")


def _record(report: FieldReport, *, by: Principal, district: District, session: Session, now: datetime) -> bool:
    """Store one record and bring its booking up to date; ``False`` when it stands already.

    Raises
    ------
    EventIdReused, AlreadyWeighed, Conflict
        When it clashes with what is known.
    InvalidInput, NotFound
        When it breaks a rule, or the booking is on no published route of the caller.
    """
    digest = _fingerprint(report)
    if _stands(report, digest, session):
        return False
    # The row lock makes two records of one booking queue, so that each fold sees the other's row or is seen by it. This
    # kind lets a ticket line name the booking meanwhile: a weigh-in comes from the items to the booking, we come the
    # other way round.
    wanted = select(Booking).where(Booking.id == report.booking_id, visible_to(by))
    booking = session.scalar(wanted.with_for_update(key_share=True))
    if booking is None:
        raise NotFound(f"no booking {report.booking_id} on your route / 该预约不在你的路线上")
    _check(report, booking, district=district, session=session, now=now)
    items = [asdict(item) for item in sorted(report.items, key=lambda item: item.item_type)]
    row = insert_into(session, FieldEvent).values(
        event_id=report.event_id, booking_id=booking.id, collector_id=by.id, kind=report.kind, reason=report.reason,
        items=items, device_time=report.device_time, received_at=now, fingerprint=digest,
    )  # fmt: skip
    stored = session.scalar(row.on_conflict_do_nothing().returning(FieldEvent.event_id))
    if stored is None:  # the same id arrived twice at once; the other one is in by now
        _stands(report, digest, session)
        return False
    if report.kind == "on_the_way":
        tell_on_the_way(booking, set_out_at=report.device_time, session=session, now=now)
    else:
        bring_up_to_date(booking, recorded=report.event_id, by=by, session=session, now=now)
    log.info("doorstep.recorded", event_id=str(report.event_id), booking_id=str(booking.id), state=booking.state)
    return True


def _stands(report: FieldReport, digest: bytes, session: Session) -> bool:
    known = session.get(FieldEvent, report.event_id)
    if known is not None and known.fingerprint != digest:
        raise EventIdReused(
            f"event_id {report.event_id} came before with another content; give a new record a new id"
            " / 该记录编号已用于其他内容，请使用新编号"
        )
    return known is not None


def _fingerprint(report: FieldReport) -> bytes:
    """A digest of what the record says, the same however its items were listed or its instant was written."""
    said: dict[str, Any] = {
        "booking_id": str(report.booking_id),
        "kind": report.kind,
        "reason": report.reason,
        "items": sorted([item.item_type, item.units, item.estimated_g] for item in report.items),
        "device_time": report.device_time.astimezone(UTC).isoformat(),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


def _check(report: FieldReport, booking: Booking, *, district: District, session: Session, now: datetime) -> None:
    _check_clock(report, booking, session=session, now=now)
    if report.kind == "on_the_way":
        check_set_out(reason=report.reason, items=report.items)
        return
    _check_reason(report)
    if (report.kind == "failed") == bool(report.items):
        raise InvalidInput(
            f"items has {len(report.items)} entries for kind {report.kind!r}: a failed visit takes nothing on board,"
            " any other at least one item / 上门失败时不应有物品，其他情况至少一件"
        )
    seen: set[str] = set()
    for item in report.items:
        district.catalogue.item_type(item.item_type, on=booking.day)
        if item.item_type in seen:
            raise InvalidInput(f"item_type {item.item_type!r} comes twice; give it once with all its units")
        seen.add(item.item_type)
    _check_units(report, booking)


def _check_clock(report: FieldReport, booking: Booking, *, session: Session, now: datetime) -> None:
    published = session.get_one(PublishedPlan, booking.day)
    made_at, begins = report.device_time, instant_at(booking.day, 0)
    ends = instant_at(booking.day + timedelta(days=1), 0)
    said = f"device_time {made_at.isoformat()}"
    # What is not yet recorded cannot reach us, whatever the phone says: our own clock bounds it too. A made-up day,
    # which is tomorrow, may be played to its end today.
    if min(made_at, now) < begins - MOST_BEHIND and not booking.made_up:
        raise InvalidInput(
            f"{said} was made or sent before {booking.day}, the day of this pickup; record the visit at the door on"
            " that day, and set the phone's clock if it is wrong"
            f" / 该预约于 {booking.day} 上门，请当日上门时登记；如手机时间有误请先校准"
        )
    if made_at > ends + MOST_LATE:
        raise InvalidInput(
            f"{said} is more than {MOST_LATE.days} days after {booking.day}, the day of this pickup; set the phone's"
            " clock and record the visit again, or call the dispatcher if the clock is right"
            f" / 已超过上门日 {booking.day} 后 {MOST_LATE.days} 天，请校准手机时间后重新登记；时间无误请联系调度"
        )
    if made_at > now + MOST_AHEAD:
        raise InvalidInput(
            f"{said} is more than {MOST_AHEAD // timedelta(hours=1)} h ahead of us; set the phone's clock and record"
            " the visit again / 手机时间不正确，请校准后重新登记"
        )
    if made_at < published.published_at - MOST_BEHIND:
        raise InvalidInput(
            f"{said} lies before the route was published; set the phone's clock and record the visit again"
            " / 记录时间早于路线发布时间，请校准手机时间后重新登记"
        )


def _check_units(report: FieldReport, booking: Booking) -> None:
    """Collected means every unit that was declared, and whatever more was found; partly means less than that."""
    declared = {item.item_type: item.declared_units for item in booking.items}
    taken = {item.item_type: item.units for item in report.items}
    for item_type, units in taken.items():
        booked = declared.get(item_type, 0)
        if units > booked + MOST_MORE:
            raise InvalidInput(
                f"{units} units of {item_type!r} where {booked} were booked: one visit takes at most {MOST_MORE} more;"
                " count again, and have the resident book the rest"
                f" / {item_type} 预约 {booked} 件、登记 {units} 件，最多可多收 {MOST_MORE} 件，请核对，其余请另行预约"
            )
    missing = [item_type for item_type, booked in declared.items() if taken.get(item_type, 0) < booked]
    if report.kind == "collected" and missing:
        raise InvalidInput(
            f"fewer of {', '.join(missing)} than were booked: send kind 'partly' with a reason, or count again"
            f" / {'、'.join(missing)} 少于预约数量，请按部分完成（partly）登记并选择原因，或核对数量"
        )
    if report.kind == "partly" and not missing:
        raise InvalidInput(
            "everything that was booked is taken: send kind 'collected' without a reason, or count again"
            " / 预约物品已全部收取，请按已完成（collected）登记，或核对数量"
        )


def _check_reason(report: FieldReport) -> None:
    if report.kind == "collected":
        if report.reason is not None:
            raise InvalidInput(f"reason {report.reason!r} goes with kind partly or failed; leave it out for collected")
        return
    allowed = [
        row.code
        for row in FAILED_VISIT_CODES.values()
        if (row.for_failed if report.kind == "failed" else row.for_partly)
    ]
    if report.reason not in allowed:
        raise InvalidInput(
            f"reason {report.reason!r} does not explain kind {report.kind!r}; choose from {', '.join(allowed)}"
            " / 请选择原因代码"
        )
