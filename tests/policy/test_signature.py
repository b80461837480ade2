"""A signature belongs to one body, one secret and five minutes."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.errors import NotSignedIn
from recycling.policy.signature import TOLERANCE_S, check_signature, signature

SECRET = bytes(range(32))
AT = 1_795_399_200


def refused(given: str, *, secret: bytes = SECRET, body: bytes = b"{}", now_s: int = AT) -> bool:
    """Whether a signature is turned away."""
    try:
        check_signature(given, secret=secret, body=body, now_s=now_s)
    except NotSignedIn:
        return True
    return False


def test_it_is_an_hmac_over_time_dot_body_that_anybody_can_make() -> None:
    expected = hmac.new(SECRET, b"1795399200.{}", hashlib.sha256).hexdigest()
    assert signature(SECRET, b"{}", at_s=AT) == f"t=1795399200,v1={expected}"


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=64), st.integers(-TOLERANCE_S, TOLERANCE_S))
def test_what_was_signed_is_let_through_within_the_window(body: bytes, secret: bytes, late_s: int) -> None:
    assert not refused(signature(secret, body, at_s=AT), secret=secret, body=body, now_s=AT + late_s)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_another_body_or_secret_is_refused(body: bytes, other: bytes) -> None:
    given_ = signature(SECRET, body, at_s=AT)
    assert refused(given_, body=other) == (body != other)
    assert refused(given_, body=body, secret=SECRET[:-1] + b"\0")


@pytest.mark.parametrize("late_s", [TOLERANCE_S + 1, -TOLERANCE_S - 1, 86_400])
def test_an_old_or_early_one_is_refused(late_s: int) -> None:
    assert refused(signature(SECRET, b"{}", at_s=AT), now_s=AT + late_s)


def test_an_old_one_cannot_be_given_a_new_time() -> None:
    code = signature(SECRET, b"{}", at_s=AT - 3600).partition(",")[2]
    assert refused(f"t={AT},{code}")


GOOD = signature(SECRET, b"{}", at_s=AT)


@pytest.mark.parametrize(
    "given_",
    ["", "t=,v1=", GOOD.upper(), GOOD + " ", GOOD + "\n", GOOD.replace("v1", "v0"), GOOD[:-1], f"{GOOD},{GOOD}",
     GOOD.replace("t=1", "t=１"), "t=" + "9" * 5000 + ",v1=" + "0" * 64],
)  # fmt: skip
def test_another_form_is_refused(given_: str) -> None:
    assert refused(given_)
