"""Reading the devices that collectors are signed in on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

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
