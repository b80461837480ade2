"""Recovered figures (回收量), day by day."""

from __future__ import annotations

from typing import Any

from recycling.extensions import db
from recycling.routes.context import configured
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.schemas.figures import RecoveredFilterSchema, RecoveredListSchema
from recycling.usecases.queries import recovered as queries

bp = GuardedBlueprint(
    "recovered",
    __name__,
    roles=("clerk", "dispatcher", "admin"),
    url_prefix="/recovered",
    description="回收量 / daily figures rebuilt from tickets",
)


@bp.get("")
@bp.arguments(RecoveredFilterSchema, location="query")
@bp.response(200, RecoveredListSchema)
def list_recovered(wanted: dict[str, Any]) -> dict[str, Any]:
    """List daily figures by station, town-level unit and item type; each leads to its tickets (日回收量)."""
    return queries.list_recovered(district=configured(), session=db.session(), **wanted)
