"""Price estimates and preparation (估价与上门前准备)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.estimates import EstimateWishSchema, PreparationSchema, PriceEstimateSchema
from recycling.usecases.queries.estimates import EstimateWish, booking_preparation, price_estimate

# Open: people ask what it brings before they give their number, and nothing they send says who they are.
bp = GuardedBlueprint(
    "price_estimates",
    __name__,
    roles=None,
    url_prefix="/price-estimates",
    description="估价 / what items may bring or cost, nothing kept",
)
preparation_bp = GuardedBlueprint(
    "preparation",
    __name__,
    roles=("resident", "dispatcher", "admin"),
    description="上门前准备 / what to prepare for a visit",
)


@bp.post("")
@bp.arguments(EstimateWishSchema)
@bp.response(200, PriceEstimateSchema)
def estimate_price(wish: EstimateWish) -> dict[str, Any]:
    """Estimate what items bring or cost, with reasons and what to prepare; nothing is kept (估价)."""
    return price_estimate(wish, district=district(), now=utc_now())


@preparation_bp.get("/bookings/<uuid:booking_id>/preparation")
@preparation_bp.response(200, PreparationSchema)
def show_preparation(booking_id: UUID) -> dict[str, Any]:
    """Show what to prepare for a booking's visit, and what is dangerous (上门前准备)."""
    return booking_preparation(booking_id, by=principal(), district=district(), session=db.session())
