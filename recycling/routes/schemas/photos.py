"""Photos as they are listed."""

from __future__ import annotations

from marshmallow import fields

from recycling.routes.schemas.fields import Schema


class PhotoSchema(Schema):
    """One photo; the picture itself is at ``GET /photos/{id}``."""

    id = fields.UUID(required=True)
    booking_id = fields.UUID(required=True)
    sha256 = fields.String(required=True, metadata={"description": "照片内容摘要 / of the JPEG as it is kept"})
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    size_bytes = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)


class PhotoListSchema(Schema):
    """The photos of one booking, oldest first, and how many it may have."""

    photos = fields.List(fields.Nested(PhotoSchema), required=True)
    most_photos = fields.Integer(required=True)
