"""Tickets as they come in and go out."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.intake import CHANNELS, PROVENANCES, REFUSED_REASONS
from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text, Whole
from recycling.usecases.intake.read_off import ReadWeighing
from recycling.usecases.intake.weighing import MOST_LINES, MOST_TRIPS, MOST_UNITS, WeighedLine, Weighing

# Wider than any scale, so that a wrong reading is refused in the words of the domain and not by a bare range.
LARGEST_G = 1_000_000_000
SCALE_NUMBER = r"\A[A-Za-z0-9-]{1,32}\Z"


class WeighedLineSchema(Schema):
    """So many of one item type; on a door ticket with its booking."""

    item_type = Text(required=True, most=64, metadata={"description": "品类 / key of GET /item-types"})
    units = Whole(required=True, least=1, most=MOST_UNITS, metadata={"description": "件数 / pieces"})
    net_g = Whole(
        load_default=None, allow_none=True, least=1, most=LARGEST_G,
        metadata={"description": "单独过磅读数（克），可不填 / own reading in grams where it stood on the scale alone"},
    )  # fmt: skip
    booking_id = fields.UUID(
        load_default=None, allow_none=True, metadata={"description": "上门预约 / required on a door ticket"}
    )
    missing_parts = Whole(
        load_default=0, least=0, most=MOST_UNITS, metadata={"description": "缺件数 / units that came stripped"}
    )
    tags = fields.List(
        Text(most=100), load_default=(), validate=validate.Length(0, MOST_UNITS),
        metadata={"description": "追溯标签，每件至多一个 / labels of units, as they were read"},
    )  # fmt: skip

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> WeighedLine:
        """Build the domain's form."""
        return WeighedLine(**fields_)


class WeighingSchema(Schema):
    """What the scale showed and what the load is made of; the server works out the net."""

    channel = fields.String(
        required=True, validate=validate.OneOf(CHANNELS),
        metadata={"description": "来源 / from the door, brought by its owner, out of a bin, trade-in, pool"},
    )  # fmt: skip
    reading_id = fields.UUID(
        load_default=None, allow_none=True,
        metadata={"description": "地磅读数 / of GET /scale-readings; masses, scale and vehicle are then the reading's"},
    )  # fmt: skip
    gross_g = Whole(
        load_default=None, allow_none=True, least=0, most=LARGEST_G,
        metadata={"description": "毛重（克） / required without reading_id", "example": 3_541_300},
    )  # fmt: skip
    tare_g = Whole(
        load_default=None, allow_none=True, least=0, most=LARGEST_G,
        metadata={"description": "皮重（克） / required without reading_id", "example": 3_500_000},
    )  # fmt: skip
    refused_g = Whole(load_default=0, least=0, most=LARGEST_G, metadata={"description": "扣杂（克）/ contamination"})
    refused_reason = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf(REFUSED_REASONS),
        metadata={"description": "扣杂原因 / why part of the load is sent back; required with refused_g"},
    )  # fmt: skip
    vehicle_key = Text(load_default=None, allow_none=True, most=64, metadata={"description": "车辆 / our own vehicle"})
    trip = Whole(
        load_default=None, allow_none=True, least=1, most=MOST_TRIPS,
        metadata={"description": "当日第几趟 / which of the vehicle's loads of the day"},
    )  # fmt: skip
    lines = fields.List(fields.Nested(WeighedLineSchema), required=True, validate=validate.Length(0, MOST_LINES))


class WeighInSchema(WeighingSchema):
    """A weigh-in on one of the station's scales."""

    scale_number = fields.String(
        load_default=None, allow_none=True, validate=validate.Regexp(SCALE_NUMBER),
        metadata={"description": "磅秤编号 / number of the scale; required without reading_id", "example": "1"},
    )  # fmt: skip

    @ma.validates_schema
    def typed_or_read(self, data: dict[str, Any], **_: Any) -> None:
        """Masses and scale are typed where no reading tells them."""
        _need(data, ("scale_number", "gross_g", "tare_g"))

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> tuple[Weighing | ReadWeighing, str | None]:
        """Build the domain's form, and on which scale."""
        scale_number = fields_.pop("scale_number")
        return _weighing(fields_), scale_number


class CorrectTicketSchema(WeighingSchema):
    """The ticket as it should have been, whole, and why; empty ``lines`` and nothing else withdraws it."""

    reason = Text(required=True, least=4, most=200, metadata={"description": "更正原因 / why"})
    channel = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(CHANNELS))

    @ma.validates_schema
    def whole_or_withdrawn(self, data: dict[str, Any], **_: Any) -> None:
        """Half a ticket would be filled up with something nobody weighed."""
        if not _withdraws(data):
            if data.get("channel") is None:
                raise ma.ValidationError(HALF, "channel")
            _need(data, ("gross_g", "tare_g"), HALF)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> tuple[Weighing | ReadWeighing | None, str]:
        """Build the domain's form, and why."""
        reason = fields_.pop("reason")
        return (None if _withdraws(fields_) else _weighing(fields_)), reason


HALF = "give the whole corrected ticket, or lines: [] alone to withdraw it."


def _withdraws(correction: dict[str, Any]) -> bool:
    return not any(correction[name] for name in correction if name != "reason")


def _need(data: dict[str, Any], names: tuple[str, ...], otherwise: str = "Missing data for required field.") -> None:
    for name in names:
        if data.get("reading_id") is None and data.get(name) is None:
            raise ma.ValidationError(otherwise, name)


def _weighing(fields_: dict[str, Any]) -> Weighing | ReadWeighing:
    return Weighing(**fields_) if fields_["reading_id"] is None else ReadWeighing(**fields_)


class IntakeLineSchema(Schema):
    """One line of a ticket: its grams, where they come from, and where the goods come from."""

    position = fields.Integer(required=True)
    item_type = fields.String(required=True)
    units = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    provenance = fields.String(required=True, validate=validate.OneOf(PROVENANCES))
    missing_parts = fields.Integer(required=True)
    tags = fields.List(fields.String(), required=True)
    town_key = fields.String(required=True)
    booking_id = fields.UUID(required=True, allow_none=True)


class IntakeTicketSchema(Schema):
    """A ticket. ``replaced_by_id`` names the correction that counts in its place.

    ``counts_on`` is the day its mass counts for. It is later than ``day`` for a correction of a closed month, which
    takes off again what the ticket ``counters_id`` says.
    """

    id = fields.UUID(required=True)
    station_key = fields.String(required=True)
    scale_number = fields.String(required=True)
    number = fields.Integer(required=True)
    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    day = fields.Date(required=True)
    counts_on = fields.Date(required=True)
    gross_g = fields.Integer(required=True)
    tare_g = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    refused_g = fields.Integer(required=True)
    refused_reason = fields.String(required=True, allow_none=True)
    vehicle_key = fields.String(required=True, allow_none=True)
    trip = fields.Integer(required=True, allow_none=True)
    reading_id = fields.UUID(required=True, allow_none=True)
    keeper_id = fields.UUID(required=True)
    weighed_at = fields.AwareDateTime(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    corrects_id = fields.UUID(required=True, allow_none=True)
    counters_id = fields.UUID(required=True, allow_none=True)
    correction_reason = fields.String(required=True, allow_none=True)
    replaced_by_id = fields.UUID(required=True, allow_none=True)
    made_up = fields.Boolean(required=True)
    lines = fields.List(fields.Nested(IntakeLineSchema), required=True)
    notes = fields.List(
        fields.String(), metadata={"description": "提示 / what somebody should look at; not in lists of tickets"}
    )


class IntakeTicketListSchema(Schema):
    """A page of tickets, newest first."""

    tickets = fields.List(fields.Nested(IntakeTicketSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class IntakeTicketFilterSchema(Schema):
    """Which tickets to list: those that count for one day, or for a span with both its days; those with such a line."""

    day = Day()
    first = Day(data_key="from")
    last = Day(data_key="to")
    station_key = Text(most=64)
    item_type = Text(most=64)
    town_key = Text(most=64)
    provenance = Text(most=24)
    scope = Text(most=80, metadata={"description": "口径 / such as household-appliances/2"})
    cursor = Text(most=400)
    limit = QueryWhole(load_default=50, least=1, most=200)
