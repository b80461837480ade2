"""What the proofs of the pages share: a real browser, an empty served database, and the demo day at half past ten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pages.screens import chromium as chromium  # fixtures: a real browser on a real server
from tests.pages.screens import screens as screens
from tests.pages.screens import served as served
from tests.pictures.demo_morning import DemoMorning, demo_morning


@pytest.fixture(scope="session")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoMorning]:
    """The demo day, planned, published and driven until half past ten, served."""
    with demo_morning(tmp_path_factory.mktemp("morning")) as demo:
        yield demo
