"""Waiting wishes as they come in and go out."""

from __future__ import annotations

from datetime import date
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.waiting import WAITING_STATES
from recycling.routes.schemas.bookings import BookPickupSchema, ForWhom, WishedItemSchema
from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text
from recycling.usecases.bookings.promise import Wish
from recycling.usecases.bookings.waiting import Choice

MOST_DAYS = 14  # as far as one can book ahead


class ChoiceSchema(Schema):
    """A day that would do, and its windows that would, the best first."""

    day = Day(required=True)
    pickup_windows = fields.List(Text(most=64), required=True, validate=validate.Length(1, 10))

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> Choice:
        """Build the domain's form."""
        return Choice(day=fields_["day"], pickup_windows=tuple(dict.fromkeys(fields_["pickup_windows"])))


class ChoiceShownSchema(Schema):
    """A day that would do, and its windows."""

    day = fields.String(required=True, metadata={"format": "date"})
    pickup_windows = fields.List(fields.String(), required=True)


class JoinWaitingListSchema(BookPickupSchema):
    """A wish without day and window, and the days and windows that would do."""

    class Meta(BookPickupSchema.Meta):
        """Left out of the wish."""

        exclude = ("day", "pickup_window")

    choices = fields.List(fields.Nested(ChoiceSchema), required=True, validate=validate.Length(1, MOST_DAYS))

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> tuple[Wish, ForWhom, list[Choice]]:
        """Build the domain's form, for whom, and what for."""
        choices = fields_.pop("choices")
        whom = ForWhom(resident_id=fields_.pop("resident_id"), consent=fields_.pop("consent"))
        return Wish(**fields_, day=date.min, pickup_window=""), whom, choices


class WaitingRowSchema(Schema):
    """A wish in a list: nothing that names a person or a door."""

    id = fields.UUID(required=True)
    resident_id = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf(WAITING_STATES))
    choices = fields.List(fields.Nested(ChoiceShownSchema), required=True)
    hold_id = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "占位编号 / to confirm as POST /holds/{id}/confirmation; afterwards the booking"},
    )
    offered_until = fields.AwareDateTime(required=True, allow_none=True)
    village_code = fields.String(required=True)
    items = fields.List(fields.Nested(WishedItemSchema), required=True)
    floor = fields.Integer(required=True)
    has_lift = fields.Boolean(required=True)
    address_masked = fields.String()
    version = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)


class WaitingWishSchema(WaitingRowSchema):
    """A wish in full, for its owner and the dispatcher."""

    class Meta(WaitingRowSchema.Meta):
        """What only lists show."""

        exclude = ("address_masked",)

    address = fields.String(required=True)
    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    note = fields.String(required=True)
    ahead = fields.Integer(required=True, metadata={"description": "前面还有几人 / wait before it for one of its days"})


class WaitingListSchema(Schema):
    """A page of wishes, in the sequence in which they are served."""

    wishes = fields.List(fields.Nested(WaitingRowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class WaitingFilterSchema(Schema):
    """Which wishes to list."""

    state = fields.String(validate=validate.OneOf(WAITING_STATES))
    cursor = Text(most=200)
    limit = QueryWhole(load_default=50, least=1, most=200)
