"""Which tickets, and what is made of them, a caller may see: the ownership rule, once, as a clause of the query."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, true
from sqlalchemy.orm import InstrumentedAttribute

from recycling.models.intake import IntakeTicket
from recycling.policy.access import Principal


def visible_to(
    by: Principal, station_key: InstrumentedAttribute[str] = IntakeTicket.station_key
) -> ColumnElement[bool]:
    """Keepers see those of their own station, clerks, dispatchers and admins all, others none."""
    if by.role in ("clerk", "dispatcher", "admin"):
        return true()
    if by.role == "keeper":
        return station_key == by.station_key
    return false()
