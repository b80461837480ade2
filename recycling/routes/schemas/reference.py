"""The district's reference facts."""

from __future__ import annotations

from marshmallow import fields

from recycling.routes.schemas.fields import Schema, Text


class ItemTypeSchema(Schema):
    """One row of the catalogue."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    group = fields.String(required=True)
    catalogue_no = fields.Integer(allow_none=True)
    unit_mass_g = fields.Integer(required=True)
    mass_source = fields.String(required=True)
    litres = fields.Integer(required=True)
    handling_s = fields.Integer(required=True)
    crew = fields.Integer(required=True)
    dismantling = fields.Boolean(required=True)
    refrigerant = fields.Boolean(required=True)
    data_bearing = fields.Boolean(required=True)
    hazards = fields.List(fields.String(), required=True)
    max_per_booking = fields.Integer(required=True)


class ItemTypesSchema(Schema):
    """The catalogue in force today."""

    item_types = fields.List(fields.Nested(ItemTypeSchema), required=True)


class TownUnitSchema(Schema):
    """A town-level unit."""

    key = fields.String(required=True)
    code = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)


class TownUnitsSchema(Schema):
    """The ten town-level units."""

    town_units = fields.List(fields.Nested(TownUnitSchema), required=True)


class VillageSchema(Schema):
    """A village or community."""

    code = fields.String(required=True)
    name_zh = fields.String(required=True)
    town_key = fields.String(required=True)


class VillageFilterSchema(Schema):
    """Which villages to list."""

    town_key = Text(most=64)


class VillagesSchema(Schema):
    """Villages and communities."""

    villages = fields.List(fields.Nested(VillageSchema), required=True)


class StationSchema(Schema):
    """A recycling station; ``siting`` is ``indicative`` until the bureau's register gives the address."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    siting = fields.String(required=True)
    tier = fields.String(required=True)
    opens_s = fields.Integer(required=True)
    closes_s = fields.Integer(required=True)


class StationsSchema(Schema):
    """The stations."""

    stations = fields.List(fields.Nested(StationSchema), required=True)
