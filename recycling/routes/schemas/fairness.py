"""Collectors' weeks in figures."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.policy.fairness import MEASURES
from recycling.routes.schemas.fields import Schema, Text


class WeekFilterSchema(Schema):
    """Which week."""

    week = Text(
        most=8, metadata={"example": "2026-W48", "description": "ISO 周次，默认本周 / the running one by default"}
    )


class WorkedWeekSchema(Schema):
    """One collector's week."""

    days = fields.Integer(required=True)
    days_recorded = fields.Integer(
        required=True,
        metadata={"description": "有记录的天数，其余按计划 / days by records; the others are by the plan"},
    )
    worked_s = fields.Integer(required=True, metadata={"description": "在岗，含午休 / on shift, breaks included"})
    driven_s = fields.Integer(required=True)
    stops = fields.Integer(required=True)
    carried_g = fields.Integer(required=True, metadata={"description": "按目录质量，车组均分 / a share of the crew's"})
    storeys = fields.Integer(required=True, metadata={"description": "负重楼层数，车组均分 / climbed with loads"})
    early_shifts = fields.Integer(required=True)
    late_shifts = fields.Integer(required=True)
    prices_down = fields.Integer(required=True, metadata={"description": "低于预估的改价 / prices below the estimate"})


class CollectorWeekSchema(WorkedWeekSchema):
    """One collector's week, with who it is and where it is far from the middle."""

    collector_key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    far_off = fields.List(fields.String(validate=validate.OneOf(MEASURES)), required=True)


class SpreadSchema(Schema):
    """The middle and the half around it."""

    median = fields.Integer(required=True)
    low = fields.Integer(required=True)
    high = fields.Integer(required=True)


class FairnessSchema(Schema):
    """A week of all collectors."""

    week = fields.String(required=True)
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)
    collectors = fields.List(fields.Nested(CollectorWeekSchema), required=True)
    spread = fields.Dict(
        keys=fields.String(), values=fields.Nested(SpreadSchema), required=True, allow_none=True,
        metadata={"description": "null: fewer than five collectors"},
    )  # fmt: skip


class MyFiguresSchema(Schema):
    """A collector's own week beside the middle of all."""

    week = fields.String(required=True)
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)
    own = fields.Nested(WorkedWeekSchema, required=True)
    median = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, allow_none=True,
        metadata={"description": "null: fewer than five collectors"},
    )  # fmt: skip
