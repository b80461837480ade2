"""A service day as the planner's problem: the shared step of making, showing and publishing a plan."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, InvalidInput
from recycling.gateways.travel_ladder import FASTEST_M_PER_S
from recycling.models.booking import PROMISED, Booking
from recycling.models.plan import Plan
from recycling.policy.district import District
from recycling.policy.fleet import Shift
from recycling.policy.network import Network
from recycling.policy.service_time import ItemCount, stop_need
from recycling.routing.problem import Break, GreatCircle, Problem, Station, Stop, Vehicle, problem_to_json
from recycling.units import instant_at

LOAD_UNITS = ("g", "l")


def unfinished_bookings(session: Session, day: date) -> Sequence[Booking]:
    """The promises of a day that nobody has kept or tried to keep yet; these are what any plan of it covers."""
    return session.scalars(select(Booking).where(Booking.day == day, Booking.state == "booked")).all()


def promised_bookings(session: Session, day: date) -> Sequence[Booking]:
    """Bookings and holds of a day: what its tentative routes hold."""
    return session.scalars(select(Booking).where(Booking.day == day, Booking.state.in_(PROMISED))).all()


def promised_keys(session: Session, day: date) -> set[str]:
    """The stop keys of a day's bookings and holds."""
    ids = session.scalars(select(Booking.id).where(Booking.day == day, Booking.state.in_(PROMISED)))
    return {str(booking_id) for booking_id in ids}


def day_problem(day: date, bookings: Sequence[Booking], *, district: District) -> Problem:
    """Write a day's bookings and fleet as a planning problem.

    Parameters
    ----------
    bookings
        What to fetch, in any sequence: equal sets give equal problems, whatever the database handed out first.
    district
        Fleet, stations, windows, catalogue.

    Returns
    -------
    Problem
        Load units grams and litres; stop key = booking id; locations = stations, then stops; everything ascending by
        key.

    Raises
    ------
    InvalidInput
        When an item type of a booking is no longer in the catalogue on that day; the message names it.
    """
    network, travel = district.network_on(day), district.travel_on(day)
    stations = sorted(network.stations.values(), key=lambda station: station.key)
    wanted = sorted(bookings, key=lambda booking: str(booking.id))
    skip_cost = dearest_day(network, speed_kmh=travel.speed_kmh) + 1
    return Problem(
        day=day,
        load_units=LOAD_UNITS,
        locations=(
            *((station.lat, station.lon) for station in stations),
            *((booking.place["lat"], booking.place["lon"]) for booking in wanted),
        ),
        travel=GreatCircle(factor=travel.factor, speed_kmh=travel.speed_kmh),
        stations=tuple(
            Station(
                key=station.key,
                location=place,
                open_s=station.open_s,
                unload_s=station.unload_s,
                can_unload=station.can_unload,
                intake_limit=station.intake_limit,
            )
            for place, station in enumerate(stations)
        ),
        vehicles=tuple(_vehicle(shift) for shift in sorted(network.shifts(), key=lambda shift: shift.vehicle.key)),
        stops=tuple(
            _stop(booking, location=place, skip_cost=skip_cost, district=district)
            for place, booking in enumerate(wanted, start=len(stations))
        ),
    )


def dearest_day(network: Network, *, speed_kmh: float) -> int:
    """More than any plan of the fleet can cost apart from pickups left out.

    Notes
    -----
    Every vehicle used, driving without a pause from the first second of its shift to the last of its overtime. A
    pickup left out costs more than this, so that no saving, however large, ever pays for a broken promise: the planner
    leaves out as few as it can and only then looks at the road. A way by road is believed up to `FASTEST_M_PER_S`,
    far above twice the estimated speed, which is the most that rounded seconds of an estimate can come to.
    """
    total = 0
    for shift in network.shifts():
        kind = shift.vehicle_class
        seconds = shift.shift_s[1] - shift.shift_s[0] + kind.max_overtime_s
        metres = max(FASTEST_M_PER_S * seconds, 2 * math.ceil(seconds * speed_kmh / 3.6))
        total += kind.fixed_cost + kind.cost_per_travel_s * seconds + kind.cost_per_m * metres
        total += kind.overtime_cost_per_s * kind.max_overtime_s
    return total


def vehicles_out_at(day: date, district: District) -> datetime:
    """When the first shift of a day begins; from then on its routes are being driven."""
    return instant_at(day, min(shift.shift_s[0] for shift in district.network_on(day).shifts()))


def check_plannable(day: date, *, district: District, now: datetime) -> None:
    """Refuse a day that nobody can make a plan for now.

    Raises
    ------
    InvalidInput
        When the day is over, lies beyond what can be booked, or is no service day.
    Conflict
        When its vehicles are already out: their routes cannot be made from the stations again.
    """
    today, horizon = service_day(now), district.booking_rules.horizon_days
    if not today <= day <= today + timedelta(days=horizon):
        en, zh = ("is over", "已过") if day < today else ("is too far ahead", "过远")
        raise InvalidInput(
            f"{day} {en}; choose one from {today} to {horizon} days ahead"
            f" / {day} {zh}，请选择今天起 {horizon} 天内的日期"
        )
    if not district.calendar.is_service_day(day):
        raise InvalidInput(f"{day} has no pickups; choose a service day / {day} 不上门回收，请选择服务日")
    if now >= vehicles_out_at(day, district):
        raise Conflict(
            f"the vehicles of {day} are out and a running day is not planned again; call the collectors"
            f" / {day} 的车辆已出车，请电话联系回收员"
        )


def fingerprint(problem: Problem) -> str:
    """SHA-256 of the problem's canonical JSON, as hex: equal for equal problems and for no others."""
    text = json.dumps(problem_to_json(problem), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How a day differs from the one that a plan was made for: its bookings, or, with no figure, fleet and rules."""

    added: int
    gone: int
    changed: int

    @property
    def words(self) -> tuple[str, str]:
        """The same in Chinese and English."""
        if self.added + self.gone + self.changed == 0:
            return "车辆或规则有变动", "the fleet or its rules did"
        return (
            f"新增 {self.added}、减少 {self.gone}、更改 {self.changed}",
            f"{self.added} new, {self.gone} gone, {self.changed} changed",
        )


def changes_since(plan: Plan, *, district: District, session: Session) -> Changes | None:
    """What has changed since a plan was made; ``None`` when its day is still the one that it was made for."""
    present = day_problem(plan.day, unfinished_bookings(session, plan.day), district=district)
    if fingerprint(present) == plan.problem_sha256:
        return None
    before, after = _stops(plan.problem), _stops(problem_to_json(present))
    return Changes(
        added=len(after.keys() - before.keys()),
        gone=len(before.keys() - after.keys()),
        changed=sum(before[key] != after[key] for key in before.keys() & after.keys()),
    )


def _stops(problem: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the bookings ask for, by stop key: places instead of their numbers, and not the price the fleet sets."""
    places = problem["locations"]
    return {stop["key"]: stop | {"location": places[stop["location"]], "skip_cost": None} for stop in problem["stops"]}


def booking_of(stop_key: str) -> UUID:
    """The booking behind a stop."""
    return UUID(stop_key)


def _stop(booking: Booking, *, location: int, skip_cost: int, district: District) -> Stop:
    # Seconds and load were fixed when the promise was made and are what its place in the ledger holds; the skills
    # follow from the items.
    items = [
        ItemCount(
            item_type=district.catalogue.item_type(item.item_type, on=booking.day),
            quantity=item.declared_units,
            dismantle=item.dismantle,
        )
        for item in booking.items
    ]
    need = stop_need(items, floor=booking.floor, lift=booking.has_lift, rule=district.service_time)
    return Stop(
        key=str(booking.id),
        location=location,
        windows_s=(district.network.pickup_window(booking.pickup_window).window_s,),
        service_s=booking.service_s,
        load=(booking.declared_g, booking.declared_l),
        skills=frozenset(need.skills),
        skip_cost=skip_cost,
        prefer=None,
    )


def _vehicle(shift: Shift) -> Vehicle:
    kind = shift.vehicle_class
    return Vehicle(
        key=shift.vehicle.key,
        start_station=shift.vehicle.station_key,
        end_station=shift.vehicle.station_key,
        capacity=kind.capacity,
        skills=frozenset(shift.skills),
        shift_s=shift.shift_s,
        max_duration_s=None,
        max_overtime_s=kind.max_overtime_s,
        overtime_cost_per_s=kind.overtime_cost_per_s,
        break_=Break(window_s=shift.break_window_s, duration_s=shift.break_duration_s)
        if shift.break_duration_s
        else None,
        fixed_cost=kind.fixed_cost,
        cost_per_travel_s=kind.cost_per_travel_s,
        cost_per_m=kind.cost_per_m,
        start=None,
        locked=(),
    )
