"""Propose a baseline and confirm it (基准申报与确认): one person states it from a document, a second one freezes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Busy, Conflict, Forbidden, InvalidInput, NotFound
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.base import insert_if_absent
from recycling.models.baseline import BaselineConfirmation, BaselineProposal
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.scope import Scope
from recycling.usecases.reporting.report_body import digest

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedBaseline:
    """What somebody says the base year amounts to. ``scope`` is a label such as ``household-appliances/2``."""

    scope: str
    year: int
    units: int
    mass_g: int
    source_document: str
    document_sha256: str
    note: str = ""
    reason: str = ""


def propose_baseline(
    stated: StatedBaseline, *, by: Principal, district: District, session: Session, now: datetime
) -> BaselineProposal:
    """Keep a baseline for a second person to confirm; nothing is measured against it before that.

    Raises
    ------
    InvalidInput
        When the scope is unknown, the year not over, an amount below 1, or a restatement gives no reason.
    Busy
        When another proposal for the same scope and year is just being made.
    """
    scope = _scope(stated.scope, district)
    _check(stated, today_year=service_day(now).year)
    with atomic(session):
        of_year = (BaselineProposal.scope_key == scope.key, BaselineProposal.year == stated.year)
        confirmed = session.scalar(
            select(func.max(BaselineProposal.version)).join(BaselineConfirmation).where(*of_year)
        )
        if confirmed is not None and not stated.reason:
            raise InvalidInput(
                f"version {confirmed} of the {stated.year} baseline of {scope.key} is confirmed; give the reason for"
                " restating it / 该基准已确认，重述须填写原因 reason"
            )
        configured = [
            base.version
            for base in district.goals.baselines
            if base.scope_key == scope.key and base.year == stated.year
        ]
        newest = session.scalar(select(func.max(BaselineProposal.version)).where(*of_year)) or 0
        baseline_id = uuid4()
        made = insert_if_absent(
            session, BaselineProposal, id=baseline_id, scope_key=scope.key, scope_version=scope.version,
            year=stated.year, version=1 + max([newest, *configured]), units=stated.units, mass_g=stated.mass_g,
            source_document=stated.source_document, document_sha256=stated.document_sha256.lower(), note=stated.note,
            reason=stated.reason, proposed_by_id=by.id, proposed_at=now,
        )  # fmt: skip
        if not made:
            raise Busy("another baseline is just being proposed; send it again in a moment / 请稍后重试")
        proposal = session.get_one(BaselineProposal, baseline_id)
        audit(session, action="baseline.proposed", subject=proposal.id, by=by, now=now, facts=content_of(proposal))
    log.info("baseline.proposed", baseline_id=str(baseline_id), scope=stated.scope, version=proposal.version)
    return proposal


def confirm_baseline(baseline_id: UUID, *, by: Principal, session: Session, now: datetime) -> BaselineProposal:
    """Freeze a proposed baseline: from now on percentages, pace and probability are worked out against it.

    Raises
    ------
    NotFound
        When there is no such baseline.
    Forbidden
        When the caller proposed it.
    Conflict
        When it is confirmed already, or a newer version of it is.
    """
    with atomic(session):
        proposal = session.get(BaselineProposal, baseline_id)
        if proposal is None:
            raise NotFound(f"no baseline {baseline_id}; list them with GET /baselines / 未找到该基准")
        if proposal.proposed_by_id == by.id:
            raise Forbidden("you proposed this baseline; a second person confirms it / 基准须由申报人以外的第二人确认")
        newest = session.scalar(
            select(func.max(BaselineProposal.version))
            .join(BaselineConfirmation)
            .where(BaselineProposal.scope_key == proposal.scope_key, BaselineProposal.year == proposal.year)
        )
        if newest is not None and newest >= proposal.version:
            raise Conflict(
                f"version {newest} of this baseline is confirmed; version {proposal.version} cannot be any more:"
                " propose a new one with a reason / 已有同版本或更新版本被确认，请重新申报并说明原因"
            )
        sha256 = baseline_digest(proposal, confirmed_by_id=by.id, confirmed_at=now)
        made = insert_if_absent(
            session, BaselineConfirmation, baseline_id=proposal.id, proposed_by_id=proposal.proposed_by_id,
            confirmed_by_id=by.id, confirmed_at=now, sha256=sha256,
        )  # fmt: skip
        if not made:
            raise Conflict("somebody else has just confirmed it; look at GET /baselines / 已被他人确认")
        audit(
            session, action="baseline.confirmed", subject=proposal.id, by=by, now=now,
            facts=content_of(proposal) | {"sha256": sha256},
        )  # fmt: skip
        session.expire(proposal)
    log.info("baseline.confirmed", baseline_id=str(baseline_id), version=proposal.version, sha256=sha256)
    return proposal


def content_of(proposal: BaselineProposal) -> dict[str, Any]:
    """What a baseline says, as JSON values."""
    names = (
        "scope_key", "scope_version", "year", "version", "units", "mass_g", "source_document", "document_sha256",
        "note", "reason",
    )  # fmt: skip
    return {name: getattr(proposal, name) for name in names}


def baseline_digest(proposal: BaselineProposal, *, confirmed_by_id: UUID, confirmed_at: datetime) -> str:
    """SHA-256 over everything a confirmed baseline says, and who proposed and confirmed it when."""
    return digest(
        content_of(proposal)
        | {
            "id": str(proposal.id),
            "proposed_by_id": str(proposal.proposed_by_id),
            "proposed_at": _instant(proposal.proposed_at),
            "confirmed_by_id": str(confirmed_by_id),
            "confirmed_at": _instant(confirmed_at),
        }
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _scope(label: str, district: District) -> Scope:
    for scope in district.goals.scopes:
        if scope.label == label:
            return scope
    known = ", ".join(scope.label for scope in district.goals.scopes)
    raise InvalidInput(f"scope {label[:80]!r} is unknown; choose from {known} / 口径不存在")


def _check(stated: StatedBaseline, *, today_year: int) -> None:
    for name, amount in (("units", stated.units), ("mass_g", stated.mass_g)):
        if amount < 1:
            raise InvalidInput(
                f"{name} = {amount}: a baseline must be above zero, or no percentage means anything; give the figure of"
                " the whole year as the document has it / 基准必须大于零，请按文件填写全年数值"
            )
    if stated.year >= today_year:
        raise InvalidInput(
            f"year {stated.year} is not over; a baseline is of a whole calendar year before {today_year}"
            " / 基准年须为已结束的自然年"
        )
