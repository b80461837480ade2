"""Certificates of recovery as they go out."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.models.intake import PROVENANCES
from recycling.routes.schemas.fields import Schema


class OutletUnitsSchema(Schema):
    """So many units that went to a licensed processor."""

    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    licence_number = fields.String(required=True)
    day = fields.Date(required=True)
    units = fields.Integer(required=True)


class CertifiedLineSchema(Schema):
    """Units of one item type on one ticket; ``in_stock`` are those of which no hand-over is known."""

    item_type = fields.String(required=True, attribute="kind.key")
    units = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    provenance = fields.String(
        required=True,
        validate=validate.OneOf(PROVENANCES),
        metadata={"description": "计重来源 / where it is from"},
    )
    missing_parts = fields.Integer(required=True)
    station_name_zh = fields.String(required=True, attribute="station.name_zh")
    station_name_en = fields.String(required=True, attribute="station.name_en")
    ticket = fields.String(required=True, metadata={"description": "磅秤-磅单号 / scale and number of the ticket"})
    weighed_on = fields.Date(required=True)
    outlets = fields.List(fields.Nested(OutletUnitsSchema), required=True)
    in_stock = fields.Integer(required=True)


class CertificateSchema(Schema):
    """What became of a booking's items."""

    number = fields.String(required=True)
    day = fields.Date(required=True, metadata={"description": "the day of the visit"})
    lines = fields.List(fields.Nested(CertifiedLineSchema), required=True)
    units = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    made_up = fields.Boolean(required=True)
    path = fields.String(required=True, metadata={"description": "核验页 / the page that proves it, without a sign-in"})
