"""When we come, for whoever has the link: no sign-in, nothing of people, and a page that looks again by itself."""

from __future__ import annotations

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.pages.guard import PageBlueprint, visitor
from recycling.usecases.queries.arrivals import tracking

bp = PageBlueprint("page_track", __name__, roles=None, url_prefix="/pages/track")


@bp.get("/<token>")
def show(token: str) -> str:
    """Show the visit that a link names."""
    visitor()
    now = utc_now()
    found = tracking(token, district=district(), session=db.session(), now=now)
    return render_template("mine/track.html", visit=found, running=found["day"] == service_day(now))
