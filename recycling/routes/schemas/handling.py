"""Handling proposals, decisions on them, and the table of a day."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text
from recycling.usecases.learning.decide_handling import Acceptance

STATES = ("open", "accepted", "rejected")


class HandlingProposalFilterSchema(Schema):
    """Which proposals to list."""

    cursor = Text(most=200)
    limit = QueryWhole(load_default=20, least=1, most=100)


class ShareGainSchema(Schema):
    """The median absolute error on a share of the days, before and after."""

    visits = fields.Integer(required=True)
    before_s = fields.Integer(required=True, allow_none=True)
    after_s = fields.Integer(required=True, allow_none=True)


class SharesSchema(Schema):
    """The days it was learned from, and every fifth day, which it was not."""

    in_sample = fields.Nested(ShareGainSchema, required=True)
    held_out = fields.Nested(ShareGainSchema, required=True)


class HandlingGainSchema(Schema):
    """Planned against actual: seconds of service, and of arrival with the routes timed anew in their sequence."""

    service = fields.Nested(SharesSchema, required=True)
    arrival = fields.Nested(SharesSchema, required=True)


class HandlingProposalRowSchema(Schema):
    """A proposal in one row."""

    id = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)
    visits = fields.Integer(required=True, metadata={"description": "上门次数 / visits that count"})
    legs = fields.Integer(required=True, metadata={"description": "路段数 / legs that count"})
    trimmed = fields.Integer(required=True, metadata={"description": "离群剔除 / visits too far off to be believed"})
    gain = fields.Nested(HandlingGainSchema, required=True)
    made_at = fields.AwareDateTime(required=True)
    made_by_id = fields.UUID(required=True)


class HandlingProposalListSchema(Schema):
    """A page of proposals, newest first."""

    proposals = fields.List(fields.Nested(HandlingProposalRowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ProposedValueSchema(Schema):
    """One value: in force, proposed, how many records show it, and within what it lies."""

    name = fields.String(required=True, metadata={"example": "handling_s.fridge"})
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    unit = fields.String(required=True, validate=validate.OneOf(("s", "bp")))
    sample = fields.Integer(required=True)
    old = fields.Integer(required=True)
    new = fields.Integer(required=True)
    low = fields.Integer(required=True, allow_none=True, metadata={"description": "90 % interval of what was found"})
    high = fields.Integer(required=True, allow_none=True)
    kept = fields.String(
        required=True, allow_none=True, validate=validate.OneOf(("too_few", "bounded")),
        metadata={"description": "样本不足 / 单次调整上限: why new is not what was found"},
    )  # fmt: skip


class HandlingDecisionSchema(Schema):
    """What a person decided."""

    proposal_id = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES[1:]))
    accepted = fields.List(fields.String(), required=True)
    table_number = fields.Integer(required=True, allow_none=True)
    valid_from = fields.Date(required=True, allow_none=True)
    travel_from = fields.Date(required=True, allow_none=True)
    note = fields.String(required=True)
    by_id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)


class HandlingProposalSchema(HandlingProposalRowSchema):
    """A proposal in full."""

    left_out = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    parameters = fields.List(fields.Nested(ProposedValueSchema), required=True)
    decision = fields.Nested(HandlingDecisionSchema, required=True, allow_none=True)


class HandlingAcceptanceSchema(Schema):
    """Which values to take, all that change when none is named; and from which day."""

    names = fields.List(
        Text(most=80), validate=validate.Length(min=1, max=200), load_default=None, allow_none=True,
        metadata={"example": ["handling_s.fridge"]},
    )  # fmt: skip
    valid_from = Day(load_default=None, allow_none=True)
    note = Text(most=500, least=0, load_default="")

    @post_load
    def wish(self, said: dict[str, Any], **_options: Any) -> Acceptance:
        """As the use case takes it."""
        return Acceptance(**said)


class HandlingRejectionSchema(Schema):
    """Why a proposal is put aside."""

    note = Text(most=500, required=True)


class HandlingTableFilterSchema(Schema):
    """Which day."""

    day = Day()


class HandlingValueSchema(Schema):
    """One value as configured and as in force."""

    name = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    unit = fields.String(required=True, validate=validate.OneOf(("s", "bp")))
    configured = fields.Integer(required=True)
    in_force = fields.Integer(required=True)


class HandlingTableSchema(Schema):
    """The values that new promises of a day are made with."""

    day = fields.Date(required=True)
    table_number = fields.Integer(required=True, allow_none=True)
    valid_from = fields.Date(required=True, allow_none=True)
    values = fields.List(fields.Nested(HandlingValueSchema), required=True)
