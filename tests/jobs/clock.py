"""A clock that stands still until a test moves it, and jobs that only note that they were done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from recycling.jobs.context import JobContext
from recycling.jobs.runner import LEASE, Runner
from recycling.jobs.schedule import jobs_of
from recycling.policy.district import District


@dataclass
class Clock:
    """The present of a runner under test."""

    now: datetime

    def __call__(self) -> datetime:
        """Read it."""
        return self.now

    def turn(self, **by: float) -> None:
        """Move it on, or back."""
        self.now += timedelta(**by)


@dataclass
class Diary:
    """What was done, as (job, scope), and what is to happen meanwhile."""

    done: list[tuple[str, str]] = field(default_factory=list)
    meanwhile: Callable[[JobContext], None] = lambda _context: None

    def of(self, job: str) -> list[str]:
        """The scopes for which a job was done."""
        return [scope for name, scope in self.done if name == job]


def a_runner(
    sessions: Callable[[], Session], clock: Clock, diary: Diary, *, district: District, lease: timedelta = LEASE
) -> Runner:
    """A worker on the real schedule whose jobs write into a diary instead of doing anything."""

    def noting(key: str) -> Callable[[JobContext], dict[str, Any]]:
        def action(context: JobContext) -> dict[str, Any]:
            diary.done.append((key, context.scope))
            diary.meanwhile(context)
            return {"times": len(diary.of(key))}

        return action

    jobs = {key: replace(job, action=noting(key)) for key, job in jobs_of(district).items()}
    return Runner(sessions=sessions, district=district, settings={}, clock=clock, jobs=jobs, lease=lease)
