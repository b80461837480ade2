"""Write all figures of a month anew from its tickets (重建回收量), whatever stands there."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.months_anew import MonthAnew, write_month_anew
from recycling.models.recovery import hold_alone
from recycling.models.transaction import atomic
from recycling.policy.access import Principal

log = logger(__name__)


def rebuild_figures(month: date, *, by: Principal, session: Session, now: datetime) -> MonthAnew:
    """Write the figures of one month, named by its first day, anew by day and in sum. Run again, it changes nothing.

    Weigh-ins of the month wait meanwhile, those of other months do not (docs/decisions, 36). What differed before was
    a fault of the program, or somebody's hand in the database: it is told loudly, and written into the audit log.
    """
    with atomic(session):
        hold_alone(session, month)
        found = write_month_anew(session, month, now=now)
        wrong = {"differences": found.differences, "month_differences": found.month_differences}
        if any(wrong.values()):
            audit(session, action="figures.rebuilt", subject=f"{month:%Y-%m}", by=by, now=now, facts=wrong)
    if any(wrong.values()):
        log.critical("figures.difference", month=f"{month:%Y-%m}", **wrong)
    return found
