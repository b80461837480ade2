"""What helps to write an address down."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.routes.schemas.fields import QueryDecimal, Schema, Text, VillageCode


class AddressQuestionSchema(Schema):
    """A text, within a village if one is chosen; or a point."""

    text = Text(most=100, least=2, metadata={"example": "清泉路 1 号"})
    village_code = VillageCode()
    lat = QueryDecimal(least=-180, most=180)
    lon = QueryDecimal(least=-180, most=180)
    coordinate_system = fields.String(validate=validate.OneOf(("wgs84", "gcj02")))

    @ma.validates_schema
    def one_question(self, data: dict[str, Any], **_: Any) -> None:
        """Text or point, and nothing that belongs to the other."""
        by_text, by_point = {"text", "village_code"} & data.keys(), {"lat", "lon", "coordinate_system"} & data.keys()
        whole = "text" in by_text if by_text else {"lat", "lon"} <= by_point
        if not whole or (by_text and by_point):
            raise ma.ValidationError("send either text, or lat and lon.", "_schema")


class NamedVillageSchema(Schema):
    """A village or community of the district."""

    village_code = fields.String(required=True)
    village_name_zh = fields.String(required=True)
    town_name_zh = fields.String(required=True)


class CandidateSchema(Schema):
    """A point in the district, WGS-84."""

    label = fields.String(required=True)
    lat = fields.Float(required=True)
    lon = fields.Float(required=True)


class AddressCandidatesSchema(Schema):
    """What a text may mean, or what is at a point. ``note`` says when the map service was silent."""

    villages = fields.List(fields.Nested(NamedVillageSchema), required=True)
    candidates = fields.List(fields.Nested(CandidateSchema), required=True)
    source = fields.String(required=True, metadata={"description": "none, tianditu or amap"})
    note = fields.String(required=True)
