"""A collector's route as it goes out."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.models.booking import BOOKING_STATES
from recycling.policy.catalogue import CONDITIONS
from recycling.policy.route_changes import CHANGE_KINDS
from recycling.routes.schemas.fields import Day, QueryWhole, Schema
from recycling.routing.plan import STEP_KINDS


class MyRouteFilterSchema(Schema):
    """Which day, today when left out; and which version of its plan the caller has seen, to be told what changed."""

    day = Day()
    seen_version = QueryWhole(
        least=1, most=1_000_000, metadata={"description": "你上次看到的计划版本 / plan version you have seen"}
    )


class MyRouteDaySchema(Schema):
    """Which day; today when left out."""

    day = Day()


class NamedSchema(Schema):
    """Something of the configuration by its key, with its names."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)


class RouteWindowSchema(NamedSchema):
    """The promised window: first and last second in which service may start."""

    opens_s = fields.Integer(required=True)
    closes_s = fields.Integer(required=True)


class RouteItemSchema(Schema):
    """So many of one item type: declared by the resident, counted at the door."""

    item_type = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    declared_units = fields.Integer(required=True)
    collected_units = fields.Integer(required=True)
    dismantle = fields.Boolean(required=True)
    condition = fields.String(required=True, validate=validate.OneOf(CONDITIONS))
    wipe_consent = fields.Boolean(
        required=True, metadata={"description": "居民已同意清除数据 / its giver agreed to have its data wiped"}
    )


class AllGearSchema(NamedSchema):
    """Something to bring, and at how many of the route's stops it is needed."""

    stops = fields.Integer(required=True)


class PickupSchema(Schema):
    """What to fetch and how to get there. Phone, address, note and photos are there only when they are needed."""

    booking_id = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf(BOOKING_STATES))
    window = fields.Nested(RouteWindowSchema, required=True)
    items = fields.List(fields.Nested(RouteItemSchema), required=True)
    skills = fields.List(fields.Nested(NamedSchema), required=True)
    bring = fields.List(fields.Nested(NamedSchema), required=True)
    floor = fields.Integer(required=True)
    has_lift = fields.Boolean(required=True)
    note = fields.String(required=True)
    phone = fields.String(required=True)
    phone_in_full = fields.Boolean(required=True)
    village_code = fields.String(required=True)
    village_name_zh = fields.String(required=True)
    town_name_zh = fields.String(required=True)
    address = fields.String(required=True)
    address_in_full = fields.Boolean(required=True)
    photo_count = fields.Integer(required=True)
    photo_urls = fields.List(fields.String(), required=True)
    declared_g = fields.Integer(required=True)
    declared_l = fields.Integer(required=True)
    high_fen = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "预约物品估价上限，决定凭证 / the most it may bring: decides its proof"},
    )


class RouteStepSchema(Schema):
    """One step; seconds after midnight of the day and the same as clock texts, load on board when it ends."""

    position = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(STEP_KINDS))
    arrival_s = fields.Integer(required=True)
    arrival = fields.String(required=True, metadata={"example": "08:12"})
    start_s = fields.Integer(required=True)
    start = fields.String(required=True)
    end_s = fields.Integer(required=True)
    end = fields.String(required=True)
    estimated_arrival_s = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "预计到达 / as the day runs; null before the day and once the step is done"},
    )
    load_g = fields.Integer(required=True)
    load_l = fields.Integer(required=True)
    station = fields.Nested(NamedSchema, required=True, allow_none=True)
    pickup = fields.Nested(PickupSchema, required=True, allow_none=True)
    point = fields.List(
        fields.Float(),
        required=True,
        allow_none=True,
        metadata={"description": "WGS-84 [lat, lon]; 居民住址仅当天提供 / a pickup's on its day alone"},
    )
    navigation_url = fields.String(
        required=True, allow_none=True, metadata={"description": "高德导航（WGS-84，链接内注明） / AMap navigation"}
    )
    map_url = fields.String(
        required=True, allow_none=True, metadata={"description": "高德网页地图（GCJ-02） / AMap on the web"}
    )
    geo_url = fields.String(
        required=True, allow_none=True, metadata={"description": "手机地图（WGS-84） / the phone's own map, RFC 5870"}
    )


class RouteMomentSchema(Schema):
    """A step's place in one version of the route."""

    position = fields.Integer(required=True)
    arrival_s = fields.Integer(required=True)
    arrival = fields.String(required=True)
    station = fields.Nested(NamedSchema, required=True, allow_none=True)


class RouteChangeSchema(Schema):
    """One difference from the version seen; a step that moved and comes later has two of them."""

    kind = fields.String(required=True, validate=validate.OneOf(CHANGE_KINDS))
    step_kind = fields.String(required=True, validate=validate.OneOf(STEP_KINDS))
    booking_id = fields.UUID(required=True, allow_none=True)
    village_name_zh = fields.String(required=True, allow_none=True)
    before = fields.Nested(RouteMomentSchema, required=True, allow_none=True)
    after = fields.Nested(RouteMomentSchema, required=True, allow_none=True)


class RouteTripSchema(Schema):
    """What is loaded before one unload, and how much is on board then."""

    number = fields.Integer(required=True)
    booking_ids = fields.List(fields.UUID(), required=True)
    first_position = fields.Integer(required=True)
    last_position = fields.Integer(required=True)
    load_g = fields.Integer(required=True)
    load_l = fields.Integer(required=True)
    unload_position = fields.Integer(required=True)
    unload = fields.String(required=True, metadata={"example": "11:40"})
    station = fields.Nested(NamedSchema, required=True, allow_none=True)


class RoutePlanSchema(Schema):
    """The plan version that the route is from."""

    id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    published_at = fields.AwareDateTime(required=True)


class RouteTotalsSchema(Schema):
    """Sums over the route; ``open`` counts the pickups without a record."""

    pickups = fields.Integer(required=True)
    open = fields.Integer(required=True)
    declared_g = fields.Integer(required=True)
    declared_l = fields.Integer(required=True)
    distance_m = fields.Integer(required=True)
    travel_s = fields.Integer(required=True)


class MyRouteSchema(Schema):
    """The caller's route of a day; without one, no steps and a note that says why."""

    day = fields.Date(required=True)
    note = fields.String(required=True, allow_none=True)
    plan = fields.Nested(RoutePlanSchema, required=True, allow_none=True)
    changes = fields.List(
        fields.Nested(RouteChangeSchema),
        required=True,
        allow_none=True,
        metadata={"description": "与 seen_version 相比的变化 / since seen_version; null when none was named"},
    )
    vehicle_key = fields.String(required=True, allow_none=True)
    crew = fields.List(fields.Nested(NamedSchema), required=True)
    bring = fields.List(fields.Nested(AllGearSchema), required=True)
    steps = fields.List(fields.Nested(RouteStepSchema), required=True)
    trips = fields.List(fields.Nested(RouteTripSchema), required=True)
    totals = fields.Nested(RouteTotalsSchema, required=True)
