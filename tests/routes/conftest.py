"""What the tests of bad input share."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from tests.callers import Callers
from tests.routes.bad_requests import Counter


@pytest.fixture
def resident(session: Session, callers: Callers) -> Counter:
    """A signed-in resident, and the eyes on the tables."""
    return Counter(session, callers.resident())
