"""Links that lead to one booking without a sign-in (跟踪链接): what they name, until when, and that we made them.

A token is ``booking id (16 bytes) | last day (2 bytes, days since 1970) | HMAC-SHA256 of both, cut to 16 bytes``, in
the URL form of base64: 46 characters, short enough for a text message. It names nobody and holds no place; whoever has
it sees when we come, and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from datetime import date, timedelta
from uuid import UUID

CODE_BYTES = 16  # guessing one takes 2^128 tries against a server that counts requests
FIRST_DAY = date(1970, 1, 1)
FORM = re.compile(r"[A-Za-z0-9_-]{46}", re.ASCII)


def write_token(booking_id: UUID, *, last_day: date, secret: bytes) -> str:
    """The token of a booking, good until the end of a day."""
    named = booking_id.bytes + (last_day - FIRST_DAY).days.to_bytes(2, "big")
    return base64.urlsafe_b64encode(named + _code(named, secret)).decode().rstrip("=")


def read_token(token: str, *, today: date, secret: bytes) -> UUID | None:
    """The booking that a token names; ``None`` when we did not make it, or its last day is over."""
    if not FORM.fullmatch(token):
        return None
    try:
        content = base64.b64decode(token + "==", altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    named, code = content[:18], content[18:]
    if not hmac.compare_digest(code, _code(named, secret)):
        return None
    last_day = FIRST_DAY + timedelta(days=int.from_bytes(named[16:], "big"))
    # The last character holds bits that no byte takes: another spelling of the same token is not ours.
    if today > last_day or write_token(UUID(bytes=named[:16]), last_day=last_day, secret=secret) != token:
        return None
    return UUID(bytes=named[:16])


def _code(named: bytes, secret: bytes) -> bytes:
    return hmac.new(secret, named, hashlib.sha256).digest()[:CODE_BYTES]
