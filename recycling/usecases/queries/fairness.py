"""Who did how much in a week (工作量): by what crews recorded, else by the plan; all of them, or one's own."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import InvalidInput
from recycling.models.booking import Booking
from recycling.models.field import FieldEvent
from recycling.models.people import Staff
from recycling.models.plan import Route
from recycling.policy.access import Principal
from recycling.policy.catalogue import ItemType
from recycling.policy.district import District
from recycling.policy.fairness import MEASURES, VehicleDay, driven_s, far_off, spreads, week_of
from recycling.policy.field_events import FieldRecord, in_sequence, route_state, visit_of
from recycling.policy.price_estimate import ItemToPrice, estimate
from recycling.policy.service_time import ItemCount, loads_of, storeys_to_carry
from recycling.units import second_of_day
from recycling.usecases.field.records import records_of_day
from recycling.usecases.learning.observations import evening_plans

WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
COLUMNS = ("collector_key", "name_zh", "days", "days_recorded", *MEASURES, "far_off")


def fairness(week: str | None, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """Every collector's figures of an ISO week such as ``2026-W48``, the running one when none is named.

    Raises
    ------
    InvalidInput
        When there is no such week.
    """
    monday = _monday(week, now=now)
    weeks = week_of(vehicle_days(monday, district=district, session=session))
    far, around = far_off(weeks), spreads(weeks)
    return _about(monday) | {
        "collectors": [_named(key, district) | own | {"far_off": far.get(key, [])} for key, own in weeks.items()],
        "spread": None if around is None else {measure: asdict(one) for measure, one in around.items()},
    }


def my_figures(
    week: str | None, *, by: Principal, district: District, session: Session, now: datetime
) -> dict[str, Any]:
    """A collector's own figures of a week, and the middle of all; nobody else's.

    Raises
    ------
    InvalidInput
        As for `fairness`.
    """
    monday = _monday(week, now=now)
    weeks = week_of(vehicle_days(monday, district=district, session=session))
    nothing = dict.fromkeys(("days", "days_recorded", *MEASURES), 0)
    around = spreads(weeks)
    return _about(monday) | {
        "own": weeks.get(by.collector_key or "", nothing),
        "median": None if around is None else {measure: one.median for measure, one in around.items()},
    }


def fairness_csv(report: Mapping[str, Any]) -> str:
    """The answer of `fairness` as a table for a spreadsheet, with a byte-order mark."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for row in report["collectors"]:
        writer.writerow(row | {"far_off": " ".join(row["far_off"])})
    return "\ufeff" + out.getvalue()


def vehicle_days(monday: date, *, district: District, session: Session, days: int = 7) -> list[VehicleDay]:
    """Every vehicle's day of a span, by the plan that each day began with."""
    found: list[VehicleDay] = []
    for plan in evening_plans(session, [monday + timedelta(days=n) for n in range(days)]):
        of_vehicle: dict[str, list[FieldRecord]] = defaultdict(list)
        of_booking: dict[UUID, list[FieldRecord]] = defaultdict(list)
        for record in records_of_day(session, plan.day):
            of_vehicle[record.vehicle_key].append(record)
            if record.booking_id is not None:
                of_booking[record.booking_id].append(record)
        deciding = {visit_of(own).decided_by for own in of_booking.values()}
        lowered = _lowered(plan.day, deciding, district=district, session=session)
        ids = {stop.booking_id for route in plan.routes for stop in route.stops if stop.booking_id}
        ids |= {one.booking_id for records in of_vehicle.values() for one in records if one.booking_id}
        bookings = {one.id: one for one in session.scalars(select(Booking).where(Booking.id.in_(ids)))}
        for route in plan.routes:
            records = of_vehicle.get(route.vehicle_key)
            crew = tuple(rider.collector_key for rider in route.crew) or (route.collector_key,)
            found.append(
                _recorded(plan.day, route.vehicle_key, records, bookings, crew, lowered, district)
                if records
                else _planned(plan.day, route, bookings, crew, district)
            )
        # Called out in the course of the day: on no route of the plan that it began with.
        for key in sorted(of_vehicle.keys() - {route.vehicle_key for route in plan.routes}):
            crew = tuple(collector.key for collector in district.network_on(plan.day).crew_of(key))
            if crew:
                found.append(_recorded(plan.day, key, of_vehicle[key], bookings, crew, lowered, district))
    return found


def _recorded(
    day: date,
    vehicle_key: str,
    records: Sequence[FieldRecord],
    bookings: Mapping[UUID, Booking],
    crew: tuple[str, ...],
    lowered: Mapping[str, int],
    district: District,
) -> VehicleDay:
    standing = in_sequence(records)
    state = route_state(records)
    instants = [record.made_at for record in standing]
    began_at = state.began_at or min(instants, default=None)
    ended_at = state.ended_at or max(instants, default=None)
    began_s = 0 if began_at is None else second_of_day(began_at, day=day)
    ended_s = began_s if ended_at is None else second_of_day(ended_at, day=day)
    done = [(bookings[key], visit.units) for key, visit in state.visits.items() if visit.outcome and key in bookings]
    opens_s, closes_s = _shift_s(day, vehicle_key, district)
    loads = [_carried(booking, units, district) for booking, units in done]
    return VehicleDay(
        crew=crew, recorded=True, worked_s=max(ended_s - began_s, 0), driven_s=driven_s(standing), stops=len(done),
        carried_g=sum(mass_g for mass_g, _ in loads), storeys=sum(storeys for _, storeys in loads),
        early=began_s < opens_s, late=ended_s > closes_s, prices_down=lowered,
    )  # fmt: skip


def _planned(
    day: date, route: Route, bookings: Mapping[UUID, Booking], crew: tuple[str, ...], district: District
) -> VehicleDay:  # fmt: skip
    begins_s, ends_s = route.stops[0].start_s, route.stops[-1].end_s
    opens_s, closes_s = _shift_s(day, route.vehicle_key, district)
    planned = [bookings[stop.booking_id] for stop in route.stops if stop.booking_id is not None]
    loads = [_carried(one, {item.item_type: item.declared_units for item in one.items}, district) for one in planned]
    return VehicleDay(
        crew=crew, recorded=False, worked_s=ends_s - begins_s, driven_s=route.travel_s, stops=len(planned),
        carried_g=sum(mass_g for mass_g, _ in loads), storeys=sum(storeys for _, storeys in loads),
        early=begins_s < opens_s, late=ends_s > closes_s, prices_down={},
    )  # fmt: skip


def _carried(booking: Booking, units: Mapping[str, int], district: District) -> tuple[int, int]:
    """Grams by the catalogue, and storeys times loads where there is no lift."""
    counts = [ItemCount(item_type=_kind(key, district), quantity=count) for key, count in units.items() if count]
    mass_g = sum(count.quantity * count.item_type.unit_mass_g for count in counts)
    if booking.has_lift:
        return mass_g, 0
    return mass_g, storeys_to_carry(booking.floor) * sum(loads_of(counts, rule=district.service_time))


def _kind(key: str, district: District) -> ItemType:
    return district.catalogue.latest(key)


def _shift_s(day: date, vehicle_key: str, district: District) -> tuple[int, int]:
    """The hours of a vehicle's shift on a day; the whole day for one that is no longer there."""
    network = district.network_on(day)
    if vehicle_key not in network.vehicles:
        return 0, 24 * 3600
    return network.shift_of(vehicle_key).shift_s


def _lowered(day: date, deciding: Collection[UUID | None], *, district: District, session: Session) -> Counter[str]:
    """Prices below what was estimated for the booking, by the collector whose record decides it."""
    wanted = (
        select(FieldEvent.event_id, FieldEvent.payload, FieldEvent.booking_id, Staff.collector_key)
        .join(Staff, Staff.id == FieldEvent.collector_id)
        .where(FieldEvent.day == day, FieldEvent.booking_id.is_not(None), FieldEvent.kind.in_(("collected", "partly")))
    )
    found: Counter[str] = Counter()
    for event_id, payload, booking_id, collector_key in session.execute(wanted):
        change = (payload or {}).get("price_change") if event_id in deciding else None
        booking = session.get(Booking, booking_id) if change else None
        low_fen = None if booking is None else _low_fen(booking, district)
        if change and low_fen is not None and change["fen"] < low_fen:
            found[collector_key] += 1
    return found


def _low_fen(booking: Booking, district: District) -> int | None:
    """The least that was estimated for a booking's items as declared; ``None`` where nothing could be."""
    items = [
        ItemToPrice(
            kind=_kind(item.item_type, district), quantity=item.declared_units, condition=item.condition,
            dismantle=item.dismantle,
        )
        for item in booking.items
        if item.declared_units
    ]  # fmt: skip
    return estimate(
        items, floor=booking.floor, lift=booking.has_lift, book=district.prices, rule=district.service_time,
        on=booking.day,
    ).low_fen  # fmt: skip


def _monday(week: str | None, *, now: datetime) -> date:
    if week is None:
        today = service_day(now)
        return today - timedelta(days=today.weekday())
    found = WEEK.fullmatch(week)
    try:
        if found is None:
            raise ValueError(week)
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError as error:
        raise InvalidInput(
            f"week {week[:20]!r}: name an ISO week such as 2026-W48 / 请填写如 2026-W48 的周次"
        ) from error


def _about(monday: date) -> dict[str, Any]:
    year, number, _ = monday.isocalendar()
    return {"week": f"{year:04d}-W{number:02d}", "first_day": monday, "last_day": monday + timedelta(days=6)}


def _named(key: str, district: District) -> dict[str, str]:
    known = district.network.collectors.get(key)  # somebody who has left since is shown by their key
    return {
        "collector_key": key,
        "name_zh": known.name_zh if known else key,
        "name_en": known.name_en if known else key,
    }


def worked_by_vehicle(days: Iterable[VehicleDay], *, district: District) -> dict[str, int]:
    """Seconds that the crew of each vehicle worked, its members' mean; on whatever vehicle they rode."""
    weeks = week_of(days)
    found = {}
    for key in district.network.vehicles:
        crew = district.network.crew_of(key)
        found[key] = round(sum(weeks[one.key]["worked_s"] for one in crew if one.key in weeks) / max(len(crew), 1))
    return found
