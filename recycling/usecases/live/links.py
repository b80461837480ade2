"""Links to the page on which a resident sees when we come (跟踪链接), made when they are shown and never stored."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from recycling.models.encrypted import keyring
from recycling.policy.tracking_token import read_token, write_token

PAGE = "/pages/track"
# After its day the page says how the visit ended; then the link leads nowhere any more.
GOOD_AFTER_DAY = timedelta(days=2)


class PublicAddress:
    """Where residents reach us from outside, as messages need to know it: set once by `create_app`."""

    def __init__(self) -> None:
        self._url = ""

    def configure(self, url: str) -> None:
        """Set the address, without a path; empty while nobody has said which it is. Called at each process's start."""
        self._url = url.rstrip("/")

    def of(self, path: str) -> str | None:
        """A path of ours as people outside can open it; ``None`` when nobody has said where we are."""
        return f"{self._url}{path}" if self._url else None


public_address = PublicAddress()


def tracking_token(booking_id: UUID, day: date) -> str:
    """The token of a booking of a day."""
    return write_token(booking_id, last_day=day + GOOD_AFTER_DAY, secret=_secret())


def tracking_path(booking_id: UUID, day: date) -> str:
    """The address of a booking's page, as our own pages link to it."""
    return f"{PAGE}/{tracking_token(booking_id, day)}"


def tracked_booking(token: str, *, today: date) -> UUID | None:
    """The booking that a token leads to; ``None`` when it is not ours or over."""
    return read_token(token, today=today, secret=_secret())


def _secret() -> bytes:
    return keyring.digest("tracking links", context="tracking_token")
