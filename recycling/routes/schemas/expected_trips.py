"""Trips on their way to a scale as they go out."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.policy.mass_balance import DOOR_SOURCES
from recycling.routes.schemas.fields import Day, Schema
from recycling.usecases.queries.expected_trips import EXPECTED_STATES


class ExpectedTripsFilterSchema(Schema):
    """The day on which the goods were fetched; today when left out."""

    day = Day(load_default=None)


class ExpectedLineSchema(Schema):
    """Units of a door that are left to weigh.

    ``expected_g`` is what the door's scale, the class average or the type table puts them at, ``allowed_g`` what their
    mass may differ by; ``tags`` are the labels that the crew put on them.
    """

    booking_id = fields.UUID(required=True)
    item_type = fields.String(required=True)
    units = fields.Integer(required=True)
    expected_g = fields.Integer(required=True)
    allowed_g = fields.Integer(required=True)
    source = fields.String(required=True, validate=validate.OneOf(DOOR_SOURCES))
    missing_parts = fields.Integer(required=True)
    tags = fields.List(fields.String(), required=True)


class ExpectedTripSchema(Schema):
    """One load of a vehicle, from 1 each day. ``units``, ``load_g`` and ``load_l`` are what was taken and is to come.

    ``net_g`` is what its tickets weighed so far.
    """

    vehicle_key = fields.String(required=True)
    plate = fields.String(required=True, allow_none=True)
    trip = fields.Integer(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(EXPECTED_STATES),
        metadata={"description": "已到站、在途、车辆停驶、已过磅 / there, on its way, its vehicle stands, weighed"},
    )  # fmt: skip
    planned_at = fields.AwareDateTime(required=True, allow_none=True)
    expected_at = fields.AwareDateTime(required=True, allow_none=True)
    late_s = fields.Integer(required=True)
    no_word = fields.Boolean(required=True)
    unloaded_at = fields.AwareDateTime(required=True, allow_none=True)
    doors = fields.Integer(required=True)
    doors_to_come = fields.Integer(required=True)
    units = fields.Integer(required=True)
    load_g = fields.Integer(required=True)
    load_l = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    tickets = fields.List(fields.UUID(), required=True)
    lines = fields.List(fields.Nested(ExpectedLineSchema), required=True)


class ExpectedTripListSchema(Schema):
    """The trips of a day at one station; a ticket's mass may always differ by ``least_allowed_g``."""

    day = fields.Date(required=True)
    station_key = fields.String(required=True)
    as_of = fields.AwareDateTime(required=True)
    least_allowed_g = fields.Integer(required=True)
    trips = fields.List(fields.Nested(ExpectedTripSchema), required=True)
