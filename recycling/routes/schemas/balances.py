"""Mass balances, units that came stripped, and class averages, as they come in and go out."""

from __future__ import annotations

from datetime import date
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.balance import AGREEMENTS, BALANCE_STATES, RESOLUTION_REASONS
from recycling.policy.mass_balance import HELD_CAUSES
from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text, Whole
from recycling.usecases.intake.resolve_trip import Resolution

MOST_VERSIONS = 2**31 - 1  # what the column takes


class TripBalanceFilterSchema(Schema):
    """Which trips: of a state, a span with both its days, a station, a vehicle."""

    state = fields.String(validate=validate.OneOf(BALANCE_STATES))
    first = Day(data_key="from")
    last = Day(data_key="to")
    station_key = Text(most=64)
    vehicle_key = Text(most=64)
    cursor = Text(most=400)
    limit = QueryWhole(load_default=50, least=1, most=200)


class DifferingSchema(Schema):
    """Units of a booking's item type that door and tickets of the trip do not agree on."""

    booking_id = fields.UUID(required=True)
    item_type = fields.String(required=True)
    collected = fields.Integer(required=True)
    weighed = fields.Integer(required=True)


class NextStepSchema(Schema):
    """What to do about a held trip."""

    text_zh = fields.String(required=True)
    text_en = fields.String(required=True)


class TripResolutionSchema(Schema):
    """What somebody said of the figures of one version."""

    version = fields.Integer(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(RESOLUTION_REASONS))
    note = fields.String(required=True)
    by_id = fields.UUID(required=True)
    by_role = fields.String(required=True)
    at = fields.AwareDateTime(required=True)


class TripBalanceSchema(Schema):
    """A load of a vehicle: what its doors gave against what its tickets weighed.

    ``doorstep_g`` was read off a scale at the door; ``class_average_g`` and ``type_table_g`` are estimates of the rest.
    ``difference_g`` is station less doors.
    """

    id = fields.UUID(required=True)
    day = fields.Date(required=True)
    vehicle_key = fields.String(required=True)
    trip = fields.Integer(required=True)
    station_key = fields.String(required=True)
    doors = fields.Integer(required=True)
    units = fields.Integer(required=True)
    door_g = fields.Integer(required=True)
    doorstep_g = fields.Integer(required=True)
    class_average_g = fields.Integer(required=True)
    type_table_g = fields.Integer(required=True)
    station_g = fields.Integer(required=True)
    difference_g = fields.Integer(required=True)
    tolerance_g = fields.Integer(required=True)
    tickets = fields.List(fields.UUID(), required=True)
    differing = fields.List(fields.Nested(DifferingSchema), required=True)
    causes = fields.List(fields.String(validate=validate.OneOf(HELD_CAUSES)), required=True)
    next_steps = fields.List(fields.Nested(NextStepSchema), required=True)
    state = fields.String(required=True, validate=validate.OneOf(BALANCE_STATES))
    version = fields.Integer(required=True)
    computed_at = fields.AwareDateTime(required=True)
    resolutions = fields.List(fields.Nested(TripResolutionSchema), required=True)


class TripBalanceListSchema(Schema):
    """A page of trips, newest day first."""

    trip_balances = fields.List(fields.Nested(TripBalanceSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ResolveTripSchema(Schema):
    """What was found out about a held trip, and of which version of its figures."""

    version = Whole(required=True, least=1, most=MOST_VERSIONS, metadata={"description": "version that was looked at"})
    reason = fields.String(
        required=True, validate=validate.OneOf(RESOLUTION_REASONS),
        metadata={
            "description": "复磅无误、上门估重偏差、上门登记有误、卸于他站、货物缺失、其他 / weighed again and right,"
            " the door was only estimated, its record is wrong, unloaded at another station, goods are missing, other"
        },
    )  # fmt: skip
    note = Text(
        required=True, least=4, most=200, metadata={"description": "说明，勿写个人信息 / why, nothing personal"}
    )

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> Resolution:
        """Build the domain's form."""
        return Resolution(**fields_)


class MissingPartsFilterSchema(Schema):
    """Which flags: of a span with both its days, a station, a collector, or as door and station agree."""

    first = Day(data_key="from")
    last = Day(data_key="to")
    station_key = Text(most=64)
    collector_key = Text(most=64)
    agreement = fields.String(validate=validate.OneOf(AGREEMENTS))
    cursor = Text(most=400)
    limit = QueryWhole(load_default=50, least=1, most=200)


class MissingPartsFlagSchema(Schema):
    """Units that came stripped, by the door, the station or both.

    ``door_units`` is null where the crew said so without a count, and where there was no door; ``station_units`` is
    null until the goods are weighed.
    """

    id = fields.UUID(required=True)
    day = fields.Date(required=True)
    station_key = fields.String(required=True)
    collector_key = fields.String(required=True, allow_none=True)
    booking_id = fields.UUID(required=True, allow_none=True)
    ticket_id = fields.UUID(required=True, allow_none=True)
    item_type = fields.String(required=True)
    units = fields.Integer(required=True)
    door_units = fields.Integer(required=True, allow_none=True)
    station_units = fields.Integer(required=True, allow_none=True)
    agreement = fields.String(required=True, validate=validate.OneOf(AGREEMENTS))


class MissingPartsListSchema(Schema):
    """A page of flags, newest day first."""

    missing_parts = fields.List(fields.Nested(MissingPartsFlagSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ClassAverageFilterSchema(Schema):
    """Which averages: of a month such as 2026-11, a station, an item type."""

    month = fields.String(validate=validate.Regexp(r"\A20[0-9]{2}-(0[1-9]|1[0-2])\Z"))
    station_key = Text(most=64)
    item_type = Text(most=64)
    cursor = Text(most=400)
    limit = QueryWhole(load_default=50, least=1, most=200)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Name the month by its first day."""
        month = fields_.pop("month", None)
        return fields_ | ({} if month is None else {"month": date.fromisoformat(f"{month}-01")})


class ClassAverageSchema(Schema):
    """The mean mass of a unit at a station beside the type table's; in force from ``valid_from`` until the next."""

    month = fields.String(required=True)
    station_key = fields.String(required=True)
    item_type = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    mean_g = fields.Integer(required=True)
    sd_g = fields.Integer(required=True)
    units = fields.Integer(required=True)
    lines = fields.Integer(required=True)
    type_table_g = fields.Integer(required=True)
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)
    valid_from = fields.Date(required=True)
    made_at = fields.AwareDateTime(required=True)


class ClassAverageListSchema(Schema):
    """A page of averages, newest month first."""

    class_averages = fields.List(fields.Nested(ClassAverageSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
