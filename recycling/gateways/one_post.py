"""One POST to another server, made once: bounded in time and size, no redirects, honest about what may have happened.

Nothing is repeated here. Whether the same thing may be sent again is for the caller to judge, who is told the one fact
that decides it: whether the other side can have taken the request.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from recycling.errors import NotTaken, Unavailable

CONNECT_S = 3.0
LONGEST_RETRY_AFTER_S = 3600
_PIECE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class PostAnswer:
    """A whole answer. ``retry_after_s`` is how long the other side asks us to wait, if it does, an hour at most."""

    status: int
    content: bytes
    retry_after_s: int | None


def post_once(url: str, *, body: bytes, headers: Mapping[str, str], seconds: float, largest: int) -> PostAnswer:
    """POST a body and read the answer, within ``seconds`` in all and ``largest`` bytes.

    Raises
    ------
    NotTaken
        When no connection came about, so that nothing was sent.
    Unavailable
        When the request may have been taken although no whole answer came. Messages name the host alone: an address may
        hold a key, a body a phone.
    """
    host = urlsplit(url).netloc.rpartition("@")[2]
    # A socket's time-out begins anew with every byte; so the exchange is waited for from outside, in its own thread.
    found: SimpleQueue[PostAnswer | Exception] = SimpleQueue()
    ends = time.monotonic() + seconds

    def exchange() -> None:
        try:
            found.put(_exchange(url, host, body, headers, seconds=seconds, ends=ends, largest=largest))
        except Exception as error:  # whatever it is, it is for the waiting thread to say
            found.put(error)

    Thread(target=exchange, daemon=True, name="one-post").start()
    try:
        outcome = found.get(timeout=seconds)
    except Empty:
        raise Unavailable(
            f"{host} gave no whole answer within {seconds:.1f} s; it may have taken the request"
        ) from None
    if isinstance(outcome, requests.RequestException | OSError):
        if _never_connected(outcome):
            raise NotTaken(f"{host} cannot be reached ({type(outcome).__name__})") from None
        raise Unavailable(f"{host} broke off ({type(outcome).__name__}); it may have taken the request") from None
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _exchange(
    url: str, host: str, body: bytes, headers: Mapping[str, str], *, seconds: float, ends: float, largest: int
) -> PostAnswer:
    # A connection of its own: on a kept one that the other side has just closed, nobody knows what was taken.
    with requests.Session() as session:
        session.trust_env = False  # no proxy and no password file of the machine: to the host of the settings alone
        session.headers["Accept-Encoding"] = "identity"  # a small answer cannot become a large one
        with session.post(
            url, data=body, headers=dict(headers), timeout=(min(CONNECT_S, seconds), seconds), stream=True,
            allow_redirects=False,
        ) as response:  # fmt: skip
            text = bytearray()
            for piece in response.iter_content(_PIECE):
                text += piece
                if len(text) > largest or time.monotonic() > ends:
                    raise Unavailable(f"{host} gave no end of its answer after {len(text)} bytes")
            return PostAnswer(
                status=response.status_code, content=bytes(text),
                retry_after_s=_seconds(response.headers.get("Retry-After", "")),
            )  # fmt: skip


def _never_connected(error: Exception) -> bool:
    """Whether the failure lies before the first byte of the request."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)  # an unknown name is a NewConnectionError too


def _seconds(text: str) -> int | None:
    """The delay in seconds of a ``Retry-After``; its other form, a date, is left unread."""
    return min(int(text), LONGEST_RETRY_AFTER_S) if text.isascii() and text.isdecimal() and len(text) < 10 else None
