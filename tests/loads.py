"""Loads on their way to a scale: pickups visited by a crew on a published route, and weighings with good defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import SecondPersonNeeded
from recycling.models.booking import Booking
from recycling.models.intake import IntakeTicket
from recycling.models.ledger import close_day
from recycling.models.people import Staff
from recycling.models.plan import Plan, Publication, PublishedPlan, Route, RouteCrew, RouteStop
from recycling.models.weighbridge import ScaleReading
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.device_clock import DeviceClock
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.custody.hand_over import Batch, WantedUnits
from recycling.usecases.field.record_events import record_events
from recycling.usecases.field.reports import CountedItem, FieldReport, Payload
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.propose_correction import approve_correction, propose_correction
from recycling.usecases.intake.read_off import ReadWeighing
from recycling.usecases.intake.take_readings import ReadingReport, take_reading
from recycling.usecases.intake.weighing import WeighedLine, Weighing
from tests.conftest import NOW


def a_keeper(station_key: str = "lincheng") -> Principal:
    """Somebody who weighs in at a station."""
    return Principal(id=uuid4(), role="keeper", station_key=station_key)


def a_line(item_type: str = "fridge", units: int = 1, net_g: int | None = None, **fields: Any) -> WeighedLine:
    """One fridge without a reading of its own."""
    return WeighedLine(item_type=item_type, units=units, net_g=net_g, **fields)


def a_weighing(*lines: WeighedLine, net_g: int = 41_300, **fields: Any) -> Weighing:
    """A hand-cart of 10 kg with 41.3 kg on it, brought by its owner: one fridge, unless lines are given."""
    return Weighing(
        **{
            "channel": "walk_in" if all(line.booking_id is None for line in lines) else "door",
            "gross_g": 10_000 + net_g,
            "tare_g": 10_000,
            "lines": lines or (a_line(),),
            "refused_reason": "waste" if fields.get("refused_g") else None,
        }
        | fields
    )


def a_read_weighing(reading_id: UUID, *lines: WeighedLine, **fields: Any) -> ReadWeighing:
    """The same load, its masses taken off a reading."""
    channel = "walk_in" if all(line.booking_id is None for line in lines) else "door"
    said: dict[str, Any] = {"reading_id": reading_id, "channel": channel, "lines": lines or (a_line(),)}
    return ReadWeighing(**said | fields)


def a_report(reading_number: str = "0001", *, net_g: int = 41_300, at: datetime = NOW, **fields: Any) -> ReadingReport:
    """A weighbridge's word: 41.3 kg on a cart of 10 kg, now."""
    told = {"gross_g": 10_000 + net_g, "tare_g": 10_000} | fields
    return ReadingReport(reading_number=reading_number, at=at, **told)


def a_reading(
    session: Session,
    district: District,
    reading_number: str = "0001",
    *,
    now: datetime,
    station_key: str = "lincheng",
    scale_number: str = "1",
    **fields: Any,
) -> ScaleReading:
    """A reading that the weighbridge of 临城 has sent."""
    report = a_report(reading_number, **({"at": now} | fields))
    reading, _ = take_reading(
        report, station_key=station_key, scale_number=scale_number, district=district, session=session, now=now
    )
    return reading


def a_batch(*lines: tuple[str, int], tags: Sequence[str] = (), **fields: Any) -> Batch:
    """One fridge for the dismantler, unless units by item type or labels are given."""
    wanted = [WantedUnits(item_type=item_type, units=units) for item_type, units in lines]
    if not lines and not tags:
        wanted = [WantedUnits(item_type="fridge", units=1)]
    given: dict[str, Any] = {
        "processor_key": "dismantler-demo", "net_g": 41_300, "plate": "鲁D12345", "lines": wanted, "tags": tags,
    }  # fmt: skip
    return Batch(**given | fields)


def collect(
    session: Session,
    *bookings: Booking,
    district: District,
    now: datetime,
    taken: Mapping[str, int] | None = None,
    not_yet: Sequence[Booking] = (),
) -> None:
    """Put bookings of one day on a route published at ``now`` and visit them at nine, those ``not_yet`` visited apart.

    ``taken`` says what was handed over where it is not what was booked.
    """
    crew = publish_route(session, [*bookings, *not_yet], district=district, now=now)
    reports, nine = [], instant_at(bookings[0].day, 9 * 3600)
    for booking in bookings:
        declared = {item.item_type: item.declared_units for item in booking.items}
        units = taken if taken is not None else declared
        whole = all(units.get(item_type, 0) >= count for item_type, count in declared.items())
        reports.append(
            FieldReport(
                event_id=uuid4(),
                device_id=uuid4(),
                device_seq=1,
                plan_version=1,
                booking_id=booking.id,
                kind="collected" if whole else "partly",
                payload=Payload(
                    reason=None if whole else "not_presented",
                    items=[CountedItem(item_type=key, units=count) for key, count in units.items()],
                ),
                clock=DeviceClock(device_time=nine),
            )
        )
    answers = record_events(reports, by=crew, district=district, session=session, now=nine)
    assert {answer.answer for answer in answers} == {"accepted"}, answers


def publish_route(session: Session, bookings: Sequence[Booking], *, district: District, now: datetime) -> Principal:
    """A published plan of one route, written by hand: what a planner would say is not what these tests are about."""
    day, vehicle = bookings[0].day, next(iter(district.network.vehicles.values()))
    collector = district.network.crew_of(vehicle.key)[0]
    account = session.scalar(select(Staff.id).where(Staff.collector_key == collector.key))
    staff_id: UUID = account or uuid4()
    if account is None:
        session.add(
            Staff(
                id=staff_id, login=f"crew-{staff_id}", name="crew", role="collector", password_hash="-",
                collector_key=collector.key, created_at=now,
            )
        )  # fmt: skip
    plan = Plan(
        id=uuid4(), day=day, version=1, problem={}, answer={}, problem_sha256="", cost_total=0,
        travel_quality="great_circle", search={}, made_at=now, made_by_id=SYSTEM.id,
    )  # fmt: skip
    route = Route(
        id=uuid4(), plan_id=plan.id, vehicle_key=vehicle.key, collector_key=collector.key, distance_m=0, travel_s=0
    )
    stops = [
        RouteStop(
            route_id=route.id, position=position, kind="pickup", booking_id=booking.id, arrival_s=28_800,
            start_s=28_800, end_s=30_000, load_g=0, load_l=0,
        )
        for position, booking in enumerate(bookings, start=1)
    ]  # fmt: skip
    published = PublishedPlan(day=day, plan_id=plan.id, published_at=now, published_by_id=SYSTEM.id)
    log = Publication(plan_id=plan.id, day=day, at=now, by_id=SYSTEM.id)
    for rows in ([plan], [route, published, log], [RouteCrew(route_id=route.id, collector_key=collector.key), *stops]):
        session.add_all(rows)
        session.flush()
    close_day(session, day, now=NOW)
    session.commit()
    return Principal(id=staff_id, role="collector", collector_key=collector.key)


def correct_by_two(
    ticket_id: UUID,
    weighing: Weighing | None,
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    reason: str = "读数有误",
) -> IntakeTicket:
    """Correct a ticket; where one person may not, a second keeper of the station approves it at once."""
    given: dict[str, Any] = {"district": district, "session": session, "now": now}
    try:
        return correct_ticket(ticket_id, weighing, reason=reason, by=by, **given)
    except SecondPersonNeeded:
        proposal = propose_correction(ticket_id, weighing, reason=reason, by=by, **given)
        return approve_correction(proposal.id, by=a_keeper(by.station_key or "lincheng"), **given)
