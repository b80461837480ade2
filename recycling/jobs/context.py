"""What a job is handed: its run, the district, a session, and the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """One attempt at one run. ``scope`` is the day or month it is about; ``settings`` are those of `create_app`."""

    run_id: UUID
    due_at: datetime
    scope: str
    session: Session
    district: District
    settings: Mapping[str, Any]
    clock: Callable[[], datetime]
    by: Principal = SYSTEM

    @property
    def day(self) -> date:
        """The day the run is about."""
        return date.fromisoformat(self.scope)
