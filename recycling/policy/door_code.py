"""The resident's code of a visit (上门核验码): six digits that the collector types in at the door."""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from collections.abc import Callable

CODE_DIGITS = 6
MOST_WRONG = 5  # wrong tries; a guess then succeeds in five of a million


def new_door_code(*, draw: Callable[[int], int] = secrets.randbelow) -> str:
    """A code that cannot be foreseen.

    Parameters
    ----------
    draw
        Gives a random number below its argument.
    """
    return f"{draw(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def door_code_matches(code: str, typed: str) -> bool:
    """Whether what was typed is the code; spaces and full-width digits do not matter."""
    plain = "".join(unicodedata.normalize("NFKC", typed[:40]).split())
    return hmac.compare_digest(code.encode(), plain.encode())
