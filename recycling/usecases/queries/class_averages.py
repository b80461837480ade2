"""Reading the stations' class averages beside the type table."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from recycling.models.class_average import ClassAverage, ClassAverageVersion
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.intake.sight import visible_to
from recycling.usecases.queries.cursors import key, read_cursor, write_cursor


def list_class_averages(
    *,
    by: Principal,
    district: District,
    session: Session,
    limit: int,
    month: date | None = None,
    station_key: str | None = None,
    item_type: str | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of averages that the caller may see, newest month first."""
    average, version = ClassAverage, ClassAverageVersion
    wanted = (
        select(average, version)
        .join(version, version.month == average.month)
        .where(visible_to(by, average.station_key))
        .order_by(average.month.desc(), average.station_key, average.item_type)
    )
    if month is not None:
        wanted = wanted.where(average.month == month)
    if station_key is not None:
        wanted = wanted.where(average.station_key == station_key)
    if item_type is not None:
        wanted = wanted.where(average.item_type == item_type)
    if cursor is not None:
        of, station, kind = read_cursor(cursor, date.fromisoformat, key, key)
        later = tuple_(average.station_key, average.item_type) > (station, kind)
        wanted = wanted.where((average.month < of) | ((average.month == of) & later))
    rows = session.execute(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    more = shown[-1][0] if len(rows) > limit else None
    return {
        "class_averages": [_shown(one, made, district) for one, made in shown],
        "next_cursor": write_cursor(more.month, more.station_key, more.item_type) if more is not None else None,
    }


def _shown(average: ClassAverage, version: ClassAverageVersion, district: District) -> dict[str, Any]:
    kind = district.catalogue.latest(average.item_type)
    fields = ("station_key", "item_type", "mean_g", "sd_g", "units", "lines")
    return {name: getattr(average, name) for name in fields} | {
        "month": f"{average.month:%Y-%m}",
        "first_day": version.first_day,
        "last_day": version.last_day,
        "valid_from": version.valid_from,
        "made_at": version.made_at,
        "name_zh": kind.name_zh,
        "name_en": kind.name_en,
        "type_table_g": kind.unit_mass_g,
    }
