"""Today's route of one truck, in real time: what a collector's phone page is tried on."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.booking import Booking
from recycling.models.field import FieldEvent, FieldFlag
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings.promise import WishedItem
from tests.builders import a_booking
from tests.planned_days import TRUCK, a_published_plan, generous, with_vehicles

PATIENCE_S = 15
WINDOWS = ("08-10", "10-12", "13-15", "15-17")
COOKER = (WishedItem(item_type="rice-cooker", quantity=1),)


def today() -> date:
    """The running service day."""
    return service_day(utc_now())


def yesterday() -> datetime:
    """When the routes of today were published."""
    return instant_at(today() - timedelta(days=1), 10 * 3600)


def todays_route(app: Flask, *wishes: dict[str, Any]) -> list[UUID]:
    """Book a pickup for each wish, a rice cooker unless it says otherwise, and publish the truck's route of today."""
    district = app.extensions["district"]
    with app.app_context():
        booked = [_a_pickup(number, wish, district=generous(district)) for number, wish in enumerate(wishes)]
        publish(app)
        db.session.remove()
    return booked


def _a_pickup(number: int, wish: dict[str, Any], *, district: District) -> UUID:
    fields: dict[str, Any] = {"day": today(), "items": list(COOKER), "pickup_window": WINDOWS[number % len(WINDOWS)]}
    return a_booking(db.session(), district=district, now=yesterday(), **fields | wish).id


def publish(app: Flask) -> None:
    """Publish the next version of the truck's route of today."""
    district = with_vehicles(app.extensions["district"], TRUCK)
    a_published_plan(db.session(), district=district, now=yesterday(), day=today())


def recorded(app: Flask, *, at_least: int = 0) -> list[FieldEvent]:
    """Everything that reached the server, by the devices' own count; after a while if it is less than expected."""
    gives_up = time.monotonic() + PATIENCE_S
    while True:
        with app.app_context():
            found = list(db.session().scalars(select(FieldEvent).order_by(FieldEvent.device_id, FieldEvent.device_seq)))
            db.session.expunge_all()
            db.session.remove()
        if len(found) >= at_least or time.monotonic() > gives_up:
            return found
        time.sleep(0.2)


def flagged(app: Flask) -> set[str]:
    """The reasons for which a person has to look at records."""
    with app.app_context():
        found = set(db.session().scalars(select(FieldFlag.code)))
        db.session.remove()
    return found


def state_of(app: Flask, booking_id: UUID) -> str:
    """What a booking has come to."""
    with app.app_context():
        found = db.session().get_one(Booking, booking_id).state
        db.session.remove()
    return str(found)
