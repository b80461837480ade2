"""Which tickets, and what is made of them, a caller may see: the ownership rule, once, as a clause of the query."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from recycling.models.intake import IntakeTicket
from recycling.policy.access import Principal
from recycling.usecases.custody.sight import seen_by


def visible_to(
    by: Principal, station_key: InstrumentedAttribute[str] = IntakeTicket.station_key
) -> ColumnElement[bool]:
    """Keepers see those of their own station, clerks, dispatchers and admins all, others none."""
    return seen_by(by, station_key)
