"""Stored handling proposals."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.models.handling import HandlingProposal
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM

NO_GAIN = {"visits": 0, "before_s": None, "after_s": None}


def a_proposal(session: Session, *, now: datetime, **values: tuple[int, int]) -> UUID:
    """A proposal of last month with these values, each old and new, each from fifty records."""
    parameters = [
        {"name": name, "sample": 50, "old": old, "new": new, "low": new - 10, "high": new + 10, "kept": None}
        for name, (old, new) in values.items()
    ]
    gain = {"visits": 100, "before_s": 300, "after_s": 90}
    shares = {"in_sample": gain, "held_out": NO_GAIN}
    proposal = HandlingProposal(
        id=uuid4(), first_day=date(2026, 10, 1), last_day=date(2026, 10, 31), visits=100, legs=80, trimmed=3,
        left_out={"clock": 2}, parameters=parameters, gain={"service": shares, "arrival": shares}, made_at=now,
        made_by_id=SYSTEM.id,
    )  # fmt: skip
    proposal_id = proposal.id
    with atomic(session):
        session.add(proposal)
    return proposal_id
