"""A running day written straight into the database: routes, stops, crews signed in, without a planner."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_jwt_extended import create_access_token
from sqlalchemy import insert
from sqlalchemy.orm import Session

from recycling.models.base import Base, table_of
from recycling.models.booking import BookedItem, Booking, BookingChange
from recycling.models.people import Resident, SignIn, Staff, phone_index
from recycling.models.plan import Plan, Publication, PublishedPlan, Route, RouteCrew, RouteStop
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from recycling.policy.device_proof import read_device_proof
from recycling.policy.district import District
from tests.devices import HERE, Phone

BEGINS_S, EVERY_S = 8 * 3600, 1200  # a stop every twenty minutes from eight


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRoute:
    """One vehicle's day: who drives it, their token and the phone it is bound to, and its bookings in sequence."""

    vehicle_key: str
    staff_id: uuid.UUID
    token: str
    phone: Phone
    bookings: Sequence[uuid.UUID]

    def headers(self, method: str, address: str) -> dict[str, str]:
        """What the phone sends with one request."""
        return self.phone.headers(method, address, self.token)


def written_day(
    session: Session, *, district: District, day: date, routes: int, stops: int, now: datetime
) -> list[WrittenRoute]:
    """Publish a day of ``routes`` routes with ``stops`` fridges each; needs a fleet and crews of that size."""
    vehicles = sorted(district.network.vehicles)[:routes]
    if len(vehicles) < routes:
        raise ValueError(f"{routes} routes, but the district has {len(vehicles)} vehicles; enlarge its fleet")
    rows: dict[type[Base], list[dict[str, object]]] = {}
    published_at = now - timedelta(hours=24)
    plan_id, found = uuid.uuid4(), []
    rows[Plan] = [
        {
            "id": plan_id, "day": day, "version": 1, "problem": {}, "answer": {}, "travel": None, "problem_sha256": "",
            "cost_total": 0, "travel_quality": "great_circle", "travel_cells": None, "travel_note": None, "search": {},
            "made_at": published_at, "made_by_id": SYSTEM.id, "made_by_run_id": None, "blanked_at": None,
        }
    ]  # fmt: skip
    rows[PublishedPlan] = [
        {"day": day, "plan_id": plan_id, "published_at": published_at, "published_by_id": SYSTEM.id}
    ]  # fmt: skip
    rows[Publication] = [{"plan_id": plan_id, "day": day, "at": published_at, "by_id": SYSTEM.id, "cause": None}]
    village = min(district.network.villages)
    for number, vehicle in enumerate(vehicles):
        crew = district.network.crew_of(vehicle)
        staff_id, sign_in_id, route_id = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
        rows.setdefault(Staff, []).append(
            {
                "id": staff_id, "login": f"bench-{number}", "name": "测速", "role": "collector", "password_hash": "-",
                "station_key": None, "collector_key": crew[0].key, "active": True, "created_at": published_at,
            }
        )  # fmt: skip
        phone = Phone()
        rows.setdefault(SignIn, []).append(
            {
                "device_id": phone.id, "key_thumbprint": _thumbprint(phone, now),
                "id": sign_in_id, "resident_id": None, "staff_id": staff_id, "refresh_count": 0,
                "created_at": published_at, "expires_at": now + timedelta(days=1), "ended_at": None,
            }
        )  # fmt: skip
        rows.setdefault(Route, []).append(
            {
                "id": route_id, "plan_id": plan_id, "vehicle_key": vehicle, "collector_key": crew[0].key,
                "distance_m": 40_000, "travel_s": 9_000,
            }
        )  # fmt: skip
        rows.setdefault(RouteCrew, []).extend({"route_id": route_id, "collector_key": one.key} for one in crew)
        bookings = [uuid.uuid4() for _ in range(stops)]
        for place, booking_id in enumerate(bookings):
            _stop(rows, booking_id, route_id, place, f"138{number:04d}{place:04d}", village, day, published_at)
        found.append(
            WrittenRoute(
                vehicle_key=vehicle, staff_id=staff_id, bookings=bookings, phone=phone,
                token=str(create_access_token(str(sign_in_id), expires_delta=timedelta(hours=3))),
            )
        )  # fmt: skip
    with atomic(session):
        for model in (
            Plan, PublishedPlan, Publication, Staff, SignIn, Resident, Route, RouteCrew, Booking, BookedItem,
            BookingChange, RouteStop,
        ):  # fmt: skip
            session.execute(insert(table_of(model)), rows[model])
    return found


def _thumbprint(phone: Phone, now: datetime) -> bytes:
    """What the server knows of a phone's key, as it reads it at a sign-in."""
    return read_device_proof(phone.proof("POST", HERE), method="POST", address=HERE, now=now).thumbprint


def _stop(
    rows: dict[type[Base], list[dict[str, object]]],
    booking_id: uuid.UUID,
    route_id: uuid.UUID,
    place: int,
    phone: str,
    village: str,
    day: date,
    at: datetime,
) -> None:
    resident_id, start_s = uuid.uuid4(), BEGINS_S + EVERY_S * place
    rows.setdefault(Resident, []).append(
        {
            "id": resident_id, "phone": phone, "phone_index": phone_index(phone), "created_at": at, "declined_at": None,
            "erased_at": None,
        }
    )  # fmt: skip
    rows.setdefault(Booking, []).append(
        {
            "id": booking_id, "resident_id": resident_id, "part_of": None, "day": day, "area": "lincheng",
            "pickup_window": "all-day", "village_code": village,
            "place": {"address": f"测速路 {phone} 号", "lat": 34.8, "lon": 117.26, "note": "门禁 4321"}, "floor": 3,
            "has_lift": False, "state": "booked", "held_until": None, "consent": None, "service_s": 600,
            "declared_g": 60_000, "declared_l": 500, "made_up": False, "version": 1, "created_at": at,
            "changed_at": at, "place_blanked_at": None,
        }
    )  # fmt: skip
    rows.setdefault(BookedItem, []).append(
        {
            "booking_id": booking_id, "item_type": "fridge", "declared_units": 1, "dismantle": False,
            "collected_units": 0, "weighed_units": 0, "condition": "unknown", "wipe_terms": None,
            "wipe_consent_at": None, "wipe_consent_by": None,
        }
    )  # fmt: skip
    rows.setdefault(BookingChange, []).append(
        {
            "id": uuid.uuid4(), "booking_id": booking_id, "at": at, "by_id": resident_id, "by_role": "resident",
            "kind": "booked", "state": "booked", "version": 1,
        }
    )  # fmt: skip
    rows.setdefault(RouteStop, []).append(
        {
            "route_id": route_id, "position": place + 1, "kind": "pickup", "booking_id": booking_id,
            "station_key": None, "arrival_s": start_s, "start_s": start_s, "end_s": start_s + 600, "load_g": 0,
            "load_l": 0,
        }
    )  # fmt: skip
