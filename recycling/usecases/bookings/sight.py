"""Which bookings a caller may see, as a clause of the query itself, and whom a caller may book for."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, false, select, true
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.models.booking import Booking, Consent
from recycling.models.people import Resident
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


def for_whom(
    by: Principal, resident_id: UUID | None, consent: Consent | None, session: Session, *, made_up: bool
) -> UUID:
    """The resident whom a place is for: residents ask for themselves, staff name one and how they agreed.

    Raises
    ------
    InvalidInput
        When the caller may not ask for that one, or does not say how they agreed.
    """
    if by.role == "resident":
        if resident_id not in (None, by.id):
            raise InvalidInput(f"resident_id {resident_id} is not you; leave it out to book for yourself")
        if consent is not None:
            raise InvalidInput("consent is what staff note when they book for somebody; leave it out")
        return by.id  # one who is signed in exists
    if resident_id is None or session.get(Resident, resident_id) is None:
        raise InvalidInput(f"resident_id is {resident_id}: name the resident this booking is for")
    if consent is None and not made_up:
        raise InvalidInput(
            "consent is missing: say how the resident agreed (phone, shop, visit or institution)"
            " / 请注明居民的同意方式（电话、门店、上门或单位）"
        )
    return resident_id
