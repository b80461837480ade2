"""Tell everybody of a role who works here (告知工作人员)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.outbox import post
from recycling.models.people import Staff
from recycling.policy.access import Role


def tell_staff(
    session: Session, roles: Sequence[Role], *, about: str, kind: str, facts: dict[str, Any], now: datetime
) -> int:
    """Post a message to each of them in the running transaction, once for what it is ``about``; how many are new."""
    at_work = select(Staff.id).where(Staff.role.in_(roles), Staff.active.is_(True)).order_by(Staff.id)
    return sum(
        post(session, dedupe_key=f"{kind}:{about}:{staff_id}", kind=kind, to=("staff", staff_id), facts=facts, now=now)
        for staff_id in session.scalars(at_work).all()
    )
