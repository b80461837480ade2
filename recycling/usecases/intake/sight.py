"""Which tickets a caller may see: the ownership rule, once, as a clause of the query itself."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from recycling.models.intake import IntakeTicket
from recycling.policy.access import Principal
from recycling.usecases.custody.sight import seen_by


def visible_to(by: Principal) -> ColumnElement[bool]:
    """Keepers see those of their own station, clerks, dispatchers and admins all, others none."""
    return seen_by(by, IntakeTicket.station_key)
