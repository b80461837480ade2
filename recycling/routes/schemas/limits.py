"""A resident's limits as they go out."""

from __future__ import annotations

from marshmallow import fields

from recycling.routes.schemas.fields import Schema


class MyLimitsSchema(Schema):
    """Where a resident stands against each limit."""

    live = fields.Integer(required=True, metadata={"description": "有效预约数（含占位）/ live bookings and holds"})
    live_most = fields.Integer(required=True)
    live_most_per_address = fields.Integer(required=True)
    live_days = fields.List(fields.Date(), required=True)
    no_shows = fields.Integer(required=True, metadata={"description": "计入的无人应答次数 / no-shows that count now"})
    no_shows_free = fields.Integer(required=True, allow_none=True)
    short_notice_until = fields.Date(required=True, allow_none=True)
    short_notice_days = fields.List(fields.Date(), required=True, allow_none=True)
    note_zh = fields.String(required=True, allow_none=True)
    note_en = fields.String(required=True, allow_none=True)
