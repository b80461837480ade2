"""One route as a list to work by: steps, what to bring, trips and totals, and of people as much as is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from recycling.clock import service_day
from recycling.errors import NotFound
from recycling.logs import mask_phones
from recycling.models.booking import BookedItem, Booking
from recycling.models.people import Resident
from recycling.models.photo import Photo
from recycling.models.plan import Plan, Route, RouteStop
from recycling.policy.catalogue import ItemType
from recycling.policy.district import District
from recycling.policy.fleet import SKILL_WORDS
from recycling.policy.gear import Gear, what_to_bring
from recycling.policy.service_time import ItemCount, stop_need
from recycling.units import clock_text
from recycling.usecases.field.visit_proof import most_fen
from recycling.usecases.queries.bookings import masked_address
from recycling.usecases.queries.map_links import links_to

NO_LINKS = {"navigation_url": None, "map_url": None, "geo_url": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How much of people a reader of a route may see.

    Parameters
    ----------
    places
        Whole addresses, access notes, photos and the links that lead to the door.
    phones
        Of how many of the next open pickups the phone number is whole; all others' are masked.
    """

    places: bool
    phones: int


def plan_route_sheet(
    plan_id: UUID, vehicle_key: str, *, district: District, session: Session, now: datetime
) -> dict[str, Any]:
    """A vehicle's route of any plan version, for the desk to print; phones are masked.

    Places are whole until the day is over: the desk prints the evening before, and afterwards nobody drives there.

    Raises
    ------
    NotFound
        When there is no such plan, or the vehicle has no route in it.
    """
    route = session.scalar(
        select(Route)
        .where(Route.plan_id == plan_id, Route.vehicle_key == vehicle_key)
        .options(joinedload(Route.plan).joinedload(Plan.published), selectinload(Route.stops), selectinload(Route.crew))
    )
    if route is None:
        raise NotFound(
            f"no route of {vehicle_key[:63]!r} in plan {plan_id}; GET /plans/{plan_id} lists its routes"
            " / 该计划中没有此车辆的路线"
        )
    sight = Sight(places=route.plan.day >= service_day(now), phones=0)
    return route_sheet(route, sight=sight, district=district, session=session)


def route_sheet(route: Route, *, sight: Sight, district: District, session: Session) -> dict[str, Any]:
    """A route in full: steps in sequence with clock and links, trips, what to bring, totals."""
    day, published = route.plan.day, route.plan.published
    bookings = bookings_of(route, session)
    photos, phones = _photos(bookings, session), _phones(bookings.values(), session)
    open_ones = [booking.id for booking in bookings.values() if booking.state == "booked"]
    callable_now = set(open_ones[: sight.phones])
    kinds = {row.key: row for row in district.catalogue.valid_on(day)}
    steps = []
    for stop in route.stops:
        step = _step(stop, district)
        if stop.booking_id is not None:
            booking = bookings[stop.booking_id]
            step["pickup"] = (
                _pickup(booking, kinds, district)
                | _call(booking, phones[booking.resident_id], in_full=booking.id in callable_now)
                | _door(booking, photos.get(booking.id, []), in_full=sight.places)
            )
            if sight.places:
                step |= _way(booking, stop.position)
        steps.append(step)
    return {
        "day": day,
        "note": None,
        "plan": {
            "id": route.plan_id,
            "version": route.plan.version,
            "published_at": None if published is None else published.published_at,
        },
        "changes": None,
        "vehicle_key": route.vehicle_key,
        "crew": [_collector(rider.collector_key, district) for rider in route.crew],
        "bring": _all_gear(step["pickup"] for step in steps if step["pickup"]),
        "steps": steps,
        "trips": trips_of(steps),
        "totals": {
            "pickups": len(bookings),
            "open": len(open_ones),
            "declared_g": sum(booking.declared_g for booking in bookings.values()),
            "declared_l": sum(booking.declared_l for booking in bookings.values()),
            "distance_m": route.distance_m,
            "travel_s": route.travel_s,
        },
    }


def trips_of(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Which pickups are loaded before which unload, and how much is then on board.

    The way home with an empty vehicle is no trip; one with a load ends at the home station and unloads there.
    """
    trips: list[dict[str, Any]] = []
    loaded: list[Mapping[str, Any]] = []
    for step in steps:
        if step["kind"] == "pickup":
            loaded.append(step)
        elif step["kind"] in ("unload", "end") and loaded:
            trips.append(
                {
                    "number": len(trips) + 1,
                    "booking_ids": [one["pickup"]["booking_id"] for one in loaded],
                    "first_position": loaded[0]["position"],
                    "last_position": loaded[-1]["position"],
                    # What is on board when the last one is loaded is what leaves the vehicle at the station.
                    "load_g": loaded[-1]["load_g"],
                    "load_l": loaded[-1]["load_l"],
                    "unload_position": step["position"],
                    "unload": step["arrival"],
                    "station": step["station"],
                }
            )
            loaded = []
    return trips


def bookings_of(route: Route, session: Session) -> dict[UUID, Booking]:
    """The bookings of a route, in the sequence of their stops."""
    wanted = [stop.booking_id for stop in route.stops if stop.booking_id is not None]
    found = {booking.id: booking for booking in session.scalars(select(Booking).where(Booking.id.in_(wanted)))}
    return {booking_id: found[booking_id] for booking_id in wanted}


def station_words(key: str | None, district: District) -> dict[str, str] | None:
    """A station's key and names; ``None`` where a step is at none, or at one that is gone since."""
    station = district.network.stations.get(key or "")
    if station is None:
        return None
    return {"key": station.key, "name_zh": station.name_zh, "name_en": station.name_en}


def _collector(key: str, district: District) -> dict[str, str]:
    known = district.network.collectors.get(key)  # somebody who has left since is shown by their key
    return {"key": key, "name_zh": known.name_zh if known else key, "name_en": known.name_en if known else key}


def _phones(bookings: Iterable[Booking], session: Session) -> Mapping[UUID, str]:
    residents = {booking.resident_id for booking in bookings}
    rows = session.execute(select(Resident.id, Resident.phone).where(Resident.id.in_(residents)))
    return {resident_id: phone for resident_id, phone in rows}  # noqa: C416  # a row is no tuple to the type checker


def _photos(booking_ids: Iterable[UUID], session: Session) -> Mapping[UUID, list[UUID]]:
    """The ids of the photos of each booking, oldest first."""
    found: dict[UUID, list[UUID]] = {}
    wanted = select(Photo.booking_id, Photo.id).where(Photo.booking_id.in_(list(booking_ids)))
    for booking_id, photo_id in session.execute(wanted.order_by(Photo.created_at, Photo.id)):
        found.setdefault(booking_id, []).append(photo_id)
    return found


def _step(stop: RouteStop, district: District) -> dict[str, Any]:
    station = district.network.stations.get(stop.station_key or "")
    return {
        "position": stop.position,
        "kind": stop.kind,
        "arrival_s": stop.arrival_s,
        "arrival": clock_text(stop.arrival_s),
        "estimated_arrival_s": None,  # what is printed or taken along does not change with the hour
        "start_s": stop.start_s,
        "start": clock_text(stop.start_s),
        "end_s": stop.end_s,
        "end": clock_text(stop.end_s),
        "load_g": stop.load_g,
        "load_l": stop.load_l,
        "station": station_words(stop.station_key, district),
        "pickup": None,
        # Where it is, as latitude and longitude; a pickup's only where its reader may know it.
        "point": station and (station.lat, station.lon),
        **(links_to(station.lat, station.lon, station.name_zh) if station else NO_LINKS),
    }


def _way(booking: Booking, position: int) -> dict[str, Any]:
    lat, lon = booking.place["lat"], booking.place["lon"]
    if lat is None:  # its resident has been erased
        return {}
    return {"point": (lat, lon)} | links_to(lat, lon, f"第{position}站")


def _call(booking: Booking, phone: str, *, in_full: bool) -> dict[str, Any]:
    return {"phone": phone if in_full else mask_phones(phone), "phone_in_full": in_full}


def _door(booking: Booking, photos: Sequence[UUID], *, in_full: bool) -> dict[str, Any]:
    place = booking.place
    return {
        "address": place["address"] if in_full else masked_address(place["address"]),
        "address_in_full": in_full,
        "note": place["note"] if in_full else "",
        "photo_count": len(photos),
        "photo_urls": [f"/photos/{photo_id}" for photo_id in photos] if in_full else [],
    }


def _pickup(booking: Booking, kinds: Mapping[str, ItemType], district: District) -> dict[str, Any]:
    """What of a booking every member of the crew may know, whatever the day."""
    network = district.network
    window, village = network.pickup_window(booking.pickup_window), network.village(booking.village_code)
    declared = {item.item_type: item.declared_units for item in booking.items if item.declared_units}
    return {
        "booking_id": booking.id,
        "state": booking.state,
        "window": window,
        "items": [_item(item, district) for item in booking.items],
        **_demands(booking, kinds, district),
        "floor": booking.floor,
        "has_lift": booking.has_lift,
        "village_code": village.code,
        "village_name_zh": village.name_zh,
        "town_name_zh": network.towns[village.town_key].name_zh,
        "declared_g": booking.declared_g,
        "declared_l": booking.declared_l,
        "high_fen": most_fen(booking, declared, district=district),
    }


def _demands(booking: Booking, kinds: Mapping[str, ItemType], district: District) -> dict[str, Any]:
    """What the booked items ask of a crew: skills, and things to bring. What was added at the door asks no more."""
    lines = []
    for item in booking.items:
        # A type that the catalogue ended before this day is still fetched: as its last row says.
        kind = kinds.get(item.item_type) or district.catalogue.latest(item.item_type)
        if item.declared_units:
            dismantle = item.dismantle and kind.dismantling
            lines.append(ItemCount(item_type=kind, quantity=item.declared_units, dismantle=dismantle))
    need = stop_need(lines, floor=booking.floor, lift=booking.has_lift, rule=district.service_time)
    gear = what_to_bring(district.gear, lines, skills=need.skills, on=booking.day)
    return {"skills": [_skill(key) for key in need.skills], "bring": [_gear(row) for row in gear]}


def _skill(key: str) -> dict[str, str]:
    name_zh, name_en = SKILL_WORDS[key]
    return {"key": key, "name_zh": name_zh, "name_en": name_en}


def _gear(row: Gear) -> dict[str, str]:
    return {"key": row.key, "name_zh": row.name_zh, "name_en": row.name_en}


def _all_gear(pickups: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the whole route asks to be brought, with how many of its stops ask for it; most asked for first."""
    found: dict[str, dict[str, Any]] = {}
    for pickup in pickups:
        for row in pickup["bring"]:
            found.setdefault(row["key"], row | {"stops": 0})["stops"] += 1
    return sorted(found.values(), key=lambda row: -int(row["stops"]))


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
