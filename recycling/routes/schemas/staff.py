"""Accounts of people who work in the network."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from recycling.policy.access import STAFF_ROLES
from recycling.routes.schemas.fields import Schema, Text
from recycling.usecases.people.staff import LONGEST_NAME, AddStaff

MOST_PASSWORD = 200  # as for signing in


class AddStaffSchema(Schema):
    """A new account; a keeper has a station, a collector the key of a collector, nobody else has either."""

    login = Text(required=True, most=32)
    name = Text(required=True, most=LONGEST_NAME)
    role = fields.String(required=True, validate=validate.OneOf(STAFF_ROLES))
    password = Text(required=True, most=MOST_PASSWORD, as_typed=True)
    station_key = Text(most=64, load_default=None, allow_none=True)
    collector_key = Text(most=64, load_default=None, allow_none=True)

    @post_load
    def command(self, said: dict[str, Any], **_options: Any) -> AddStaff:
        """As the use case takes it."""
        return AddStaff(**said)


class NewPasswordSchema(Schema):
    """A new password, told to its owner by a way of one's own."""

    password = Text(required=True, most=MOST_PASSWORD, as_typed=True)


class StaffSchema(Schema):
    """An account; ``active`` while it can sign in."""

    id = fields.UUID(required=True)
    login = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(STAFF_ROLES))
    station_key = fields.String(required=True, allow_none=True)
    collector_key = fields.String(required=True, allow_none=True)
    active = fields.Boolean(required=True)
    created_at = fields.AwareDateTime(required=True)


class StaffListSchema(Schema):
    """Every account, by login."""

    staff = fields.List(fields.Nested(StaffSchema), required=True)
