"""What the proofs of bookings share: one server of one truck per engine, for all that take it as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Server, serving


@pytest.fixture(scope="session")
def one_truck(engine_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application of a district with one truck on gunicorn, over the tests' database."""
    log = tmp_path_factory.mktemp("one-truck") / "gunicorn.log"
    with serving(engine_url, wsgi="tests.proof.bookings.one_truck:app", log=log) as running:
        yield running
