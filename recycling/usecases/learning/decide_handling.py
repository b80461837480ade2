"""Accept a handling proposal, whole or in part, or reject it (采纳或否决作业时长建议): only a person does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, InvalidInput, NotFound
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.base import insert_if_absent
from recycling.models.handling import HandlingDecision, HandlingProposal, HandlingVersion
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.handling import TOWN_TRAVEL, TRAVEL
from recycling.usecases.learning.in_force import facts_in_force
from recycling.usecases.learning.values import present_values

log = logger(__name__)

LATEST_DAYS = 366  # ahead that a table may begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Which values are taken, all changed ones when none is named; from which day, tomorrow when none is named."""

    names: Sequence[str] | None = None
    valid_from: date | None = None
    note: str = ""


def accept_handling(
    proposal_id: UUID, wish: Acceptance, *, by: Principal, district: District, session: Session, now: datetime
) -> HandlingDecision:
    """Make a handling table of a proposal: new promises of its days are made with it, standing ones keep their seconds.

    A factor on travel begins only after the last day that can be booked now: the routes in which standing promises have
    their places were timed without it, and must not break under them.

    Raises
    ------
    NotFound
        When there is no such proposal.
    InvalidInput
        When a name is none of its values, nothing would change, or the day is too early or too late.
    Conflict
        When it was decided on before, or its old values are no longer those in force.
    """
    with atomic(session):
        proposal = _undecided(proposal_id, session)
        present = facts_in_force(district, session=session)
        taken = _taken(proposal, wish.names)
        _check_fresh(proposal, taken, present)
        newest = max(present.handling.tables, key=lambda table: table.number, default=None)
        today = service_day(now)
        valid_from = wish.valid_from or max(today + timedelta(days=1), newest.valid_from if newest else today)
        _check_first_day(valid_from, today=today, least=newest.valid_from if newest else None)
        number = 1 + (newest.number if newest else 0)
        after_bookable = today + timedelta(days=present.booking_rules.horizon_days + 1)
        travel_bp, travel_from = (
            (taken[TRAVEL], max(valid_from, after_bookable))
            if TRAVEL in taken
            else ((newest.travel_bp, newest.travel_from) if newest else (None, None))
        )
        seconds = dict(newest.seconds if newest else {}) | {key: one for key, one in taken.items() if key != TRAVEL}
        fresh = insert_if_absent(
            session, HandlingVersion, number=number, valid_from=valid_from, seconds=seconds, travel_bp=travel_bp,
            travel_from=travel_from, made_at=now,
        ) and insert_if_absent(
            session, HandlingDecision, proposal_id=proposal_id, accepted=sorted(taken), table_number=number,
            note=wish.note, by_id=by.id, at=now,
        )  # fmt: skip
        if not fresh:
            raise _decided_meanwhile(proposal_id)
        decision = session.scalars(select(HandlingDecision).where(HandlingDecision.proposal_id == proposal_id)).one()
        facts = {"number": number, "valid_from": valid_from.isoformat(), "values": taken}
        audit(session, action="handling.accepted", subject=proposal_id, by=by, now=now, facts=facts)
    log.info(
        "handling.accepted", proposal_id=str(proposal_id), number=number, valid_from=str(valid_from),
        values=len(taken), by_id=str(by.id),
    )  # fmt: skip
    return decision


def reject_handling(
    proposal_id: UUID, *, note: str, by: Principal, session: Session, now: datetime
) -> HandlingDecision:
    """Put a proposal aside, and say why.

    Raises
    ------
    NotFound
        When there is no such proposal.
    Conflict
        When it was decided on before.
    """
    with atomic(session):
        _undecided(proposal_id, session)
        if not insert_if_absent(
            session, HandlingDecision, proposal_id=proposal_id, accepted=[], table_number=None, note=note,
            by_id=by.id, at=now,
        ):  # fmt: skip
            raise _decided_meanwhile(proposal_id)
        decision = session.scalars(select(HandlingDecision).where(HandlingDecision.proposal_id == proposal_id)).one()
        audit(session, action="handling.rejected", subject=proposal_id, by=by, now=now, facts={})
    log.info("handling.rejected", proposal_id=str(proposal_id), by_id=str(by.id))
    return decision


def _undecided(proposal_id: UUID, session: Session) -> HandlingProposal:
    proposal = session.get(HandlingProposal, proposal_id)
    if proposal is None:
        raise NotFound(f"no handling proposal {proposal_id}; list them with GET /handling-proposals")
    if session.get(HandlingDecision, proposal_id) is not None:
        raise _decided_meanwhile(proposal_id)
    return proposal


def _decided_meanwhile(proposal_id: UUID) -> Conflict:
    return Conflict(
        f"proposal {proposal_id} or another one has been decided on; look at GET /handling-proposals/{proposal_id}"
        " / 该建议或其他建议已处理，请刷新后查看"
    )


def _taken(proposal: HandlingProposal, names: Sequence[str] | None) -> dict[str, int]:
    """The values that change, by name."""
    rows: dict[str, dict[str, Any]] = {row["name"]: row for row in proposal.parameters}
    takeable = {name: row for name, row in rows.items() if not name.startswith(TOWN_TRAVEL)}
    wrong = sorted(set(names or ()) - takeable.keys())
    if wrong:
        raise InvalidInput(
            f"{', '.join(wrong)}: no value of this proposal that can be taken; choose from its parameters, the factors"
            " of single town-level units are only shown / 不是可采纳的参数，各镇街系数仅供查看"
        )
    chosen = takeable if names is None else {name: takeable[name] for name in names}
    taken = {name: int(row["new"]) for name, row in chosen.items() if row["new"] != row["old"]}
    if not taken:
        raise InvalidInput(
            "nothing would change; name values whose new differs from old, or reject the proposal"
            " / 没有变化的参数，请选择有变化的参数或否决该建议"
        )
    return taken


def _check_fresh(proposal: HandlingProposal, taken: dict[str, int], facts: District) -> None:
    present = present_values(facts, day=proposal.last_day)
    old = {row["name"]: row["old"] for row in proposal.parameters}
    stale = sorted(name for name in taken if present.get(name) != old[name])
    if stale:
        raise Conflict(
            f"{', '.join(stale)} changed since this proposal was made; make a new one: flask learn propose"
            " / 参数已变更，请重新生成建议"
        )


def _check_first_day(valid_from: date, *, today: date, least: date | None) -> None:
    earliest = max(today + timedelta(days=1), least or today)
    if not earliest <= valid_from <= today + timedelta(days=LATEST_DAYS):
        raise InvalidInput(
            f"valid_from {valid_from}: choose a day from {earliest} to {today + timedelta(days=LATEST_DAYS)}"
            f" / 生效日期应在 {earliest} 至 {today + timedelta(days=LATEST_DAYS)} 之间"
        )
