"""What the doors and the tickets of a day say of its trips, read together (各趟次上门与过磅)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.balance import UNKNOWN_VEHICLE
from recycling.models.booking import Booking
from recycling.models.class_average import averages_on
from recycling.models.field import FieldEvent
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.people import Staff
from recycling.models.recovery import newest
from recycling.policy.district import District
from recycling.policy.field_events import FieldRecord, Visit, in_sequence, visit_of
from recycling.policy.mass_balance import (
    DoorSource,
    Taken,
    TicketSeen,
    TripFigures,
    judge_trip,
    trip_of_ticket,
    trips_of_doors,
)
from recycling.usecases.field.records import records_of_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Goods of one booking as the record that decides it has them; ``stripped`` where the price was changed for it."""

    visit: Visit
    vehicle_key: str
    collector_key: str | None
    items: Sequence[Mapping[str, Any]]
    stripped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One trip, the goods of its doors, and the station that answers for it."""

    vehicle_key: str
    trip: int
    station_key: str
    figures: TripFigures
    goods: Sequence[Taken]


@dataclass(slots=True, kw_only=True)
class DayTrips:
    """A day's trips, and what else its doors and tickets tell.

    Parameters
    ----------
    doors
        Bookings of which something was taken.
    stations
        The station that answers for the goods of each of them.
    tickets
        The newest tickets with lines of the day's bookings, whichever day they were weighed on.
    """

    day: date
    trips: list[Trip] = field(default_factory=list)
    doors: dict[UUID, Door] = field(default_factory=dict)
    stations: dict[UUID, str] = field(default_factory=dict)
    tickets: list[IntakeTicket] = field(default_factory=list)


def trips_of_day(day: date, *, district: District, session: Session) -> DayTrips:
    """Part the day of every vehicle into trips, and compare each with its tickets."""
    records = records_of_day(session, day)
    found = DayTrips(day=day, doors=_doors(session, records), tickets=_tickets(session, day))
    days = _days(session, found.tickets)
    of_vehicle: dict[str, list[IntakeTicket]] = defaultdict(list)
    for ticket in found.tickets:
        if _day_of(ticket, days) == day:
            of_vehicle[_vehicle_of(ticket, found.doors)].append(ticket)
    known = _Known(
        day=day,
        district=district,
        areas=_areas(session, day),
        mean_g={(row.station_key, row.item_type): row.mean_g for row in averages_on(session, day)},
    )
    for vehicle_key in sorted({door.vehicle_key for door in found.doors.values()} | of_vehicle.keys()):
        own = [record for record in records if record.vehicle_key == vehicle_key]
        unloads = [record for record in in_sequence(own) if record.kind == "unload"]
        _see_vehicle(vehicle_key, found, unloads=unloads, tickets=of_vehicle[vehicle_key], known=known)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a day's goods are put at and belong to: class averages, and the town-level units of bookings."""

    day: date
    district: District
    areas: Mapping[UUID, str]
    mean_g: Mapping[tuple[str, str], int]


def _see_vehicle(
    vehicle_key: str,
    found: DayTrips,
    *,
    unloads: Sequence[FieldRecord],
    tickets: Sequence[IntakeTicket],
    known: _Known,
) -> None:
    """Part one vehicle's day."""
    doors = {key: door for key, door in found.doors.items() if door.vehicle_key == vehicle_key}
    ended = {key: door.visit.ended_at for key, door in doors.items() if door.visit.ended_at is not None}
    seen = {ticket.id: _seen(ticket) for ticket in tickets}
    trip_of = trips_of_doors(ended, unloads=[record.made_at for record in unloads], tickets=seen.values())
    weighed: dict[int, list[IntakeTicket]] = defaultdict(list)
    for ticket in tickets:
        weighed[trip_of_ticket(seen[ticket.id], trip_of)].append(ticket)
    for trip in sorted(set(trip_of.values()) | weighed.keys()):
        own = [key for key, number in trip_of.items() if number == trip]
        station_key = _station(weighed[trip], unloads[trip - 1 : trip], vehicle_key, own, known)
        found.stations |= dict.fromkeys(own, station_key)
        goods = [taken for key in own for taken in _taken(key, doors[key], station_key, known)]
        figures = judge_trip(
            goods, [seen[ticket.id] for ticket in weighed[trip]], tolerance=known.district.trip_tolerance
        )
        found.trips.append(
            Trip(vehicle_key=vehicle_key, trip=trip, station_key=station_key, figures=figures, goods=goods)
        )


def _areas(session: Session, day: date) -> dict[UUID, str]:
    """The town-level units of bookings whose goods may be on a vehicle of the day."""
    taken = select(FieldEvent.booking_id).where(FieldEvent.day == day)
    return {row.id: row.area for row in session.execute(select(Booking.id, Booking.area).where(Booking.id.in_(taken)))}


def _doors(session: Session, records: Iterable[FieldRecord]) -> dict[UUID, Door]:
    of_booking: dict[UUID, list[FieldRecord]] = defaultdict(list)
    for record in records:
        if record.booking_id is not None:
            of_booking[record.booking_id].append(record)
    visits = {key: visit for key, own in of_booking.items() if (visit := visit_of(own)).units}
    event = FieldEvent
    rows = session.execute(
        select(event.event_id, event.items.label("taken"), event.payload, Staff.collector_key)
        .outerjoin(Staff, Staff.id == event.collector_id)
        .where(event.event_id.in_([visit.decided_by for visit in visits.values()]))
    )
    decides = {row.event_id: row for row in rows}
    doors = {}
    for key, visit in visits.items():
        if visit.decided_by is not None and visit.vehicle_key is not None:
            row = decides[visit.decided_by]
            price = (row.payload or {}).get("price_change") or {}
            doors[key] = Door(
                visit=visit, vehicle_key=visit.vehicle_key, collector_key=row.collector_key, items=row.taken,
                stripped=price.get("reason") == "missing_parts",
            )  # fmt: skip
    return doors


def _tickets(session: Session, day: date) -> list[IntakeTicket]:
    named = select(IntakeLine.ticket_id).join(Booking, Booking.id == IntakeLine.booking_id).where(Booking.day == day)
    wanted = select(IntakeTicket).where(IntakeTicket.id.in_(named), newest()).order_by(IntakeTicket.id)
    return list(session.scalars(wanted))


def _days(session: Session, tickets: Iterable[IntakeTicket]) -> dict[UUID, date]:
    """The days of the bookings on tickets."""
    ids = {line.booking_id for ticket in tickets for line in ticket.lines if line.booking_id is not None}
    return {row.id: row.day for row in session.execute(select(Booking.id, Booking.day).where(Booking.id.in_(ids)))}


def _day_of(ticket: IntakeTicket, days: Mapping[UUID, date]) -> date:
    """The day on which most units of a ticket were to be fetched, of equals the first: a load may wait overnight."""
    units: Counter[date] = Counter()
    for line in ticket.lines:
        if line.booking_id is not None:
            units[days[line.booking_id]] += line.units
    return min(units, key=lambda day: (-units[day], day))


def _vehicle_of(ticket: IntakeTicket, doors: Mapping[UUID, Door]) -> str:
    """The vehicle that took most units of a ticket on board; without a record, the one that the ticket names."""
    units: Counter[str] = Counter()
    for line in ticket.lines:
        door = None if line.booking_id is None else doors.get(line.booking_id)
        if door is not None:
            units[door.vehicle_key] += line.units
    if not units:
        return ticket.vehicle_key or UNKNOWN_VEHICLE
    return min(units, key=lambda key: (-units[key], key != ticket.vehicle_key, key))


def _seen(ticket: IntakeTicket) -> TicketSeen:
    units: Counter[tuple[UUID, str]] = Counter()
    for line in ticket.lines:
        if line.booking_id is not None:
            units[line.booking_id, line.item_type] += line.units
    return TicketSeen(ticket_id=ticket.id, trip=ticket.trip, net_g=ticket.net_g, units=units)


def _station(
    tickets: Sequence[IntakeTicket],
    unload: Sequence[FieldRecord],
    vehicle_key: str,
    bookings: Sequence[UUID],
    known: _Known,
) -> str:
    """Where a trip was weighed, else where it was unloaded, else where its vehicle is at home."""
    if tickets:
        return tickets[0].station_key
    network = known.district.network
    if unload and unload[0].station_key in network.stations:
        return str(unload[0].station_key)
    vehicle = network.vehicles.get(vehicle_key)
    return vehicle.station_key if vehicle is not None else known.areas[bookings[0]]


def _taken(booking_id: UUID, door: Door, station_key: str, known: _Known) -> Iterator[Taken]:
    """Goods of a door with their grams: a scale's, else the class average of the station, else the type table.

    What a crew guessed is left out: nobody chooses the figure that they are measured against.
    """
    for item in door.items:
        key, units = item["item_type"], item["units"]
        mean_g = known.mean_g.get((station_key, key))
        mass_g: int
        source: DoorSource
        if item.get("doorstep_g") is not None:
            mass_g, source = item["doorstep_g"], "doorstep"
        elif mean_g is not None:
            mass_g, source = units * mean_g, "station_class_average"
        else:
            kind = known.district.catalogue.item_type(key, on=known.day)
            mass_g, source = units * kind.unit_mass_g, "type_table"
        yield Taken(booking_id=booking_id, item_type=key, units=units, mass_g=mass_g, source=source)
