"""Bookings as they come in and go out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.booking import BOOKING_STATES, CONSENTS, Consent
from recycling.policy.catalogue import CONDITIONS
from recycling.policy.failed_visits import FOLLOW_UPS
from recycling.routes.schemas.arrivals import ExpectedSchema
from recycling.routes.schemas.doors import ChangesDoorSchema, DoorSchema
from recycling.routes.schemas.fields import Day, Flag, QueryWhole, Schema, Text, Whole
from recycling.routes.schemas.ratings import RatingSchema
from recycling.usecases.bookings.promise import MOST_ITEM_TYPES, Wish, WishedItem


class WishedItemSchema(Schema):
    """So many of one item type."""

    item_type = Text(required=True, most=64, metadata={"description": "品类 / key of GET /item-types"})
    quantity = Whole(required=True, least=1, most=1000)
    dismantle = Flag(load_default=False, metadata={"description": "需要拆机 / take it off the wall or apart"})
    condition = fields.String(
        load_default="unknown", validate=validate.OneOf(CONDITIONS), metadata={"description": "成色 / its state"}
    )
    wipe_consent = Flag(
        load_default=False,
        metadata={"description": "同意清除数据 / its data may be wiped; data-bearing items need it"},
    )

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> WishedItem:
        """Build the domain's form."""
        return WishedItem(**fields_)


class WishSchema(DoorSchema):
    """A wish for a pickup."""

    items = fields.List(fields.Nested(WishedItemSchema), required=True, validate=validate.Length(1, MOST_ITEM_TYPES))
    day = Day(required=True)
    pickup_window = Text(required=True, most=64, metadata={"example": "08-10"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ForWhom:
    """Whom staff book for, and how that resident agreed."""

    resident_id: UUID | None
    consent: Consent | None


class BookPickupSchema(WishSchema):
    """A wish to be booked; staff name the resident they book for and note how that one agreed."""

    resident_id = fields.UUID(load_default=None, allow_none=True)
    consent = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(CONSENTS),
        metadata={"description": "代约时居民的同意方式 / how the resident agreed, noted by staff"},
    )

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> tuple[Wish, ForWhom]:
        """Build the domain's form, and for whom."""
        whom = ForWhom(resident_id=fields_.pop("resident_id"), consent=fields_.pop("consent"))
        return Wish(**fields_), whom


class AmendPickupSchema(WishSchema, ChangesDoorSchema):
    """The fields of a wish to change. A point comes whole: both coordinates, with their system."""


# By name, since partial=True would reach into the items and take one without its quantity.
CHANGEABLE = tuple(AmendPickupSchema().fields)


class BookedItemSchema(Schema):
    """One item type of a booking: declared, counted at the door, weighed at the station."""

    item_type = fields.String(required=True)
    declared_units = fields.Integer(required=True)
    dismantle = fields.Boolean(required=True)
    collected_units = fields.Integer(required=True)
    weighed_units = fields.Integer(required=True)
    condition = fields.String(required=True, validate=validate.OneOf(CONDITIONS))
    wipe_terms = fields.String(required=True, allow_none=True)
    wipe_consent_at = fields.AwareDateTime(required=True, allow_none=True)
    wipe_consent_by = fields.UUID(
        required=True, allow_none=True, metadata={"description": "同意人 / the resident, or staff who was told so"}
    )


PART_OF = {"description": "关联预约：本次上门所属预约的编号 / the booking that this further visit is part of"}


class VisitSchema(Schema):
    """One visit of a booking: what it takes along."""

    id = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf(BOOKING_STATES))
    items = fields.List(fields.Nested(BookedItemSchema), required=True)
    declared_g = fields.Integer(required=True)
    declared_l = fields.Integer(required=True)
    service_s = fields.Integer(required=True)
    version = fields.Integer(required=True)


class BookingSchema(Schema):
    """A booking. The address is shown in full to its owner and to the dispatcher, masked in lists.

    What no single crew can do takes several visits in one window. Items and amounts here are those of the first, which
    stands for the booking: it is confirmed, changed and cancelled by this id.
    """

    id = fields.UUID(required=True)
    part_of = fields.UUID(required=True, allow_none=True, metadata=PART_OF)
    visits = fields.List(
        fields.Nested(VisitSchema),
        required=True,
        metadata={"description": "各次上门，首次为本预约 / all its visits, this one first"},
    )
    resident_id = fields.UUID(required=True, metadata={"description": "居民 / named by staff who book for them"})
    state = fields.String(required=True, validate=validate.OneOf(BOOKING_STATES))
    held_until = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "占位截止 / a hold's end"},
    )
    consent = fields.String(required=True, allow_none=True, validate=validate.OneOf(CONSENTS))
    day = fields.Date(required=True)
    pickup_window = fields.String(required=True)
    area = fields.String(required=True)
    village_code = fields.String(required=True)
    address = fields.String(required=True)
    lat = fields.Float(required=True, allow_none=True, metadata={"description": "null when its time is over"})
    lon = fields.Float(required=True, allow_none=True)
    floor = fields.Integer(required=True)
    has_lift = fields.Boolean(required=True)
    note = fields.String(required=True)
    items = fields.List(fields.Nested(BookedItemSchema), required=True)
    declared_g = fields.Integer(required=True)
    declared_l = fields.Integer(required=True)
    service_s = fields.Integer(required=True)
    made_up = fields.Boolean(required=True)
    door_code = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "上门核验码 / told to the collector at the door; only to its resident, on its day"},
    )
    version = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)


class FollowUpSchema(Schema):
    """What follows a visit that was not done, in words too; with priority when it is owed."""

    code = fields.String(required=True, validate=validate.OneOf(FOLLOW_UPS))
    reason = fields.String(required=True, allow_none=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)
    priority = fields.Boolean(
        required=True, metadata={"description": "是否优先 / whether the resident may book any open day, and goes first"}
    )


class BookingShownSchema(BookingSchema):
    """A booking as it is read by itself: to its resident also when we come. Dispatchers read that on the board."""

    tracking_url = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "上门进度页 / the page of its progress, which needs no sign-in; null once it is old"},
    )
    expected = fields.Nested(
        ExpectedSchema,
        required=True,
        allow_none=True,
        metadata={"description": "预计上门 / when service is expected to start, on its day while it is open"},
    )
    follow_up = fields.Nested(
        FollowUpSchema,
        required=True,
        allow_none=True,
        metadata={"description": "后续 / what follows a visit that failed, in part, or that nobody recorded"},
    )
    rating = fields.Nested(
        RatingSchema,
        required=True,
        allow_none=True,
        metadata={"description": "评价 / what its resident said of the visit; to them alone"},
    )
    rate_until = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "评价截止 / last day to rate the visit; null when it is over or nobody was there yet"},
    )


class BookingRowSchema(Schema):
    """A booking in a list: nothing that names a person or a door."""

    id = fields.UUID(required=True)
    part_of = fields.UUID(required=True, allow_none=True, metadata=PART_OF)
    parts = fields.List(
        fields.UUID(), required=True, metadata={"description": "其余各次上门的编号 / its further visits"}
    )
    state = fields.String(required=True, validate=validate.OneOf(BOOKING_STATES))
    day = fields.Date(required=True)
    pickup_window = fields.String(required=True)
    area = fields.String(required=True)
    village_code = fields.String(required=True)
    address_masked = fields.String(required=True)
    items = fields.List(fields.Nested(BookedItemSchema), required=True)
    version = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)


class BookingListSchema(Schema):
    """A page of bookings, newest first."""

    bookings = fields.List(fields.Nested(BookingRowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class BookingFilterSchema(Schema):
    """Which bookings to list."""

    day = Day()
    state = fields.String(validate=validate.OneOf(BOOKING_STATES))
    cursor = Text(most=200)
    limit = QueryWhole(load_default=50, least=1, most=200)
