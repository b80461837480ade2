"""Ranges and vocabularies that the reference facts keep: each check names the field, the value and what is allowed."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

# Basis points in a whole.
BP = 10_000


def check_range(name: str, value: int, *, least: int, most: int | None = None) -> None:
    """Refuse an integer outside a closed range by name, value and range.

    Raises
    ------
    ValueError
        When ``value`` lies outside.
    """
    if value < least or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"between {least} and {most}"
        raise ValueError(f"{name} = {value} must be {bounds}")


def check_known(name: str, values: AbstractSet[str], allowed: frozenset[str]) -> None:
    """Refuse words outside a fixed vocabulary.

    Raises
    ------
    ValueError
        When one of ``values`` is not allowed; the message lists what is.
    """
    for value in sorted(values - allowed):
        raise ValueError(f"{name} = {value!r} is unknown; choose from {', '.join(sorted(allowed))}")


def check_opening(name: str, opens_s: int, closes_s: int) -> None:
    """Refuse an interval of the day that closes before it opens.

    Raises
    ------
    ValueError
        When it does.
    """
    if closes_s <= opens_s:
        raise ValueError(f"{name} closes at second {closes_s}, not after it opens at {opens_s}")
