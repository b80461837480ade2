"""The privacy notice, what is held of a person, erasures and look-ups."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.privacy import CONSENT_WAYS
from recycling.routes.schemas.addresses import AddressSchema
from recycling.routes.schemas.bookings import BookingSchema
from recycling.routes.schemas.fields import Flag, Phone, Schema
from recycling.routes.schemas.ratings import RatingSchema
from recycling.usecases.people.erase_person import CONFIRMATIONS
from recycling.usecases.people.look_up_resident import LookUp


class DatumSchema(Schema):
    """One kind of personal data: why, on what ground, how long, seen by whom."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    purpose_zh = fields.String(required=True)
    purpose_en = fields.String(required=True)
    basis_zh = fields.String(required=True)
    basis_en = fields.String(required=True)
    seen_by_zh = fields.String(required=True)
    seen_by_en = fields.String(required=True)
    kept_zh = fields.String(required=True)
    kept_en = fields.String(required=True)
    kept_days = fields.Integer(
        required=True, allow_none=True, metadata={"description": "null: ended by what kept_zh says, not by age"}
    )


class PrivacyNoticeSchema(Schema):
    """The notice in force."""

    version = fields.Integer(required=True)
    valid_from = fields.Date(required=True)
    handler_zh = fields.String(required=True)
    handler_en = fields.String(required=True)
    contact_zh = fields.String(required=True)
    contact_en = fields.String(required=True)
    rights_zh = fields.String(required=True)
    rights_en = fields.String(required=True)
    data = fields.List(fields.Nested(DatumSchema), required=True)


class HistoryLineSchema(Schema):
    """One change of a booking."""

    at = fields.AwareDateTime(required=True)
    kind = fields.String(required=True)
    by_role = fields.String(required=True)
    state = fields.String(required=True)
    version = fields.Integer(required=True)


class FieldLineSchema(Schema):
    """What a collector recorded at the door."""

    device_time = fields.AwareDateTime(required=True)
    received_at = fields.AwareDateTime(required=True)
    kind = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    items = fields.List(fields.Dict(), required=True)


class HeldBookingSchema(BookingSchema):
    """A booking with everything that happened to it; each further visit of it comes by itself."""

    class Meta(BookingSchema.Meta):
        """Visits stand in the list; the code for the door is a thing of its day."""

        exclude = ("visits", "door_code")

    history = fields.List(fields.Nested(HistoryLineSchema), required=True)
    field_events = fields.List(fields.Nested(FieldLineSchema), required=True)


class AccountSchema(Schema):
    """The account itself."""

    id = fields.UUID(required=True)
    phone = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)


class HeldMessageSchema(Schema):
    """A message to the resident; its text is made of these facts when it is sent."""

    kind = fields.String(required=True)
    facts = fields.Dict(required=True)
    created_at = fields.AwareDateTime(required=True)
    sent_at = fields.AwareDateTime(required=True, allow_none=True)


class HeldSignInSchema(Schema):
    """One signed-in device."""

    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


class HeldConsentSchema(Schema):
    """A consent given by phone or in a shop."""

    at = fields.AwareDateTime(required=True)
    how = fields.String(required=True, validate=validate.OneOf(CONSENT_WAYS))
    notice_version = fields.Integer(required=True)


class HeldLookUpSchema(Schema):
    """When staff looked the number up."""

    at = fields.AwareDateTime(required=True)
    created = fields.Boolean(required=True)


class HeldRatingSchema(RatingSchema):
    """What the resident said of a visit."""

    booking_id = fields.UUID(required=True)


class MyDataSchema(Schema):
    """Everything that is held of the caller."""

    exported_at = fields.AwareDateTime(required=True)
    notice_version = fields.Integer(required=True)
    resident = fields.Nested(AccountSchema, required=True)
    bookings = fields.List(fields.Nested(HeldBookingSchema), required=True)
    addresses = fields.List(fields.Nested(AddressSchema), required=True)
    messages = fields.List(fields.Nested(HeldMessageSchema), required=True)
    sign_ins = fields.List(fields.Nested(HeldSignInSchema), required=True)
    consents = fields.List(fields.Nested(HeldConsentSchema), required=True)
    lookups = fields.List(fields.Nested(HeldLookUpSchema), required=True)
    ratings = fields.List(fields.Nested(HeldRatingSchema), required=True)


class ErasePersonSchema(Schema):
    """The word that confirms it; staff name the resident who asked."""

    confirmation = fields.String(required=True, validate=validate.OneOf(CONFIRMATIONS))
    resident_id = fields.UUID(load_default=None, allow_none=True)


class ErasureSchema(Schema):
    """That a person was erased, and what was kept of them without them."""

    id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)
    bookings_kept = fields.Integer(required=True)
    addresses_removed = fields.Integer(required=True)


class LookUpSchema(Schema):
    """Whom to find. With ``create`` an account is made when there is none, on the resident's word."""

    phone = Phone(required=True, metadata={"description": "手机号 / mobile number", "example": "13800138000"})
    create = Flag(load_default=False)
    how = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(CONSENT_WAYS))

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> LookUp:
        """Build the domain's form."""
        return LookUp(**fields_)


class FoundResidentSchema(Schema):
    """Who was found; ``resident_id`` is null when nobody has the number."""

    id = fields.UUID(required=True, metadata={"description": "of the look-up, in the audit"})
    at = fields.AwareDateTime(required=True)
    resident_id = fields.UUID(required=True, allow_none=True)
    created = fields.Boolean(required=True)
    phone_masked = fields.String(required=True)
