"""Which bookings a caller may see: the ownership rule, once, as a clause of the query itself."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, select, true

from recycling.models.booking import Booking
from recycling.models.plan import PublishedPlan, Route, RouteCrew, RouteStop
from recycling.policy.access import Principal


def visible_to(by: Principal) -> ColumnElement[bool]:
    """Residents see their own, collectors those on their published routes, dispatchers and admins all, others none."""
    if by.role in ("dispatcher", "admin"):
        return true()
    if by.role == "resident":
        return Booking.resident_id == by.id
    if by.role == "collector":
        on_my_route = (
            select(RouteStop.booking_id)
            .join(Route, Route.id == RouteStop.route_id)
            .join(PublishedPlan, PublishedPlan.plan_id == Route.plan_id)
            .join(RouteCrew, RouteCrew.route_id == Route.id)
            .where(RouteCrew.collector_key == by.collector_key, RouteStop.booking_id.is_not(None))
        )
        return Booking.id.in_(on_my_route)
    return false()
