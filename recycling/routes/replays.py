"""Replays of past days (回放): the same bytes for the same instant, whenever they are asked for."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response
from marshmallow import fields

from recycling.clock import utc_now
from recycling.errors import NotFound
from recycling.extensions import db
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.schemas.fields import Instant, Schema
from recycling.usecases.queries.replay import replay

bp = GuardedBlueprint(
    "replays", __name__, roles=("clerk", "dispatcher", "admin"), url_prefix="/replays",
    description="回放 / a past day as it was known at an instant",
)  # fmt: skip


class ReplayFilterSchema(Schema):
    """As of which instant; now when left out."""

    as_of = Instant(metadata={"description": "截至时刻 / what was known then", "example": "2026-11-24T20:00:00+08:00"})


class KnownDaySchema(Schema):
    """What was known of a day: ids, town-level units, item types and times, nothing of people."""

    day = fields.Date(required=True)
    as_of = fields.AwareDateTime(required=True)
    bookings = fields.List(fields.Dict(), required=True)
    plans = fields.List(fields.Dict(), required=True)
    disruptions = fields.List(fields.Dict(), required=True)
    broken_promises = fields.List(fields.Dict(), required=True)
    field_events = fields.List(fields.Dict(), required=True)
    tickets = fields.List(fields.Dict(), required=True)
    reports = fields.List(fields.Dict(), required=True)


class ReplaySchema(Schema):
    """A replay and the SHA-256 of its canonical form: keys sorted, no spaces, UTF-8."""

    replay = fields.Nested(KnownDaySchema, required=True)
    sha256 = fields.String(required=True)


@bp.get("/<day>")
@bp.arguments(ReplayFilterSchema, location="query")
@bp.response(200, ReplaySchema)
def show_replay(wanted: dict[str, Any], day: str) -> Response:
    """Show what was known of a day at an instant, the plans made, what happened, the report that came out (回放)."""
    try:
        of_day = date.fromisoformat(day)
    except ValueError:
        raise NotFound(f"no day {day[:20]!r}; write it as 2026-11-24 / 没有该日期") from None
    found = replay(of_day, session=db.session(), now=utc_now(), as_of=wanted.get("as_of"))
    return Response(found, content_type="application/json")
