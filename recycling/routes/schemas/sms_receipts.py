"""Delivery receipts as providers send them."""

from __future__ import annotations

from typing import Any, get_args

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.outbox import LONGEST_REFERENCE, DeliveryState
from recycling.models.receipt import LONGEST_RECEIPT_ID
from recycling.routes.schemas.fields import Instant, Schema, Text
from recycling.usecases.messages.receipts import ReceiptReport, Taken


class ReceiptSchema(Schema):
    """What became of one text, under an id of the receipt's own; sent again it does nothing more."""

    receipt_id = Text(required=True, most=LONGEST_RECEIPT_ID)
    reference = Text(
        required=True, most=LONGEST_REFERENCE, metadata={"description": "the name the provider gave to the text"}
    )
    state = fields.String(required=True, validate=validate.OneOf(get_args(DeliveryState)))
    reported_at = Instant(required=True)
    code = Text(load_default=None, allow_none=True, most=32)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> ReceiptReport:
        """Build the domain's form."""
        return ReceiptReport(**fields_)


class ReceiptTakenSchema(Schema):
    """Applied to its message, parked until that is known, or known already."""

    taken = fields.String(required=True, validate=validate.OneOf(get_args(Taken)))
