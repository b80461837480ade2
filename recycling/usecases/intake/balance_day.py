"""The shared step of everything that may change a trip's balance: work a day out anew and write what is different."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.balance import Agreement, MissingPartsFlag, TripBalance, lock_balances
from recycling.models.booking import Booking
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.recovery import newest
from recycling.policy.district import District
from recycling.policy.mass_balance import TripFigures, judge_trip
from recycling.usecases.intake.trips_of_day import DayTrips, trips_of_day

# What names a flag: the same goods have the same flag however often a day is worked out.
FLAGS = UUID("9a1c7d5e-52f3-4b1e-8d8e-6f2f5a0f7b10")


def balance_day(day: date, *, district: District, session: Session, now: datetime) -> list[TripBalance]:
    """Bring the balances and flags of a day that is over up to what is recorded of it, in the caller's transaction.

    Figures that are as they were keep their version and what somebody said of them.
    """
    lock_balances(session, day)
    found = trips_of_day(day, district=district, session=session)
    standing = {
        (row.vehicle_key, row.trip): row
        for row in session.scalars(
            select(TripBalance).where(TripBalance.day == day).execution_options(populate_existing=True)
        )
    }
    rows = []
    for trip in found.trips:
        figures = _columns(trip.figures) | {"station_key": trip.station_key}
        row = standing.pop((trip.vehicle_key, trip.trip), None)
        if row is None:
            row = TripBalance(
                id=uuid4(), day=day, vehicle_key=trip.vehicle_key, trip=trip.trip, version=1, computed_at=now,
                state="held" if trip.figures.causes else "ok", resolutions=[], **figures,
            )  # fmt: skip
            session.add(row)
        else:
            _bring_up_to(row, figures, now=now)
        rows.append(row)
    for row in standing.values():
        nothing = judge_trip((), (), tolerance=district.trip_tolerance)
        _bring_up_to(row, _columns(nothing) | {"station_key": row.station_key}, now=now)
    session.execute(delete(MissingPartsFlag).where(MissingPartsFlag.day == day))
    flags = [*_door_flags(found), *_other_flags(day, session=session)]
    if flags:
        session.execute(insert(MissingPartsFlag), flags)
    session.flush()
    return rows


def balance_again(lines: Iterable[IntakeLine], *, district: District, session: Session, now: datetime) -> None:
    """Work out anew the days whose balances know nothing of these lines yet.

    Today is worked out once it is over; a day that the nightly job has not been at is left to it.
    """
    booking_ids = {line.booking_id for line in lines if line.booking_id is not None}
    over = select(Booking.day).where(Booking.id.in_(booking_ids), Booking.day < service_day(now)).distinct()
    for day in sorted(session.scalars(over)) if booking_ids else ():
        lock_balances(session, day)  # before it is asked whether the nightly job has been at it: it may be just now
        if session.scalar(select(TripBalance.id).where(TripBalance.day == day).limit(1)) is not None:
            balance_day(day, district=district, session=session, now=now)


def _columns(figures: TripFigures) -> dict[str, Any]:
    """Figures as they are stored."""
    return {
        "doors": figures.doors,
        "units": figures.units,
        "doorstep_g": figures.door_g["doorstep"],
        "class_average_g": figures.door_g["station_class_average"],
        "type_table_g": figures.door_g["type_table"],
        "station_g": figures.station_g,
        "tolerance_g": figures.tolerance_g,
        "tickets": [str(ticket_id) for ticket_id in figures.tickets],
        "differing": [asdict(one) | {"booking_id": str(one.booking_id)} for one in figures.differing],
        "causes": list(figures.causes),
    }


def _bring_up_to(row: TripBalance, figures: dict[str, Any], *, now: datetime) -> None:
    if all(getattr(row, name) == value for name, value in figures.items()):
        return
    for name, value in figures.items():
        setattr(row, name, value)
    row.version, row.computed_at = row.version + 1, now
    row.state = "held" if row.causes else "ok"


def _door_flags(found: DayTrips) -> Iterator[dict[str, Any]]:
    """Goods of the day's bookings that door or station called stripped."""
    weighed: Counter[tuple[UUID, str]] = Counter()
    stripped: Counter[tuple[UUID, str]] = Counter()
    at: dict[UUID, str] = {}
    for ticket in found.tickets:
        for line in ticket.lines:
            if line.booking_id is not None:
                weighed[line.booking_id, line.item_type] += line.units
                stripped[line.booking_id, line.item_type] += line.missing_parts
                at[line.booking_id] = ticket.station_key
    said: dict[tuple[UUID, str], int | None] = {}
    units: Counter[tuple[UUID, str]] = Counter()
    for booking_id, door in found.doors.items():
        counted = any(item.get("missing_parts") for item in door.items)
        for item in door.items:
            units[booking_id, item["item_type"]] = item["units"]
            if item.get("missing_parts"):
                said[booking_id, item["item_type"]] = item["missing_parts"]
            elif door.stripped and not counted:
                said[booking_id, item["item_type"]] = None
    mine = found.doors.keys()
    flagged = said.keys() | {key for key, count in stripped.items() if count and key[0] in mine}
    for key in sorted(flagged, key=lambda key: (str(key[0]), key[1])):
        booking_id, item_type = key
        agreement: Agreement = (
            "both" if key in said and stripped[key] else "door_only" if key in said else "station_only"
        )
        yield {
            "id": uuid5(FLAGS, f"{booking_id} {item_type}"), "day": found.day,
            "station_key": at.get(booking_id) or found.stations[booking_id],
            "collector_key": found.doors[booking_id].collector_key, "booking_id": booking_id, "ticket_id": None,
            "item_type": item_type, "units": units[key] or weighed[key], "door_units": said.get(key, 0),
            "station_units": stripped[key] if weighed[key] else None, "agreement": agreement,
        }  # fmt: skip


def _other_flags(day: date, *, session: Session) -> Iterator[dict[str, Any]]:
    """Stripped goods that no crew fetched, by the tickets of the day."""
    rows = session.execute(
        select(IntakeTicket.station_key, IntakeLine.ticket_id, IntakeLine.position, IntakeLine.item_type,
               IntakeLine.units, IntakeLine.missing_parts)
        .join(IntakeLine, IntakeLine.ticket_id == IntakeTicket.id)
        .where(IntakeTicket.day == day, IntakeTicket.channel != "door", IntakeLine.missing_parts > 0, newest())
        .order_by(IntakeLine.ticket_id, IntakeLine.position)
    )  # fmt: skip
    for row in rows:
        yield {
            "id": uuid5(FLAGS, f"{row.ticket_id} {row.position}"), "day": day, "station_key": row.station_key,
            "collector_key": None, "booking_id": None, "ticket_id": row.ticket_id, "item_type": row.item_type,
            "units": row.units, "door_units": None, "station_units": row.missing_parts, "agreement": "no_door",
        }  # fmt: skip
