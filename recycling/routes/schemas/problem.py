"""The form of every failure."""

from __future__ import annotations

from marshmallow import fields

from recycling.routes.schemas.fields import Schema


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
