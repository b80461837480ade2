"""Sign a goal report as the first of two people (签字)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.errors import Conflict
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.base import insert_if_absent
from recycling.models.publication import ReportSignature
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.usecases.reporting.signing import fit_report, signature

log = logger(__name__)


def sign_report(report_id: UUID, *, by: Principal, session: Session, now: datetime) -> ReportSignature:
    """Answer for a draft; a second person publishes it.

    Raises
    ------
    NotFound, Conflict
        As for `fit_report`; and when somebody has signed it before.
    Forbidden
        When the caller is nobody who may sign.
    """
    with atomic(session):
        report, signed = fit_report(report_id, session=session, now=now)
        made = signature(report, place=1, by=by, session=session, now=now)
        if signed or not insert_if_absent(session, ReportSignature, **made):
            raise Conflict(
                f"report {report_id} is signed already; a second person publishes it: PUT /goal-reports/{report_id}"
                "/publication / 该报告已签字，请由另一人签发"
            )
        facts = {"period": report.period, "version": report.version, "sha256": report.sha256}
        audit(session, action="report.signed", subject=report_id, by=by, now=now, facts=facts)
    log.info("goal_report.signed", report_id=str(report_id), by_id=str(by.id))
    return session.get_one(ReportSignature, (report_id, 1))
