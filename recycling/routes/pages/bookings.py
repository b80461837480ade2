"""The resident's bookings, newest first."""

from __future__ import annotations

from typing import Any

from flask import render_template

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import principal
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.schemas.fields import Schema, Text
from recycling.usecases.queries.arrivals import progress_path
from recycling.usecases.queries.bookings import list_bookings, own_addresses

bp = PageBlueprint("page_bookings", __name__, roles=("resident",), url_prefix="/pages/bookings")

ON_A_PAGE = 20


class CursorQuery(Schema):
    """Where the page begins."""

    cursor = Text(most=400, load_default=None)


@bp.get("")
@bp.arguments(CursorQuery, location="query")
def show(wanted: dict[str, Any]) -> str:
    """Show the resident's bookings."""
    found = list_bookings(by=principal(), session=db.session(), limit=ON_A_PAGE, cursor=wanted["cursor"])
    facts = district()
    return render_template(
        "bookings.html",
        bookings=found["bookings"],
        addresses=own_addresses([row["id"] for row in found["bookings"]], by=principal(), session=db.session()),
        progress={row["id"]: progress_path(row["id"], row["day"], now=utc_now()) for row in found["bookings"]},
        next_cursor=found["next_cursor"],
        network=facts.network,
        name_of=facts.catalogue.latest,
    )
