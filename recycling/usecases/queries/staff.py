"""Reading the accounts of staff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.people import Staff


def list_staff(*, session: Session) -> Sequence[Staff]:
    """Every account, open or closed, by login."""
    return session.scalars(select(Staff).order_by(Staff.login)).all()


def names_of(staff_ids: Iterable[UUID | None], *, session: Session) -> dict[UUID, str]:
    """The names of those of some accounts that are staff's; residents and the clock have none here."""
    wanted = {staff_id for staff_id in staff_ids if staff_id is not None}
    found: dict[UUID, str] = dict(session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(wanted))).all())
    return found
