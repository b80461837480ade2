"""The collector's own route of a day (我的路线): to read, to drive by, to print."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.routes.context import district, tagged_by_content
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.printing import PDF, pdf_answer
from recycling.routes.schemas.my_route import MyRouteDaySchema, MyRouteFilterSchema, MyRouteSchema
from recycling.usecases.queries import my_route as queries
from recycling.usecases.queries.route_gpx import route_gpx

bp = GuardedBlueprint(
    "my_route", __name__, roles=("collector",), description="我的路线 / the collector's own route"
)  # fmt: skip


@bp.get("/my-route")
@bp.arguments(MyRouteFilterSchema, location="query")
@tagged_by_content
@bp.alt_response(304, description="Unchanged since the ETag named in If-None-Match")
@bp.response(200, MyRouteSchema)
def show_my_route(wanted: dict[str, Any]) -> dict[str, Any]:
    """Show my published route of a day, today when none is named, and what changed since a version seen (我的路线)."""
    now = utc_now()
    day = wanted.pop("day", service_day(now))
    return queries.my_route(principal(), day, district=district(), session=db.session(), now=now, **wanted)


@bp.get("/my-route.gpx")
@bp.arguments(MyRouteDaySchema, location="query")
@bp.response(200, {"type": "string"}, content_type="application/gpx+xml", description="GPX 1.1, WGS-84")
def export_my_route(wanted: dict[str, date]) -> Response:
    """Export the points of my route for a navigator, on the day itself (导出路线轨迹点)."""
    now = utc_now()
    day = wanted.get("day", service_day(now))
    sheet = queries.my_way(principal(), day, district=district(), session=db.session(), now=now)
    headers = {"Content-Disposition": f'attachment; filename="route-{day}-{sheet["vehicle_key"]}.gpx"'}
    return Response(route_gpx(sheet, now=now), content_type="application/gpx+xml", headers=headers)


@bp.get("/my-route.pdf")
@bp.arguments(MyRouteDaySchema, location="query")
@bp.alt_response(501, "Problem")
@bp.response(200, PDF, content_type="application/pdf", description="A4, to take along")
def print_my_route(wanted: dict[str, date]) -> Response:
    """Print my route on A4; phones stay masked, for paper gets lost (打印路线单)."""
    now = utc_now()
    day = wanted.get("day", service_day(now))
    sheet = queries.my_route_to_take_along(principal(), day, district=district(), session=db.session(), now=now)
    return pdf_answer(sheet, now=now)
