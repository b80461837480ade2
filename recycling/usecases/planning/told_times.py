"""The shared step of telling a running day: when each resident was last told that we come."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.healing import BrokenPromise
from recycling.models.plan import Publication, Route, RouteStop

MOVES_S = 900  # a visit that moves by no more needs no message: a quarter of an hour is what was promised


def start_times(plan_id: UUID, session: Session) -> dict[UUID, int]:
    """The second at which service starts by a plan, for each booking."""
    stops = (
        select(RouteStop.booking_id, RouteStop.start_s)
        .join(Route, Route.id == RouteStop.route_id)
        .where(Route.plan_id == plan_id)
    )
    return {found: start_s for found, start_s in session.execute(stops) if found is not None}


def told_times(day: date, session: Session) -> dict[UUID, int]:
    """The second that each resident was last told of, by the publications of the day in their sequence.

    The versions of the evening tell every change; those of a running day only what moves by more than `MOVES_S` from
    what was told, so that many small moves do not add up unheard.
    """
    told: dict[UUID, int] = {}
    rows = select(BrokenPromise.plan_id, BrokenPromise.booking_id).where(BrokenPromise.day == day)
    broken = {(plan_id, booking_id) for plan_id, booking_id in session.execute(rows)}
    log = select(Publication.plan_id, Publication.cause).where(Publication.day == day)
    for plan_id, cause in session.execute(log.order_by(Publication.at, Publication.plan_id)).all():
        for booking_id, start_s in start_times(plan_id, session).items():
            before = told.get(booking_id)
            small = before is not None and abs(start_s - before) <= MOVES_S
            if cause is None or not small or (plan_id, booking_id) in broken:
                told[booking_id] = start_s
    return told
