"""Goal reports as they go in and out."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.models.intake import PROVENANCES
from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text
from recycling.routes.schemas.figures import (
    AmountsSchema,
    ItemTypeFigureSchema,
    ProgressSchema,
    RecoveredSumSchema,
    TownFigureSchema,
)


class GoalReportFilterSchema(Schema):
    """Which page of goal reports; all versions of one period, if it is named."""

    period = Text(most=24)
    cursor = Text(most=400)
    limit = QueryWhole(load_default=50, least=1, most=200)


class GoalReportWishSchema(Schema):
    """The period to report on."""

    period = Text(most=24, required=True, metadata={"description": "2026-11, 2026-Q4, 2026 or 2026-03-05..2026-04-17"})


class StationFigureSchema(AmountsSchema):
    """What came in at one station."""

    station_key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)


class DayFigureSchema(AmountsSchema):
    """What came in on one day."""

    day = fields.String(required=True, metadata={"format": "date"})


class ProvenanceFigureSchema(AmountsSchema):
    """What came in with masses of one provenance."""

    provenance = fields.String(required=True)


class InPeriodSchema(AmountsSchema):
    """What came in within the report's own days, in one scope; versions from before the breakdowns have none."""

    scope = fields.String(required=True)
    by_town = fields.List(fields.Nested(TownFigureSchema))
    by_item_type = fields.List(fields.Nested(ItemTypeFigureSchema))
    by_station = fields.List(fields.Nested(StationFigureSchema))
    by_day = fields.List(fields.Nested(DayFigureSchema))
    provenance = fields.List(fields.Nested(ProvenanceFigureSchema))


class AdjustmentsSchema(AmountsSchema):
    """What dated adjustments of closed months changed within the report's own days; contained in the figures."""

    ticket_lines = fields.Integer(required=True)


class GoalReportBodySchema(ProgressSchema):
    """Goal progress as it was when the report was made."""

    period = fields.String(required=True)
    kind = fields.String()
    first_day = fields.String(required=True, metadata={"format": "date"})
    in_period = fields.List(fields.Nested(InPeriodSchema), required=True)
    adjustments = fields.Nested(AdjustmentsSchema)
    made_up_tickets = fields.Integer()


class GoalReportRowSchema(Schema):
    """A kept goal report; ``sha256`` is the digest of its body's canonical JSON, ``inputs_sha256`` of its inputs'."""

    id = fields.UUID(required=True)
    period = fields.String(required=True)
    kind = fields.String(required=True)
    version = fields.Integer(required=True)
    state = fields.String(required=True)
    as_of = fields.Date(required=True)
    reason = fields.String(required=True)
    sha256 = fields.String(required=True)
    inputs_sha256 = fields.String(required=True)
    made_at = fields.AwareDateTime(required=True)
    made_by_id = fields.UUID(required=True)


class ReportSignatureSchema(Schema):
    """Who answers for a report: place 1 signed it, place 2 published it."""

    place = fields.Integer(required=True)
    signed_by_id = fields.UUID(required=True)
    signed_by_role = fields.String(required=True)
    signed_by_name = fields.String(required=True)
    signed_at = fields.AwareDateTime(required=True)
    sha256 = fields.String(required=True)


class ReportFileSchema(Schema):
    """Where a report can be had as a file; digest and size once it is published."""

    form = fields.String(required=True)
    href = fields.String(required=True)
    sha256 = fields.String(required=True, allow_none=True)
    bytes = fields.Integer(required=True, allow_none=True)


class GoalReportSchema(GoalReportRowSchema):
    """A kept goal report, what it was made of, and who answers for it."""

    body = fields.Nested(GoalReportBodySchema, required=True)
    inputs = fields.Dict(required=True)
    signatures = fields.List(fields.Nested(ReportSignatureSchema), required=True)
    files = fields.List(fields.Nested(ReportFileSchema), required=True)


class GoalReportListSchema(Schema):
    """A page of goal reports, newest first."""

    goal_reports = fields.List(fields.Nested(GoalReportRowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ReportVerdictSchema(Schema):
    """What came out of verifying a report: it stands where nothing differs."""

    report_id = fields.UUID(required=True)
    state = fields.String(required=True)
    differences = fields.List(fields.String(), required=True)
    notes = fields.List(fields.String(), required=True)


class ChangedFigureSchema(Schema):
    """A figure that is not what it was, and the tickets that came in between and stand in it."""

    span = fields.String(required=True)
    scope = fields.String(required=True)
    by = fields.String(required=True)
    key = fields.String(required=True)
    measure = fields.String(required=True)
    old = fields.Integer(required=True, allow_none=True)
    new = fields.Integer(required=True, allow_none=True)
    change = fields.Integer(required=True)
    tickets = fields.List(fields.UUID(), required=True)
    ticket_count = fields.Integer(required=True)


class NewTicketSchema(Schema):
    """A ticket that the version before did not know."""

    id = fields.UUID(required=True)
    station_key = fields.String(required=True)
    scale_number = fields.String(required=True)
    number = fields.Integer(required=True)
    day = fields.Date(required=True)
    counts_on = fields.Date(required=True)
    net_g = fields.Integer(required=True)
    corrects_id = fields.UUID(required=True, allow_none=True)
    counters_id = fields.UUID(required=True, allow_none=True)
    correction_reason = fields.String(required=True, allow_none=True)


class DifferencesSchema(Schema):
    """What a version says otherwise than the one before; ``against_version`` is null for the first."""

    against_version = fields.Integer(required=True, allow_none=True)
    reason = fields.String(required=True)
    inputs = fields.List(fields.String(), required=True)
    figures = fields.List(fields.Nested(ChangedFigureSchema), required=True)
    tickets = fields.List(fields.Nested(NewTicketSchema), required=True)


class ReportTicketsFilterSchema(Schema):
    """Which figure of the report: its span, scope (or ``outside``), and one thing it is broken down by, or more."""

    span = fields.String(load_default="period", validate=validate.OneOf(["period", "year"]))
    scope = Text(most=80)
    town_key = Text(most=64)
    item_type = Text(most=64)
    station_key = Text(most=64)
    day = Day()
    provenance = fields.String(validate=validate.OneOf(PROVENANCES))
    cursor = Text(most=800)
    limit = QueryWhole(load_default=100, least=1, most=500)


class ReportLineSchema(Schema):
    """A ticket line behind a figure; ``by_id`` is the ticket that makes it count on ``day``, for what an adjustment
    takes off another than its own.
    """

    ticket_id = fields.UUID(required=True)
    by_id = fields.UUID(required=True)
    day = fields.Date(required=True)
    weighed_on = fields.Date(required=True)
    station_key = fields.String(required=True)
    scale_number = fields.String(required=True)
    number = fields.Integer(required=True)
    ticket_number = fields.Integer(required=True)
    position = fields.Integer(required=True)
    channel = fields.String(required=True)
    item_type = fields.String(required=True)
    town_key = fields.String(required=True)
    provenance = fields.String(required=True)
    missing_parts = fields.Integer(required=True)
    adjusts = fields.Boolean(required=True)
    made_up = fields.Boolean(required=True)
    sign = fields.Integer(required=True)
    units = fields.Integer(required=True)
    net_g = fields.Integer(required=True)


class ReportTicketsSchema(Schema):
    """A page of the ticket lines behind a figure, by day and scale."""

    lines = fields.List(fields.Nested(ReportLineSchema), required=True)
    sum = fields.Nested(RecoveredSumSchema, required=True)
    next_cursor = fields.String(required=True, allow_none=True)
