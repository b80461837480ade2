"""Processors, batches handed over to them, and re-weighs as they come in and go out."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.hand_over import RESOLUTION_CODES
from recycling.policy.processors import OUTLET_KINDS
from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text, Whole
from recycling.usecases.custody.hand_over import Batch, WantedUnits

MOST_LINES = 200  # of one batch; a truck takes fewer item types and lots (ours)
MOST_TAGS = 1_000
MOST_UNITS = 10_000
LARGEST_G = 1_000_000_000


class WantedUnitsSchema(Schema):
    """So many of an item type: of the lot of ``day``, else of the oldest."""

    item_type = Text(required=True, most=64)
    units = Whole(required=True, least=1, most=MOST_UNITS)
    day = Day(load_default=None, allow_none=True, metadata={"description": "指定入库日的批次 / the lot of that day"})

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> WantedUnits:
        """Build the domain's form."""
        return WantedUnits(**fields_)


class HandOverRequestSchema(Schema):
    """What leaves the keeper's own station today, and what the scale shows for all of it."""

    processor_key = Text(required=True, most=64, metadata={"description": "去向 / key of GET /processors"})
    lines = fields.List(fields.Nested(WantedUnitsSchema), load_default=(), validate=validate.Length(0, MOST_LINES))
    tags = fields.List(
        Text(most=100), load_default=(), validate=validate.Length(0, MOST_TAGS),
        metadata={"description": "移交件的追溯标签 / labels of units that leave, beside those counted in lines"},
    )  # fmt: skip
    net_g = Whole(required=True, least=1, most=LARGEST_G, metadata={"description": "本站过磅净重（克）/ on our scale"})
    plate = Text(required=True, least=2, most=16, metadata={"description": "运输车牌 / plate of the vehicle"})
    seal = Text(load_default=None, allow_none=True, most=64, metadata={"description": "车厢封签 / seal of the load"})

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> Batch:
        """Build the domain's form."""
        return Batch(**fields_)


class ReWeighRequestSchema(Schema):
    """What the processor's scale showed, and the number of its slip."""

    net_g = Whole(required=True, least=0, most=LARGEST_G)
    slip = Text(load_default=None, allow_none=True, most=64)


class ReturnRequestSchema(Schema):
    """What comes back of a batch: labelled units by their labels, the others in lines; and why, without names."""

    lines = fields.List(fields.Nested(WantedUnitsSchema), load_default=(), validate=validate.Length(0, MOST_LINES))
    tags = fields.List(Text(most=100), load_default=(), validate=validate.Length(0, MOST_TAGS))
    note = Text(required=True, least=4, most=200)


class ResolutionRequestSchema(Schema):
    """How a held difference is settled."""

    code = fields.String(required=True, validate=validate.OneOf(RESOLUTION_CODES))
    reason = Text(required=True, least=4, most=200)


class HandOverLineSchema(Schema):
    """Units out of one lot, with their grams by our tickets."""

    position = fields.Integer(required=True)
    item_type = fields.String(required=True)
    lot_day = fields.Date(required=True)
    units = fields.Integer(required=True)
    net_g = fields.Integer(required=True)


class ReturnedSchema(Schema):
    """Units that came back into one lot, with their grams by our tickets."""

    item_type = fields.String(required=True)
    lot_day = fields.Date(required=True)
    day = fields.Date(required=True)
    units = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    by_id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)


class ResolutionSchema(Schema):
    """How a difference was settled."""

    code = fields.String(required=True, validate=validate.OneOf(RESOLUTION_CODES))
    reason = fields.String(required=True)
    by_id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)


class ReWeighSchema(Schema):
    """The processor's net beside ours; ``held`` when the difference is too large to pass by itself."""

    number = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    difference_g = fields.Integer(required=True)
    difference_per_mille = fields.Integer(required=True)
    held = fields.Boolean(required=True)
    slip = fields.String(required=True, allow_none=True)
    by_id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)
    resolution = fields.Nested(ResolutionSchema, required=True, allow_none=True)


class HandOverSchema(Schema):
    """A batch that left a station, under the licence of its day."""

    id = fields.UUID(required=True)
    station_key = fields.String(required=True)
    number = fields.Integer(required=True)
    day = fields.Date(required=True)
    processor_key = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(OUTLET_KINDS))
    licence_number = fields.String(required=True)
    licensed_to = fields.Date(required=True)
    net_g = fields.Integer(required=True)
    booked_g = fields.Integer(required=True, metadata={"description": "按磅单的质量 / by our tickets"})
    units = fields.Integer(required=True)
    plate = fields.String(required=True)
    seal = fields.String(required=True, allow_none=True)
    keeper_id = fields.UUID(required=True)
    handed_at = fields.AwareDateTime(required=True)
    state = fields.String(required=True, validate=validate.OneOf(("handed_over", "held", "settled")))
    lines = fields.List(fields.Nested(HandOverLineSchema), required=True)
    tags = fields.List(fields.String(), required=True)
    re_weighs = fields.List(fields.Nested(ReWeighSchema), required=True)
    returned = fields.List(fields.Nested(ReturnedSchema), required=True)


class HandOverListSchema(Schema):
    """A page of batches, newest first."""

    hand_overs = fields.List(fields.Nested(HandOverSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class HandOverFilterSchema(Schema):
    """Which batches to list; ``state=held`` those with a difference that nobody has settled."""

    first = Day(data_key="from")
    last = Day(data_key="to")
    station_key = Text(most=64)
    processor_key = Text(most=64)
    state = fields.String(validate=validate.OneOf(("held",)))
    cursor = Text(most=400)
    limit = QueryWhole(load_default=50, least=1, most=200)


class ProcessorSchema(Schema):
    """A processor with its licence; ``made_up`` ones are placeholders and no enterprises."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(OUTLET_KINDS))
    licence_number = fields.String(required=True)
    authority = fields.String(required=True)
    catalogue_numbers = fields.List(fields.Integer(), required=True)
    item_types = fields.List(fields.String(), required=True)
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(required=True)
    made_up = fields.Boolean(required=True)
    in_force = fields.Boolean(required=True)


class ProcessorListSchema(Schema):
    """Every processor."""

    processors = fields.List(fields.Nested(ProcessorSchema), required=True)
