"""Saved addresses as they come in and go out."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields

from recycling.routes.schemas.doors import ChangesDoorSchema, DoorSchema
from recycling.routes.schemas.fields import Schema, Text
from recycling.usecases.people.addresses import AddressWish


class AddressWishSchema(DoorSchema):
    """An address to be saved."""

    label = Text(required=True, most=20, metadata={"description": "名称 / such as 家 or 父母家", "example": "家"})


class SaveAddressSchema(AddressWishSchema):
    """An address to be saved; staff name the resident they save it for."""

    resident_id = fields.UUID(load_default=None, allow_none=True)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> tuple[AddressWish, Any]:
        """Build the domain's form, and for whom."""
        resident_id = fields_.pop("resident_id")
        return AddressWish(**fields_), resident_id


class ChangeAddressSchema(AddressWishSchema, ChangesDoorSchema):
    """The fields to change. A point comes whole: both coordinates, with their system."""


# By name, since partial=True would also make the fields of nested schemas optional.
CHANGEABLE = tuple(ChangeAddressSchema().fields)


class AddressSchema(Schema):
    """A saved address, for its owner and the dispatcher."""

    id = fields.UUID(required=True)
    resident_id = fields.UUID(required=True)
    label = fields.String(required=True)
    village_code = fields.String(required=True)
    address = fields.String(required=True)
    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    floor = fields.Integer(required=True)
    has_lift = fields.Boolean(required=True)
    note = fields.String(required=True)
    version = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)


class AddressListSchema(Schema):
    """The saved addresses of one resident, at most 20."""

    addresses = fields.List(fields.Nested(AddressSchema), required=True)


class AddressFilterSchema(Schema):
    """Whose addresses to list: one's own when left out."""

    resident_id = fields.UUID(load_default=None)
