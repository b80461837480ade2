"""Ways between places, as a road engine answered them: kept for the day on which it does not answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId
from recycling.models.encrypted import EncryptedBytes, keyring


class CachedTravel(WithId, Base):
    """The ways from one place to others, by one engine, at one instant.

    ``origin`` is a keyed digest of the place, ``cells`` an encrypted list of the other places with seconds and metres:
    the times to ten known stations alone would tell where a home is.
    """

    __tablename__ = "cached_travel"
    __table_args__ = (Index(None, "engine", "origin"),)

    engine: Mapped[str] = mapped_column(String(64))
    origin: Mapped[bytes] = mapped_column(LargeBinary(32))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    cells: Mapped[bytes] = mapped_column(EncryptedBytes("cached_travel.cells"))


def origin_digest(place: str) -> bytes:
    """The digest under which the ways from a place are found again."""
    return keyring.digest(place, context="cached_travel.origin")
