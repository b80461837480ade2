"""The stations' own class averages, version by version."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, key_column
from recycling.models.written_once import written_once


@written_once
class ClassAverageVersion(Base):
    """The averages of one month, out of the weighings of ``first_day`` to ``last_day``; there from ``valid_from`` on.

    ``valid_from`` is after the day on which it was made, so that every ticket of a day, and every correction of it
    later, is shared by the same averages. Of several that are in force the newest month holds.
    """

    __tablename__ = "class_average_version"
    __table_args__ = (CheckConstraint("first_day <= last_day AND last_day < month", name="period"),)

    month: Mapped[date] = mapped_column(primary_key=True)  # its first day
    first_day: Mapped[date]
    last_day: Mapped[date]
    valid_from: Mapped[date]
    lines: Mapped[int]  # weighings that were looked at
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


@written_once
class ClassAverage(Base):
    """The mean mass of one unit of an item type at a station, and its sample."""

    __tablename__ = "class_average"
    __table_args__ = (
        CheckConstraint("mean_g >= 1 AND sd_g >= 0 AND lines >= 1 AND units >= lines", name="amounts"),
        Index(None, "station_key", "item_type"),
    )

    month: Mapped[date] = mapped_column(ForeignKey("class_average_version.month"), primary_key=True)
    station_key: Mapped[str] = key_column(primary_key=True)
    item_type: Mapped[str] = key_column(primary_key=True)
    mean_g: Mapped[int]
    sd_g: Mapped[int]
    units: Mapped[int]
    lines: Mapped[int]


def averages_on(session: Session, day: date, *, station_key: str | None = None) -> list[ClassAverage]:
    """The averages in force on a day, of one station or of all."""
    newest = select(func.max(ClassAverageVersion.month)).where(ClassAverageVersion.valid_from <= day)
    wanted = select(ClassAverage).where(ClassAverage.month == newest.scalar_subquery())
    if station_key is not None:
        wanted = wanted.where(ClassAverage.station_key == station_key)
    return list(session.scalars(wanted))
