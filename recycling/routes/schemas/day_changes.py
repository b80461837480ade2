"""Dated changes, the fleet of a day, and the calendar."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, post_load, validate

from recycling.policy.day_changes import CHANGE_KINDS, DAY_S, DayChange
from recycling.routes.schemas.fields import Day, Flag, Schema, Text, Whole
from recycling.routes.schemas.problem import HitBookingSchema

EVEN = {
    "description": "仍然登记，受影响预约留待重排 / let it stand although promises are left without a place, for people"
    " to look after"
}


class RecordChangeSchema(Schema):
    """What is different from when to when; which of the keys are given depends on the kind."""

    kind = fields.String(
        required=True, validate=validate.OneOf(CHANGE_KINDS),
        metadata={
            "description": "vehicle_out 车辆停用, collector_away 人员请假, other_vehicle 换车 (collector and vehicle),"
            " shift_moved 班次调整 (vehicle and hours), station_hours 站点营业时间, day_closed 停收, day_opened 加开"
        },
    )  # fmt: skip
    first_day = Day(required=True)
    last_day = Day(required=True)
    vehicle_key = Text(most=64, load_default=None, allow_none=True)
    collector_key = Text(most=64, load_default=None, allow_none=True)
    station_key = Text(most=64, load_default=None, allow_none=True)
    from_s = Whole(least=0, most=DAY_S, load_default=None, allow_none=True)
    to_s = Whole(least=0, most=DAY_S, load_default=None, allow_none=True)
    reason = Text(most=200, required=True)
    even_unplaced = Flag(load_default=False, metadata=EVEN)

    @post_load
    def change(self, said: dict[str, Any], **_options: Any) -> tuple[DayChange, bool]:
        """As the domain has it, and whether it stands although promises lose their place."""
        even = said.pop("even_unplaced")
        try:
            return DayChange(**said), even
        except ValueError as error:
            raise ma.ValidationError(f"{error} / 请按变更类型填写对应的日期、车辆、人员、站点或时间", "kind") from None


class EndChangeSchema(Schema):
    """From which day on a change no longer holds."""

    ends_on = Day(required=True)
    even_unplaced = Flag(load_default=False, metadata=EVEN)


class DayChangeSchema(Schema):
    """A change as it was recorded and perhaps ended."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(CHANGE_KINDS))
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)
    vehicle_key = fields.String(required=True, allow_none=True)
    collector_key = fields.String(required=True, allow_none=True)
    station_key = fields.String(required=True, allow_none=True)
    from_s = fields.Integer(required=True, allow_none=True)
    to_s = fields.Integer(required=True, allow_none=True)
    reason = fields.String(required=True)
    ends_on = fields.Date(required=True, allow_none=True, metadata={"description": "自该日起不再适用"})
    version = fields.Integer(required=True)
    made_at = fields.AwareDateTime(required=True)
    made_by_id = fields.UUID(required=True)


class RecordedChangeSchema(DayChangeSchema):
    """A change that has just been recorded or ended, and the promises it left without a place."""

    without_place = fields.List(fields.Nested(HitBookingSchema), required=True)


class SpanSchema(Schema):
    """Days to look at, both included."""

    first_day = Day(required=True)
    last_day = Day(required=True)


class DayChangeListSchema(Schema):
    """The changes of a span, by their first day."""

    day_changes = fields.List(fields.Nested(DayChangeSchema), required=True)


class FleetFilterSchema(Schema):
    """Which day."""

    day = Day(required=True)


class RiderSchema(Schema):
    """A collector."""

    collector_key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)


class FleetVehicleSchema(Schema):
    """A vehicle on a day; ``changed`` against how it usually is."""

    vehicle_key = fields.String(required=True)
    class_zh = fields.String(required=True)
    class_en = fields.String(required=True)
    station_key = fields.String(required=True)
    station_zh = fields.String(required=True)
    station_en = fields.String(required=True)
    out = fields.Boolean(required=True)
    changed = fields.Boolean(required=True)
    crew = fields.List(fields.Nested(RiderSchema), required=True)
    from_ = fields.String(required=True, allow_none=True, data_key="from", attribute="from")
    to = fields.String(required=True, allow_none=True)
    reasons = fields.List(fields.String(), required=True)


class FleetStationSchema(Schema):
    """A station's hours on a day."""

    station_key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    opens = fields.String(required=True)
    closes = fields.String(required=True)
    changed = fields.Boolean(required=True)


class FleetSchema(Schema):
    """Who drives what on a day."""

    day = fields.Date(required=True)
    is_service_day = fields.Boolean(required=True)
    note = fields.String(required=True)
    vehicles = fields.List(fields.Nested(FleetVehicleSchema), required=True)
    away = fields.List(fields.Nested(RiderSchema), required=True)
    stations = fields.List(fields.Nested(FleetStationSchema), required=True)


class CalendarDaySchema(Schema):
    """A day of the calendar; ``planned`` when its routes are published."""

    day = fields.Date(required=True)
    is_service_day = fields.Boolean(required=True)
    is_working_day = fields.Boolean(required=True)
    note = fields.String(required=True)
    promised = fields.Integer(required=True)
    planned = fields.Boolean(required=True)
    vehicles = fields.Integer(required=True)
    changes = fields.Integer(required=True)


class CalendarSchema(Schema):
    """The days of a span."""

    days = fields.List(fields.Nested(CalendarDaySchema), required=True)
