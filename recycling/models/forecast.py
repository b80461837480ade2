"""Forecasts as they were made, one set a day: written once, read often."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import JSON, BigInteger, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, key_column, one_of
from recycling.models.written_once import written_once
from recycling.policy.forecast import METHODS

ForecastPart = Literal["district", "town", "item_type"]
Measured = Literal["units", "mass"]
MEASURES: tuple[Measured, ...] = get_args(Measured)


@written_once
class GoalForecast(Base):
    """The calendar year of one figure as it looked at the end of a day: of a scope, in pieces or grams.

    ``percentiles`` are those of `policy.forecast.STORED`, empty for a straight line. They know of no goal: what is
    probable is worked out when it is read, against the baseline in force then.
    """

    __tablename__ = "goal_forecast"
    __table_args__ = (
        one_of("measure", MEASURES),
        one_of("part", get_args(ForecastPart)),
        one_of("method", METHODS),
        CheckConstraint("months_own >= 0 AND months_declared >= 0 AND months_missing >= 0", name="months"),
        CheckConstraint("(part = 'district') = (part_key = '')", name="part_key"),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(80), primary_key=True)  # key/version
    measure: Mapped[Measured] = mapped_column(String(8), primary_key=True)
    part: Mapped[ForecastPart] = mapped_column(String(16), primary_key=True)
    part_key: Mapped[str] = key_column(primary_key=True)
    method: Mapped[str] = mapped_column(String(16))
    recovered: Mapped[int] = mapped_column(BigInteger)  # year to date, declared months of the year included
    declared: Mapped[int] = mapped_column(BigInteger)  # of that, what was declared
    projected: Mapped[int] = mapped_column(BigInteger)
    percentiles: Mapped[list[int]] = mapped_column(JSON)
    errors_bp: Mapped[dict[str, int]] = mapped_column(JSON)
    levers: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # of the whole, in the scope's own unit
    months_own: Mapped[int]
    months_declared: Mapped[int]
    months_missing: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
