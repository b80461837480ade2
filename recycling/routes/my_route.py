"""The collector's own route of a day (我的路线)."""

from __future__ import annotations

from datetime import date
from typing import Any

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.my_route import MyRouteFilterSchema, MyRouteSchema
from recycling.usecases.queries.my_route import my_route

bp = GuardedBlueprint(
    "my_route",
    __name__,
    roles=("collector",),
    url_prefix="/my-route",
    description="我的路线 / the collector's own route",
)


@bp.get("")
@bp.arguments(MyRouteFilterSchema, location="query")
@bp.response(200, MyRouteSchema)
def show_my_route(wanted: dict[str, date]) -> dict[str, Any]:
    """Show my published route of a day, today when none is named (我的路线)."""
    now = utc_now()
    return my_route(
        principal(), wanted.get("day", service_day(now)), district=district(), session=db.session(), now=now
    )
