"""What people send by form, checked the way the API checks its bodies."""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma
from flask import request
from marshmallow import fields, validate

from recycling.errors import InvalidInput
from recycling.routes.schemas.fields import Phone, Schema, Text

PHONE_FORM = "请输入 11 位手机号 / give a mobile number of 11 digits"
CODE_FORM = "请输入短信中的 6 位数字 / give the 6 digits of the text message"
CODE_GONE = "请重新获取验证码 / ask for a new code"
EMPTY = "请填写此项 / fill this in"


class _Form(Schema):
    """A posted form; ``next`` is the path to go on to, ``csrf_token`` was checked before."""

    csrf_token = fields.String(load_only=True)
    next = fields.String(load_default="/")


class _TypedPhone(Phone):
    """The API's rule for a number, with a person's words for breaking it."""

    def _validate(self, value: Any) -> None:
        try:
            super()._validate(value)
        except ma.ValidationError:
            raise ma.ValidationError(PHONE_FORM) from None


class PhoneForm(_Form):
    """The resident's phone, as people type it: with spaces, dashes or the country's code."""

    phone = _TypedPhone(required=True, error_messages={"required": PHONE_FORM})

    @ma.pre_load
    def bare(self, posted: dict[str, str], **_: Any) -> dict[str, str]:
        """Take off what is no part of the number."""
        if "phone" not in posted:
            return posted
        return posted | {"phone": re.sub(r"\A(?:\+|00)86|[\s-]", "", posted["phone"].strip())}


class CodeForm(_Form):
    """The code that came by text message."""

    code_id = fields.UUID(required=True, error_messages={"required": CODE_GONE, "invalid_uuid": CODE_GONE})
    code = fields.String(
        required=True,
        validate=validate.Regexp(r"\A\s*[0-9]{6}\s*\Z", error=CODE_FORM),
        error_messages={"required": CODE_FORM},
    )


class PasswordForm(_Form):
    """A staff member's name and password, and the browser's own name where a script could tell it."""

    login = Text(required=True, most=64, error_messages={"required": EMPTY})
    password = fields.String(
        required=True, validate=validate.Length(1, 200, error=EMPTY), error_messages={"required": EMPTY}
    )
    device_id = fields.UUID(load_default=None)

    @ma.pre_load
    def without_blanks(self, posted: dict[str, str], **_: Any) -> dict[str, str]:
        """Leave out what was left empty: a browser sends it as empty text."""
        return {name: value for name, value in posted.items() if value.strip()}


class ErasureForm(_Form):
    """The word that confirms an erasure."""

    confirmation = Text(required=True, most=10, error_messages={"required": EMPTY})


def read_form(schema: ma.Schema) -> dict[str, Any]:
    """Read the posted form.

    Raises
    ------
    InvalidInput
        With the message of each wrong field.
    """
    try:
        found: dict[str, Any] = schema.load(request.form.to_dict())
    except ma.ValidationError as error:
        said = error.messages_dict
        # Our own words speak for themselves; marshmallow's need the field's name before them.
        lines = [line if " / " in line else f"{name}: {line}" for name, lines in said.items() for line in lines]
        raise InvalidInput("; ".join(lines), fields=said) from error
    return found
