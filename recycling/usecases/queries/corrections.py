"""Reading proposals of corrections."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, select, tuple_
from sqlalchemy.orm import Session, aliased

from recycling.models.correction import CorrectionDecision, CorrectionProposal
from recycling.models.intake import IntakeTicket
from recycling.policy.access import Principal
from recycling.usecases.intake.sight import visible_to
from recycling.usecases.queries.cursors import instant, read_cursor, write_cursor

_newer = aliased(IntakeTicket)
_replaced = exists().where(_newer.corrects_id == CorrectionProposal.ticket_id)
_undecided = ~exists().where(CorrectionDecision.proposal_id == CorrectionProposal.id)


def list_proposals(
    *, by: Principal, session: Session, limit: int, waiting: bool = False, cursor: str | None = None
) -> dict[str, Any]:
    """A page of proposals, newest first; ``waiting`` leaves out those that nobody can decide any more."""
    mine = (
        select(CorrectionProposal, IntakeTicket.station_key, _replaced)
        .join(IntakeTicket, IntakeTicket.id == CorrectionProposal.ticket_id)
        .where(visible_to(by))
        .order_by(CorrectionProposal.proposed_at.desc(), CorrectionProposal.id.desc())
    )
    if waiting:
        mine = mine.where(and_(_undecided, ~_replaced))
    if cursor is not None:
        key = tuple_(CorrectionProposal.proposed_at, CorrectionProposal.id)
        mine = mine.where(key < read_cursor(cursor, instant, UUID))
    rows = session.execute(mine.limit(limit + 1)).all()
    last = rows[limit - 1][0] if len(rows) > limit else None
    return {
        "proposals": [_in_full(*row) for row in rows[:limit]],
        "next_cursor": write_cursor(last.proposed_at.isoformat(), last.id) if last is not None else None,
    }


def proposal_in_full(proposal: CorrectionProposal, *, session: Session) -> dict[str, Any]:
    """A proposal, and what became of it."""
    ticket = session.get_one(IntakeTicket, proposal.ticket_id)
    replaced = session.scalar(select(IntakeTicket.id).where(IntakeTicket.corrects_id == ticket.id)) is not None
    return _in_full(proposal, ticket.station_key, replaced)


def _in_full(proposal: CorrectionProposal, station_key: str, replaced: bool) -> dict[str, Any]:  # noqa: FBT001  # a row
    decision = proposal.decision
    fields = ("id", "ticket_id", "weighing", "reason", "net_before_g", "net_after_g", "proposed_by_id", "proposed_at")
    decided = ("decided_by_id", "decided_at", "note", "correction_id")
    return {
        **{name: getattr(proposal, name) for name in fields},
        **{name: getattr(decision, name) if decision is not None else None for name in decided},
        "station_key": station_key,
        # Overtaken: somebody else has corrected the ticket meanwhile, and nothing can come of it.
        "state": decision.verdict if decision is not None else "overtaken" if replaced else "waiting",
    }
