"""Reading what weighbridges have said, and the keys they sign with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, false, or_, select, true, tuple_
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.models.weighbridge import ScaleKey, ScaleReading, WeighedReading
from recycling.policy.access import Principal
from recycling.usecases.queries.cursors import instant, read_cursor, whole, write_cursor

_readings = select(ScaleReading, WeighedReading.ticket_id).outerjoin(
    WeighedReading, WeighedReading.reading_id == ScaleReading.id
)
_used = case((WeighedReading.ticket_id.is_(None), 0), else_=1)


def visible_to(by: Principal) -> ColumnElement[bool]:
    """Keepers see the readings of their own station, clerks and admins all, others none."""
    if by.role in ("clerk", "admin"):
        return true()
    if by.role == "keeper":
        return ScaleReading.station_key == by.station_key
    return false()


def find_reading(reading_id: UUID, *, by: Principal, session: Session) -> dict[str, Any]:
    """One reading that the caller may see.

    Raises
    ------
    NotFound
        When there is none; one of a foreign station answers the same.
    """
    found = session.execute(_readings.where(ScaleReading.id == reading_id, visible_to(by))).one_or_none()
    if found is None:
        raise NotFound(f"no reading {reading_id} of yours / 未找到该地磅读数")
    return reading_in_full(*found)


def list_readings(
    *,
    by: Principal,
    session: Session,
    limit: int,
    unused: bool = False,
    station_key: str | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of readings: those on no ticket first, each newest first."""
    wanted = _readings.where(visible_to(by)).order_by(_used, ScaleReading.at.desc(), ScaleReading.id.desc())
    if unused:
        wanted = wanted.where(WeighedReading.ticket_id.is_(None))
    if station_key is not None:
        wanted = wanted.where(ScaleReading.station_key == station_key)
    if cursor is not None:
        used, at, reading_id = read_cursor(cursor, whole, instant, UUID)
        older = tuple_(ScaleReading.at, ScaleReading.id) < (at, reading_id)
        wanted = wanted.where(or_(_used > used, and_(_used == used, older)))
    rows = session.execute(wanted.limit(limit + 1)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "readings": [reading_in_full(*row) for row in rows[:limit]],
        "next_cursor": write_cursor(int(last[1] is not None), last[0].at.isoformat(), last[0].id) if last else None,
    }


def reading_in_full(reading: ScaleReading, ticket_id: UUID | None = None) -> dict[str, Any]:
    """A reading, and the standing ticket that it is on."""
    fields = (
        "id", "station_key", "scale_number", "reading_number", "gross_g", "tare_g", "net_g", "vehicle_key", "at",
        "source", "received_at",
    )  # fmt: skip
    return {name: getattr(reading, name) for name in fields} | {"ticket_id": ticket_id}


def scale_secret(station_key: str, scale_number: str, *, session: Session) -> str | None:
    """What a weighbridge signs with; ``None`` when it has no key."""
    key = session.get(ScaleKey, (station_key, scale_number))
    return key.secret if key is not None else None


def list_scale_keys(*, session: Session) -> list[ScaleKey]:
    """The weighbridges that have a key."""
    return list(session.scalars(select(ScaleKey).order_by(ScaleKey.station_key, ScaleKey.scale_number)))
