"""A plan on the board: what is drawn of it, edits by hand, verdicts on them, and how versions differ."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from recycling.routes.schemas.fields import Schema, Text
from recycling.routes.schemas.plans import CostSchema, PlanRowSchema
from recycling.routing.plan import REASONS, STEP_KINDS

MOST_ROUTES, MOST_STOPS = 500, 1000


class RouteWishSchema(Schema):
    """The whole sequence wanted for one vehicle; an empty one leaves it at home."""

    vehicle_key = Text(most=64, required=True)
    booking_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(max=MOST_STOPS))


class EditsSchema(Schema):
    """Routes wanted otherwise than the plan has them; every vehicle that a stop leaves is among them."""

    routes = fields.List(fields.Nested(RouteWishSchema), required=True, validate=validate.Length(max=MOST_ROUTES))

    @post_load
    def by_vehicle(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The sequences by vehicle, as the planner names stops."""
        wish = {route["vehicle_key"]: [str(one) for one in route["booking_ids"]] for route in given["routes"]}
        if len(wish) < len(given["routes"]):
            raise ValidationError("names a vehicle twice; send one sequence for each / 同一车辆出现两次", "routes")
        return given | {"routes": wish}


class PlacesSchema(EditsSchema):
    """A booking for which places are wanted, beside these edits."""

    booking_id = fields.UUID(required=True)


class PlaceSchema(Schema):
    """Where a booking fits on one vehicle: its number in the sequence from 0, its start, what it adds to the cost."""

    vehicle_key = fields.String(required=True)
    position = fields.Integer(required=True)
    start_s = fields.Integer(required=True)
    added_cost = fields.Integer(required=True)


class PlaceListSchema(Schema):
    """One place a vehicle, the cheapest first."""

    places = fields.List(fields.Nested(PlaceSchema), required=True)


class ViolationSchema(Schema):
    """A rule that breaks; the excess is in seconds, grams, litres or what the rule counts."""

    cause = fields.String(required=True)
    vehicle_key = fields.String(required=True, allow_none=True)
    booking_id = fields.String(required=True, allow_none=True)
    excess = fields.Integer(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class BoardStepSchema(Schema):
    """One step of a route; seconds after midnight of the plan's day, load on board when it ends."""

    kind = fields.String(required=True, validate=validate.OneOf(STEP_KINDS))
    booking_id = fields.String(required=True, allow_none=True)
    station_key = fields.String(required=True, allow_none=True)
    arrival_s = fields.Integer(required=True)
    start_s = fields.Integer(required=True)
    end_s = fields.Integer(required=True)
    load_g = fields.Integer(required=True)
    load_l = fields.Integer(required=True)


class BoardRouteSchema(Schema):
    """One vehicle's steps."""

    vehicle_key = fields.String(required=True)
    steps = fields.List(fields.Nested(BoardStepSchema), required=True)


class VerdictSchema(Schema):
    """What the checker says of a plan with these routes, and what it costs more than without."""

    keeps_the_rules = fields.Boolean(required=True, metadata={"description": "可保存 / such a plan can be kept"})
    violations = fields.List(fields.Nested(ViolationSchema), required=True)
    left_out = fields.List(fields.String(), required=True, metadata={"description": "移出 / served before, not now"})
    cost = fields.Nested(CostSchema, required=True)
    added_cost = fields.Integer(required=True, metadata={"description": "of the routes; what is left out is not in it"})
    added_travel_s = fields.Integer(required=True)
    added_distance_m = fields.Integer(required=True)
    routes = fields.List(fields.Nested(BoardRouteSchema), required=True)


class BoardStationSchema(Schema):
    """A station of the plan's day."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    open_s = fields.List(fields.Integer(), required=True)


class BoardVehicleSchema(Schema):
    """A vehicle of the plan's day, whether it drives or not."""

    key = fields.String(required=True)
    station_key = fields.String(required=True)
    capacity_g = fields.Integer(required=True)
    capacity_l = fields.Integer(required=True)
    skills = fields.List(fields.String(), required=True)
    shift_s = fields.List(fields.Integer(), required=True)
    max_overtime_s = fields.Integer(required=True)
    break_window_s = fields.List(fields.Integer(), required=True, allow_none=True)
    crew = fields.List(fields.String(), required=True)


class BoardItemSchema(Schema):
    """What is fetched."""

    zh = fields.String(required=True)
    en = fields.String(required=True)
    units = fields.Integer(required=True)


class BoardStopSchema(Schema):
    """A booking as the planner knows it."""

    booking_id = fields.String(required=True)
    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    windows_s = fields.List(fields.List(fields.Integer()), required=True)
    service_s = fields.Integer(required=True)
    load_g = fields.Integer(required=True)
    load_l = fields.Integer(required=True)
    skills = fields.List(fields.String(), required=True)
    items = fields.List(fields.Nested(BoardItemSchema), required=True)


class BoardUnassignedSchema(Schema):
    """A booking that the plan leaves out, why, and the smallest change found that would let it in."""

    booking_id = fields.String(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(REASONS))
    detail = fields.String(required=True)
    cheapest_fix = fields.Dict(required=True, allow_none=True)


class BoardSchema(Schema):
    """A plan with all that the planning board draws."""

    id = fields.UUID(required=True)
    day = fields.Date(required=True)
    version = fields.Integer(required=True)
    newest_version = fields.Integer(required=True, metadata={"description": "name it as If-Match when you keep edits"})
    base_plan_id = fields.UUID(required=True, allow_none=True, metadata={"description": "由此版手工调整 / edited from"})
    published_plan_id = fields.UUID(required=True, allow_none=True)
    why_fixed = fields.String(required=True, allow_none=True, metadata={"description": "null: it can be edited"})
    cost = fields.Nested(CostSchema, required=True)
    travel_s = fields.Integer(required=True)
    distance_m = fields.Integer(required=True)
    stations = fields.List(fields.Nested(BoardStationSchema), required=True)
    vehicles = fields.List(fields.Nested(BoardVehicleSchema), required=True)
    stops = fields.List(fields.Nested(BoardStopSchema), required=True)
    routes = fields.List(fields.Nested(BoardRouteSchema), required=True)
    unassigned = fields.List(fields.Nested(BoardUnassignedSchema), required=True)


class DayChangesSchema(Schema):
    """How a day differs from the one that a plan was made for, in words."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class PlanChangesSchema(Schema):
    """What overtook a plan."""

    changes = fields.Nested(
        DayChangesSchema,
        required=True,
        allow_none=True,
        metadata={"description": "null: 改动可保存 / edits of it can be kept"},
    )


class PlanNewsSchema(Schema):
    """What became of a plan's day."""

    newest = fields.Nested(PlanRowSchema, required=True)
    published = fields.Nested(PlanRowSchema, required=True, allow_none=True)


class OtherPlanSchema(Schema):
    """Which version to compare with."""

    other = fields.UUID(
        load_default=None,
        metadata={
            "description": "默认为其来源版或上一版 / by default what it was edited from, or the version before it"
        },
    )


class VersionFiguresSchema(Schema):
    """What a version comes to."""

    id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    published_at = fields.AwareDateTime(required=True, allow_none=True)
    cost = fields.Nested(CostSchema, required=True)
    routes = fields.Integer(required=True)
    kept = fields.Integer(required=True, metadata={"description": "守约 / promises on a route, each in its window"})
    left_out = fields.Integer(required=True)
    distance_m = fields.Integer(required=True)
    travel_s = fields.Integer(required=True)


class VisitDifferenceSchema(Schema):
    """A visit that the versions have otherwise."""

    booking_id = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(("moved", "retimed", "put_in", "left_out")))
    vehicle_before = fields.String(required=True, allow_none=True)
    start_before_s = fields.Integer(required=True, allow_none=True)
    vehicle_after = fields.String(required=True, allow_none=True)
    start_after_s = fields.Integer(required=True, allow_none=True)


class PlanDifferencesSchema(Schema):
    """Two versions of a day, and the visits that they have otherwise."""

    before = fields.Nested(VersionFiguresSchema, required=True)
    after = fields.Nested(VersionFiguresSchema, required=True)
    visits = fields.List(fields.Nested(VisitDifferenceSchema), required=True)
