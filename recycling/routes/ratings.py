"""Ratings of visits (评价): a resident's own, and figures of many for dispatchers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.rating import Rating
from recycling.routes.context import configured
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.ratings import MonthFilterSchema, RateVisitSchema, RatingFiguresSchema, RatingSchema
from recycling.usecases.bookings.rate_visit import Verdict, rate_visit
from recycling.usecases.queries.ratings import rating_figures

bp = GuardedBlueprint("ratings", __name__, roles=("resident",), description="评价 / what residents say of their visits")
figures_bp = GuardedBlueprint(
    "rating_figures", __name__, roles=("dispatcher", "admin"), url_prefix="/rating-figures",
    description="评价统计 / what enough residents said of collectors and stations",
)  # fmt: skip


@bp.put("/bookings/<uuid:booking_id>/rating")
@bp.arguments(RateVisitSchema)
@bp.response(200, RatingSchema)
def put_rating(said: Verdict, booking_id: UUID) -> Rating:
    """Rate a visit, or change the rating; needs no If-Match, since the last word is what counts (评价上门)."""
    return rate_visit(booking_id, said, by=principal(), district=configured(), session=db.session(), now=utc_now())


@figures_bp.get("")
@figures_bp.arguments(MonthFilterSchema, location="query")
@figures_bp.response(200, RatingFiguresSchema)
def show_figures(wanted: dict[str, str]) -> dict[str, Any]:
    """Show what residents said of a month's visits, where enough did and none can change it any more (评价统计)."""
    return rating_figures(wanted["month"], district=configured(), session=db.session(), now=utc_now())
