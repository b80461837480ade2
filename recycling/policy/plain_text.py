"""Which texts people can see whole: no control characters, no invisible ones, no half characters."""

from __future__ import annotations

import unicodedata

# Unprintable, yet part of texts that people write: line ends, and what joins an emoji out of several.
KEPT = frozenset("\t\n\u200d")


def is_plain(text: str) -> bool:
    """Whether every character can be seen, or is a space, a line end or a joiner."""
    return text.isprintable() or not any(map(_unprintable, text))


def _unprintable(character: str) -> bool:
    """Whether nobody could see it: control and format characters, half surrogates, code points without a meaning."""
    spaces = unicodedata.category(character) == "Zs"
    return not (character.isprintable() or spaces or character in KEPT)
