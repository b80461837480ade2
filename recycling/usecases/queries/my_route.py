"""A collector's own route of a day (我的路线): what to fetch where, and no more of people than it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from recycling.clock import service_day
from recycling.logs import mask_phones
from recycling.models.booking import BookedItem, Booking
from recycling.models.people import Resident
from recycling.models.plan import PublishedPlan, Route, RouteCrew, RouteStop
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import clock_text
from recycling.usecases.queries.arrivals import arrivals_of_vehicle
from recycling.usecases.queries.bookings import masked_address

# The stop one is at and the one after it: whom a collector may have to call now (PIPL art. 6: no more than needed).
PHONES_IN_FULL = 2


def my_route(by: Principal, day: date, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """The caller's published route of a day: steps in sequence with their clock, pickups with items and access.

    On the service day itself a pickup shows its whole address, access note and a link that leads there, and the
    current and the next one the whole phone number; before and after that day all of it is masked. Without a route the
    list of steps is empty and ``note`` says why.
    """
    published = session.get(PublishedPlan, day)
    route = session.scalar(
        select(Route)
        .join(PublishedPlan, PublishedPlan.plan_id == Route.plan_id)
        .join(RouteCrew, RouteCrew.route_id == Route.id)
        .where(PublishedPlan.day == day, RouteCrew.collector_key == by.collector_key)
        .options(joinedload(Route.plan), selectinload(Route.stops), selectinload(Route.crew))
    )
    if published is None or route is None:
        return _nothing(day, published=published is not None)
    bookings = _bookings(route, session)
    phones = _phones(bookings.values(), session)
    on_the_day = day == service_day(now)
    open_ones = [booking.id for booking in bookings.values() if booking.state == "booked"]
    callable_now = open_ones[:PHONES_IN_FULL] if on_the_day else []
    arrivals: Mapping[int, int] = {}
    if on_the_day:
        arrivals = arrivals_of_vehicle(route.vehicle_key, day, district=district, session=session, now=now)
    steps = []
    for stop in route.stops:
        step = _step(stop, district) | {"estimated_arrival_s": arrivals.get(stop.position)}
        if stop.booking_id is not None:
            booking = bookings[stop.booking_id]
            phone = phones[booking.resident_id]
            step["pickup"] = _pickup(booking, district) | {
                "phone": phone if booking.id in callable_now else mask_phones(phone),
                "phone_in_full": booking.id in callable_now,
                "address": booking.place["address"] if on_the_day else masked_address(booking.place["address"]),
                "address_in_full": on_the_day,
                "note": booking.place["note"] if on_the_day else "",
            }
            if on_the_day and booking.place["lat"] is not None:  # blank when its resident has been erased
                name = f"第{stop.position}站"
                step["navigation_url"] = navigation_url(booking.place["lat"], booking.place["lon"], name)
        steps.append(step)
    return {
        "day": day,
        "note": None,
        "plan": {"id": route.plan_id, "version": route.plan.version, "published_at": published.published_at},
        "vehicle_key": route.vehicle_key,
        "crew": [_collector(rider.collector_key, district) for rider in route.crew],
        "steps": steps,
        "totals": {
            "pickups": len(bookings),
            "open": len(open_ones),
            "declared_g": sum(booking.declared_g for booking in bookings.values()),
            "declared_l": sum(booking.declared_l for booking in bookings.values()),
            "distance_m": route.distance_m,
            "travel_s": route.travel_s,
        },
    }


def navigation_url(lat: float, lon: float, name: str) -> str:
    """A link that opens AMap's navigation to a WGS-84 point; without the app, its map page.

    The name is what the map writes at the goal: never a person's.
    """
    return f"https://uri.amap.com/navigation?to={lon},{lat},{quote(name)}&mode=car&coordinate=wgs84"


def _nothing(day: date, *, published: bool) -> dict[str, Any]:
    note = (
        f"{day} 没有分配给你的路线，如有疑问请联系调度 / no route is yours on {day}; ask the dispatcher if unsure"
        if published
        else f"{day} 的路线尚未发布 / the routes of {day} are not published yet"
    )
    totals = dict.fromkeys(("pickups", "open", "declared_g", "declared_l", "distance_m", "travel_s"), 0)
    return {"day": day, "note": note, "plan": None, "vehicle_key": None, "crew": [], "steps": [], "totals": totals}


def _collector(key: str, district: District) -> dict[str, str]:
    known = district.network.collectors.get(key)  # somebody who has left since is shown by their key
    return {"key": key, "name_zh": known.name_zh if known else key, "name_en": known.name_en if known else key}


def _bookings(route: Route, session: Session) -> dict[UUID, Booking]:
    """The bookings of a route, in the sequence of their stops."""
    wanted = [stop.booking_id for stop in route.stops if stop.booking_id is not None]
    found = {booking.id: booking for booking in session.scalars(select(Booking).where(Booking.id.in_(wanted)))}
    return {booking_id: found[booking_id] for booking_id in wanted}


def _phones(bookings: Iterable[Booking], session: Session) -> Mapping[UUID, str]:
    residents = {booking.resident_id for booking in bookings}
    rows = session.execute(select(Resident.id, Resident.phone).where(Resident.id.in_(residents)))
    return {resident_id: phone for resident_id, phone in rows}  # noqa: C416  # a row is no tuple to the type checker


def _step(stop: RouteStop, district: District) -> dict[str, Any]:
    station = district.network.stations.get(stop.station_key or "")
    return {
        "position": stop.position,
        "kind": stop.kind,
        "arrival_s": stop.arrival_s,
        "arrival": clock_text(stop.arrival_s),
        "start_s": stop.start_s,
        "start": clock_text(stop.start_s),
        "end_s": stop.end_s,
        "end": clock_text(stop.end_s),
        "load_g": stop.load_g,
        "load_l": stop.load_l,
        "station": station and {"key": station.key, "name_zh": station.name_zh, "name_en": station.name_en},
        "pickup": None,
        "navigation_url": station and navigation_url(station.lat, station.lon, station.name_zh),
    }


def _pickup(booking: Booking, district: District) -> dict[str, Any]:
    """What of a booking every member of the crew may know, whatever the day."""
    network = district.network
    window, village = network.pickup_window(booking.pickup_window), network.village(booking.village_code)
    return {
        "booking_id": booking.id,
        "state": booking.state,
        "window": window,
        "items": [_item(item, district) for item in booking.items],
        "floor": booking.floor,
        "has_lift": booking.has_lift,
        "village_code": village.code,
        "village_name_zh": village.name_zh,
        "town_name_zh": network.towns[village.town_key].name_zh,
        "declared_g": booking.declared_g,
        "declared_l": booking.declared_l,
    }


def _item(item: BookedItem, district: District) -> dict[str, Any]:
    kind = district.catalogue.latest(item.item_type)
    return {
        "item_type": item.item_type,
        "name_zh": kind.name_zh,
        "name_en": kind.name_en,
        "declared_units": item.declared_units,
        "collected_units": item.collected_units,
        "dismantle": item.dismantle,
        "condition": item.condition,
        "wipe_consent": item.wipe_consent_at is not None,
    }
