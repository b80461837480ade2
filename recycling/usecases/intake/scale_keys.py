"""Keys that weighbridges sign their readings with (地磅密钥)."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput, NotFound
from recycling.models.audit import audit
from recycling.models.base import insert_into
from recycling.models.transaction import atomic, rows_met
from recycling.models.weighbridge import ScaleKey
from recycling.policy.access import Principal
from recycling.policy.district import District

SECRET_BYTES = 32


def issue_scale_key(
    station_key: str, scale_number: str, *, by: Principal, district: District, session: Session, now: datetime
) -> str:
    """Give a weighbridge a new key; the one before ends. The answer is the only time that it is told.

    Raises
    ------
    InvalidInput
        When there is no such station.
    """
    if station_key not in district.network.stations:
        raise InvalidInput(
            f"station {station_key!r} is none of {', '.join(district.network.stations)} / 站点 {station_key} 不存在"
        )
    secret = secrets.token_hex(SECRET_BYTES)
    with atomic(session):
        row = insert_into(session, ScaleKey).values(
            station_key=station_key, scale_number=scale_number, secret=secret, issued_at=now, issued_by_id=by.id
        )
        new = {name: row.excluded[name] for name in ("secret", "issued_at", "issued_by_id")}
        session.execute(row.on_conflict_do_update(index_elements=["station_key", "scale_number"], set_=new))
        audit(session, action="scale_key.issued", subject=f"{station_key}/{scale_number}", by=by, now=now, facts={})
    return secret


def end_scale_key(station_key: str, scale_number: str, *, by: Principal, session: Session, now: datetime) -> None:
    """Take a weighbridge its key; its readings stay.

    Raises
    ------
    NotFound
        When it has none.
    """
    with atomic(session):
        mine = (ScaleKey.station_key == station_key, ScaleKey.scale_number == scale_number)
        if not rows_met(session, delete(ScaleKey).where(*mine)):
            raise NotFound(f"scale {station_key}/{scale_number} has no key / 该地磅没有密钥")
        audit(session, action="scale_key.ended", subject=f"{station_key}/{scale_number}", by=by, now=now, facts={})
