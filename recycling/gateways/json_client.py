"""One way to ask another server for JSON: bounded in time, in size and in tries, to the host of the settings alone."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NoReturn

import requests

from recycling.errors import Unavailable

TRIES = 3
FIRST_WAIT_S = 0.2  # doubled after each try
LARGEST_ANSWER = 64 << 20  # bytes; the largest block asked for, 2,000 by 2,000 cells, stays below
_PIECE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonAnswer:
    """An answer that came whole: its status, below 500, and the JSON object in it."""

    status: int
    content: dict[str, Any]


class JsonClient:
    """Asks one server. Not for several threads at once.

    Parameters
    ----------
    address
        Scheme, host and port, and a path to begin with if there is one.
    timeout_s
        Most seconds until an answer is there whole, the look-up of the host's name included.
    largest
        Most bytes of an answer.
    """

    def __init__(self, address: str, *, timeout_s: float, largest: int = LARGEST_ANSWER) -> None:
        self._address = address.rstrip("/")
        self._timeout_s, self._largest = timeout_s, largest
        self._session = _session()

    def ask(self, path: str, *, until: float, body: Any = None) -> JsonAnswer:
        """GET ``path``, or POST ``body`` to it; tried again, with growing pauses, while no whole answer comes.

        Parameters
        ----------
        until
            Instant of `time.monotonic` after which nothing is tried any more.

        Raises
        ------
        Unavailable
            When no whole answer came; the message names neither the path nor what was sent, which may hold homes.
        """
        wait_s, failure = FIRST_WAIT_S, Unavailable(f"{self._address} was not asked: the time for it is over")
        for tried in range(TRIES):
            left_s = until - time.monotonic()
            if left_s <= 0:
                break
            try:
                return self._once(path, body, seconds=min(self._timeout_s, left_s))
            except Unavailable as error:
                failure = error
            if tried < TRIES - 1:
                time.sleep(max(0.0, min(wait_s, until - time.monotonic())))
                wait_s *= 2
        raise failure

    def _once(self, path: str, body: Any, *, seconds: float) -> JsonAnswer:
        # A socket's time-out begins anew with every byte, and does not cover the look-up of a name. So the exchange is
        # waited for from outside, and left to end by itself when it takes too long.
        found: SimpleQueue[JsonAnswer | Exception] = SimpleQueue()
        session, ends = self._session, time.monotonic() + seconds

        def exchange() -> None:
            try:
                found.put(self._exchange(session, path, body, seconds=seconds, ends=ends))
            except Exception as error:  # whatever it is, it is for the waiting thread to say
                found.put(error)

        Thread(target=exchange, daemon=True, name="json-client").start()
        try:
            outcome = found.get(timeout=seconds)
        except Empty:
            self._session = _session()  # the old one is still in the other thread's hands
            raise Unavailable(f"{self._address} gave no whole answer within {seconds:.1f} s") from None
        if isinstance(outcome, Unavailable):
            raise outcome
        if isinstance(outcome, (requests.RequestException, OSError)):
            # Only the kind of error: its text holds the address asked for, and with it the points.
            raise Unavailable(f"{self._address} did not answer ({type(outcome).__name__})") from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _exchange(self, session: requests.Session, path: str, body: Any, *, seconds: float, ends: float) -> JsonAnswer:
        method = "GET" if body is None else "POST"
        with session.request(
            method, f"{self._address}{path}", json=body, timeout=seconds, stream=True, allow_redirects=False
        ) as response:
            status = response.status_code
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
                raise Unavailable(f"{self._address} answered with status {status}")
            text = bytearray()
            for piece in response.iter_content(_PIECE):
                text += piece
                if len(text) > self._largest or time.monotonic() > ends:
                    raise Unavailable(f"{self._address} gave no end of its answer after {len(text)} bytes")
        return JsonAnswer(status=status, content=self._object(bytes(text)))

    def _object(self, text: bytes) -> dict[str, Any]:
        try:
            content = json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise Unavailable(f"{self._address} answered something else than a JSON object")
        return content


def _session() -> requests.Session:
    session = requests.Session()
    # No proxy and no password file of the machine: what is sent goes to the host of the settings and nowhere else.
    session.trust_env = False
    session.headers["Accept"] = "application/json"
    session.headers["Accept-Encoding"] = "identity"  # a small answer cannot become a large one
    return session


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
