"""Service days (服务日) as the dispatcher sees them: how full, and what would open them."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import fields

from recycling.clock import utc_now
from recycling.errors import NotFound
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.schemas.fields import Schema
from recycling.usecases.queries.day_room import day_room

bp = GuardedBlueprint(
    "service_days", __name__, roles=("dispatcher", "admin"), url_prefix="/service-days",
    description="服务日 / how full a day is, and what would open it",
)  # fmt: skip


class GainSchema(Schema):
    """What one change of the fleet would add to a day."""

    kind = fields.String(required=True, metadata={"description": "van, crew_hour, trip, skills"})
    station_key = fields.String(required=True, allow_none=True)
    visits = fields.Integer(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class DayRoomSchema(Schema):
    """How full a day is: of ``asked`` usual visits it still takes ``takes``; all of them means at least so many."""

    day = fields.Date(required=True)
    closed = fields.Boolean(required=True)
    promised = fields.Integer(required=True)
    vehicles_out = fields.Integer(required=True)
    vehicles = fields.Integer(required=True)
    takes = fields.Integer(required=True)
    asked = fields.Integer(required=True)
    gains = fields.List(fields.Nested(GainSchema), required=True)


@bp.get("/<day>/room")
@bp.response(200, DayRoomSchema)
def show_room(day: str) -> dict[str, Any]:
    """Show how full a day is and what one more van, hour or trip would add (当日余量)."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise NotFound(f"no service day {day[:20]!r}; write it as 2026-11-24 / 没有该服务日") from None
    return day_room(wanted, district=district(), session=db.session(), now=utc_now())
