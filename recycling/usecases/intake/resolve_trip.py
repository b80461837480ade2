"""Say what became of a trip whose doors and scale did not agree (处理待核趟次)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, Forbidden, NotFound
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.balance import ResolutionReason, TripBalance, TripResolution, lock_balances
from recycling.models.intake import IntakeTicket
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.usecases.intake.sight import visible_to

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a person found out, about the figures of one version."""

    version: int
    reason: ResolutionReason
    note: str


def resolve_trip(
    balance_id: UUID, resolution: Resolution, *, by: Principal, session: Session, now: datetime
) -> TripBalance:
    """Resolve a held trip, once for each version of its figures. It counts as it was weighed, before and after.

    Raises
    ------
    NotFound
        When the caller's station has no trip of that id.
    Conflict
        When it is not held, or its figures are no longer those that were looked at.
    Forbidden
        When the caller weighed a part of it in, or corrected that.
    """
    with atomic(session):
        day = session.scalar(
            select(TripBalance.day).where(TripBalance.id == balance_id, visible_to(by, TripBalance.station_key))
        )
        if day is None:
            raise NotFound(f"no trip balance {balance_id} of yours / 未找到该趟次")
        lock_balances(session, day)
        balance = session.get_one(TripBalance, balance_id, populate_existing=True)
        _refuse_settled(balance, resolution)
        if by.role == "keeper" and by.id in _weighers(balance, session=session):
            raise Forbidden(
                "you weighed a part of this load; another keeper of the station or the bureau's clerk resolves it"
                " / 本趟由您过磅，须由其他保管员或商促局处理"
            )
        session.add(
            TripResolution(
                balance_id=balance.id, version=balance.version, reason=resolution.reason, note=resolution.note,
                by_id=by.id, by_role=by.role, at=now,
            )
        )  # fmt: skip
        balance.state = "resolved"
        audit(
            session, action="trip_balance.resolved", subject=balance.id, by=by, now=now,
            facts={
                "day": balance.day.isoformat(), "vehicle_key": balance.vehicle_key, "trip": balance.trip,
                "version": balance.version, "reason": resolution.reason, "difference_g": balance.difference_g,
                "causes": balance.causes,
            },
        )  # fmt: skip
    log.info("trip_balance.resolved", balance_id=str(balance_id), reason=resolution.reason)
    session.refresh(balance)
    return balance


def _refuse_settled(balance: TripBalance, resolution: Resolution) -> None:
    if balance.version != resolution.version:
        raise Conflict(
            f"the figures of this trip are at version {balance.version}, you looked at {resolution.version}; read it"
            f" again and decide anew / 该趟次数据已更新至第 {balance.version} 版，请重新查看后处理"
        )
    if balance.state != "held":
        raise Conflict(
            f"this trip is {balance.state}, nothing is left to resolve / 该趟次当前状态为 {balance.state}，无需处理"
        )


def _weighers(balance: TripBalance, *, session: Session) -> set[UUID]:
    """Whoever wrote a ticket of the trip, or one that such a ticket replaced."""
    found: set[UUID] = set()
    wanted = {UUID(ticket_id) for ticket_id in balance.tickets}
    while wanted:
        rows = session.execute(
            select(IntakeTicket.keeper_id, IntakeTicket.corrects_id).where(IntakeTicket.id.in_(wanted))
        ).all()
        found |= {row.keeper_id for row in rows}
        wanted = {row.corrects_id for row in rows if row.corrects_id is not None}
    return found
