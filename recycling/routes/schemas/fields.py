"""Fields that take a value only in its own JSON type: no numbers in strings, no NUL, no half characters."""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma
from marshmallow import validate

from recycling.policy.plain_text import is_plain


class Text(ma.fields.String):
    """A text of ``least`` to ``most`` characters; spaces at its ends cut off, except from a password (``as_typed``)."""

    def __init__(self, *, most: int, least: int = 1, as_typed: bool = False, **options: Any) -> None:
        """Bound the length; the database column behind it holds at least ``most``."""
        self.as_typed = as_typed
        limits = validate.Length(min=least, max=most)
        super().__init__(validate=[limits, *options.pop("validate", [])], **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not is_plain(text):
            raise ma.ValidationError("has a control or invisible character; send printable text / 含不可见字符")
        return text if self.as_typed else text.strip()


class Whole(ma.fields.Integer):
    """A JSON integer from ``least`` to ``most``."""

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        """Bound the number."""
        super().__init__(strict=True, validate=validate.Range(min=least, max=most), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, float):  # 3.0 is Integral enough for marshmallow, and 1e400 is infinity
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class QueryWhole(ma.fields.Integer):
    """An integer in a query, where everything is text."""

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        """Bound the number."""
        super().__init__(strict=False, validate=validate.Range(min=least, max=most), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not (isinstance(value, str) and value.isascii() and value.isdigit()):  # int() also takes 1_0 and ５
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Decimal(ma.fields.Float):
    """A finite JSON number from ``least`` to ``most``."""

    def __init__(self, *, least: float, most: float, **options: Any) -> None:
        """Bound the number."""
        super().__init__(allow_nan=False, validate=validate.Range(min=least, max=most), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        if isinstance(value, int) and abs(value) > 10**15:  # float() of a longer one overflows
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class QueryDecimal(ma.fields.Float):
    """A plain decimal number in a query, where everything is text."""

    FORM = re.compile(r"-?\d{1,3}(?:\.\d{1,15})?", re.ASCII)

    def __init__(self, *, least: float, most: float, **options: Any) -> None:
        """Bound the number."""
        super().__init__(allow_nan=False, validate=validate.Range(min=least, max=most), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not (isinstance(value, str) and self.FORM.fullmatch(value)):  # float() also takes 1e5, nan and 1_0
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Flag(ma.fields.Boolean):
    """true or false, nothing that merely looks like it."""

    def __init__(self, **options: Any) -> None:
        """Take the two JSON values only."""
        super().__init__(truthy={True}, falsy={False}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Day(ma.fields.Date):
    """A local date such as ``2026-11-24``."""

    FORM = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

    def __init__(self, **options: Any) -> None:
        """Take the ISO form only."""
        super().__init__(format="iso", **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not self.FORM.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return super()._deserialize(value, attr, data, **kwargs)


class Instant(ma.fields.AwareDateTime):
    """An ISO 8601 instant with its offset."""

    def __init__(self, **options: Any) -> None:
        """Refuse a time without offset."""
        super().__init__(format="iso", default_timezone=None, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        found = super()._deserialize(value, attr, data, **kwargs)
        if not 2000 <= found.year <= 2200:  # conversions to another zone overflow at the ends of the calendar
            raise ma.ValidationError("is outside the years 2000 to 2200.")
        return found


class Phone(ma.fields.String):
    """A mainland mobile number of eleven digits."""

    def __init__(self, **options: Any) -> None:
        """Check form and length; the length also stops a trailing line feed that ``$`` would let through."""
        form = validate.Regexp(
            r"\A1[3-9][0-9]{9}\Z", error="is no mainland mobile number of 11 digits / 请填写 11 位手机号"
        )
        super().__init__(validate=[validate.Length(equal=11), form], **options)


class VillageCode(ma.fields.String):
    """A village or community by its code of twelve digits."""

    def __init__(self, **options: Any) -> None:
        """Check the form."""
        form = validate.Regexp(
            r"\A[0-9]{12}\Z", error="is no code of 12 digits; choose one from GET /villages / 请选择村居"
        )
        super().__init__(validate=form, **options)


class Schema(ma.Schema):
    """Base of all schemas: unknown fields are refused, declared sequence kept."""

    class Meta:
        """Refuse what is not named."""

        unknown = ma.RAISE
