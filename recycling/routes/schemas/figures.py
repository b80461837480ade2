"""Recovered figures, goal progress and goal reports as they go out."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.policy.processors import OUTLET_KINDS
from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text


class RecoveredFilterSchema(Schema):
    """Which daily figures to list; both days included."""

    first = Day(data_key="from")
    last = Day(data_key="to")
    station_key = Text(most=64)
    item_type = Text(most=64)
    town_key = Text(most=64)
    channel = Text(most=16)
    provenance = Text(most=24)
    scope = Text(most=80, metadata={"description": "口径 / such as household-appliances/2"})
    cursor = Text(most=800)
    limit = QueryWhole(load_default=100, least=1, most=500)


class DailyRecoverySchema(Schema):
    """One daily figure, and where its tickets are."""

    day = fields.Date(required=True)
    station_key = fields.String(required=True)
    town_key = fields.String(required=True)
    item_type = fields.String(required=True)
    channel = fields.String(required=True)
    provenance = fields.String(required=True)
    units = fields.Integer(required=True)
    recovered_g = fields.Integer(required=True)
    ticket_lines = fields.Integer(required=True)
    tickets = fields.String(required=True, metadata={"description": "address of the tickets behind the figure"})


class RecoveredSumSchema(Schema):
    """What all figures that were asked for add up to, those on other pages included."""

    units = fields.Integer(required=True)
    recovered_g = fields.Integer(required=True)
    ticket_lines = fields.Integer(required=True)


class RecoveredListSchema(Schema):
    """A page of daily figures, in sequence of day and station."""

    recovered = fields.List(fields.Nested(DailyRecoverySchema), required=True)
    sum = fields.Nested(RecoveredSumSchema, required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class GoalProgressFilterSchema(Schema):
    """The day at whose end to judge; today when left out."""

    on = Day()


class AmountsSchema(Schema):
    """Units and mass together; ``mass_text`` is the mass in kilograms for people."""

    units = fields.Integer(required=True)
    recovered_g = fields.Integer(required=True)
    mass_text = fields.String(required=True)


class ScopeSchema(Schema):
    """The statistical scope (口径) of the figures."""

    key = fields.String(required=True)
    version = fields.Integer(required=True)
    label = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    groups = fields.List(fields.String(), required=True)
    givers = fields.List(fields.String(), required=True)
    channels = fields.List(fields.String(), required=True)
    counting_event = fields.String(required=True)
    area = fields.List(fields.String(), required=True)
    unit = fields.String(required=True)
    period = fields.String(required=True)
    stripped_items = fields.String(required=True)
    provenance = fields.List(fields.String(), required=True)
    note_zh = fields.String(required=True)
    note_en = fields.String(required=True)


class ProvenanceShareSchema(Schema):
    """Mass from one source; the share in hundredths of a percent, null when nothing was recovered."""

    provenance = fields.String(required=True)
    mass_g = fields.Integer(required=True)
    share_bp = fields.Integer(required=True, allow_none=True)


class GoalSchema(Schema):
    """A goal or milestone; targets only against a confirmed baseline. ``label`` must stand beside it."""

    key = fields.String(required=True)
    scope_key = fields.String(required=True)
    year = fields.Integer(required=True)
    baseline_year = fields.Integer(required=True)
    increase_bp = fields.Integer(required=True)
    kind = fields.String(required=True)
    source = fields.String(required=True)
    label = fields.String(required=True)
    target_units = fields.Integer(required=True, allow_none=True)
    target_g = fields.Integer(required=True, allow_none=True)


class BaselineSchema(Schema):
    """What is measured against; figures are null until the bureau has confirmed them."""

    year = fields.Integer(required=True)
    version = fields.Integer(required=True)
    state = fields.String(required=True)
    label = fields.String(required=True)
    marker = fields.String(required=True)
    units = fields.Integer(required=True, allow_none=True)
    mass_g = fields.Integer(required=True, allow_none=True)
    source_document = fields.String(required=True)
    confirmed_by = fields.String(required=True)
    confirmed_on = fields.String(required=True, allow_none=True, metadata={"format": "date"})


class MeasureSchema(Schema):
    """Progress in pieces or in grams; shares in hundredths of a percent."""

    recovered = fields.Integer(required=True)
    baseline = fields.Integer(required=True)
    target = fields.Integer(required=True)
    progress_bp = fields.Integer(required=True)
    pace_bp = fields.Integer(required=True)
    missing = fields.Integer(required=True)
    needed_per_day = fields.Integer(required=True, allow_none=True)
    needed_per_working_day = fields.Integer(required=True, allow_none=True)


class TownFigureSchema(AmountsSchema):
    """What came from one town-level unit."""

    town_key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)


class ItemTypeFigureSchema(AmountsSchema):
    """What came in of one item type."""

    item_type = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    group = fields.String(required=True)


class ScopeReportSchema(Schema):
    """Where one scope stands. ``labels`` must be shown wherever its figures are."""

    scope = fields.Nested(ScopeSchema, required=True)
    labels = fields.List(fields.String(), required=True)
    recovered = fields.Nested(AmountsSchema, required=True)
    provenance = fields.List(fields.Nested(ProvenanceShareSchema), required=True)
    # Reports kept before these were worked out are shown without them.
    mass_low_g = fields.Integer(metadata={"description": "质量 95 % 区间下限 / low end of the mass's 95 % interval"})
    mass_high_g = fields.Integer(metadata={"description": "质量 95 % 区间上限 / high end"})
    mass_interval_text = fields.String()
    weighed_share_bp = fields.Integer(required=True, allow_none=True)
    elapsed_days = fields.Integer(required=True)
    year_days = fields.Integer(required=True)
    elapsed_bp = fields.Integer(required=True)
    remaining_days = fields.Integer(required=True)
    remaining_working_days = fields.Integer(required=True)
    working_days_provisional = fields.Boolean(required=True)
    goal = fields.Nested(GoalSchema, required=True, allow_none=True)
    baseline_state = fields.String(required=True)
    baseline = fields.Nested(BaselineSchema, required=True, allow_none=True)
    units_progress = fields.Nested(MeasureSchema, required=True, allow_none=True)
    mass_progress = fields.Nested(MeasureSchema, required=True, allow_none=True)
    goals = fields.List(fields.Nested(GoalSchema), required=True)
    by_town = fields.List(fields.Nested(TownFigureSchema), required=True)
    by_item_type = fields.List(fields.Nested(ItemTypeFigureSchema), required=True)


class HeldSchema(Schema):
    """Trips of the year whose doors and scale do not agree, and that nobody has resolved; their mass counts."""

    trips = fields.Integer(required=True)
    station_g = fields.Integer(required=True)
    mass_text = fields.String(required=True)


class OutflowKindSchema(Schema):
    """What was handed over to outlets of one kind since the new year."""

    kind = fields.String(required=True, validate=validate.OneOf(OUTLET_KINDS))
    units = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    mass_text = fields.String(required=True)


class OutflowSchema(Schema):
    """Reuse, refurbishment and recovery apart. ``note_zh`` must be shown beside them: they are no recovered figure."""

    note_zh = fields.String(required=True)
    note_en = fields.String(required=True)
    kinds = fields.List(fields.Nested(OutflowKindSchema), required=True)


class ProgressSchema(Schema):
    """Every scope apart, and what lies in none of them; ``held`` is how much of it all is under review."""

    on = fields.String(required=True, metadata={"format": "date"})
    scopes = fields.List(fields.Nested(ScopeReportSchema), required=True)
    outside_scopes = fields.Nested(AmountsSchema, required=True)
    held = fields.Nested(HeldSchema)  # reports kept before trips were compared are shown without
    outflow = fields.Nested(OutflowSchema, metadata={"description": "not in reports made before stock was kept"})


class GoalProgressSchema(ProgressSchema):
    """Goal progress at the end of a day; ``rolled_up_at`` says when a figure of the year was last rebuilt."""

    rolled_up_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
