"""Which tickets a caller may see: the ownership rule, once, as a clause of the query itself."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, true

from recycling.models.intake import IntakeTicket
from recycling.policy.access import Principal


def visible_to(by: Principal) -> ColumnElement[bool]:
    """Keepers see those of their own station, clerks, dispatchers and admins all, others none."""
    if by.role in ("clerk", "dispatcher", "admin"):
        return true()
    if by.role == "keeper":
        return IntakeTicket.station_key == by.station_key
    return false()
