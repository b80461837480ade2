"""The day's plan: what each station's vehicles do, and which bookings stay behind and why."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.errors import NotFound
from recycling.extensions import db
from recycling.policy.network import Network
from recycling.routes.context import district
from recycling.routes.pages.day import DayQuery, day_after, day_before
from recycling.routes.pages.guard import PageBlueprint
from recycling.usecases.queries.plans import overtaken_by, plan_in_full, plan_of_day, route_figures

bp = PageBlueprint("page_plan", __name__, roles=("dispatcher", "admin"), url_prefix="/pages/plan")

SUMMED = ("pickups", "unloads", "carried_g", "distance_m", "travel_s")


@bp.get("")
@bp.arguments(DayQuery, location="query")
def show(wanted: dict[str, date | None]) -> str:
    """Show the published plan of a day, else its newest version; tomorrow's when no day is named."""
    now = utc_now()
    network, today = district().network, service_day(now)
    day = wanted["day"] or day_after(today) or today
    plan, changes = None, None
    try:
        plan_id = plan_of_day(day, session=db.session())
    except NotFound:
        pass  # the page says so
    else:
        plan = plan_in_full(plan_id, session=db.session())
        changes = overtaken_by(plan_id, district=district(), session=db.session(), now=now)
    stations = [] if plan is None else _stations(plan["routes"], network)
    return render_template(
        "plan.html",
        plan=plan,
        changes=changes,
        stations=stations,
        totals=_sum([line for _, lines in stations for line in lines]),
        day=day,
        today=today,
        before=day_before(day),
        after=day_after(day),
    )


def _stations(routes: list[dict[str, Any]], network: Network) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Every station with a line per route that begins there; a station without one is shown as such.

    A vehicle that has left the configuration since keeps its line, under no station.
    """
    homes: dict[str | None, list[dict[str, Any]]] = {key: [] for key in network.stations}
    for route in routes:
        vehicle = network.vehicles.get(route["vehicle_key"])
        homes.setdefault(vehicle.station_key if vehicle is not None else None, []).append(_line(route, network))
    return [(network.stations.get(key or ""), lines) for key, lines in homes.items()]


def _line(route: dict[str, Any], network: Network) -> dict[str, Any]:
    crew = [network.collectors.get(key) for key in route["crew"]]
    return {
        "vehicle_key": route["vehicle_key"],
        "crew": [known.name_zh if known else key for known, key in zip(crew, route["crew"], strict=True)],
    } | route_figures(route)


def _sum(lines: list[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(line[name] for line in lines) for name in SUMMED}
