"""What comes to a station's scale today (今日来车): vehicles, times and goods; nothing of residents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.base import table_of
from recycling.models.booking import BookedItem, Booking
from recycling.models.custody import CustodyTag, WeighedTag
from recycling.policy.access import Principal
from recycling.policy.arrival_estimates import StepEstimate
from recycling.policy.district import District
from recycling.policy.mass_balance import DOOR_SOURCES, DoorSource, Taken
from recycling.units import instant_at
from recycling.usecases.custody.sight import own_station
from recycling.usecases.intake.trips_of_day import DayTrips, Trip, trips_of_day
from recycling.usecases.live.live_routes import RunningRoute, live_routes

# At the station and not weighed; on its way; with a vehicle that drives no more; weighed in whole.
ExpectedState = Literal["here", "coming", "stands", "weighed"]
EXPECTED_STATES: tuple[ExpectedState, ...] = get_args(ExpectedState)

_booking, _item, _tag = table_of(Booking), table_of(BookedItem), table_of(CustodyTag)
Goods = tuple[UUID, str]


@dataclass(slots=True, kw_only=True)
class _Load:
    """One trip as far as it is known: what was taken, what is still to be taken, and how it comes to the scale."""

    vehicle_key: str
    trip: int
    state: ExpectedState
    seen: Trip | None = None
    to_come: list[UUID] = field(default_factory=list)
    unload: StepEstimate | None = None
    unloaded_at: datetime | None = None
    route: RunningRoute | None = None


def expected_trips(
    day: date | None, *, by: Principal, district: District, session: Session, now: datetime
) -> dict[str, Any]:
    """The trips of a day, today's when left out, that are weighed in at the keeper's own station.

    A trip is what a vehicle takes on board between two unloads. What its crew has recorded belongs to the station that
    it was unloaded at; what is still on its way to the one that the published route unloads at next.

    Raises
    ------
    Forbidden
        When the caller is no keeper of a station.
    """
    station_key, day = own_station(by), day or service_day(now)
    found = trips_of_day(day, district=district, session=session)
    loads = list(_loads(found, live_routes(session, day, district=district, now=now), station_key))
    wanted = {goods.booking_id for load in loads if load.seen is not None for goods in load.seen.goods}
    known = _Known(
        day=day, district=district, found=found, left=_left(session, wanted), tags=_tags(session, wanted),
        declared=_declared(session, {booking_id for load in loads for booking_id in load.to_come}),
    )  # fmt: skip
    trips = [_told(load, known) for load in loads]
    trips.sort(key=lambda one: (EXPECTED_STATES.index(one["state"]), one["sort_at"], one["vehicle_key"], one["trip"]))
    tolerance = district.trip_tolerance
    return {
        "day": day,
        "station_key": station_key,
        "as_of": now,
        "least_allowed_g": tolerance.least_g,
        "trips": trips,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is read once for all trips: units left to weigh, labels on them, and what was declared of open bookings."""

    day: date
    district: District
    found: DayTrips
    left: Mapping[Goods, int]
    tags: Mapping[Goods, list[str]]
    declared: Mapping[UUID, tuple[int, int, int]]


def _loads(found: DayTrips, routes: Iterable[RunningRoute], station_key: str) -> Iterator[_Load]:
    seen = {(trip.vehicle_key, trip.trip): trip for trip in found.trips}
    for route in routes:
        for load, at in _of_route(route, seen):
            if at == station_key:
                yield load
            if load.seen is not None:
                del seen[route.vehicle_key, load.trip]
    for trip in seen.values():  # of vehicles without a published route, and tickets that no door stands behind
        if trip.station_key == station_key:
            yield _Load(vehicle_key=trip.vehicle_key, trip=trip.trip, state="here", seen=trip)


def _of_route(route: RunningRoute, seen: Mapping[tuple[str, int], Trip]) -> Iterator[tuple[_Load, str]]:
    """The trips of one vehicle's day, each with the station of its weigh-in."""
    vehicle_key, unloads, to_come = route.vehicle_key, route.state.unloads, list[UUID]()
    for number, one in enumerate(unloads, start=1):
        trip = seen.get((vehicle_key, number))
        if trip is not None:
            load = _Load(vehicle_key=vehicle_key, trip=number, state="here", seen=trip, unloaded_at=one.at, route=route)
            yield load, trip.station_key
    number = len(unloads) + 1
    for open_step in route.estimate.steps:
        step = open_step.step
        if step.booking_id is not None:
            to_come.append(step.booking_id)
        elif step.kind in ("unload", "end") and step.place is not None:
            trip = seen.get((vehicle_key, number))
            if trip is not None or to_come:
                load = _Load(
                    vehicle_key=vehicle_key, trip=number, state="here" if open_step.under_way else "coming", seen=trip,
                    to_come=to_come, unload=open_step, route=route,
                )  # fmt: skip
                # What is weighed already lies where it was weighed, whatever the plan says.
                yield load, trip.station_key if trip is not None and trip.figures.tickets else step.place
            number, to_come = number + 1, []
    rest = seen.get((vehicle_key, number))
    if rest is not None and route.estimate.stands:
        state: ExpectedState = "here" if route.state.drives else "stands"
        load = _Load(
            vehicle_key=vehicle_key, trip=number, state=state, seen=rest, unloaded_at=route.state.ended_at, route=route
        )  # fmt: skip
        yield load, rest.station_key


def _told(load: _Load, known: _Known) -> dict[str, Any]:
    goods = () if load.seen is None else load.seen.goods
    lines = [line for one in goods if (line := _line(one, known)) is not None]
    figures = None if load.seen is None else load.seen.figures
    tickets = () if figures is None else figures.tickets
    state = "weighed" if tickets and not lines and not load.to_come else load.state
    to_come = [known.declared[booking_id] for booking_id in load.to_come if booking_id in known.declared]
    vehicle = known.district.network.vehicles.get(load.vehicle_key)
    planned_at = expected_at = None
    if load.unload is not None:
        planned_at = instant_at(known.day, load.unload.step.arrival_s)
        expected_at = instant_at(known.day, load.unload.arrival_s)
    late_s = 0 if load.unload is None else max(0, load.unload.arrival_s - load.unload.step.arrival_s)
    return {
        "vehicle_key": load.vehicle_key,
        "plate": vehicle.plate if vehicle is not None and vehicle.plate else None,
        "trip": load.trip,
        "state": state,
        "planned_at": planned_at,
        "expected_at": expected_at,
        "late_s": late_s,
        "no_word": load.route is not None and load.route.estimate.no_word,
        "unloaded_at": load.unloaded_at,
        "doors": len(load.to_come) + (0 if figures is None else figures.doors),
        "doors_to_come": len(load.to_come),
        "units": (0 if figures is None else figures.units) + sum(units for units, _, _ in to_come),
        "load_g": sum(one.mass_g for one in goods) + sum(mass_g for _, mass_g, _ in to_come),
        "load_l": sum(one.units * _litres(one, known) for one in goods) + sum(litres for _, _, litres in to_come),
        "net_g": 0 if figures is None else figures.station_g,
        "tickets": list(tickets),
        "lines": lines,
        "sort_at": (load.unloaded_at or expected_at or instant_at(known.day, 0)).timestamp(),
    }


def _line(goods: Taken, known: _Known) -> dict[str, Any] | None:
    """Units of a door that are left to weigh, with the grams they are put at; ``None`` when none are."""
    key = (goods.booking_id, goods.item_type)
    units = min(goods.units, known.left.get(key, 0))
    if units < 1:
        return None
    expected_g = goods.mass_g * units // goods.units
    only: dict[DoorSource, int] = dict.fromkeys(DOOR_SOURCES, 0) | {goods.source: expected_g}
    allowed_g = known.district.trip_tolerance.share_g(only)
    door = known.found.doors.get(goods.booking_id)
    item = next((one for one in (door.items if door else ()) if one["item_type"] == goods.item_type), None)
    return {
        "booking_id": goods.booking_id,
        "item_type": goods.item_type,
        "units": units,
        "expected_g": expected_g,
        "allowed_g": allowed_g,
        "source": goods.source,
        "missing_parts": min(units, (item or {}).get("missing_parts") or 0),
        "tags": known.tags.get(key, []),
    }


def _litres(goods: Taken, known: _Known) -> int:
    return known.district.catalogue.item_type(goods.item_type, on=known.day).litres


def _left(session: Session, booking_ids: set[UUID]) -> dict[Goods, int]:
    """Units that were collected and not weighed."""
    wanted = select(
        _item.c.booking_id, _item.c.item_type, (_item.c.collected_units - _item.c.weighed_units).label("left")
    ).where(_item.c.booking_id.in_(list(booking_ids)))
    rows = session.execute(wanted) if booking_ids else ()
    return {(row.booking_id, row.item_type): row.left for row in rows}


def _tags(session: Session, booking_ids: set[UUID]) -> dict[Goods, list[str]]:
    """Labels that crews put on units which no standing ticket names."""
    weighed = select(WeighedTag.tag).where(WeighedTag.stands)
    wanted = (
        select(_tag.c.tag, _tag.c.booking_id, _tag.c.item_type)
        .where(_tag.c.booking_id.in_(list(booking_ids)), _tag.c.tag.not_in(weighed))
        .order_by(_tag.c.tag)
    )
    found: dict[Goods, list[str]] = defaultdict(list)
    for row in session.execute(wanted) if booking_ids else ():
        found[row.booking_id, row.item_type].append(row.tag)
    return found


def _declared(session: Session, booking_ids: set[UUID]) -> dict[UUID, tuple[int, int, int]]:
    """Units, grams and litres that were declared."""
    if not booking_ids:
        return {}
    ids = list(booking_ids)
    units: dict[UUID, int] = defaultdict(int)
    declared = select(_item.c.booking_id, _item.c.declared_units).where(_item.c.booking_id.in_(ids))
    for row in session.execute(declared):
        units[row.booking_id] += row.declared_units
    loads = select(_booking.c.id, _booking.c.declared_g, _booking.c.declared_l).where(_booking.c.id.in_(ids))
    return {row.id: (units[row.id], row.declared_g, row.declared_l) for row in session.execute(loads)}
