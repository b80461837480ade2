"""What the proofs of the line share: one server per engine for all that take the application as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Server, serving


@pytest.fixture(scope="session")
def server(engine_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application on gunicorn, 2 processes of 8 threads, over the tests' database."""
    # Addresses that schemathesis makes may be longer than gunicorn reads by default; 414 would be gunicorn's answer.
    options = ("--limit-request-line", "0")
    with serving(engine_url, log=tmp_path_factory.mktemp("server") / "gunicorn.log", options=options) as running:
        yield running
