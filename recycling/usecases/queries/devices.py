"""Reading the devices that collectors are signed in on, and a resident's own sign-ins."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.people import SignIn, Staff
from recycling.policy.access import Principal


def list_devices(*, by: Principal, session: Session, now: datetime) -> list[dict[str, Any]]:
    """The devices that collectors are signed in on now, a collector's own for themselves; by collector, newest first.

    Not in pages: there are no more than the collectors times what one may have.
    """
    wanted = (
        select(SignIn, Staff)
        .join(Staff, Staff.id == SignIn.staff_id)
        .where(Staff.role == "collector", Staff.active, SignIn.ended_at.is_(None), SignIn.expires_at > now)
        .order_by(Staff.collector_key, SignIn.created_at.desc(), SignIn.id)
    )
    if by.role == "collector":
        wanted = wanted.where(SignIn.staff_id == by.id)
    return [
        {
            "id": row.id,
            "collector_key": staff.collector_key,
            "name": staff.name,
            "device_id": row.device_id,
            "kind": "app" if row.key_thumbprint is not None else "browser",
            "signed_in_at": row.created_at,
            "seen_at": row.seen_at,
            "expires_at": row.expires_at,
            "current": by.device_id is not None and row.device_id == by.device_id and row.staff_id == by.id,
        }
        for row, staff in session.execute(wanted)
    ]


def list_sign_ins(*, by: Principal, current_id: UUID, session: Session, now: datetime) -> list[dict[str, Any]]:
    """A resident's own live sign-ins, newest first; ``current_id`` is the one they ask by."""
    live = select(SignIn).where(SignIn.resident_id == by.id, SignIn.ended_at.is_(None), SignIn.expires_at > now)
    return [
        {
            "id": row.id,
            "kind": "browser" if row.browser_digest is not None else "app",
            "signed_in_at": row.created_at,
            "expires_at": row.expires_at,
            "current": row.id == current_id,
        }
        for row in session.scalars(live.order_by(SignIn.created_at.desc(), SignIn.id))
    ]
