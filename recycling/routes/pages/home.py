"""The first page: what this is, and where each person goes from here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.transaction import DATABASE_ERRORS
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routes.context import configured, district
from recycling.routes.pages.guard import PageBlueprint, visitor
from recycling.routes.pages.screens import API, SCREENS, Screen
from recycling.usecases.queries.bookings import open_days

bp = PageBlueprint("home", __name__, roles=None)


@bp.get("/")
def show() -> str:
    """Show the home page."""
    viewer = visitor()
    facts, today = configured(), service_day(utc_now())
    return render_template(
        "home.html",
        tiles=_tiles(viewer),
        today=today,
        open_days=_open_days(facts),
        stations=facts.network.stations.values(),
        windows=facts.network.pickup_windows.values(),
        village_count=len(facts.network.villages),
        town_count=len(facts.network.towns),
        type_count=len(facts.catalogue.valid_on(today)),
    )


def _tiles(viewer: Principal | None) -> Sequence[Screen]:
    """Where somebody goes from here; residents write no programs, and find the API below every page."""
    if viewer is None:
        return ()
    return SCREENS[viewer.role] if viewer.role == "resident" else (*SCREENS[viewer.role], API)


def _open_days(facts: District) -> Sequence[date]:
    """The days that can be booked; while the database is away those of the calendar, so that the way in stays open."""
    now = utc_now()
    try:
        return open_days(district=district(), session=db.session(), now=now)
    except DATABASE_ERRORS:
        return facts.booking_rules.bookable_days(now=now, calendar=facts.calendar)
