"""Forecasts of the year's end as they go out."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.policy.forecast import METHODS
from recycling.routes.schemas.fields import Schema
from recycling.routes.schemas.figures import GoalSchema


class IntervalSchema(Schema):
    """Bounds between which the year ends with a probability of 50, 80 or 95 percent."""

    percent = fields.Integer(required=True)
    low = fields.Integer(required=True)
    high = fields.Integer(required=True)


class TriedSchema(Schema):
    """Median error of a method, tried from past months, in hundredths of a percent."""

    method = fields.String(required=True)
    error_bp = fields.Integer(required=True)


class ProjectionSchema(Schema):
    """The calendar year as it will probably end; no interval and no probability where the history is too short."""

    day = fields.Date(required=True)
    method = fields.String(required=True, validate=validate.OneOf(METHODS))
    projected = fields.Integer(required=True)
    intervals = fields.List(fields.Nested(IntervalSchema), required=True)
    probability_bp = fields.Integer(required=True, allow_none=True)
    error_bp = fields.Integer(required=True, allow_none=True)
    errors = fields.List(fields.Nested(TriedSchema), required=True)
    recovered = fields.Integer(required=True, metadata={"description": "year to date, declared months included"})
    declared = fields.Integer(required=True, metadata={"description": "of that, what was declared and not weighed"})
    months_own = fields.Integer(required=True)
    months_declared = fields.Integer(required=True)
    months_missing = fields.Integer(required=True)


class PartSchema(ProjectionSchema):
    """The same of one town unit or item type, in the scope's unit; a part has no goal of its own."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)


class MeasuredSchema(Schema):
    """Progress, pace and forecast in pieces or grams; what needs a target is null without a confirmed baseline."""

    measure = fields.String(required=True, validate=validate.OneOf(("units", "mass")))
    recovered = fields.Integer(required=True)
    target = fields.Integer(required=True, allow_none=True)
    progress_bp = fields.Integer(required=True, allow_none=True)
    pace_bp = fields.Integer(required=True, allow_none=True)
    missing = fields.Integer(required=True, allow_none=True)
    needed_per_day = fields.Integer(required=True, allow_none=True)
    needed_per_working_day = fields.Integer(required=True, allow_none=True)
    forecast = fields.Nested(ProjectionSchema, required=True, allow_none=True)
    words_zh = fields.String(required=True)
    words_en = fields.String(required=True)


class LeverSchema(Schema):
    """A number that somebody can move, in the scope's unit, and how it was worked out."""

    kind = fields.String(
        required=True, validate=validate.OneOf(("town_unit", "item_type", "unserved_demand", "channel"))
    )
    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    amount = fields.Integer(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class ScopeForecastSchema(Schema):
    """Where one scope will probably stand. ``labels`` must be shown wherever its figures are."""

    scope = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    unit = fields.String(required=True)
    labels = fields.List(fields.String(), required=True)
    goal = fields.Nested(GoalSchema, required=True, allow_none=True)
    baseline_state = fields.String(required=True)
    remaining_days = fields.Integer(required=True)
    remaining_working_days = fields.Integer(required=True)
    measures = fields.List(fields.Nested(MeasuredSchema), required=True)
    by_town = fields.List(fields.Nested(PartSchema), required=True)
    by_item_type = fields.List(fields.Nested(PartSchema), required=True)
    levers = fields.List(fields.Nested(LeverSchema), required=True)


class GoalForecastSchema(Schema):
    """Every scope at the end of a day; the forecasts are those made for ``forecast_of``."""

    on = fields.String(required=True, metadata={"format": "date"})
    forecast_of = fields.Date(required=True, allow_none=True)
    scopes = fields.List(fields.Nested(ScopeForecastSchema), required=True)


class MonthSchema(Schema):
    """A month of a scope; ``source`` says whether tickets or a declaration tell it, null where neither does."""

    month = fields.Date(required=True)
    source = fields.String(required=True, allow_none=True, validate=validate.OneOf(("tickets", "declared")))
    units = fields.Integer(required=True, allow_none=True)
    recovered_g = fields.Integer(required=True, allow_none=True)


class YearSchema(Schema):
    """The months of a year up to the day asked for."""

    year = fields.Integer(required=True)
    months = fields.List(fields.Nested(MonthSchema), required=True)


class PartAmountsSchema(Schema):
    """What a town-level unit or item type came to."""

    key = fields.String(required=True)
    units = fields.Integer(required=True)
    recovered_g = fields.Integer(required=True)


class LastYearSchema(Schema):
    """Last year up to ``until``: the same day, or where tickets do not tell it, whole months beside this year's."""

    until = fields.Date(required=True)
    whole_months = fields.Boolean(required=True)
    units = fields.Integer(required=True, allow_none=True)
    recovered_g = fields.Integer(required=True, allow_none=True)
    this_units = fields.Integer(required=True, allow_none=True)
    this_recovered_g = fields.Integer(required=True, allow_none=True)
    by_town = fields.List(fields.Nested(PartAmountsSchema), required=True)
    by_item_type = fields.List(fields.Nested(PartAmountsSchema), required=True)


class ScopeMonthsSchema(Schema):
    """A scope's months, and what they are compared with."""

    scope = fields.String(required=True)
    unit = fields.String(required=True)
    years = fields.List(fields.Nested(YearSchema), required=True)
    last_year = fields.Nested(LastYearSchema, required=True, allow_none=True)


class GoalMonthsSchema(Schema):
    """Every scope's months of this year and the last."""

    on = fields.String(required=True, metadata={"format": "date"})
    scopes = fields.List(fields.Nested(ScopeMonthsSchema), required=True)
