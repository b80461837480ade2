"""A scope (口径) as the clauses that hold figures or ticket lines in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement

from recycling.errors import InvalidInput
from recycling.policy.district import District
from recycling.policy.scope import Scope


def scope_named(label: str, *, district: District) -> Scope:
    """The current scope of a label such as ``household-appliances/2``.

    Raises
    ------
    InvalidInput
        When there is none.
    """
    scopes = {scope.label: scope for scope in district.goals.current_scopes()}
    if label not in scopes:
        raise InvalidInput(f"scope {label[:80]!r} is unknown; choose from {', '.join(scopes)} / 口径不存在")
    return scopes[label]


def in_scope(
    scope: Scope, *, district: District, item_type: Any, channel: Any, town_key: Any, provenance: Any
) -> list[ColumnElement[bool]]:
    """The clauses that hold columns in a scope; the same rule as `goal_progress.counted`."""
    kinds = sorted({kind.key for kind in district.catalogue.rows if scope.covers(kind.group)})
    sides: Iterable[tuple[Any, Iterable[str]]] = (
        (item_type, kinds), (channel, scope.channels), (town_key, scope.area), (provenance, scope.provenance)
    )  # fmt: skip
    return [column.in_(list(keys)) for column, keys in sides]
