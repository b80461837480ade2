"""Pictures of tickets as they are listed."""

from __future__ import annotations

from marshmallow import fields

from recycling.routes.schemas.fields import Schema


class TicketPhotoSchema(Schema):
    """One picture; it is itself at ``GET /ticket-photos/{id}``."""

    id = fields.UUID(required=True)
    ticket_id = fields.UUID(required=True)
    sha256 = fields.String(required=True, metadata={"description": "照片内容摘要 / of the JPEG as it is kept"})
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    size_bytes = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)


class TicketPhotoListSchema(Schema):
    """The pictures of one ticket, oldest first, and how many it may have."""

    photos = fields.List(fields.Nested(TicketPhotoSchema), required=True)
    most_photos = fields.Integer(required=True)
