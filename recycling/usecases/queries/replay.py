"""Replay a past day (回放): what was known of it at an instant, the plans made, what happened, what was reported.

Everything is read from rows that are only ever added, each as far as it was there at the instant, so that the answer
for one instant stays the same to the byte whatever is recorded later. Nothing of it is about a person: ids, town-level
units, item types and times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, selectinload

from recycling.errors import InvalidInput
from recycling.models.booking import BookedItem, Booking, BookingChange
from recycling.models.field import FieldEvent, FieldRuling
from recycling.models.healing import BrokenPromise, Disruption, ReplanProposal
from recycling.models.intake import IntakeTicket
from recycling.models.plan import Plan, Publication, Route
from recycling.models.publication import ReportSignature
from recycling.models.recovery import GoalReport
from recycling.models.transaction import see_one_state
from recycling.policy.periods import read_period
from recycling.usecases.reporting.report_body import canonical

Known = dict[str, Any]


def replay(day: date, *, session: Session, now: datetime, as_of: datetime | None = None) -> bytes:
    """A day as it was known at an instant, now unless one is named: ``{"replay": {…}, "sha256": …}`` in one byte form.

    The digest is that of the canonical form of ``replay``.

    Raises
    ------
    InvalidInput
        When the instant lies ahead: nobody knows yet what will be known then.
    """
    if as_of is not None and as_of > now:
        raise InvalidInput(
            f"as_of {as_of.isoformat()} lies ahead; give an instant until {now.isoformat()} / as_of 晚于当前时间"
        )
    at = as_of or now
    see_one_state(session)
    known = {
        "day": day.isoformat(),
        "as_of": _text(at),
        "bookings": _bookings(day, at, session),
        "plans": _plans(day, at, session),
        "disruptions": _disruptions(day, at, session),
        "broken_promises": _broken_promises(day, at, session),
        "field_events": _field_events(day, at, session),
        "tickets": _tickets(day, at, session),
        "reports": _reports(day, at, session),
    }
    session.rollback()
    sha256 = hashlib.sha256(canonical(known)).hexdigest()
    return canonical({"replay": known, "sha256": sha256})


def _bookings(day: date, at: datetime, session: Session) -> list[Known]:
    """The bookings that were on the day then, by the last of their changes until then."""
    change = BookingChange
    touched = select(change.booking_id).where(change.day == day, change.at <= at)
    # Lines from before the day was kept are those of the day on which the booking stands now.
    standing = select(Booking.id).where(Booking.day == day)
    rows = session.scalars(
        select(change)
        .where(change.at <= at, or_(change.booking_id.in_(touched), change.booking_id.in_(standing)))
        .order_by(change.booking_id, change.version)
    )
    last = {row.booking_id: row for row in rows}
    unkept = _wishes_now([key for key, row in last.items() if row.wish is None], session)
    return [
        {"id": str(key), "state": row.state, "version": row.version, "changed_at": _text(row.at), "change": row.kind}
        | (row.wish or unkept[key])
        for key, row in _by_id(last)
        if row.day in (day, None)
    ]


def _wishes_now(booking_ids: list[UUID], session: Session) -> dict[UUID, Known]:
    """What bookings ask for, where their history does not say what they asked for then."""
    found = {
        row.id: {
            "area": row.area, "pickup_window": row.pickup_window, "declared_g": row.declared_g,
            "items": {},
        }
        for row in session.execute(
            select(Booking.id, Booking.area, Booking.pickup_window, Booking.declared_g).where(
                Booking.id.in_(booking_ids)
            )
        )
    }  # fmt: skip
    item = BookedItem
    for row in session.execute(
        select(item.booking_id, item.item_type, item.declared_units).where(item.booking_id.in_(booking_ids))
    ):
        found[row.booking_id]["items"][row.item_type] = row.declared_units
    return found


def _plans(day: date, at: datetime, session: Session) -> list[Known]:
    """Every version made by then, with its routes and whether it was published by then."""
    routes = selectinload(Plan.routes)
    plans = session.scalars(
        select(Plan)
        .where(Plan.day == day, Plan.made_at <= at)
        .order_by(Plan.version)
        .options(
            routes.selectinload(Route.stops), routes.selectinload(Route.crew), selectinload(Plan.unassigned)
        )
    ).all()  # fmt: skip
    published = {
        row.plan_id: row
        for row in session.scalars(select(Publication).where(Publication.day == day, Publication.at <= at))
    }
    causes = dict(
        session.execute(select(ReplanProposal.plan_id, ReplanProposal.cause).where(ReplanProposal.day == day)).all()
    )
    return [
        {
            "id": str(plan.id),
            "version": plan.version,
            "made_at": _text(plan.made_at),
            "cause": causes.get(plan.id),
            "problem_sha256": plan.problem_sha256,
            "cost_total": plan.cost_total,
            "travel_quality": plan.travel_quality,
            "published_at": _text(published[plan.id].at) if plan.id in published else None,
            "routes": [_route(route) for route in plan.routes],
            "unassigned": [{"booking_id": str(one.booking_id), "reason": one.reason} for one in plan.unassigned],
        }
        for plan in plans
    ]


def _route(route: Route) -> Known:
    return {
        "vehicle_key": route.vehicle_key,
        "crew": [rider.collector_key for rider in route.crew],
        "distance_m": route.distance_m,
        "travel_s": route.travel_s,
        "stops": [
            _plain(
                stop, "position", "kind", "booking_id", "station_key", "arrival_s", "start_s", "end_s", "load_g",
                "load_l",
            )
            for stop in route.stops
        ],
    }  # fmt: skip


def _disruptions(day: date, at: datetime, session: Session) -> list[Known]:
    rows = session.scalars(select(Disruption).where(Disruption.day == day, Disruption.at <= at))
    names = ("id", "kind", "vehicle_key", "station_key", "booking_id", "minutes", "substitutes", "at")
    return _sorted((_plain(row, *names) for row in rows), "at", "id")


def _broken_promises(day: date, at: datetime, session: Session) -> list[Known]:
    rows = session.scalars(select(BrokenPromise).where(BrokenPromise.day == day, BrokenPromise.at <= at))
    names = (
        "id", "plan_id", "booking_id", "pickup_window", "expected_before_s", "expected_after_s", "reason",
        "alternatives", "at",
    )  # fmt: skip
    return _sorted((_plain(row, *names) for row in rows), "at", "id")


def _field_events(day: date, at: datetime, session: Session) -> list[Known]:
    """What had been received by then, in the sequence in which it happened, with the rulings on it until then."""
    event, ruling = FieldEvent, FieldRuling
    mine = select(event).where(event.day == day, event.received_at <= at)
    of_day = select(event.event_id).where(event.day == day)
    rulings: dict[UUID, list[Known]] = {}
    for row in session.execute(
        select(ruling.event_id, ruling.number, ruling.counts, ruling.at)
        .where(ruling.event_id.in_(of_day), ruling.at <= at)
        .order_by(ruling.event_id, ruling.number)
    ):
        rulings.setdefault(row.event_id, []).append(_plain(row, "number", "counts", "at"))
    names = (
        "event_id", "kind", "vehicle_key", "plan_version", "booking_id", "collector_id", "device_seq", "reason",
        "made_at", "device_time", "received_at", "quarantined", "counts_on",
    )  # fmt: skip
    found = (
        _plain(row, *names)
        | {
            "items": [{"item_type": item["item_type"], "units": item["units"]} for item in row.items],
            "rulings": rulings.get(row.event_id, []),
        }
        for row in session.scalars(mine)
    )
    return _sorted(found, "made_at", "event_id")


def _tickets(day: date, at: datetime, session: Session) -> list[Known]:
    """The tickets of the day and those that count on it, with what had replaced them by then."""
    ticket = IntakeTicket
    mine = and_(or_(ticket.day == day, ticket.counts_on == day), ticket.recorded_at <= at)
    rows = session.scalars(select(ticket).where(mine)).all()
    replaced = dict(
        session.execute(
            select(ticket.corrects_id, ticket.id).where(
                ticket.corrects_id.in_(select(ticket.id).where(mine)), ticket.recorded_at <= at
            )
        ).all()
    )
    names = (
        "id", "station_key", "scale_number", "number", "channel", "day", "counts_on", "gross_g", "tare_g", "net_g",
        "refused_g", "refused_reason", "vehicle_key", "trip", "weighed_at", "corrects_id", "counters_id", "made_up",
    )  # fmt: skip
    of_line = ("item_type", "units", "net_g", "provenance", "missing_parts", "town_key", "booking_id")
    found = (
        _plain(row, *names)
        | {
            "replaced_by_id": _text(replaced.get(row.id)),
            "lines": [_plain(line, *of_line) for line in row.lines],
        }
        for row in rows
    )
    return _sorted(found, "station_key", "scale_number", "number")


def _reports(day: date, at: datetime, session: Session) -> list[Known]:
    """The kept reports with the day in their period that had come out by then, and whether they were published."""
    report, signature = GoalReport, ReportSignature
    names = ("id", "period", "version", "as_of", "sha256", "made_at")
    published = and_(signature.report_id == report.id, signature.place == 2, signature.signed_at <= at)
    rows = session.execute(
        select(*(getattr(report, name) for name in names), signature.signed_at.label("published_at"))
        .outerjoin(signature, published)
        .where(report.made_at <= at, report.as_of >= day)
    )
    found = (_plain(row, *names, "published_at") for row in rows if read_period(row.period).first <= day)
    return _sorted(found, "period", "version")


def _plain(row: Any, *names: str) -> Known:
    return {name: _text(getattr(row, name)) for name in names}


def _text(value: Any) -> Any:
    """A value as JSON holds it; the same on both engines."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID | date) else value


def _sorted(rows: Iterable[Known], *names: str) -> list[Known]:
    return sorted(rows, key=lambda row: tuple(row[name] for name in names))


def _by_id(rows: dict[UUID, BookingChange]) -> list[tuple[UUID, BookingChange]]:
    return sorted(rows.items(), key=lambda one: str(one[0]))
