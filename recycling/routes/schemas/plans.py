"""Plans as they go out, and the wish to publish one."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.gateways.travel_ladder import NOTES, TRAVEL_WORDS
from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text
from recycling.routing.plan import REASONS, STEP_KINDS


class TravelCellsSchema(Schema):
    """How many ways between two places each rung of the ladder gave."""

    live = fields.Integer(required=True, metadata={"description": "实时路网 / by road, asked for this plan"})
    cached = fields.Integer(required=True, metadata={"description": "留存 / by road, kept from an earlier plan"})
    great_circle = fields.Integer(required=True, metadata={"description": "估算 / estimated from the straight line"})


class PlanRowSchema(Schema):
    """One version of a day's plan; ``published_at`` is set on the one that people act on."""

    id = fields.UUID(required=True)
    day = fields.Date(required=True)
    version = fields.Integer(required=True)
    cost_total = fields.Integer(required=True)
    travel_quality = fields.String(
        required=True,
        validate=validate.OneOf(TRAVEL_WORDS),
        metadata={
            "description": "行程来源 / from where the travel times are: all from one rung of the ladder, or mixed"
        },
    )
    travel_cells = fields.Nested(TravelCellsSchema, required=True, allow_none=True)
    travel_note = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(NOTES),
        metadata={"description": "why most of those that are not live are not; null when all are"},
    )
    made_at = fields.AwareDateTime(required=True)
    published_at = fields.AwareDateTime(required=True, allow_none=True)


class PlanListSchema(Schema):
    """A page of plans, latest day and version first."""

    plans = fields.List(fields.Nested(PlanRowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class PlanFilterSchema(Schema):
    """Which plans to list."""

    day = Day()
    cursor = Text(most=200)
    limit = QueryWhole(load_default=50, least=1, most=200)


class CostSchema(Schema):
    """What a plan costs, part by part; one second of driving costs 1."""

    total = fields.Integer(required=True)
    fixed = fields.Integer(required=True)
    travel = fields.Integer(required=True)
    distance = fields.Integer(required=True)
    overtime = fields.Integer(required=True)
    preferences = fields.Integer(required=True)
    skipped = fields.Integer(required=True, metadata={"description": "未排入 / of pickups left out"})


class StepSchema(Schema):
    """One step of a route; seconds after midnight of the plan's day, load on board when it ends."""

    position = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(STEP_KINDS))
    booking_id = fields.UUID(required=True, allow_none=True)
    station_key = fields.String(required=True, allow_none=True)
    arrival_s = fields.Integer(required=True)
    start_s = fields.Integer(required=True)
    start = fields.String(required=True, metadata={"example": "08:15"})
    end_s = fields.Integer(required=True)
    load_g = fields.Integer(required=True)
    load_l = fields.Integer(required=True)


class RouteSchema(Schema):
    """One vehicle's route; the crew member under ``collector_key`` answers for it."""

    vehicle_key = fields.String(required=True)
    collector_key = fields.String(required=True)
    crew = fields.List(fields.String(), required=True)
    distance_m = fields.Integer(required=True)
    travel_s = fields.Integer(required=True)
    steps = fields.List(fields.Nested(StepSchema), required=True)


class UnassignedSchema(Schema):
    """A booking that the plan leaves out, why, and the smallest change found that would let it in."""

    booking_id = fields.UUID(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(REASONS))
    detail = fields.String(required=True)
    cheapest_fix = fields.Dict(required=True, allow_none=True)


class PlanSchema(PlanRowSchema):
    """A plan in full."""

    cost = fields.Nested(CostSchema, required=True)
    routes = fields.List(fields.Nested(RouteSchema), required=True)
    unassigned = fields.List(fields.Nested(UnassignedSchema), required=True)


class PlannerProblemSchema(Schema):
    """The problem as the planner was given it; ``python -m recycling.routing check`` reads it as it is."""

    format = fields.String(required=True)
    day = fields.String(required=True)
    load_units = fields.List(fields.String(), required=True)
    locations = fields.List(fields.List(fields.Float()), required=True)
    travel = fields.Dict(required=True)
    stations = fields.List(fields.Dict(), required=True)
    vehicles = fields.List(fields.Dict(), required=True)
    stops = fields.List(fields.Dict(), required=True)


class PlannerAnswerSchema(Schema):
    """The planner's answer as it was checked; ``python -m recycling.routing check`` reads it as it is."""

    format = fields.String(required=True)
    cost = fields.Dict(required=True)
    routes = fields.List(fields.Dict(), required=True)
    unassigned = fields.List(fields.Dict(), required=True)
    search = fields.Dict(required=True)


class PublicationSchema(Schema):
    """Which plan is expected to be the published one now; ``null`` when there is none."""

    replaces = fields.UUID(required=True, allow_none=True)


class PublishedSchema(Schema):
    """The day's published plan."""

    day = fields.Date(required=True)
    plan_id = fields.UUID(required=True)
    published_at = fields.AwareDateTime(required=True)
