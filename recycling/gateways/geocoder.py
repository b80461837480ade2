"""From words to points and back: what a map service is asked, and what of its answer is believed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from recycling.gateways.json_client import JsonClient

MOST_CANDIDATES = 10  # a person chooses among them
LONGEST_LABEL = 200  # characters, as long as an address may be
LARGEST_ANSWER = 256 << 10  # bytes; a page of candidates is a few thousand

Connect = Callable[[], JsonClient]  # a client for one question: one must not be used by two threads at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place that the words may mean, WGS-84."""

    label: str
    lat: float
    lon: float


class Geocoder(Protocol):
    """A map service that knows addresses."""

    @property
    def name(self) -> str:
        """Its kind, as the settings name it."""

    def find(self, text: str, *, until: float) -> list[Candidate]:
        """The places a text may mean, likeliest first; raises `recycling.errors.Unavailable` without an answer."""

    def label_of(self, lat: float, lon: float, *, until: float) -> str | None:
        """The address at a WGS-84 point, ``None`` when the service knows none; raises as `find`."""


class NullGeocoder:
    """Knows no address: for a district without a key to a map service."""

    name = "none"

    def find(self, text: str, *, until: float) -> list[Candidate]:
        """Find nothing."""
        return []

    def label_of(self, lat: float, lon: float, *, until: float) -> str | None:
        """Know nothing."""
        return None


def label(raw: Any) -> str | None:
    """A text of an answer, when it is one that can be shown."""
    text = raw.strip() if isinstance(raw, str) else ""
    return text if text and text.isprintable() and len(text) <= LONGEST_LABEL else None


def degrees(raw: Any) -> float | None:
    """A number of degrees in an answer, written as a number or as a text; ``None`` for all else."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) and abs(value) <= 180 else None
