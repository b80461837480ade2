"""A sign of life to somebody outside: they raise the alarm when it stays away, whatever has happened to us."""

from __future__ import annotations

from http import HTTPStatus

from recycling.errors import DomainError
from recycling.gateways.one_post import post_once
from recycling.logs import logger

log = logger(__name__)

PING_S = 5.0
LARGEST_ANSWER = 1 << 16


def ping(url: str) -> bool:
    """Send the sign; whether it was taken. It is never tried again: the next one is due in a minute."""
    try:
        answer = post_once(url, body=b"", headers={}, seconds=PING_S, largest=LARGEST_ANSWER)
    except DomainError as error:
        log.warning("deadman.not_heard", error=error.message)
        return False
    heard = answer.status < HTTPStatus.MULTIPLE_CHOICES
    if not heard:
        log.warning("deadman.not_heard", status=answer.status)
    return heard
