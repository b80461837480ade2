"""Doorstep records as they come in, and what became of each."""

from __future__ import annotations

from typing import Any, get_args

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.field import FIELD_KINDS
from recycling.routes.schemas.fields import Instant, Schema, Text, Whole
from recycling.usecases.bookings.promise import MOST_ITEM_TYPES
from recycling.usecases.field.record_events import MOST_EVENTS, MOST_UNITS, Answered, CountedItem, FieldReport

HEAVIEST_G = 10_000_000  # no household hands over ten tonnes of one item type at once


class CountedItemSchema(Schema):
    """Units of one item type taken on board; ``estimated_g`` is the collector's guess, never a weighed mass."""

    item_type = Text(required=True, most=64, metadata={"description": "品类 / key of GET /item-types"})
    units = Whole(required=True, least=1, most=MOST_UNITS)
    estimated_g = Whole(load_default=None, allow_none=True, least=1, most=HEAVIEST_G)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> CountedItem:
        """Build the domain's form."""
        return CountedItem(**fields_)


class FieldEventSchema(Schema):
    """One record under an id that the device made; sent again unchanged it does nothing more."""

    event_id = fields.UUID(required=True)
    booking_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(FIELD_KINDS))
    reason = Text(
        load_default=None, allow_none=True, most=32, metadata={"description": "原因 / code of GET /failed-visit-codes"}
    )
    items = fields.List(
        fields.Nested(CountedItemSchema), load_default=list, validate=validate.Length(0, MOST_ITEM_TYPES)
    )
    device_time = Instant(required=True, metadata={"example": "2026-11-24T08:31:00+08:00"})

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> FieldReport:
        """Build the domain's form."""
        return FieldReport(**fields_)


class FieldEventsSchema(Schema):
    """Records of one device, in any sequence."""

    events = fields.List(fields.Nested(FieldEventSchema), required=True, validate=validate.Length(1, MOST_EVENTS))


class EventAnswerSchema(Schema):
    """What became of one record: accepted, stood there already, clashes with what is known, or breaks a rule."""

    event_id = fields.UUID(required=True)
    answer = fields.String(required=True, validate=validate.OneOf(get_args(Answered)))
    code = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    retryable = fields.Boolean(required=True)


class EventAnswersSchema(Schema):
    """One answer per record, in the sequence in which they were sent."""

    events = fields.List(fields.Nested(EventAnswerSchema), required=True)


class FailedVisitCodeSchema(Schema):
    """Why a visit failed or stayed incomplete, what proves it, and what follows."""

    code = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    for_failed = fields.Boolean(required=True)
    for_partly = fields.Boolean(required=True)
    proof_zh = fields.String(required=True)
    proof_en = fields.String(required=True)
    next_step_zh = fields.String(required=True)
    next_step_en = fields.String(required=True)


class FailedVisitCodesSchema(Schema):
    """All codes."""

    failed_visit_codes = fields.List(fields.Nested(FailedVisitCodeSchema), required=True)
