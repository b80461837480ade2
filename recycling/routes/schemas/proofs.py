"""Photos of visits, signatures and labelled units as they come and go."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.custody import CLASH_REASONS, CUSTODY_KINDS, LABELS
from recycling.policy.handwritten import LARGEST_SIDE, MOST_POINTS, MOST_STROKES, HandSignature
from recycling.policy.proof_rules import PROOF_KINDS, VISIT_KINDS
from recycling.routes.schemas.fields import Schema, Whole


class ProofOfBookingSchema(Schema):
    """Which booking a photo is of."""

    booking_id = fields.UUID(required=True)


class ProofRuleSchema(Schema):
    """One thing that a kind of visit needs: any of ``any_of``, or of ``without_smartphone`` where there is none.

    It is about a visit that meets all it names; what it leaves empty meets every visit.
    """

    key = fields.String(required=True)
    kinds = fields.List(fields.String(validate=validate.OneOf(VISIT_KINDS)), required=True)
    reasons = fields.List(fields.String(), required=True)
    item_types = fields.List(fields.String(), required=True)
    data_bearing = fields.Boolean(required=True)
    least_units = fields.Integer(required=True)
    least_value_fen = fields.Integer(required=True)
    any_of = fields.List(fields.String(validate=validate.OneOf(PROOF_KINDS)), required=True)
    without_smartphone = fields.List(fields.String(validate=validate.OneOf(PROOF_KINDS)), required=True)


class ProofRulesSchema(Schema):
    """What proves a visit today; what is missing flags a record and never refuses it."""

    proof_rules = fields.List(fields.Nested(ProofRuleSchema), required=True)


class ProofPhotoSchema(Schema):
    """One photo of a visit; the picture is at ``GET /proof-photos/{sent_sha256}?booking_id=…``."""

    id = fields.UUID(required=True)
    booking_id = fields.UUID(required=True)
    sha256 = fields.String(required=True, metadata={"description": "照片内容摘要 / of the JPEG as it is kept"})
    sent_sha256 = fields.String(required=True, metadata={"description": "原文件摘要 / of the file as it was sent"})
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    size_bytes = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)


class ListedProofSchema(ProofPhotoSchema):
    """One photo in the list of a booking."""

    on_other_bookings = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "同图出现在其他预约的数量，居民不可见 / same picture on other bookings; null to residents"
        },
    )


class ProofListSchema(Schema):
    """The photos of a booking's visit, oldest first."""

    proof_photos = fields.List(fields.Nested(ListedProofSchema), required=True)


class ProofProgressSchema(Schema):
    """How far a photo has come: the next part begins at byte ``stored_bytes``."""

    booking_id = fields.UUID(required=True)
    sha256 = fields.String(required=True)
    stored_bytes = fields.Integer(required=True)
    total_bytes = fields.Integer(required=True, allow_none=True, metadata={"description": "null before the first part"})
    complete = fields.Boolean(required=True)
    photo = fields.Nested(ProofPhotoSchema, required=True, allow_none=True)


class SignatureSchema(Schema):
    """A signature by hand: each stroke is ``[x0, y0, x1, y1, …]`` in a field of that width and height."""

    width = Whole(required=True, least=1, most=LARGEST_SIDE)
    height = Whole(required=True, least=1, most=LARGEST_SIDE)
    strokes = fields.List(
        fields.List(Whole(least=0, most=LARGEST_SIDE), validate=validate.Length(2, 2 * MOST_POINTS)),
        required=True,
        validate=validate.Length(1, MOST_STROKES),
        metadata={"description": "笔画 / polylines of whole numbers, from the upper left corner"},
    )

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> HandSignature:
        """Build the domain's form."""
        try:
            return HandSignature(**fields_)
        except ValueError as error:
            raise ma.ValidationError({"strokes": [f"{error} / 签名笔画无效，请重新签名"]}) from error


class CustodyStepSchema(Schema):
    """One step of a unit's way: ids and keys of where it happened, null where they do not apply.

    ``number`` is null for a step from before trails were chained.
    """

    number = fields.Integer(required=True, allow_none=True)
    kind = fields.String(required=True, validate=validate.OneOf(CUSTODY_KINDS))
    at = fields.AwareDateTime(required=True)
    booking_id = fields.String(required=True, allow_none=True)
    day = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    area = fields.String(required=True, allow_none=True)
    collector_key = fields.String(required=True, allow_none=True)
    event_id = fields.String(required=True, allow_none=True)
    vehicle_key = fields.String(required=True, allow_none=True)
    station_key = fields.String(required=True, allow_none=True)
    ticket_id = fields.String(required=True, allow_none=True)
    item_type = fields.String(required=True, allow_none=True)
    weighed = fields.Boolean(required=True, allow_none=True)
    hand_over_id = fields.String(required=True, allow_none=True)
    processor_key = fields.String(required=True, allow_none=True)
    count_id = fields.String(required=True, allow_none=True)


class CustodyClashSchema(Schema):
    """A record that claims the label, or one of its seals, for something else."""

    label = fields.String(required=True, validate=validate.OneOf(LABELS))
    text = fields.String(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(CLASH_REASONS))
    booking_id = fields.UUID(required=True)
    item_type = fields.String(required=True)
    event_id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)


class CustodyTraceSchema(Schema):
    """The trace of one labelled unit so far; ``verified`` tells whether its steps are what was written."""

    tag = fields.String(required=True)
    item_type = fields.String(required=True)
    seals = fields.List(fields.String(), required=True)
    steps = fields.List(fields.Nested(CustodyStepSchema), required=True)
    verified = fields.Boolean(required=True)
    fault = fields.String(
        required=True, allow_none=True, validate=validate.OneOf(("changed", "missing", "cut", "added"))
    )
    clashes = fields.List(
        fields.Nested(CustodyClashSchema),
        required=True,
        metadata={"description": "冲突登记，待人工核实 / both sides are kept for a person to settle"},
    )
