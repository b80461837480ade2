"""Price estimates, and what to prepare before a visit."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.policy.catalogue import CONDITIONS
from recycling.routes.schemas.fields import Day, Flag, Schema, Text, Whole
from recycling.usecases.bookings.promise import MOST_ITEM_TYPES
from recycling.usecases.queries.estimates import EstimateWish, ItemToEstimate


class ItemToEstimateSchema(Schema):
    """So many of one item type."""

    item_type = Text(required=True, most=64, metadata={"description": "品类 / key of GET /item-types"})
    quantity = Whole(required=True, least=1, most=1000)
    condition = fields.String(load_default="unknown", validate=validate.OneOf(CONDITIONS))
    dismantle = Flag(load_default=False)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> ItemToEstimate:
        """Build the domain's form."""
        return ItemToEstimate(**fields_)


class EstimateWishSchema(Schema):
    """Items, and how far up they stand; nothing that says whose they are or where."""

    items = fields.List(
        fields.Nested(ItemToEstimateSchema), required=True, validate=validate.Length(1, MOST_ITEM_TYPES)
    )
    floor = Whole(load_default=1, least=-5, most=60)
    has_lift = Flag(load_default=False)
    day = Day(load_default=None, allow_none=True, metadata={"description": "上门日，默认今天 / day of the visit"})

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> EstimateWish:
        """Build the domain's form."""
        return EstimateWish(**fields_)


class PreparationStepSchema(Schema):
    """One thing to do before the crew comes, some hours before or just by then (0)."""

    key = fields.String(required=True)
    hours_before = fields.Integer(required=True)
    text_zh = fields.String(required=True)
    text_en = fields.String(required=True)


class HazardSchema(Schema):
    """A hazard in words."""

    key = fields.String(required=True)
    text_zh = fields.String(required=True)
    text_en = fields.String(required=True)


class WipeTermsSchema(Schema):
    """What those agree to whose data is wiped."""

    key = fields.String(required=True)
    scope_zh = fields.String(required=True)
    scope_en = fields.String(required=True)
    method_zh = fields.String(required=True)
    method_en = fields.String(required=True)
    effect_zh = fields.String(required=True)
    effect_en = fields.String(required=True)


class PreparedItemSchema(Schema):
    """What the giver of one item type prepares; ``wipe_terms`` where it holds data."""

    item_type = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    steps = fields.List(fields.Nested(PreparationStepSchema), required=True)
    hazards = fields.List(fields.Nested(HazardSchema), required=True)
    wipe_terms = fields.Nested(WipeTermsSchema, required=True, allow_none=True)


class PreparationSchema(Schema):
    """What to prepare for the visit of a booking."""

    day = fields.Date(required=True)
    items = fields.List(fields.Nested(PreparedItemSchema), required=True)


class ReasonSchema(Schema):
    """One part of an estimate; amounts are for all its units together."""

    code = fields.String(required=True)
    text_zh = fields.String(required=True)
    text_en = fields.String(required=True)
    low_fen = fields.Integer(required=True, allow_none=True)
    high_fen = fields.Integer(required=True, allow_none=True)
    source = fields.String(required=True, allow_none=True)


class ItemEstimateSchema(Schema):
    """The range for one item type; above 0 the giver gets it, below 0 they pay it, null where there is no estimate."""

    item_type = fields.String(required=True)
    quantity = fields.Integer(required=True)
    condition = fields.String(required=True, validate=validate.OneOf(CONDITIONS))
    low_fen = fields.Integer(required=True, allow_none=True)
    high_fen = fields.Integer(required=True, allow_none=True)
    reasons = fields.List(fields.Nested(ReasonSchema), required=True)


class PriceEstimateSchema(Schema):
    """The range for everything that has an estimate, and what to prepare."""

    day = fields.Date(required=True)
    low_fen = fields.Integer(required=True, allow_none=True)
    high_fen = fields.Integer(required=True, allow_none=True)
    complete = fields.Boolean(required=True)
    reasons = fields.List(fields.Nested(ReasonSchema), required=True)
    items = fields.List(fields.Nested(ItemEstimateSchema), required=True)
    preparation = fields.List(fields.Nested(PreparedItemSchema), required=True)
