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
    stored_bytes = fields.Integer(metadata={"description": "已存字节数 / where to go on with the parts of a file"})
