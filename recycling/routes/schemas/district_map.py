"""The ground of a map."""

from __future__ import annotations

from marshmallow import fields

from recycling.routes.schemas.fields import Schema
from recycling.routes.schemas.reference import StationSchema


class SeatSchema(Schema):
    """A town-level unit and its approximate seat, WGS-84 degrees: its outline is not published."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    lat = fields.Float(required=True, attribute="seat_lat")
    lon = fields.Float(required=True, attribute="seat_lon")


class DistrictMapSchema(Schema):
    """Outline as rings of [lat, lon] in WGS-84 degrees; ``tiles`` as addresses with {s}, {x}, {y}, {z}.

    There are none without a key.
    """

    outline = fields.List(fields.List(fields.List(fields.Float())), required=True)
    town_units = fields.List(fields.Nested(SeatSchema), required=True)
    stations = fields.List(fields.Nested(StationSchema), required=True)
    tiles = fields.List(fields.String(), required=True)
    credit = fields.String(required=True)
