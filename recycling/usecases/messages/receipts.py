"""Take in what a provider says became of a text (短信回执): once each, in any sequence, early or late.

The receipt and the mark of the message it belongs to may be written at the same moment, and then neither transaction
sees the other. So each side looks after its commit: whichever commits last finds what the other wrote. A process that
dies in between leaves the receipt parked, and the nightly cleaning folds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from recycling.logs import logger
from recycling.models.outbox import DeliveryState
from recycling.models.receipt import fold_receipts, keep_receipt, parked_receipts, waits_for_fold
from recycling.models.transaction import atomic

log = logger(__name__)

Taken = Literal["applied", "parked", "duplicate"]
MOST_FOLDED = 1000  # in one night; what is parked beyond that waits for the next


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptReport:
    """One receipt as its provider sends it; ``reference`` is the provider's name for the text."""

    receipt_id: str
    reference: str
    state: DeliveryState
    reported_at: datetime
    code: str | None = None


def take_receipt(report: ReceiptReport, *, provider: str, session: Session, now: datetime) -> Taken:
    """Keep a receipt and bring its message up to it; one that came before changes nothing."""
    with atomic(session):
        new = keep_receipt(
            session, provider=provider, receipt_id=report.receipt_id, reference=report.reference, state=report.state,
            code=report.code, reported_at=report.reported_at, now=now,
        )  # fmt: skip
    # Also after a repeated one: the first may have come to us just before we died.
    applied = apply_receipts(provider, report.reference, session=session)
    if not new:
        log.info("sms_receipt.repeated", provider=provider, state=report.state)
        return "duplicate"
    if not applied:
        log.info("sms_receipt.parked", provider=provider, state=report.state)
    return "applied" if applied else "parked"


def apply_receipts(provider: str, reference: str, *, session: Session) -> bool:
    """Fold the receipts of a text into its message; false when there is nothing to fold, or no such message yet."""
    idle = not waits_for_fold(session, provider=provider, reference=reference)
    session.rollback()
    if idle:
        return False
    with atomic(session):
        state = fold_receipts(session, provider=provider, reference=reference)
    if state == "undelivered":
        log.warning("message.undelivered", provider=provider)
    return state is not None


def fold_parked(*, session: Session) -> int:
    """Fold parked receipts whose message is known by now; returns how many texts were brought up to date."""
    found = parked_receipts(session, limit=MOST_FOLDED)
    session.rollback()
    return sum(apply_receipts(provider, reference, session=session) for provider, reference in found)
