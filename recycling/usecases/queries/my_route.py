"""A collector's own route of a day (我的路线): what to fetch where, and no more of people than it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from recycling.clock import service_day
from recycling.errors import InvalidInput, NotFound
from recycling.models.booking import Booking
from recycling.models.plan import Plan, PublishedPlan, Route, RouteCrew, RouteStop
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.route_changes import PlannedStep, RouteChange, route_changes
from recycling.units import clock_text
from recycling.usecases.queries.arrivals import arrivals_of_vehicle
from recycling.usecases.queries.route_sheet import Sight, route_sheet, station_words

# The stop one is at and the one after it: whom a collector may have to call now (PIPL art. 6: no more than needed).
PHONES_IN_FULL = 2


def my_route(
    by: Principal,
    day: date,
    *,
    district: District,
    session: Session,
    now: datetime,
    seen_version: int | None = None,
) -> dict[str, Any]:
    """The caller's published route of a day: steps in sequence with their clock, pickups with items and access.

    On the service day itself a pickup shows its whole address, access note, photos and links that lead there, and the
    current and the next one the whole phone number; before and after that day all of it is masked. Without a route the
    list of steps is empty and ``note`` says why. Whoever names the version they have seen is told what differs.

    Raises
    ------
    InvalidInput
        When the day has no such version.
    """
    published = session.get(PublishedPlan, day)
    route = _route_of(by, session, PublishedPlan.day == day)
    if published is None or route is None:
        sheet = _nothing(day, published=published is not None)
    else:
        on_the_day = day == service_day(now)
        sight = Sight(places=on_the_day, phones=PHONES_IN_FULL if on_the_day else 0)
        sheet = route_sheet(route, sight=sight, district=district, session=session)
        if on_the_day:
            arrivals = arrivals_of_vehicle(route.vehicle_key, day, district=district, session=session, now=now)
            for step in sheet["steps"]:
                step["estimated_arrival_s"] = arrivals.get(step["position"])
    if seen_version is not None:
        seen = _seen_route(by, day, seen_version, session)
        # A day without a published plan has no version yet that anything could have changed to.
        sheet["changes"] = [] if published is None else _changes(seen, route, district=district, session=session)
    return sheet


def my_route_to_take_along(
    by: Principal, day: date, *, district: District, session: Session, now: datetime
) -> dict[str, Any]:
    """The same for a file or for paper, which may be lost: no phone number is whole.

    Raises
    ------
    NotFound
        When the caller has no published route that day.
    """
    route = _route_of(by, session, PublishedPlan.day == day)
    if route is None:
        raise NotFound(f"no published route of yours on {day} / {day} 没有已发布的你的路线")
    sight = Sight(places=day == service_day(now), phones=0)
    return route_sheet(route, sight=sight, district=district, session=session)


def my_way(by: Principal, day: date, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """The same for a navigator, which holds every door's point: on the day itself and at no other time.

    Raises
    ------
    NotFound
        When it is another day, or the caller has no published route then.
    """
    if day != service_day(now):
        raise NotFound(
            f"the points of {day} are given on that day itself; GET /my-route shows its steps now"
            f" / {day} 的坐标仅在当天提供，现在可用 GET /my-route 查看各站"
        )
    return my_route_to_take_along(by, day, district=district, session=session, now=now)


def _route_of(by: Principal, session: Session, *which: Any) -> Route | None:
    return session.scalar(
        select(Route)
        .join(PublishedPlan, PublishedPlan.plan_id == Route.plan_id)
        .join(RouteCrew, RouteCrew.route_id == Route.id)
        .where(RouteCrew.collector_key == by.collector_key, *which)
        .options(joinedload(Route.plan).joinedload(Plan.published), selectinload(Route.stops), selectinload(Route.crew))
    )


def _seen_route(by: Principal, day: date, version: int, session: Session) -> Route | None:
    """The caller's route in the version of the day that they have seen; they may have had none in it."""
    plan_id = session.scalar(select(Plan.id).where(Plan.day == day, Plan.version == version))
    if plan_id is None:
        raise InvalidInput(
            f"seen_version {version}: {day} has no such version; send the version of the plan you were shown, or leave"
            f" it out / {day} 没有第 {version} 版计划，请填写上次看到的版本或留空"
        )
    return session.scalar(
        select(Route)
        .join(RouteCrew, RouteCrew.route_id == Route.id)
        .where(Route.plan_id == plan_id, RouteCrew.collector_key == by.collector_key)
        .options(selectinload(Route.stops))
    )


def _changes(
    seen: Route | None, current: Route | None, *, district: District, session: Session
) -> list[dict[str, Any]]:
    stops = [*(seen.stops if seen else ()), *(current.stops if current else ())]
    places = _villages(stops, session, district)
    before, after = (dict(_keyed(route.stops if route else ())) for route in (seen, current))
    found = route_changes(*([_planned(key, stop) for key, stop in one.items()] for one in (before, after)))
    return [_change(change, before | after, places, district) for change in found]


def _keyed(stops: Iterable[RouteStop]) -> Iterable[tuple[str, RouteStop]]:
    """Each stop by what it is in every version: the booking, or which of its kind (the second unload)."""
    counts: Counter[str] = Counter()
    for stop in stops:
        counts[stop.kind] += 1
        yield (str(stop.booking_id) if stop.booking_id else f"{stop.kind} {counts[stop.kind]}"), stop


def _planned(key: str, stop: RouteStop) -> PlannedStep:
    return PlannedStep(key=key, position=stop.position, arrival_s=stop.arrival_s, station_key=stop.station_key)


def _villages(stops: Iterable[RouteStop], session: Session, district: District) -> Mapping[UUID, str]:
    wanted = {stop.booking_id for stop in stops if stop.booking_id is not None}
    rows = session.execute(select(Booking.id, Booking.village_code).where(Booking.id.in_(wanted)))
    return {booking_id: district.network.village(code).name_zh for booking_id, code in rows}


def _change(
    change: RouteChange, stops: Mapping[str, RouteStop], places: Mapping[UUID, str], district: District
) -> dict[str, Any]:
    stop = stops[change.key]
    return {
        "kind": change.kind,
        "step_kind": stop.kind,
        "booking_id": stop.booking_id,
        "village_name_zh": None if stop.booking_id is None else places[stop.booking_id],
        "before": _moment(change.before, district),
        "after": _moment(change.after, district),
    }


def _moment(step: PlannedStep | None, district: District) -> dict[str, Any] | None:
    if step is None:
        return None
    return {
        "position": step.position,
        "arrival_s": step.arrival_s,
        "arrival": clock_text(step.arrival_s),
        "station": station_words(step.station_key, district),
    }


def _nothing(day: date, *, published: bool) -> dict[str, Any]:
    note = (
        f"{day} 没有分配给你的路线，如有疑问请联系调度 / no route is yours on {day}; ask the dispatcher if unsure"
        if published
        else f"{day} 的路线尚未发布 / the routes of {day} are not published yet"
    )
    totals = dict.fromkeys(("pickups", "open", "declared_g", "declared_l", "distance_m", "travel_s"), 0)
    nothing = {"note": note, "plan": None, "changes": None, "vehicle_key": None}
    return {"day": day, **nothing, "crew": [], "bring": [], "steps": [], "trips": [], "totals": totals}
