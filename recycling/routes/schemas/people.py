"""Signing in and out."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.policy.access import ROLES
from recycling.routes.schemas.fields import Phone, Schema, Text


class CodeRequestSchema(Schema):
    """Where to send a one-time code."""

    phone = Phone(required=True, metadata={"description": "手机号 / mobile number", "example": "13800138000"})


class CodeSentSchema(Schema):
    """What to answer the code with."""

    code_id = fields.UUID(required=True)
    expires_in_s = fields.Integer(required=True)


class CodeAnswerSchema(Schema):
    """The code that came by text message."""

    code_id = fields.UUID(required=True)
    code = fields.String(required=True, validate=validate.Regexp(r"\A[0-9]{6}\Z"), metadata={"example": "123456"})


class PasswordSchema(Schema):
    """A staff member's name and password."""

    login = Text(required=True, most=64)
    password = Text(required=True, most=200, as_typed=True)


class TokensSchema(Schema):
    """Tokens of a sign-in: access goes into ``Authorization: Bearer …``, refresh renews both, once."""

    access_token = fields.String(required=True)
    refresh_token = fields.String(required=True)
    expires_in_s = fields.Integer(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))


class MeSchema(Schema):
    """Who is signed in."""

    id = fields.UUID(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    station_key = fields.String(allow_none=True)
    collector_key = fields.String(allow_none=True)
