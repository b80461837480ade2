"""The shared step that tells of a station which fills up (存放上限): goods that are there are weighed in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.outbox import post
from recycling.models.people import Staff
from recycling.models.stock import stored_g
from recycling.policy.checks import BP
from recycling.policy.district import District

log = logger(__name__)


def tell_of_full_station(station_key: str, *, district: District, session: Session, now: datetime) -> None:
    """Tell the station's keepers and the dispatchers, once a day, when its stock comes near its storage limit."""
    station = district.network.stations.get(station_key)
    if station is None or station.storage_limit_g is None:
        return
    there_g = stored_g(session, station_key)
    if there_g * BP < station.storage_limit_g * district.stock.alarm_bp:
        return
    log.warning("stock.full", station_key=station_key, stored_g=there_g, limit_g=station.storage_limit_g)
    day = service_day(now)
    for staff_id in at_station(session, station_key):
        post(
            session,
            dedupe_key=f"stock.full:{station_key}:{day}:{staff_id}",
            kind="stock.full",
            to=("staff", staff_id),
            facts={
                "day": str(day), "station_key": station_key, "stored_g": there_g, "limit_g": station.storage_limit_g,
            },
            now=now,
        )  # fmt: skip


def at_station(session: Session, station_key: str) -> Iterator[UUID]:
    """The active keepers of a station, and the dispatchers of all."""
    keeper = and_(Staff.role == "keeper", Staff.station_key == station_key)
    wanted = select(Staff.id).where(or_(keeper, Staff.role == "dispatcher"), Staff.active.is_(True))
    yield from session.scalars(wanted.order_by(Staff.id)).all()
