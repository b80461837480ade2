"""Publish a goal report as the second of two people (签发): its files are kept, its month closes, the bureau hears."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from recycling.errors import Conflict
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.base import insert_if_absent
from recycling.models.outbox import post
from recycling.models.publication import FORMS, FileForm, ReportFile, ReportSignature
from recycling.models.recovery import GoalReport, close_month
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.periods import read_period
from recycling.usecases.reporting.program import made_with
from recycling.usecases.reporting.report_body import body_of, digest, span_of, substance, take_inputs
from recycling.usecases.reporting.report_files import report_file
from recycling.usecases.reporting.signing import fit_report, months_told, signature
from recycling.usecases.reporting.taken_in import broken_chains

log = logger(__name__)

MOST_NAMED = 3  # changed tickets in one refusal; the verification of the records names them all


def publish_report(report_id: UUID, *, by: Principal, district: District, session: Session, now: datetime) -> UUID:
    """Publish a signed report; done again by the same person, it changes nothing.

    The chains are walked and the files written before the transaction, since both take seconds and nothing may wait for
    them. Inside it the month is closed first, alone, and the report is worked out again: what is signed is what the
    tickets say for good. A change by hand in between that moves no figure is one made after it, and is found like that.

    Raises
    ------
    NotFound, Conflict
        As for `fit_report`; when nobody or only the caller has signed it, another has published it, a ticket of a
        month that it tells of is not what was written, or the tickets say something else by now.
    Forbidden
        When the caller is nobody who may sign.
    NotInstalled, Unavailable
        When the PDF cannot be written here or now.
    """
    now = now.astimezone(UTC)
    report, signed = fit_report(report_id, session=session, now=now)
    if _is_published(signed, by=by):
        return report_id
    _refuse_unsigned(report_id, signed, by=by)
    made = signature(report, place=2, by=by, session=session, now=now)
    _refuse_broken(report, session=session)
    both = [*signed, ReportSignature(**made)]
    contents = {form: report_file(report, both, form, session=session) for form in FORMS}
    with atomic(session):
        report, signed = fit_report(report_id, session=session, now=now)
        _refuse_unsigned(report_id, signed, by=by)
        if not insert_if_absent(session, ReportSignature, **made):
            raise Conflict(f"report {report_id} has just been published by another person / 该报告刚由他人签发")
        period = read_period(report.period)
        # Its own month, and those without figures: nothing may come into a month that it tells of.
        told = months_told(period.first, period.last)
        closed = [month for month in told if close_month(session, month, by_id=by.id, now=now)]
        _refuse_outdated(report, district=district, session=session, now=now)
        # Only now: everybody who writes to the audit log waits for its head, and to work a report out takes seconds.
        for month in closed:
            facts = {"report_id": str(report_id)}
            audit(session, action="month.closed", subject=f"{month:%Y-%m}", by=by, now=now, facts=facts)
        _keep_files(report, contents, signed, by=by, session=session, now=now)
    log.info("goal_report.published", report_id=str(report_id), period=period.key, by_id=str(by.id))
    return report_id


def _is_published(signed: Sequence[ReportSignature], *, by: Principal) -> bool:
    if len(signed) < 2:
        return False
    if signed[1].signed_by_id == by.id:
        return True
    raise Conflict("the report has been published by another person / 该报告已由他人签发")


def _refuse_unsigned(report_id: UUID, signed: Sequence[ReportSignature], *, by: Principal) -> None:
    if not signed:
        raise Conflict(
            f"report {report_id} is not signed; one person signs with POST /goal-reports/{report_id}/signatures,"
            " another publishes / 该报告尚未签字，须两人先后签字、签发"
        )
    if signed[0].signed_by_id == by.id:
        raise Conflict("you signed this report; another person publishes it / 签字人不得签发同一报告，请由另一人签发")


def _refuse_broken(report: GoalReport, *, session: Session) -> None:
    """Refuse a report with a changed ticket in a month that it tells of, its year to date included.

    First of all, since a new version would rest on it too.
    """
    first, last = span_of(report.inputs)
    broken = broken_chains(report.inputs["heads"], months_told(first, last)[0], last, session=session)
    faults = "; ".join(islice(broken, MOST_NAMED))
    if faults:
        raise Conflict(
            f"tickets that the report of {report.period} tells of were changed in the database: {faults}. It is not"
            " published: let an administrator run flask audit verify and put back what was written, then publish again"
            " / 本期或年初至今的磅单在库中被改动，不得签发；请管理员运行 flask audit verify 查明并恢复原记录后再签发"
        )


def _refuse_outdated(report: GoalReport, *, district: District, session: Session, now: datetime) -> None:
    """Refuse a report that is not what comes out of the tickets and rules of this moment."""
    period = read_period(report.period)
    inputs = take_inputs(period, report.as_of, district=district, session=session, now=now)
    body = body_of(inputs, district=district, session=session)
    same = substance(inputs) == substance(report.inputs)
    if not same or digest(body) != report.sha256:
        raise Conflict(
            f"tickets, scopes or goals changed since version {report.version} of {report.period} was made; make a new"
            " version and sign that / 报告生成后数据已变化，请重新生成并签字"
        )


def _keep_files(
    report: GoalReport,
    contents: Mapping[FileForm, bytes],
    signed: Sequence[ReportSignature],
    *,
    by: Principal,
    session: Session,
    now: datetime,
) -> None:
    """Store what was signed, and tell the audit log and the bureau."""
    digests = {form: hashlib.sha256(content).hexdigest() for form, content in contents.items()}
    rows = [
        {
            "report_id": report.id,
            "form": form,
            "content": content,
            "sha256": digests[form],
            "made_with": made_with(form),
        }
        for form, content in contents.items()
    ]
    session.execute(insert(ReportFile), rows)
    told = {"period": report.period, "version": report.version, "sha256": report.sha256}
    facts = told | {
        "inputs_sha256": report.inputs_sha256, "files": digests, "signed_by_id": str(signed[0].signed_by_id)
    }  # fmt: skip
    audit(session, action="report.published", subject=report.id, by=by, now=now, facts=facts)
    files = {
        form: {"sha256": digests[form], "href": f"/goal-reports/{report.id}/files/{form}"} for form in sorted(digests)
    }
    post(
        session,
        dedupe_key=f"goal_report.published:{report.id}",
        kind="goal_report.published",
        to=("bureau", None),
        facts=told | {"report_id": str(report.id), "files": files},
        now=now,
    )
