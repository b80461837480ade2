"""The shared step of telling residents when we come and of checking later that it still holds."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.plan import Route, RouteStop

QUARTER_S = 900  # residents hear the quarter of an hour in which we come; a minute would promise what traffic breaks


def expected_times(plan_id: UUID, session: Session, *, booking_id: UUID | None = None) -> dict[UUID, int]:
    """The quarter of an hour in which service starts by a plan, in seconds after midnight, for each booking or one."""
    stops = (
        select(RouteStop.booking_id, RouteStop.start_s)
        .join(Route, Route.id == RouteStop.route_id)
        .where(Route.plan_id == plan_id)
    )
    if booking_id is not None:
        stops = stops.where(RouteStop.booking_id == booking_id)
    # Rounded down, and never out of the promised window, which opens on a quarter: nobody is told a later time than
    # the van comes.
    return {found: start_s // QUARTER_S * QUARTER_S for found, start_s in session.execute(stops) if found is not None}
