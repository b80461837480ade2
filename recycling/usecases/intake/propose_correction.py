"""Propose a correction that takes two people, and decide on one (更正复核)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, Forbidden, NotFound
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.correction import CorrectionDecision, CorrectionProposal, Verdict
from recycling.models.intake import IntakeTicket
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.intake.read_off import ReadWeighing
from recycling.usecases.intake.replacing import judged_correction, refuse_replaced, write_correction
from recycling.usecases.intake.sight import visible_to
from recycling.usecases.intake.weighing import WeighedLine, Weighing

log = logger(__name__)


def propose_correction(
    ticket_id: UUID,
    weighing: Weighing | ReadWeighing | None,
    *,
    reason: str,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> CorrectionProposal:
    """Keep a correction for a second person; the ticket stands until they approve.

    Raises
    ------
    NotFound
        When the caller's station has no ticket of that id.
    Conflict
        When the ticket is already replaced.
    InvalidInput
        As for `weigh_in`.
    """
    with atomic(session):
        correction = judged_correction(ticket_id, weighing, reason=reason, by=by, district=district, session=session)
        original = correction.original
        refuse_replaced(original, session=session)
        proposal = CorrectionProposal(
            id=uuid4(), ticket_id=ticket_id, weighing=_written(correction.weighing), reason=reason,
            net_before_g=original.net_g, net_after_g=correction.net_g, proposed_by_id=by.id, proposed_at=now,
        )  # fmt: skip
        session.add(proposal)
        session.flush()
        _audit(session, proposal, "correction.proposed", by=by, now=now)
    log.info("correction.proposed", proposal_id=str(proposal.id), ticket_id=str(ticket_id))
    return proposal


def approve_correction(
    proposal_id: UUID, *, by: Principal, district: District, session: Session, now: datetime
) -> IntakeTicket:
    """Write the ticket that somebody else has proposed, judged as of now.

    Raises
    ------
    NotFound
        When the caller may see no proposal of that id.
    Forbidden
        When the caller proposed it.
    Conflict
        When it is decided, or as for `correct_ticket`.
    InvalidInput
        As for `weigh_in`.
    """
    with atomic(session):
        proposal = _open_proposal(proposal_id, by=by, session=session)
        correction = judged_correction(
            proposal.ticket_id, _read(proposal.weighing), reason=proposal.reason, by=by, district=district,
            session=session,
        )  # fmt: skip
        ticket = write_correction(
            correction, keeper_id=proposal.proposed_by_id, by=by, district=district, session=session, now=now
        )
        _decide(proposal, "approved", by=by, session=session, now=now, correction_id=ticket.id)
    log.info("correction.approved", proposal_id=str(proposal_id), ticket_id=str(ticket.id), net_g=ticket.net_g)
    return ticket


def reject_correction(
    proposal_id: UUID, *, note: str, by: Principal, session: Session, now: datetime
) -> CorrectionProposal:
    """End a proposal; the ticket stands as it is.

    Raises
    ------
    NotFound
        When the caller may see no proposal of that id.
    Forbidden
        When the caller proposed it.
    Conflict
        When it is decided.
    """
    with atomic(session):
        proposal = _open_proposal(proposal_id, by=by, session=session)
        _decide(proposal, "rejected", by=by, session=session, now=now, note=note)
    log.info("correction.rejected", proposal_id=str(proposal_id))
    return proposal


def _open_proposal(proposal_id: UUID, *, by: Principal, session: Session) -> CorrectionProposal:
    """The proposal, locked, when the caller is the one to decide on it."""
    mine = select(IntakeTicket.id).where(visible_to(by))
    wanted = select(CorrectionProposal).where(
        CorrectionProposal.id == proposal_id, CorrectionProposal.ticket_id.in_(mine)
    )
    proposal = session.scalar(wanted.with_for_update(of=CorrectionProposal).execution_options(populate_existing=True))
    if proposal is None:
        raise NotFound(f"no correction proposal {proposal_id} of yours / 未找到该更正申请")
    # Read anew: what was joined to the row is from before we waited for its lock, and no decision changes the row.
    session.refresh(proposal, ["decision"])
    refuse_own(proposal, by)
    if proposal.decision is not None:
        raise Conflict(
            f"the proposal was {proposal.decision.verdict} already; correct the ticket anew if it is wrong"
            " / 该更正申请已处理"
        )
    return proposal


def refuse_own(proposal: CorrectionProposal, by: Principal) -> None:
    """Two people means two: the database holds the same.

    Raises
    ------
    Forbidden
        When the caller proposed it.
    """
    if proposal.proposed_by_id == by.id:
        raise Forbidden(
            "you proposed this correction; another keeper of the station or a clerk decides / 须由本人以外的人员复核"
        )


def _decide(
    proposal: CorrectionProposal, verdict: Verdict, *, by: Principal, session: Session, now: datetime,
    note: str | None = None, correction_id: UUID | None = None,
) -> None:  # fmt: skip
    session.add(
        CorrectionDecision(
            proposal_id=proposal.id, proposed_by_id=proposal.proposed_by_id, verdict=verdict, decided_by_id=by.id,
            decided_at=now, note=note, correction_id=correction_id,
        )
    )  # fmt: skip
    session.flush()
    session.expire(proposal, ["decision"])
    _audit(session, proposal, f"correction.{verdict}", by=by, now=now, correction_id=correction_id)


def _audit(
    session: Session, proposal: CorrectionProposal, action: str, *, by: Principal, now: datetime,
    correction_id: UUID | None = None,
) -> None:  # fmt: skip
    facts = {
        "ticket_id": str(proposal.ticket_id), "proposed_by_id": str(proposal.proposed_by_id),
        "net_before_g": proposal.net_before_g, "net_after_g": proposal.net_after_g,
        "correction_id": str(correction_id) if correction_id is not None else None,
    }  # fmt: skip
    audit(session, action=action, subject=proposal.id, by=by, now=now, facts=facts)


def _written(weighing: Weighing | None) -> dict[str, Any] | None:
    """A weighing as JSON."""
    if weighing is None:
        return None
    said: dict[str, Any] = asdict(weighing)
    said["reading_id"] = str(weighing.reading_id) if weighing.reading_id is not None else None
    said["lines"] = [
        line | {"booking_id": str(line["booking_id"]) if line["booking_id"] is not None else None}
        for line in said["lines"]
    ]
    return said


def _read(said: dict[str, Any] | None) -> Weighing | None:
    """The weighing behind the JSON."""
    if said is None:
        return None
    lines = [
        WeighedLine(**line | {"booking_id": UUID(line["booking_id"]) if line["booking_id"] is not None else None})
        for line in said["lines"]
    ]
    reading_id = UUID(said["reading_id"]) if said["reading_id"] is not None else None
    return Weighing(**said | {"lines": lines, "reading_id": reading_id})
