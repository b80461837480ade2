"""When we come (预计到达): of a day, of one vehicle, of one booking; and what whoever holds a link may see of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import NotFound
from recycling.models.booking import Booking, BookingState
from recycling.models.plan import PublishedPlan, Unassigned
from recycling.models.position import VehiclePosition
from recycling.policy.access import Principal
from recycling.policy.arrival_estimates import StepEstimate
from recycling.policy.district import District
from recycling.units import clock_text, instant_at
from recycling.usecases.live.late_visits import told_s
from recycling.usecases.live.links import GOOD_AFTER_DAY, public_address, tracked_booking, tracking_path
from recycling.usecases.live.live_routes import LiveBooking, RunningRoute, live_route_of, live_routes
from recycling.usecases.live.share_position import position_towards, positions_on_the_way

SHOWN_DECIMALS = 4  # of a degree, some ten metres: on the dispatcher's map
# What a link says of a visit, from the booking to its end.
TrackingState = Literal[
    "booked", "planned", "left_out", "waiting", "on_the_way", "at_door", "delayed", "no_record", "collected",
    "partly_collected", "failed", "cancelled",
]  # fmt: skip
TRACKING_STATES: tuple[TrackingState, ...] = get_args(TrackingState)
ENDS: dict[BookingState, TrackingState] = {
    "collected": "collected", "partly_collected": "partly_collected", "failed": "failed", "cancelled": "cancelled",
}  # fmt: skip


def day_board(day: date, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """The dispatcher's board: what each vehicle does, and every open stop, the latest first.

    Stops of a vehicle that stands come before all others: nobody is coming to them.
    """
    published = session.get(PublishedPlan, day)
    routes = live_routes(session, day, district=district, now=now)
    points = _points({booking.id for route in routes for booking in _open(route)}, session)
    stops = [
        _stop(route, booking, district) | {"point": points.get(booking.id)}
        for route in routes
        for booking in _open(route)
    ]
    places = positions_on_the_way(session, now=now)
    stops.sort(key=lambda stop: (stop["start_s"] is not None, -stop["late_s"], stop["planned_s"], stop["booking_id"]))
    return {
        "day": day,
        "as_of": now,
        "published_at": None if published is None else published.published_at,
        "vehicles": [_vehicle(route, places.get(route.vehicle_key), district) for route in routes],
        "stops": stops,
    }


def arrivals_of_vehicle(
    vehicle_key: str, day: date, *, district: District, session: Session, now: datetime
) -> dict[int, int]:
    """Estimated arrival at each open step of a vehicle's route, in seconds after midnight, by the step's number."""
    found = live_routes(session, day, district=district, now=now, vehicle_key=vehicle_key)
    return {one.number: one.arrival_s for route in found for one in route.estimate.steps}


def expected_at(booking: Booking, *, district: District, session: Session, now: datetime) -> dict[str, Any] | None:
    """Between when service is expected to start at a booking, on its day while its visit is open; else ``None``."""
    if booking.day != service_day(now) or booking.state != "booked":
        return None
    route = live_route_of(session, booking.id, booking.day, district=district, now=now)
    one = None if route is None else route.estimate.of(booking.id)
    return None if one is None else _interval(one)


def for_its_resident(
    booking: Booking, *, by: Principal, district: District, session: Session, now: datetime
) -> dict[str, Any]:
    """What a resident reads of a booking of theirs beside it: the link to its progress, and when we come."""
    if by.role != "resident" or booking.state == "held":
        return {"tracking_url": None, "expected": None}
    path = progress_path(booking.id, booking.day, now=now)
    return {
        "tracking_url": None if path is None else public_address.of(path) or path,
        "expected": expected_at(booking, district=district, session=session, now=now),
    }


def progress_path(booking_id: UUID, day: date, *, now: datetime) -> str | None:
    """The address of the page on which a booking is followed; ``None`` when its day is too long over."""
    return tracking_path(booking_id, day) if service_day(now) <= day + GOOD_AFTER_DAY else None


def tracking(token: str, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """What a link shows of a visit: its window, its state, when we come; the van only while it is on its way there.

    Raises
    ------
    NotFound
        For a token that is not ours, is over, or names nothing any more: alike, so that trying tells nothing.
    """
    booking_id = tracked_booking(token, today=service_day(now))
    booking = None if booking_id is None else session.get(Booking, booking_id)
    if booking is None or booking.state == "held":
        raise NotFound(
            "this link leads nowhere; use the newest one that we sent, or sign in to see your pickup"
            " / 链接无效或已过期，请使用最新短信中的链接，或登录查看预约"
        )
    return progress_of(booking, district=district, session=session, now=now)


def progress_of(booking: Booking, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """What is to be seen of a booking's visit by those who may follow it; see `tracking`."""
    route = live_route_of(session, booking.id, booking.day, district=district, now=now)
    state = _tracking_state(booking, route, session=session, now=now)
    one = None if route is None or booking.state != "booked" else route.estimate.of(booking.id)
    running = state in ("waiting", "on_the_way")
    window = district.network.pickup_window(booking.pickup_window)
    return {
        "day": booking.day,
        "window": window,
        "state": state,
        "told_s": None if route is None or booking.state != "booked" else told_s(route, booking.id),
        "expected": _interval(one) if one is not None and running else None,
        "no_word": route is not None and route.estimate.no_word and running,
        "stops_before": route.estimate.stops_before(booking.id) if route is not None and running else None,
        "vehicle_key": route.vehicle_key if route is not None and state in ("on_the_way", "at_door") else None,
        "van": _van(booking.id, session=session, now=now) if state == "on_the_way" else None,
        "contact_zh": district.privacy.head.contact_zh,
        "contact_en": district.privacy.head.contact_en,
        "as_of": now,
    }


def _tracking_state(booking: Booking, route: RunningRoute | None, *, session: Session, now: datetime) -> TrackingState:
    if booking.state in ENDS:
        return ENDS[booking.state]
    today = service_day(now)
    if booking.day < today:
        return "no_record"
    if route is None:
        listed = select(Unassigned.booking_id).join(PublishedPlan, PublishedPlan.plan_id == Unassigned.plan_id)
        left_out = session.scalar(listed.where(PublishedPlan.day == booking.day, Unassigned.booking_id == booking.id))
        return "booked" if left_out is None else "left_out"
    if booking.day > today:
        return "planned"
    return _running_state(booking.id, route)


def _running_state(booking_id: UUID, route: RunningRoute) -> TrackingState:
    one = route.estimate.of(booking_id)
    if one is None:
        return "delayed"
    if one.under_way:
        return "at_door"
    return "on_the_way" if route.state.heading_to == booking_id and route.state.doing == "driving" else "waiting"


def _van(booking_id: UUID, *, session: Session, now: datetime) -> dict[str, Any] | None:
    position = position_towards(booking_id, session=session, now=now)
    if position is None:
        return None
    lat, lon = position.point["lat"], position.point["lon"]
    map_url = f"https://uri.amap.com/marker?position={lon},{lat}&coordinate=wgs84"
    return position.point | {"at": position.made_at, "map_url": map_url}


def _interval(one: StepEstimate) -> dict[str, Any]:
    return {
        "earliest_s": one.earliest_s, "earliest": clock_text(one.earliest_s),
        "latest_s": one.latest_s, "latest": clock_text(one.latest_s),
    }  # fmt: skip


def _open(route: RunningRoute) -> list[LiveBooking]:
    return [booking for booking in route.bookings.values() if booking.state == "booked"]


def _stop(route: RunningRoute, booking: LiveBooking, district: District) -> dict[str, Any]:
    one = route.estimate.of(booking.id)
    village = district.network.village(booking.village_code)
    window = district.network.pickup_window(booking.pickup_window)
    planned_s = next(step.start_s for step in route.steps if step.booking_id == booking.id)
    return {
        "booking_id": booking.id,
        "vehicle_key": route.vehicle_key,
        "village_name_zh": village.name_zh,
        "town_name_zh": district.network.towns[village.town_key].name_zh,
        "window": window,
        "planned_s": planned_s,
        "start_s": None if one is None else one.start_s,
        "expected": None if one is None else _interval(one),
        "late_s": 0 if one is None else one.late_s,
        "late_min": 0 if one is None else -(-one.late_s // 60),
        "under_way": one is not None and one.under_way,
        "stops_before": route.estimate.stops_before(booking.id),
    }


def _points(ids: Collection[UUID], session: Session) -> dict[UUID, dict[str, float]]:
    """Where visits are, as near as a map of the district shows it; without those whose place is erased."""
    rows = session.execute(select(Booking.id, Booking.place).where(Booking.id.in_(ids))) if ids else ()
    return {
        row.id: {name: round(row.place[name], SHOWN_DECIMALS) for name in ("lat", "lon")}
        for row in rows
        if row.place["lat"] is not None
    }


def _vehicle(route: RunningRoute, position: VehiclePosition | None, district: District) -> dict[str, Any]:
    estimate, state = route.estimate, route.state
    ahead = next((one for one in estimate.steps if not one.under_way), None)
    vehicle = district.network.vehicles.get(route.vehicle_key)
    shown = position is not None and position.booking_id == state.heading_to
    return {
        "vehicle_key": route.vehicle_key,
        "position": position.point | {"at": position.made_at} if position is not None and shown else None,
        "station_key": None if vehicle is None else vehicle.station_key,
        "doing": state.doing,
        "since": state.since,
        "drives": state.drives,
        "no_word": estimate.no_word,
        "stands": estimate.stands,
        "heading_to": state.heading_to,
        "next_kind": None if ahead is None else ahead.step.kind,
        "next_booking_id": None if ahead is None else ahead.step.booking_id,
        "next_at": None if ahead is None else instant_at(route.day, ahead.arrival_s),
        "lateness_s": estimate.lateness_s,
        "done": len(route.bookings) - len(_open(route)),
        "open": len(_open(route)),
    }
