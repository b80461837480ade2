"""Reading the accounts of staff."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.people import Staff


def list_staff(*, session: Session) -> Sequence[Staff]:
    """Every account, open or closed, by login."""
    return session.scalars(select(Staff).order_by(Staff.login)).all()
