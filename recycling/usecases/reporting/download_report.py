"""Hand a report out as a file (下载报告): each time with a row of the audit log."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.errors import Conflict, NotFound
from recycling.models.audit import audit
from recycling.models.publication import FileForm, ReportFile, signatures_of
from recycling.models.recovery import GoalReport
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.usecases.reporting.report_files import report_file


def download_report(
    report_id: UUID, form: FileForm, *, by: Principal, session: Session, now: datetime
) -> tuple[str, bytes]:
    """A name for the file and its bytes: of a published report those that were signed, of a draft written now.

    Raises
    ------
    NotFound
        When there is no such report.
    Conflict
        When it was made before its inputs were kept.
    NotInstalled, Unavailable
        As for `report_file`.
    """
    report = session.get(GoalReport, report_id)
    if report is None:
        raise NotFound(f"no goal report {report_id}; take an id from GET /goal-reports / 未找到该报告")
    kept = session.get(ReportFile, (report_id, form))
    if kept is None and not report.inputs:
        raise Conflict(
            f"report {report_id} was made before inputs were kept; make a new version / 该报告须重新生成后才能导出"
        )
    name = f"goal-report-{report.period}-v{report.version}{'' if kept else '-draft'}.{form}"
    if kept is not None:
        content = kept.content
    else:
        signed = signatures_of(session, [report_id])[report_id]
        content = report_file(report, signed, form, session=session)
    with atomic(session):
        facts = {"form": form, "sha256": hashlib.sha256(content).hexdigest(), "draft": kept is None}
        audit(session, action="report.downloaded", subject=report_id, by=by, now=now, facts=facts)
    return name, content
