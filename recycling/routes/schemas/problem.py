"""The form of every failure."""

from __future__ import annotations

from marshmallow import fields

from recycling.routes.schemas.fields import Schema


class RowErrorSchema(Schema):
    """What is wrong with one cell of a table that was sent."""

    line = fields.Integer(required=True, metadata={"description": "行号 / line of the file, from 1"})
    column = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class HitBookingSchema(Schema):
    """A booking that a change of fleet or calendar leaves without a place."""

    booking_id = fields.UUID(required=True)
    day = fields.Date(required=True)
    pickup_window = fields.String(required=True)
    state = fields.String(required=True)


class ProblemSchema(Schema):
    """RFC 9457 problem details, with a stable code, whether a retry may help, and the request's id."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    retryable = fields.Boolean(required=True)
    request_id = fields.String(required=True)
    fields_ = fields.Dict(data_key="fields")
    errors = fields.List(fields.Nested(RowErrorSchema), metadata={"description": "逐行错误 / of a table, 100 at most"})
    error_count = fields.Integer(metadata={"description": "错误总数 / all of them"})
    server_time = fields.AwareDateTime(
        metadata={"description": "服务器时间 / our clock, when a device proof's instant is too far from it"}
    )
    bookings = fields.List(
        fields.Nested(HitBookingSchema),
        metadata={"description": "受影响的预约 / promises that a change leaves without a place"},
    )
    can_stand = fields.Boolean(
        metadata={"description": "可否仍然登记 / whether the change can be recorded all the same, with even_unplaced"}
    )
    stored_bytes = fields.Integer(metadata={"description": "已存字节数 / where to go on with the parts of a file"})
