"""Disruptions, proposals and broken promises as they come in and go out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from recycling.policy.healing import CAUSES, DISRUPTION_KINDS
from recycling.routes.schemas.fields import Day, Schema, Text, Whole
from recycling.usecases.planning.record_disruption import Incident

MOST_MINUTES = 600  # a shift's length: whoever is later than that does not come
MOST_RIDERS = 4


class DayFilterSchema(Schema):
    """Which day is meant."""

    day = Day(required=True)


class IncidentSchema(Schema):
    """What went wrong; exactly one of vehicle, station and booking, as the kind says."""

    day = Day(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(DISRUPTION_KINDS))
    vehicle_key = Text(most=64)
    station_key = Text(most=64)
    booking_id = fields.UUID()
    minutes = Whole(
        least=1, most=MOST_MINUTES, metadata={"description": "晚点分钟数 / how long a late one stands still"}
    )
    substitutes = fields.List(
        Text(most=64),
        validate=validate.Length(max=MOST_RIDERS),
        metadata={"description": "顶班人员 / collectors who ride in the place of a sick crew"},
    )
    note = Text(most=200)

    @post_load
    def incident(self, given: dict[str, Any], **_: Any) -> Incident:
        """As the use case takes it."""
        return Incident(**given)


class DisruptionSchema(Schema):
    """Something that went wrong on a running day."""

    id = fields.UUID(required=True)
    day = fields.Date(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(DISRUPTION_KINDS))
    vehicle_key = fields.String(required=True, allow_none=True)
    station_key = fields.String(required=True, allow_none=True)
    booking_id = fields.UUID(required=True, allow_none=True)
    minutes = fields.Integer(required=True, allow_none=True)
    substitutes = fields.List(fields.String(), required=True)
    event_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "the collector's record that tells of it"}
    )
    note = fields.String(required=True, allow_none=True)
    at = fields.AwareDateTime(required=True)


class DisruptionListSchema(Schema):
    """What went wrong on a day, first things first."""

    disruptions = fields.List(fields.Nested(DisruptionSchema), required=True)


class AskReplanSchema(Schema):
    """The running day to be planned again."""

    day = Day(required=True, metadata={"description": "今日 / today", "example": "2026-11-24"})


class ProposalRowSchema(Schema):
    """How much one proposal changes; it is a plan version of its own."""

    plan_id = fields.UUID(required=True)
    base_plan_id = fields.UUID(required=True)
    day = fields.Date(required=True)
    version = fields.Integer(required=True)
    cause = fields.String(required=True, validate=validate.OneOf(CAUSES))
    now = fields.String(required=True, metadata={"description": "所依据的时刻 / the instant it goes on from"})
    open_stops = fields.Integer(required=True)
    moved = fields.Integer(required=True, metadata={"description": "换车停靠点 / stops that another vehicle serves"})
    moved_bp = fields.Integer(required=True, metadata={"description": "their share of the open stops, basis points"})
    eased = fields.Integer(required=True, metadata={"description": "of them from vehicles that drive no more"})
    broken = fields.Integer(required=True, metadata={"description": "失约 / promises that it breaks"})
    left_out = fields.Integer(required=True)
    current = fields.Boolean(required=True, metadata={"description": "whether what it is based on still stands"})
    made_at = fields.AwareDateTime(required=True)
    published_at = fields.AwareDateTime(required=True, allow_none=True)


class ProposalListSchema(Schema):
    """The proposals of a day, newest first."""

    replans = fields.List(fields.Nested(ProposalRowSchema), required=True)


class StopChangeSchema(Schema):
    """What a proposal means for one booking; seconds after midnight beside the clock."""

    booking_id = fields.UUID(required=True)
    vehicle_before = fields.String(required=True, allow_none=True)
    vehicle_after = fields.String(required=True, allow_none=True)
    start_before_s = fields.Integer(required=True, allow_none=True)
    start_after_s = fields.Integer(required=True, allow_none=True)
    start_before = fields.String(required=True, allow_none=True)
    start_after = fields.String(required=True, allow_none=True)
    window_s = fields.List(fields.Integer(), required=True)
    window = fields.String(required=True)
    kept = fields.Boolean(required=True, metadata={"description": "守约 / whether the promised window is kept"})
    kept_before = fields.Boolean(required=True)
    reason = fields.String(required=True, allow_none=True, metadata={"description": "why it is left out"})


class ProposalSchema(ProposalRowSchema):
    """A proposal with what it changes for whom."""

    changes = fields.List(fields.Nested(StopChangeSchema), required=True)
    distance_before_m = fields.Integer(required=True, metadata={"description": "全天行驶米数 / driven by all vehicles"})
    distance_after_m = fields.Integer(required=True)
    travel_before_s = fields.Integer(required=True, metadata={"description": "全天行驶秒数"})
    travel_after_s = fields.Integer(required=True)


class PromiseFilterSchema(Schema):
    """Which broken promises to list."""

    day = Day()


class AlternativeSchema(Schema):
    """A window of another day that is offered instead."""

    number = fields.Integer(required=True)
    day = fields.Date(required=True)
    pickup_window = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)


class PromiseSchema(Schema):
    """A promised window that was not kept, and the ways out."""

    id = fields.UUID(required=True)
    booking_id = fields.UUID(required=True)
    plan_id = fields.UUID(required=True)
    day = fields.Date(required=True)
    pickup_window = fields.String(required=True)
    expected = fields.String(required=True, allow_none=True, metadata={"description": "when we come instead, if we do"})
    reason = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    alternatives = fields.List(fields.Nested(AlternativeSchema), required=True)
    taken = fields.Integer(required=True, allow_none=True)
    taken_booking_id = fields.UUID(required=True, allow_none=True)


class PromiseListSchema(Schema):
    """Broken promises, newest first."""

    broken_promises = fields.List(fields.Nested(PromiseSchema), required=True)


class TakeAlternativeSchema(Schema):
    """Which of the alternatives is taken, counted from 1."""

    number = Whole(required=True, least=1, most=9)
