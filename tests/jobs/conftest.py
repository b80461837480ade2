"""A runner on the test's database, with a clock and a diary."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session, sessionmaker

from recycling.jobs.runner import Runner
from recycling.policy.district import District
from tests.conftest import NOW
from tests.jobs.clock import Clock, Diary, a_runner


@pytest.fixture
def sessions(session: Session) -> Callable[[], Session]:
    """What makes sessions of their own on the test's database."""
    return sessionmaker(session.get_bind())


@pytest.fixture
def clock() -> Clock:
    """Monday 2026-11-23 10:00 in Xuecheng."""
    return Clock(NOW)


@pytest.fixture
def diary() -> Diary:
    """An empty diary."""
    return Diary()


@pytest.fixture
def runner(sessions: Callable[[], Session], clock: Clock, diary: Diary, district: District) -> Runner:
    """A worker whose jobs write into the diary."""
    return a_runner(sessions, clock, diary, district=district)
