"""Custody tags and seals (追溯标签、封签): how they are written, read from hand or scanner, and told from a slip."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable

PREFIX = "XC-"
# Crockford's: without I, L, O, which are read as 1 and 0, and without U, which makes words.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BODY_CHARS = 10  # 50 random bits: numbers on rolls cannot be guessed, and a million of them hardly ever meet
TAG_CHARS = len(PREFIX) + BODY_CHARS + 1
LONGEST_AS_READ = 32  # characters of a label that is kept although it is no tag

_VALUES = {char: value for value, char in enumerate(ALPHABET)}
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0"})
_REDUCING = 0b100101  # x^5 + x^2 + 1: with it, doubling runs through all 31 other elements before it comes back
_SEAL = re.compile(r"[0-9A-Z]{4,24}", re.ASCII)


def make_tag(number: int) -> str:
    """The tag of a number.

    Parameters
    ----------
    number
        0 to 2**50 - 1.

    Raises
    ------
    ValueError
        When it does not fit.
    """
    if not 0 <= number < 1 << 5 * BODY_CHARS:
        raise ValueError(f"number = {number} must be between 0 and {(1 << 5 * BODY_CHARS) - 1}")
    body = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(BODY_CHARS)))
    return PREFIX + body + check_char(body)


def new_tags(count: int, *, draw: Callable[[int], int] = secrets.randbelow) -> list[str]:
    """So many new tags for a roll, all different.

    Parameters
    ----------
    count
        At least 0.
    draw
        Gives a random number below its argument.
    """
    found: set[str] = set()
    while len(found) < count:
        found.add(make_tag(draw(1 << 5 * BODY_CHARS)))
    return sorted(found)


def check_char(body: str) -> str:
    """The character that makes a body a tag.

    Over the field of 32 elements, tag characters times different powers of one element add up to zero. So one wrong
    character is always found, and two exchanged ones too, wherever they stand: a sum modulo 32 misses some of both.
    """
    total = 0
    for char in body:
        total = _doubled(total ^ _VALUES[char])
    return ALPHABET[total]


def is_tag(text: str) -> bool:
    """Whether a text is a tag exactly as it is written."""
    body, end = text[len(PREFIX) : -1], text[-1:]
    return (
        len(text) == TAG_CHARS
        and text.startswith(PREFIX)
        and all(char in _VALUES for char in body)
        and check_char(body) == end
    )


def read_tag(text: str) -> str | None:
    """The tag that somebody typed or a scanner read; ``None`` when it is none.

    Case, spaces, hyphens, full-width forms and a missing prefix do not matter, and I, L, O are what they look like.
    """
    plain = _plain(text)
    body = plain.removeprefix("XC") if len(plain) == TAG_CHARS - 1 else plain
    tag = PREFIX + body.translate(_READ_AS)
    return tag if is_tag(tag) else None


def read_seal(text: str) -> str | None:
    """A seal's number in its one form, 4 to 24 letters and digits, for makers differ; ``None`` when it is none."""
    plain = _plain(text)
    return plain if _SEAL.fullmatch(plain) else None


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text[:100]).upper()
    return "".join(char for char in folded if not char.isspace() and char not in "-‐‑–—")


def _doubled(value: int) -> int:
    """A field element times x."""
    value <<= 1
    return value ^ _REDUCING if value & 32 else value
