"""Whose stock, counts and hand-overs a caller may see: the ownership rule, once, as a clause of the query itself."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, true
from sqlalchemy.orm import InstrumentedAttribute

from recycling.errors import Forbidden
from recycling.policy.access import Principal


def seen_by(by: Principal, station_key: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Keepers see what is of their own station, clerks, dispatchers and admins all, others nothing."""
    if by.role in ("clerk", "dispatcher", "admin"):
        return true()
    if by.role == "keeper":
        return station_key == by.station_key
    return false()


def own_station(by: Principal) -> str:
    """The station that a keeper answers for.

    Raises
    ------
    Forbidden
        When the caller is no keeper of a station.
    """
    if by.station_key is None:
        raise Forbidden("only the keeper of a station does this, at that station / 仅限本站点保管员办理")
    return by.station_key
