"""What comes to a keeper's scale (今日来车)."""

from __future__ import annotations

from datetime import date
from typing import Any

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.expected_trips import ExpectedTripListSchema, ExpectedTripsFilterSchema
from recycling.usecases.queries import expected_trips as queries

bp = GuardedBlueprint(
    "expected_trips",
    __name__,
    roles=("keeper",),
    url_prefix="/expected-trips",
    description="今日来车 / trips on their way to the own station's scale",
)


@bp.get("")
@bp.arguments(ExpectedTripsFilterSchema, location="query")
@bp.response(200, ExpectedTripListSchema)
def list_expected(wanted: dict[str, date | None]) -> dict[str, Any]:
    """List the trips that are weighed in at the own station, what is there first; nothing of residents (来车列表)."""
    return queries.expected_trips(
        wanted["day"], by=principal(), district=district(), session=db.session(), now=utc_now()
    )
