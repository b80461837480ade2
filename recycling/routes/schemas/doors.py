"""A door to come to, as it comes in: the fields that a wish for a pickup and a saved address share."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.routes.schemas.fields import Decimal, Flag, Schema, Text, VillageCode, Whole


class DoorSchema(Schema):
    """Where somebody lives, and how to get there."""

    village_code = VillageCode(required=True)
    address = Text(
        required=True, most=200, least=4, metadata={"description": "详细地址 / address, without the village"}
    )
    lat = Decimal(required=True, least=-180, most=180, metadata={"example": 34.8046})
    lon = Decimal(required=True, least=-180, most=180, metadata={"example": 117.257})
    coordinate_system = fields.String(load_default="wgs84", validate=validate.OneOf(("wgs84", "gcj02")))
    floor = Whole(load_default=1, least=-5, most=60)
    has_lift = Flag(load_default=False)
    note = Text(load_default="", most=200, least=0, metadata={"description": "备注 / access note for the collector"})


class ChangesDoorSchema(DoorSchema):
    """The fields to change. A point comes whole: both coordinates, with their system."""

    @ma.validates_schema
    def point_is_whole(self, data: dict[str, Any], **_: Any) -> None:
        """Half a point would be joined with half of the old one."""
        if ("lat" in data) != ("lon" in data) or ("coordinate_system" in data and "lat" not in data):
            raise ma.ValidationError("send lat and lon together.", "lat")
        if not data:
            raise ma.ValidationError("name at least one field to change.", "_schema")
