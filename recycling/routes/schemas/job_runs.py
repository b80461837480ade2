"""Job runs as they are asked for and shown."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.models.job_run import RUN_STATES
from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text
from recycling.usecases.job_runs.request_run import REQUESTABLE_JOBS


class RequestRunSchema(Schema):
    """A run to be done now."""

    job = fields.String(required=True, validate=validate.OneOf(REQUESTABLE_JOBS))
    day = Day(required=True, metadata={"description": "服务日 / the service day it is for", "example": "2026-11-24"})


class JobRunSchema(Schema):
    """One run of a job: when it was due, how it went."""

    id = fields.UUID(required=True)
    job = fields.String(required=True)
    due_at = fields.AwareDateTime(required=True)
    scope = fields.String(required=True, metadata={"description": "the day or month it is about, empty for none"})
    state = fields.String(required=True, validate=validate.OneOf(RUN_STATES))
    late = fields.Boolean(required=True)
    attempts = fields.Integer(required=True)
    asked_by_id = fields.UUID(required=True, allow_none=True, metadata={"description": "null: the clock"})
    queued_at = fields.AwareDateTime(required=True)
    started_at = fields.AwareDateTime(required=True, allow_none=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    figures = fields.Dict(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)


class RunProgressSchema(Schema):
    """How far a run is; the search's figures are null until it has a first plan, and after housekeeping."""

    state = fields.String(required=True, validate=validate.OneOf(RUN_STATES))
    elapsed_ms = fields.Integer(required=True, allow_none=True)
    best_cost = fields.Integer(required=True, allow_none=True)
    stops_planned = fields.Integer(required=True, allow_none=True)
    stops_total = fields.Integer(required=True, allow_none=True)
    stop_asked = fields.Boolean(required=True)
    over = fields.Boolean(required=True)
    figures = fields.Dict(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)


LATE_STATES = ("unwritten", "queued", "running", "failed")


class LateRunSchema(Schema):
    """A run of the clock that should be done by now."""

    job = fields.String(required=True)
    scope = fields.String(required=True)
    due_at = fields.AwareDateTime(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(LATE_STATES),
        metadata={"description": "unwritten: no scheduler has been awake since it was due"},
    )  # fmt: skip
    run_id = fields.UUID(required=True, allow_none=True)


class JobRunListSchema(Schema):
    """A page of runs, last due first, and all that are late whatever was asked for."""

    late_runs = fields.List(fields.Nested(LateRunSchema), required=True)
    job_runs = fields.List(fields.Nested(JobRunSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class JobRunFilterSchema(Schema):
    """Which runs to list."""

    job = Text(most=32)
    state = fields.String(validate=validate.OneOf(RUN_STATES))
    cursor = Text(most=200)
    limit = QueryWhole(load_default=50, least=1, most=200)
