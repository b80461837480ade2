"""Write down that somebody took figures or data away (留痕导出)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from recycling.models.audit import audit
from recycling.models.transaction import atomic
from recycling.policy.access import Principal


def note_export(
    what: str, *, subject: str, by: Principal, session: Session, now: datetime, facts: Mapping[str, Any] | None = None
) -> None:
    """Note an export that is ready to be handed over; without the note it is not handed over.

    Parameters
    ----------
    what
        The thing, as in the action ``what.exported``.
    subject
        Which one of them: a day, a week, a span.
    """
    with atomic(session):
        audit(session, action=f"{what}.exported", subject=subject, by=by, now=now, facts=facts or {})
