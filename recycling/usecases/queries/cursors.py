"""Page cursors: the sort key of the last row shown, as a short text that callers hand back unread."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from recycling.errors import InvalidInput

KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
WHOLE = re.compile(r"[0-9]{1,9}")  # what an integer column takes


def write_cursor(*parts: Any) -> str:
    """The text of a sort key; each part must read back from its ``str``."""
    return base64.urlsafe_b64encode(json.dumps([str(part) for part in parts]).encode()).decode()


def read_cursor(text: str, *readers: Callable[[str], Any]) -> tuple[Any, ...]:
    """The sort key behind a text, each part by its own reader.

    Raises
    ------
    InvalidInput
        When the text is none of ours.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(text.encode()))
        return tuple(read(part) for read, part in zip(readers, parts, strict=True))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InvalidInput(f"cursor {text[:40]!r} is none of ours; take next_cursor of the page before") from error


def instant(part: str) -> datetime:
    """An aware instant of a sort key, in UTC."""
    found = datetime.fromisoformat(part)
    if found.tzinfo is None:
        raise ValueError("naive")
    return found.astimezone(UTC)


def key(part: str) -> str:
    """A configuration key of a sort key."""
    if not KEY.fullmatch(part):
        raise ValueError("no key")
    return part


def whole(part: str) -> int:
    """A number of a sort key."""
    if not WHOLE.fullmatch(part):
        raise ValueError("no number")
    return int(part)
