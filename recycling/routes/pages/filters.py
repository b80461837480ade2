"""Filters above a list, as a browser sends them: a field that was left empty is no wish."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import marshmallow as ma

from recycling.routes.schemas.fields import Schema


class WithoutBlanks(Schema):
    """A query of which some fields are left empty: a form sends them as empty text."""

    @ma.pre_load
    def without_blanks(self, sent: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """Leave out what was left empty."""
        return {name: value for name, value in sent.items() if str(value).strip()}


def in_address(wanted: Mapping[str, Any]) -> dict[str, str]:
    """The filters of a list as they stand in its address, but for where its page begins."""
    names = {"first": "from", "last": "to"}
    return {
        names.get(name, name): value.isoformat() if isinstance(value, date) else str(value)
        for name, value in wanted.items()
        if value is not None and name not in ("cursor", "limit")
    }
