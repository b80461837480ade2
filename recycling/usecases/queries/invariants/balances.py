"""Invariants of mass balances and class averages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, String, and_, cast, exists, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from recycling.clock import SHANGHAI
from recycling.models.balance import TripBalance, TripResolution
from recycling.models.class_average import ClassAverage, ClassAverageVersion
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.usecases.queries.invariants.figures import NEWEST
from recycling.usecases.queries.invariants.rule import MOST_ROWS, Breaches, invariant, rows


@invariant("I-13", "超差趟次必待核 / a trip whose doors and scale are too far apart is held until somebody resolves it")
def odd_trips_are_held(session: Session, _now: datetime) -> Breaches:
    """Trips that pass although their difference is above its tolerance, or although nothing of them was weighed."""
    trip = TripBalance
    door_g = trip.doorstep_g + trip.class_average_g + trip.type_table_g
    odd = or_(func.abs(trip.station_g - door_g) > trip.tolerance_g, and_(trip.units > 0, trip.station_g == 0))
    return rows(session, select(trip.id, trip.day, trip.vehicle_key, trip.trip).where(trip.state == "ok", odd))


@invariant("I-13", "处理结论对应当前数据 / a trip is resolved if and only if somebody resolved these very figures")
def resolutions_are_of_their_figures(session: Session, _now: datetime) -> Breaches:
    """Trips said to be resolved that nobody resolved, trips still held after that, and resolutions of later figures."""
    trip, said = TripBalance, aliased(TripResolution)
    of_now = exists().where(said.balance_id == trip.id, said.version == trip.version)
    early = exists().where(said.balance_id == trip.id, said.version > trip.version)
    wrong = or_((trip.state == "resolved") != of_now, early)
    return rows(session, select(trip.id, trip.state, trip.version).where(wrong))


@invariant(
    "I-13", "趟次过磅量 = 其磅单净重之和 / a trip's weighed mass is that of its newest tickets, each on one trip"
)
def trips_are_their_tickets(session: Session, _now: datetime) -> Breaches:
    """Trips with another sum than their tickets', with a ticket that was replaced, and tickets of two trips."""
    trip, ticket = TripBalance, IntakeTicket
    if session.get_bind().dialect.name == "sqlite":  # keeps ids without their hyphens
        named = func.json_each(trip.tickets).table_valued("value")
        of_name: ColumnElement[bool] = ticket.id == func.replace(named.c.value, "-", "")
    else:
        named = func.json_array_elements_text(trip.tickets).table_valued("value")
        of_name = cast(ticket.id, String) == named.c.value
    stands = and_(of_name, ticket.channel == "door", NEWEST)
    weighed = (
        select(
            trip.id, func.sum(ticket.net_g).label("net_g"), (func.count() - func.count(ticket.id)).label("strangers")
        )
        .select_from(trip)
        .join(named, true())
        .outerjoin(ticket, stands)
        .group_by(trip.id)
        .subquery()
    )
    wrong = or_(trip.station_g != func.coalesce(weighed.c.net_g, 0), weighed.c.strangers > 0)
    other = select(trip.id, trip.station_g, weighed.c.net_g).outerjoin(weighed, weighed.c.id == trip.id).where(wrong)
    twice = select(named.c.value, func.count()).select_from(trip).join(named, true())
    return [
        *rows(session, other),
        *rows(session, twice.group_by(named.c.value).having(func.count() > 1)),
    ][:MOST_ROWS]


@invariant("I-12", "按品类均值分摊须有均值 / a line shared by a class average stands where one was in force on its day")
def shared_lines_have_their_average(session: Session, _now: datetime) -> Breaches:
    """Lines said to be shared by an average that their station did not have."""
    ticket, line = IntakeTicket, IntakeLine
    in_force = (
        select(ClassAverage.month)
        .join(ClassAverageVersion, ClassAverageVersion.month == ClassAverage.month)
        .where(
            ClassAverage.station_key == ticket.station_key,
            ClassAverage.item_type == line.item_type,
            ClassAverageVersion.valid_from <= ticket.day,
        )
    )
    wanted = (
        select(line.ticket_id, line.position, line.item_type)
        .join(ticket, ticket.id == line.ticket_id)
        .where(line.provenance == "station_class_average", ~in_force.exists())
    )
    return rows(session, wanted)


@invariant("I-12", "均值自次日起用 / class averages are in force from a day after the one on which they were made")
def averages_begin_after_they_are_made(session: Session, _now: datetime) -> Breaches:
    """Versions by which a load may have been shared before they were there."""
    version = ClassAverageVersion
    made: ColumnElement[Any] = cast(func.timezone(SHANGHAI.key, version.made_at), Date)
    if session.get_bind().dialect.name == "sqlite":
        made = func.date(version.made_at, "+8 hours")  # Shanghai keeps UTC+8 without daylight saving
    found: Sequence[Any] = rows(
        session, select(version.month, version.valid_from, version.made_at).where(version.valid_from <= made)
    )
    return found
