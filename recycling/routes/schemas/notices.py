"""Which messages a resident takes."""

from __future__ import annotations

from marshmallow import fields

from recycling.routes.schemas.fields import Flag, Schema


class ChangeNoticesSchema(Schema):
    """Whether to send reminders and advice from now on."""

    reminders = Flag(required=True, metadata={"description": "是否接收提醒 / take reminders and advice"})


class NoticesSchema(Schema):
    """What the resident chose, and which kinds of messages it is about; the others come in any case."""

    reminders = fields.Boolean(required=True)
    declined_at = fields.AwareDateTime(required=True, allow_none=True, format="iso")
    optional_kinds = fields.List(fields.String(), required=True)
    always_kinds = fields.List(fields.String(), required=True)
