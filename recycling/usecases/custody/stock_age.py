"""Tell of lots that lie too long (库龄提醒): each once, to the station's keepers, the dispatchers and the bureau."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.outbox import RecipientKind, post
from recycling.models.stock import StockLot, hold_stock
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.intake.storage import at_station

log = logger(__name__)


def tell_of_aged_stock(*, district: District, session: Session, now: datetime) -> dict[str, int]:
    """Post one message a station about the lots that have lain too long and that nobody was told of yet."""
    today, rule = service_day(now), district.stock
    # No lot younger than the shortest of the three can be too old.
    least = min(rule.appliance_14_days, rule.appliance_other_days, rule.furniture_days)
    wanted = select(StockLot).where(
        StockLot.left_units > 0, StockLot.told_on.is_(None), StockLot.day < today - timedelta(days=least)
    )
    of_station: dict[str, list[StockLot]] = {}
    with atomic(session):
        for station_key in sorted(session.scalars(wanted.with_only_columns(StockLot.station_key).distinct())):
            hold_stock(session, station_key)
        in_sequence = wanted.order_by(StockLot.station_key, StockLot.item_type, StockLot.day)
        for lot in session.scalars(in_sequence):
            if (today - lot.day).days > rule.most_days(district.catalogue.latest(lot.item_type).group):
                lot.told_on = today
                of_station.setdefault(lot.station_key, []).append(lot)
        for station_key, lots in of_station.items():
            _tell(station_key, lots, today=today, session=session, now=now)
    figures = {"stations": len(of_station), "lots": sum(map(len, of_station.values()))}
    log.info("stock.aged", **figures)
    return figures


def _tell(station_key: str, lots: Sequence[StockLot], *, today: date, session: Session, now: datetime) -> None:
    recipients: list[tuple[RecipientKind, UUID | None]] = [("bureau", None)]
    recipients += [("staff", staff_id) for staff_id in at_station(session, station_key)]
    for kind, recipient_id in recipients:
        post(
            session,
            dedupe_key=f"stock.aged:{station_key}:{today}:{recipient_id or kind}",
            kind="stock.aged",
            to=(kind, recipient_id),
            facts={
                "day": str(min(lot.day for lot in lots)), "station_key": station_key, "lots": len(lots),
                "stored_g": sum(lot.left_g for lot in lots),
            },
            now=now,
        )  # fmt: skip
