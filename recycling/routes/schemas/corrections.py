"""Proposals of corrections as they go out."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.models.intake import CHANNELS
from recycling.routes.schemas.fields import QueryWhole, Schema, Text

STATES = ("waiting", "approved", "rejected", "overtaken")


class ProposedLineSchema(Schema):
    """One line as it should have been."""

    item_type = fields.String(required=True)
    units = fields.Integer(required=True)
    net_g = fields.Integer(required=True, allow_none=True)
    booking_id = fields.UUID(required=True, allow_none=True)
    missing_parts = fields.Integer(required=True)


class ProposedWeighingSchema(Schema):
    """A ticket as it should have been."""

    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    gross_g = fields.Integer(required=True)
    tare_g = fields.Integer(required=True)
    refused_g = fields.Integer(required=True)
    refused_reason = fields.String(required=True, allow_none=True)
    vehicle_key = fields.String(required=True, allow_none=True)
    trip = fields.Integer(required=True, allow_none=True)
    reading_id = fields.UUID(required=True, allow_none=True)
    lines = fields.List(fields.Nested(ProposedLineSchema), required=True)


class CorrectionProposalSchema(Schema):
    """A correction that takes two people. Without ``weighing`` the ticket is to be withdrawn.

    ``state`` is waiting, approved, rejected, or overtaken when the ticket was corrected otherwise meanwhile.
    ``correction_id`` is the ticket that an approval has written.
    """

    id = fields.UUID(required=True)
    ticket_id = fields.UUID(required=True)
    station_key = fields.String(required=True)
    weighing = fields.Nested(ProposedWeighingSchema, required=True, allow_none=True)
    reason = fields.String(required=True)
    net_before_g = fields.Integer(required=True)
    net_after_g = fields.Integer(required=True)
    proposed_by_id = fields.UUID(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    decided_by_id = fields.UUID(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    correction_id = fields.UUID(required=True, allow_none=True)


class CorrectionProposalListSchema(Schema):
    """A page of proposals, newest first."""

    proposals = fields.List(fields.Nested(CorrectionProposalSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CorrectionProposalFilterSchema(Schema):
    """Which proposals to list."""

    waiting = fields.String(
        load_default="false", validate=validate.OneOf(("true", "false")),
        metadata={"description": "仅待复核 / only those that wait for a decision"},
    )  # fmt: skip
    cursor = Text(most=400)
    limit = QueryWhole(load_default=50, least=1, most=200)


class RejectCorrectionSchema(Schema):
    """Why a correction is not made."""

    note = Text(required=True, least=2, most=200, metadata={"description": "驳回原因 / why not"})
