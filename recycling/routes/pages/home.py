"""The first page: what this is, and where each person goes from here."""

from __future__ import annotations

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.policy.access import ROLES, Role
from recycling.routes.context import district
from recycling.routes.pages.guard import PageBlueprint, visitor

bp = PageBlueprint("home", __name__, roles=None)

# Address, Chinese, English, what one finds there.
Tile = tuple[str, str, str, str]
API: Tile = ("/api/docs", "接口文档", "API", "全部功能的接口 / everything, for other programs")
TILES: dict[Role, tuple[Tile, ...]] = dict.fromkeys(ROLES, (API,))


@bp.get("/")
def show() -> str:
    """Show the home page."""
    viewer = visitor()
    facts, today = district(), service_day(utc_now())
    return render_template(
        "home.html",
        tiles=TILES[viewer.role] if viewer is not None else (),
        today=today,
        bookable_days=facts.booking_rules.bookable_days(now=utc_now(), calendar=facts.calendar),
        stations=facts.network.stations.values(),
        windows=facts.network.pickup_windows.values(),
        village_count=len(facts.network.villages),
        town_count=len(facts.network.towns),
        type_count=len(facts.catalogue.valid_on(today)),
    )
