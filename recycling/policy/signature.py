"""Signatures on what goes between servers (签名): who wrote a body, and when; neither can be changed.

``t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>", hex>``: the instant is signed with the body, so an old request
cannot be given a new time.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from recycling.errors import NotSignedIn

TOLERANCE_S = 300  # either way: clocks of servers differ, and a request may wait in a queue
FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})", re.ASCII)


def signature(secret: bytes, body: bytes, *, at_s: int) -> str:
    """The header's value for a body sent at an instant."""
    return f"t={at_s},v1={_code(secret, body, str(at_s))}"


def check_signature(given: str, *, secret: bytes, body: bytes, now_s: int) -> None:
    """Refuse a body that was not signed with the secret, or not within `TOLERANCE_S` of now.

    Raises
    ------
    NotSignedIn
        When it is not; the message does not say more than the sender knows.
    """
    found = FORM.fullmatch(given)
    if found is None:
        raise NotSignedIn("the signature is not t=<seconds>,v1=<64 hex digits>; sign the request / 签名格式不正确")
    at, code = found.groups()
    # The signature before the clock: whoever has no secret learns nothing about ours.
    if not hmac.compare_digest(code, _code(secret, body, at)):
        raise NotSignedIn("the signature does not belong to this body and secret; sign the bytes as sent / 签名不正确")
    if abs(now_s - int(at)) > TOLERANCE_S:
        raise NotSignedIn(
            f"signed at {at}, more than {TOLERANCE_S} s from now; sign again by a right clock / 签名已过期，请重签"
        )


def _code(secret: bytes, body: bytes, at: str) -> str:
    return hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
