"""Readings of weighbridges as they come in and go out."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.weighbridge import READING_SOURCES
from recycling.routes.schemas.fields import Instant, QueryWhole, Schema, Text, Whole
from recycling.routes.schemas.intake import LARGEST_G, SCALE_NUMBER
from recycling.usecases.intake.reading_table import READING_NUMBER, VEHICLE_CHARS
from recycling.usecases.intake.take_readings import ReadingReport


class SendReadingSchema(Schema):
    """One weighing as the weighbridge tells it, under a number of its own; sent again it does nothing more."""

    reading_number = fields.String(
        required=True, validate=validate.Regexp(rf"\A{READING_NUMBER}\Z"),
        metadata={"description": "地磅编号 / the weighbridge's own number", "example": "20261124-0017"},
    )  # fmt: skip
    gross_g = Whole(required=True, least=0, most=LARGEST_G, metadata={"description": "毛重（克）"})
    tare_g = Whole(required=True, least=0, most=LARGEST_G, metadata={"description": "皮重（克）"})
    net_g = Whole(load_default=None, allow_none=True, least=0, most=LARGEST_G, metadata={"description": "净重（克）"})
    vehicle = Text(
        load_default=None, allow_none=True, most=VEHICLE_CHARS,
        metadata={"description": "车辆编号或车牌 / a vehicle of ours by key or plate; any other is not kept"},
    )  # fmt: skip
    at = Instant(required=True, metadata={"description": "称重时间 / when it was weighed"})

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> ReadingReport:
        """Build the domain's form."""
        return ReadingReport(**fields_)


class ScaleReadingSchema(Schema):
    """A reading; ``ticket_id`` names the standing ticket that it is on."""

    id = fields.UUID(required=True)
    station_key = fields.String(required=True)
    scale_number = fields.String(required=True)
    reading_number = fields.String(required=True)
    gross_g = fields.Integer(required=True)
    tare_g = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    vehicle_key = fields.String(required=True, allow_none=True)
    at = fields.AwareDateTime(required=True)
    source = fields.String(required=True, validate=validate.OneOf(READING_SOURCES))
    received_at = fields.AwareDateTime(required=True)
    ticket_id = fields.UUID(required=True, allow_none=True)


class ScaleReadingListSchema(Schema):
    """A page of readings: those on no ticket first."""

    readings = fields.List(fields.Nested(ScaleReadingSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ScaleReadingFilterSchema(Schema):
    """Which readings to list."""

    unused = fields.String(
        load_default="false", validate=validate.OneOf(("true", "false")),
        metadata={"description": "仅未开磅单 / only those on no ticket"},
    )  # fmt: skip
    station_key = Text(most=64)
    cursor = Text(most=400)
    limit = QueryWhole(load_default=50, least=1, most=200)


class ImportOfScaleSchema(Schema):
    """Whose memory a table is."""

    scale_number = fields.String(required=True, validate=validate.Regexp(SCALE_NUMBER))


class ReadingImportSchema(Schema):
    """What came of a table: readings that are new, and those that were known."""

    encoding = fields.String(required=True, validate=validate.OneOf(("utf-8", "gb18030")))
    new = fields.Integer(required=True)
    known = fields.Integer(required=True)
