"""Recurring pickups as they come in and go out."""

from __future__ import annotations

from datetime import date
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.recurring import OCCURRENCE_STATES, RECURRING_STATES
from recycling.routes.schemas.bookings import WishedItemSchema, WishSchema
from recycling.routes.schemas.fields import Day, Phone, QueryWhole, Schema, Text, Whole
from recycling.usecases.bookings.promise import MOST_ITEM_TYPES, Wish
from recycling.usecases.bookings.recurring import Agreement

WEEKDAYS = {"description": "星期一为 1，星期日为 7 / ISO weekdays; or give month_day"}


class AgreeRecurringSchema(WishSchema):
    """A wish for one window, the rule of its days, and the contact, by phone or id."""

    class Meta(WishSchema.Meta):
        """The rule names the days."""

        exclude = ("day",)

    name = Text(required=True, most=64, metadata={"description": "企业名称 / the enterprise's name"})
    phone = Phone(load_default=None, allow_none=True)
    resident_id = fields.UUID(load_default=None, allow_none=True)
    weekdays = fields.List(Whole(least=1, most=7), load_default=[], validate=validate.Length(0, 7), metadata=WEEKDAYS)
    every_weeks = Whole(load_default=1, least=1, most=52)
    month_day = Whole(
        load_default=None, allow_none=True, least=1, most=31,
        metadata={"description": "每月几日，超出月末取末日 / past the end of a month: its last day"},
    )  # fmt: skip
    starts_on = Day(required=True)
    until = Day(load_default=None, allow_none=True)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> Agreement:
        """Build the domain's form."""
        names = ("name", "phone", "resident_id", "every_weeks", "month_day", "starts_on", "until")
        own = {name: fields_.pop(name) for name in names}
        weekdays = tuple(fields_.pop("weekdays"))
        return Agreement(wish=Wish(**fields_, day=date.min), weekdays=weekdays, **own)


class AmendRecurringSchema(Schema):
    """What to change; the rest stays."""

    name = Text(most=64)
    items = fields.List(fields.Nested(WishedItemSchema), validate=validate.Length(1, MOST_ITEM_TYPES))
    pickup_window = Text(most=64)
    weekdays = fields.List(Whole(least=1, most=7), validate=validate.Length(0, 7), metadata=WEEKDAYS)
    every_weeks = Whole(least=1, most=52)
    month_day = Whole(allow_none=True, least=1, most=31)
    until = Day(allow_none=True)
    state = fields.String(validate=validate.OneOf(("active", "paused")))

    @ma.validates_schema
    def something(self, data: dict[str, Any], **_: Any) -> None:
        """A change names a field."""
        if not data:
            raise ma.ValidationError("name at least one field to change.", "_schema")


class RecurringDaySchema(Schema):
    """What came of one day."""

    day = fields.Date(required=True)
    state = fields.String(required=True, validate=validate.OneOf(OCCURRENCE_STATES))
    booking_id = fields.UUID(required=True, allow_none=True)
    note = fields.String(required=True)


class RecurringRowSchema(Schema):
    """A recurring pickup in a list: nothing that names a door."""

    id = fields.UUID(required=True)
    resident_id = fields.UUID(required=True)
    name = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(RECURRING_STATES))
    items = fields.List(fields.Nested(WishedItemSchema), required=True)
    weekdays = fields.List(fields.Integer(), required=True)
    every_weeks = fields.Integer(required=True)
    month_day = fields.Integer(required=True, allow_none=True)
    pickup_window = fields.String(required=True)
    starts_on = fields.Date(required=True)
    until = fields.Date(required=True, allow_none=True)
    village_code = fields.String(required=True)
    floor = fields.Integer(required=True)
    has_lift = fields.Boolean(required=True)
    address_masked = fields.String()
    version = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)


class RecurringPickupSchema(RecurringRowSchema):
    """A recurring pickup in full, with its newest days."""

    class Meta(RecurringRowSchema.Meta):
        """What only lists show."""

        exclude = ("address_masked",)

    address = fields.String(required=True)
    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    note = fields.String(required=True)
    days = fields.List(fields.Nested(RecurringDaySchema), required=True)


class RecurringListSchema(Schema):
    """A page of recurring pickups, newest first."""

    recurring_pickups = fields.List(fields.Nested(RecurringRowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class RecurringFilterSchema(Schema):
    """Which recurring pickups to list."""

    state = fields.String(validate=validate.OneOf(RECURRING_STATES))
    cursor = Text(most=200)
    limit = QueryWhole(load_default=50, least=1, most=200)
