"""The running day (当日动态): the dispatcher's board, a resident's link, a van's place."""

from __future__ import annotations

from datetime import date
from typing import Any

from recycling.clock import utc_now
from recycling.errors import NotFound
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.arrivals import LiveDaySchema, PositionKeptSchema, PositionSchema, TrackingSchema
from recycling.usecases.live.share_position import Position, share_position
from recycling.usecases.queries.arrivals import day_board, tracking

board_bp = GuardedBlueprint(
    "live_days", __name__, roles=("dispatcher", "admin"), url_prefix="/service-days",
    description="当日动态 / a running day: vehicles, open stops, who is late",
)  # fmt: skip
tracking_bp = GuardedBlueprint(
    "tracking", __name__, roles=None, url_prefix="/tracking",
    description="上门进度 / when we come, by a signed link without a sign-in",
)  # fmt: skip
position_bp = GuardedBlueprint(
    "my_position", __name__, roles=("collector",), url_prefix="/my-position",
    description="途中位置 / where the van is while somebody waits for it",
)  # fmt: skip


@board_bp.get("/<day>/live")
@board_bp.response(200, LiveDaySchema)
def show_live_day(day: str) -> dict[str, Any]:
    """Show what each vehicle does and every open stop, the latest first (当日动态)."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise NotFound(f"no service day {day[:20]!r}; write it as 2026-11-24 / 没有该服务日") from None
    return day_board(wanted, district=district(), session=db.session(), now=utc_now())


@tracking_bp.get("/<token>")
@tracking_bp.response(200, TrackingSchema)
def show_tracking(token: str) -> dict[str, Any]:
    """Show when we come to the booking that a link names (上门进度)."""
    return tracking(token, district=district(), session=db.session(), now=utc_now())


@position_bp.put("")
@position_bp.arguments(PositionSchema)
@position_bp.response(200, PositionKeptSchema)
def put_position(position: Position) -> dict[str, bool]:
    """Say where the van is; kept only on the way to a booking, the last place only (上报途中位置)."""
    return {"kept": share_position(position, by=principal(), session=db.session(), now=utc_now())}
