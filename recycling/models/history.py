"""Declared history (申报历史数据): monthly figures that the bureau states, beside those that tickets give."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from recycling.models.base import Base, UtcDateTime, key_column
from recycling.models.written_once import written_once


@written_once
class DeclaredUpload(Base):
    """A file of declared figures, taken whole. Of a month that several hold, the one with the highest number counts."""

    __tablename__ = "declared_upload"
    __table_args__ = (CheckConstraint("number >= 1 AND figures >= 1", name="counts"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(String(64))  # of the file as it came
    form: Mapped[str] = mapped_column(String(16))  # csv-utf-8, csv-gb18030 or xlsx
    source_document: Mapped[str] = mapped_column(String(200))
    figures: Mapped[int]
    first_month: Mapped[date]
    last_month: Mapped[date]
    uploaded_by_id: Mapped[UUID] = mapped_column(Uuid)
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)


@written_once
class DeclaredFigure(Base):
    """What one row of an upload says of a month: of an item type or of a whole catalogue group, never of both.

    ``town_key`` is empty where the figure is the whole district's. Units or mass may be missing, not both.
    """

    __tablename__ = "declared_figure"
    __table_args__ = (
        CheckConstraint("units IS NOT NULL OR mass_g IS NOT NULL", name="amounts"),
        CheckConstraint("units >= 0 AND mass_g >= 0", name="not_negative"),
        Index(None, "month"),
    )

    upload_number: Mapped[int] = mapped_column(ForeignKey("declared_upload.number"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)  # its first day
    item_group: Mapped[str] = key_column(primary_key=True)
    item_type: Mapped[str] = key_column(primary_key=True)  # empty: of the whole group
    town_key: Mapped[str] = key_column(primary_key=True)
    line: Mapped[int] = mapped_column(Integer)  # of the file
    units: Mapped[int | None]
    mass_g: Mapped[int | None] = mapped_column(BigInteger)
    source_document: Mapped[str] = mapped_column(String(200))
