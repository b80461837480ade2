"""What a proof is given: how large to be, and where to write down what it measured."""

import pytest

from tests.proof.harness import Proof, Size


@pytest.fixture(scope="session")
def size(request: pytest.FixtureRequest) -> Size:
    """How large the proof is to be: small in ``make test``, full in ``make prove``."""
    chosen: Size = request.config.getoption("--size")
    return chosen


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    """Return the sheet on which this proof records its figures."""
    return Proof.of(request.node)
