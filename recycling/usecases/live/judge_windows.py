"""Judge the promised windows of a day (时段履约评定): which were kept, which were missed, and probably why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.base import table_of
from recycling.models.booking import Booking
from recycling.models.kept_window import KeptWindow
from recycling.models.plan import Publication, Route, RouteStop
from recycling.models.transaction import atomic, rows_met
from recycling.policy.district import District
from recycling.policy.field_events import FieldRecord, Visit, route_state, visit_of
from recycling.policy.kept_windows import judge_window
from recycling.usecases.field.records import records_of_bookings, records_of_day

log = logger(__name__)

VISITED = ("booked", "collected", "partly_collected", "failed")  # whoever withdrew was owed nothing

_booking, _stop, _route, _publication = (table_of(model) for model in (Booking, RouteStop, Route, Publication))


def judge_windows(day: date, *, district: District, session: Session, now: datetime) -> dict[str, int]:
    """Write the ledger of a day that is over anew; how many windows were promised and kept.

    Promised are the visits that any published plan of the day had on a route: whom it left out was told so before.
    """
    if day >= service_day(now):
        return {"promised": 0, "kept": 0}
    with atomic(session):
        bookings = _promised(session, day)
        records = records_of_bookings(session, [row.id for row in bookings])
        broken = _breakdowns(records_of_day(session, day))
        rows = [_row(row, records.get(row.id, []), broken, district=district, now=now) for row in bookings]
        rows_met(session, delete(KeptWindow).where(KeptWindow.day == day))
        if rows:
            session.execute(insert(table_of(KeptWindow)), rows)
    figures = {"promised": len(rows), "kept": sum(row["cause"] is None for row in rows)}
    log.info("windows.judged", day=str(day), **figures)
    return figures


def _promised(session: Session, day: date) -> Sequence[Any]:
    """The visits of a day that were on a published route, each with the vehicle it was on last."""
    wanted = (
        select(
            _booking.c.id, _booking.c.day, _booking.c.pickup_window, _booking.c.village_code, _booking.c.service_s,
            _booking.c.made_up, _route.c.vehicle_key,
        )
        .join(_stop, _stop.c.booking_id == _booking.c.id)
        .join(_route, _route.c.id == _stop.c.route_id)
        .join(_publication, _publication.c.plan_id == _route.c.plan_id)
        .where(_publication.c.day == day, _booking.c.day == day, _booking.c.state.in_(VISITED))
        .order_by(_publication.c.at, _booking.c.id)
    )  # fmt: skip
    found: dict[UUID, Any] = {row.id: row for row in session.execute(wanted)}
    return list(found.values())


def _breakdowns(records: Iterable[FieldRecord]) -> dict[str, datetime]:
    """When each vehicle that could drive no further at its day's end had said so."""
    of_vehicle: dict[str, list[FieldRecord]] = defaultdict(list)
    for record in records:
        of_vehicle[record.vehicle_key].append(record)
    stopped = {key: route_state(own).stopped_at for key, own in of_vehicle.items()}
    return {key: at for key, at in stopped.items() if at is not None}


def _row(
    row: Any, records: Sequence[FieldRecord], broken: Mapping[str, datetime], *, district: District, now: datetime
) -> dict[str, Any]:
    window = district.network.pickup_window(row.pickup_window).window_s
    visit = visit_of(records) if records else Visit()
    vehicle_key = visit.vehicle_key or row.vehicle_key
    judged = judge_window(
        window, visit, day=row.day, service_s=row.service_s, broke_down_at=broken.get(vehicle_key)
    )  # fmt: skip
    return {
        "booking_id": row.id, "day": row.day, "vehicle_key": vehicle_key, "village_code": row.village_code,
        "pickup_window": row.pickup_window, "opens_s": window[0], "closes_s": window[1],
        "started_s": judged.started_s, "late_s": judged.late_s, "cause": judged.cause, "made_up": row.made_up,
        "judged_at": now,
    }  # fmt: skip
