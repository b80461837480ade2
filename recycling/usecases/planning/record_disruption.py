"""Record what went wrong on a running day (当日异常): the next proposal for its rest takes it into account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, InvalidInput, NotFound
from recycling.logs import logger
from recycling.models.booking import Booking, with_parts
from recycling.models.healing import Disruption
from recycling.models.plan import PublishedPlan, Route, RouteCrew, Unassigned
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.healing import DisruptionKind
from recycling.usecases.bookings.tentative import changing
from recycling.usecases.bookings.withdraw import withdraw
from recycling.usecases.planning.breakdowns import mend_by_itself

log = logger(__name__)

ABOUT: dict[DisruptionKind, str] = {
    "breakdown": "vehicle_key", "sick": "vehicle_key", "late": "vehicle_key", "urgent": "booking_id",
    "cancelled": "booking_id", "station_closed": "station_key", "station_full": "station_key",
}  # fmt: skip
SUBJECTS = ("vehicle_key", "station_key", "booking_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What somebody says went wrong; about a vehicle, a station or a booking, as the kind says."""

    day: date
    kind: DisruptionKind
    vehicle_key: str | None = None
    station_key: str | None = None
    booking_id: UUID | None = None
    minutes: int | None = None
    substitutes: Sequence[str] = ()
    note: str | None = None


def record_disruption(
    incident: Incident, *, by: Principal, district: District, session: Session, now: datetime
) -> Disruption:
    """Write an incident of today down; a ``cancelled`` one withdraws its booking and tells the resident.

    Raises
    ------
    InvalidInput
        When it is about something else than its kind says, or about nothing that there is.
    NotFound
        When no booking of that day has that id.
    Conflict
        When the day is not a running one, or the booking or the substitutes are not free for it.
    """
    _check_form(incident, district=district)
    with atomic(session):
        standing = session.get(PublishedPlan, incident.day)
        if incident.day != service_day(now) or standing is None:
            raise Conflict(
                f"{incident.day} is not running by a published plan today; change its bookings or its plan instead"
                f" / {incident.day} 不是今日已发布计划的运行日，请直接修改预约或重新排线"
            )
        if incident.kind == "urgent":
            _check_left_out(incident, standing.plan_id, session)
        elif incident.kind == "cancelled":
            _withdraw(incident, by=by, district=district, session=session, now=now)
        elif incident.substitutes:
            _check_free(incident, standing.plan_id, session)
        row = Disruption(
            id=uuid4(), day=incident.day, kind=incident.kind, vehicle_key=incident.vehicle_key,
            station_key=incident.station_key, booking_id=incident.booking_id, minutes=incident.minutes,
            substitutes=list(incident.substitutes), note=incident.note, at=now, by_id=by.id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        if incident.kind == "breakdown":
            mend_by_itself(session, incident.day, district=district, now=now)
    log.info("disruption.recorded", disruption_id=str(row.id), day=str(row.day), kind=row.kind, by_id=str(by.id))
    return row


def _check_form(incident: Incident, *, district: District) -> None:
    wanted = ABOUT[incident.kind]
    given = [name for name in SUBJECTS if getattr(incident, name) is not None]
    if given != [wanted]:
        raise InvalidInput(
            f"kind {incident.kind!r} is about {wanted} and nothing else; you gave {', '.join(given) or 'none'}"
            " / 请按异常类型只填写对应的车辆、站点或预约"
        )
    if (incident.kind == "late") != (incident.minutes is not None):
        raise InvalidInput("minutes goes with kind 'late', and only with it / 仅“晚点”需填写分钟数")
    if incident.substitutes and incident.kind != "sick":
        raise InvalidInput("substitutes go with kind 'sick' only / 仅“病假”可填写顶班人员")
    network = district.network
    for key, known, of in (
        (incident.vehicle_key, network.vehicles, "vehicle_key"),
        (incident.station_key, network.stations, "station_key"),
        *((key, network.collectors, "substitutes") for key in incident.substitutes),
    ):
        if key is not None and key not in known:
            raise InvalidInput(f"{of} {key!r} is not in the network; choose one of config / 未找到 {key!r}，请核对")
    if len(set(incident.substitutes)) < len(incident.substitutes):
        raise InvalidInput("substitutes names somebody twice; name each once / 顶班人员重复")


def _check_left_out(incident: Incident, plan_id: UUID, session: Session) -> None:
    """Only what the plan leaves out is urgent: everything else has a vehicle that comes."""
    booking = session.scalar(
        select(Booking).where(Booking.id == incident.booking_id, Booking.day == incident.day, Booking.state != "held")
    )
    if booking is None:
        raise NotFound(f"no booking {incident.booking_id} on {incident.day} / 当日未找到该预约")
    left = session.get(Unassigned, {"plan_id": plan_id, "booking_id": booking.id})
    if left is None or booking.state != "booked":
        raise Conflict(
            f"booking {booking.id} is {booking.state} and on a route or over; only one that the plan leaves out is"
            " urgent / 该预约已排入路线或已结束，无需加急"
        )


def _check_free(incident: Incident, plan_id: UUID, session: Session) -> None:
    riding = (
        select(RouteCrew.collector_key, Route.vehicle_key)
        .join(Route, Route.id == RouteCrew.route_id)
        .where(Route.plan_id == plan_id, Route.vehicle_key != incident.vehicle_key)
    )
    taken = {rider: vehicle for rider, vehicle in session.execute(riding)}  # noqa: C416  # a row is no tuple
    found = session.scalars(select(Disruption).where(Disruption.day == incident.day, Disruption.kind == "sick"))
    for other in found:
        if other.vehicle_key is not None and other.vehicle_key != incident.vehicle_key:
            taken |= dict.fromkeys(other.substitutes, other.vehicle_key)
    for key in incident.substitutes:
        if key in taken:
            raise Conflict(
                f"collector {key} rides on {taken[key]} today; name somebody who is free"
                f" / 回收员 {key} 今日已在 {taken[key]} 上，请另选人员"
            )


def _withdraw(incident: Incident, *, by: Principal, district: District, session: Session, now: datetime) -> None:
    """Cancel the booking by the normal graph, with its further visits that are still to come."""
    booking_id = incident.booking_id or UUID(int=0)  # the form has one for this kind
    with changing(session, [incident.day], district=district, now=now, even_closed=True) as days:
        wanted = select(Booking).where(with_parts(booking_id), Booking.day == incident.day)
        rows = session.scalars(
            wanted.order_by(Booking.id).with_for_update().execution_options(populate_existing=True)
        ).all()
        booking = next((row for row in rows if row.id == incident.booking_id and row.state != "held"), None)
        if booking is None:
            raise NotFound(f"no booking {incident.booking_id} on {incident.day} / 当日未找到该预约")
        if booking.state != "booked":
            raise Conflict(f"booking {booking.id} is {booking.state}; nothing is left to cancel / 该预约已结束")
        visits = [booking, *(row for row in rows if row is not booking and row.state == "booked")]
        withdraw(session, days[incident.day], visits, by=by, now=now)
