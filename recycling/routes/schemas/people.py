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
    device_id = fields.UUID(
        load_default=None,
        metadata={"description": "设备编号，回收员必填 / the app's own UUID; a collector's, with a DPoP proof"},
    )


class TokensSchema(Schema):
    """Tokens of a sign-in: access goes into ``Authorization: <token_type> …``, refresh renews both, once."""

    token_type = fields.String(
        required=True,
        validate=validate.OneOf(("Bearer", "DPoP")),
        metadata={"description": "DPoP: 已绑定设备 / bound to the device, each request needs a DPoP proof (RFC 9449)"},
    )
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


class DeviceSchema(Schema):
    """A device that a collector is signed in on."""

    id = fields.UUID(required=True, metadata={"description": "登录编号 / of the sign-in; ends it with DELETE"})
    collector_key = fields.String(required=True)
    name = fields.String(required=True)
    device_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(("app", "browser")))
    signed_in_at = fields.AwareDateTime(required=True)
    seen_at = fields.AwareDateTime(
        required=True, metadata={"description": "最近使用，约十分钟精度 / last request, to ten minutes"}
    )
    expires_at = fields.AwareDateTime(required=True)
    current = fields.Boolean(required=True, metadata={"description": "是否本机 / whether it is the one asking"})


class SignInRowSchema(Schema):
    """A browser or app that a resident is signed in on."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(("app", "browser")))
    signed_in_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    current = fields.Boolean(required=True, metadata={"description": "是否本机 / whether it is the one asking"})


class SignInListSchema(Schema):
    """A resident's live sign-ins, newest first."""

    sign_ins = fields.List(fields.Nested(SignInRowSchema), required=True)


class DeviceListSchema(Schema):
    """Devices that collectors are signed in on."""

    devices = fields.List(fields.Nested(DeviceSchema), required=True)
