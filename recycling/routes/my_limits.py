"""What the resident who asks may still book (我的预约限额)."""

from __future__ import annotations

from typing import Any

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.limits import MyLimitsSchema
from recycling.usecases.queries.my_limits import my_limits

bp = GuardedBlueprint(
    "my_limits", __name__, roles=("resident",), url_prefix="/my-limits",
    description="我的预约限额 / how much a resident may still book",
)  # fmt: skip


@bp.get("")
@bp.response(200, MyLimitsSchema)
def show_my_limits() -> dict[str, Any]:
    """Show live bookings of how many, no-shows, and what follows from them (我的预约限额)."""
    return my_limits(by=principal(), district=district(), session=db.session(), now=utc_now())
