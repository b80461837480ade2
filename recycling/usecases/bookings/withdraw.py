"""The shared step of ending promises before they are kept: the places are free, the limits given back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from recycling.models.booking import Booking, visits_with
from recycling.models.limits import give_back_limits
from recycling.policy.access import Principal
from recycling.usecases.bookings.history import enter, note_change, one_of_fact, tell_resident, visits_fact
from recycling.usecases.bookings.tentative import DayDraft


def withdraw(
    session: Session,
    draft: DayDraft,
    visits: Sequence[Booking],
    *,
    by: Principal,
    now: datetime,
    in_exchange: bool = False,
) -> None:
    """Cancel visits of one booking, the first of them standing for it, in their locked day, and tell the resident.

    ``in_exchange`` for another booking nobody is told that this one is gone: they hear what they have instead.

    Raises
    ------
    Conflict
        When one of them has been visited or cancelled.
    """
    for visit in visits:
        draft.release(str(visit.id))
        enter(visit, "cancelled", now=now)
    give_back_limits(session, visits[0].id, resident_id=visits[0].resident_id)
    session.flush()
    for visit in visits:
        note_change(session, visit, kind="cancelled", by=by, now=now)
    if not in_exchange:
        booking = visits[0]
        one_of = visits_with(session, booking) if len(visits) == 1 else 1
        tell_resident(
            session, booking, kind="booking.cancelled", now=now, pickup_window=booking.pickup_window,
            **visits_fact(len(visits)), **one_of_fact(one_of),
        )  # fmt: skip
