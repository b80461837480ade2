"""The running day as it goes out, and a van's place as it comes in."""

from __future__ import annotations

from typing import Any, get_args

import marshmallow as ma
from marshmallow import fields, validate

from recycling.policy.field_events import Doing
from recycling.routes.schemas.fields import Decimal, Instant, Schema, Whole
from recycling.routes.schemas.my_route import RouteWindowSchema
from recycling.routing.plan import STEP_KINDS
from recycling.usecases.live.share_position import Position
from recycling.usecases.queries.arrivals import TRACKING_STATES


class ExpectedSchema(Schema):
    """Between when service is expected to start, in seconds after midnight and as clock texts."""

    earliest_s = fields.Integer(required=True)
    earliest = fields.String(required=True, metadata={"example": "09:10"})
    latest_s = fields.Integer(required=True)
    latest = fields.String(required=True)


class VanSchema(Schema):
    """Where the van was last, WGS-84."""

    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    accuracy_m = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
    map_url = fields.String(required=True, metadata={"description": "在高德地图上查看 / the place on AMap's page"})


class TrackingSchema(Schema):
    """A visit as its link shows it: nothing of people, no address, and the van only while it is on its way there."""

    day = fields.Date(required=True)
    window = fields.Nested(RouteWindowSchema, required=True)
    state = fields.String(required=True, validate=validate.OneOf(TRACKING_STATES))
    told_s = fields.Integer(
        required=True, allow_none=True, metadata={"description": "前一晚告知的时刻 / the quarter told the day before"}
    )
    expected = fields.Nested(ExpectedSchema, required=True, allow_none=True)
    no_word = fields.Boolean(
        required=True, metadata={"description": "车辆暂无消息，按计划显示 / nothing heard of the van: as planned"}
    )
    stops_before = fields.Integer(required=True, allow_none=True)
    vehicle_key = fields.String(required=True, allow_none=True)
    van = fields.Nested(VanSchema, required=True, allow_none=True)
    contact_zh = fields.String(required=True)
    contact_en = fields.String(required=True)
    as_of = fields.AwareDateTime(required=True)


class LivePositionSchema(Schema):
    """Where a van that is on its way to a door was last, WGS-84."""

    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    accuracy_m = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)


class PointSchema(Schema):
    """A place, WGS-84, rounded to some ten metres."""

    lat = fields.Float(required=True)
    lon = fields.Float(required=True)


class LiveVehicleSchema(Schema):
    """What a vehicle does, since when, and what comes next; ``stands`` means that it comes to nobody."""

    vehicle_key = fields.String(required=True)
    position = fields.Nested(LivePositionSchema, required=True, allow_none=True)
    station_key = fields.String(required=True, allow_none=True)
    doing = fields.String(required=True, validate=validate.OneOf(get_args(Doing)))
    since = fields.AwareDateTime(required=True, allow_none=True)
    drives = fields.Boolean(required=True)
    no_word = fields.Boolean(required=True)
    stands = fields.Boolean(required=True)
    heading_to = fields.UUID(required=True, allow_none=True)
    next_kind = fields.String(required=True, allow_none=True, validate=validate.OneOf(STEP_KINDS))
    next_booking_id = fields.UUID(required=True, allow_none=True)
    next_at = fields.AwareDateTime(required=True, allow_none=True)
    lateness_s = fields.Integer(required=True)
    done = fields.Integer(required=True)
    open = fields.Integer(required=True)


class LiveStopSchema(Schema):
    """An open stop; without an estimate nobody is coming as things stand."""

    booking_id = fields.UUID(required=True)
    vehicle_key = fields.String(required=True)
    village_name_zh = fields.String(required=True)
    town_name_zh = fields.String(required=True)
    window = fields.Nested(RouteWindowSchema, required=True)
    planned_s = fields.Integer(required=True)
    start_s = fields.Integer(required=True, allow_none=True)
    expected = fields.Nested(ExpectedSchema, required=True, allow_none=True)
    late_s = fields.Integer(required=True)
    late_min = fields.Integer(required=True, metadata={"description": "超出时段的分钟数 / minutes beyond its window"})
    under_way = fields.Boolean(required=True)
    stops_before = fields.Integer(required=True, allow_none=True)
    point = fields.Nested(PointSchema, required=True, allow_none=True)


class LiveDaySchema(Schema):
    """A running day; without a published plan both lists are empty."""

    day = fields.Date(required=True)
    as_of = fields.AwareDateTime(required=True)
    published_at = fields.AwareDateTime(required=True, allow_none=True)
    vehicles = fields.List(fields.Nested(LiveVehicleSchema), required=True)
    stops = fields.List(fields.Nested(LiveStopSchema), required=True)


class PositionSchema(Schema):
    """Where the van is, WGS-84, by the phone's own word."""

    lat = Decimal(required=True, least=-90, most=90)
    lon = Decimal(required=True, least=-180, most=180)
    accuracy_m = Whole(required=True, least=0, most=100_000)
    at = Instant(required=True)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> Position:
        """Build the domain's form."""
        return Position(**fields_)


class PositionKeptSchema(Schema):
    """Whether it was kept: only while the van is on its way to a booking."""

    kept = fields.Boolean(required=True)
