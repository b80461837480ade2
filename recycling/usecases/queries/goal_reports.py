"""Reading goal reports: as they were made, who signed them, and the tickets behind each figure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Subquery, and_, cast, false, func, not_, or_, select, tuple_
from sqlalchemy.orm import Session, defer

from recycling.errors import Conflict, InvalidInput, NotFound
from recycling.models.audit import AuditRow
from recycling.models.publication import FORMS, ReportFile, ReportSignature, signatures_of, state_of
from recycling.models.recovery import GoalReport
from recycling.policy.periods import read_period
from recycling.usecases.queries.cursors import instant, key, read_cursor, whole, write_cursor
from recycling.usecases.reporting.report_body import span_of
from recycling.usecases.reporting.report_figures import OUTSIDE, SpanOf
from recycling.usecases.reporting.taken_in import lines_taken_in

ROW = ("id", "period", "version", "as_of", "reason", "sha256", "inputs_sha256", "made_at", "made_by_id")
_LINE_KEY = ("day", "station_key", "scale_number", "number", "ticket_number", "position")


def list_goal_reports(
    *, session: Session, limit: int, cursor: str | None = None, period: str | None = None
) -> dict[str, Any]:
    """A page of kept goal reports without what they hold, newest first; all versions of one period, if named."""
    wanted = (
        select(GoalReport)
        .options(defer(GoalReport.body), defer(GoalReport.inputs))
        .order_by(GoalReport.made_at.desc(), GoalReport.id.desc())
    )
    if period is not None:
        wanted = wanted.where(GoalReport.period == period)
    if cursor is not None:
        wanted = wanted.where(tuple_(GoalReport.made_at, GoalReport.id) < read_cursor(cursor, instant, UUID))
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    signed = signatures_of(session, [row.id for row in shown])
    last = shown[-1] if len(rows) > limit else None
    return {
        "goal_reports": [report_row(row) | {"state": state_of(signed[row.id])} for row in shown],
        "next_cursor": write_cursor(last.made_at.isoformat(), last.id) if last is not None else None,
    }


def find_goal_report(report_id: UUID, *, session: Session) -> GoalReport:
    """One kept goal report.

    Raises
    ------
    NotFound
        When there is none.
    """
    report = session.get(GoalReport, report_id)
    if report is None:
        raise NotFound(f"no goal report {report_id}; take an id from GET /goal-reports / 未找到该报告")
    return report


def report_in_full(report_id: UUID, *, session: Session) -> dict[str, Any]:
    """A report with what it holds, what it was made of, who signed it and the files they signed."""
    report = find_goal_report(report_id, session=session)
    signatures = signatures_of(session, [report_id])[report_id]
    kept = select(ReportFile.form, ReportFile.sha256, func.length(ReportFile.content).label("bytes"))
    files = {row.form: row for row in session.execute(kept.where(ReportFile.report_id == report_id))}
    return report_row(report) | {
        "state": state_of(signatures),
        "body": report.body,
        "inputs": report.inputs,
        "signatures": signatures,
        "files": [
            {
                "form": form,
                "href": f"/goal-reports/{report_id}/files/{form}",
                "sha256": files[form].sha256 if form in files else None,
                "bytes": files[form].bytes if form in files else None,
            }
            for form in FORMS
        ],
    }


def report_row(report: GoalReport) -> dict[str, Any]:
    """What tells one report from another."""
    return {name: getattr(report, name) for name in ROW} | {"kind": read_period(report.period).kind}


def published_reports(*, session: Session) -> list[UUID]:
    """Every published report, the newest first: those too of which only the audit log still says so."""
    signed = select(ReportSignature.report_id).where(ReportSignature.place == 2)
    found = list(session.scalars(signed.order_by(ReportSignature.signed_at.desc(), ReportSignature.report_id)))
    told = select(AuditRow.subject).where(AuditRow.action == "report.published").order_by(AuditRow.number.desc())
    known = set(found)
    lost = [report_id for report_id in map(UUID, session.scalars(told)) if report_id not in known]
    return [*lost, *found]  # what is lost is looked at first


def tickets_behind(
    report_id: UUID,
    *,
    session: Session,
    limit: int,
    span: SpanOf = "period",
    scope: str | None = None,
    cursor: str | None = None,
    **of: Any,
) -> dict[str, Any]:
    """A page of the ticket lines behind a figure, as they were when the report was made, and their sum.

    ``of`` narrows to a ``town_key``, ``item_type``, ``station_key``, ``day`` or ``provenance``. Lines that an
    adjustment takes off are there with amounts below zero.

    Raises
    ------
    NotFound
        When there is no such report.
    Conflict
        When it was made before its inputs were kept.
    InvalidInput
        When the report has no such scope.
    """
    inputs = inputs_of(find_goal_report(report_id, session=session))
    first, last = span_of(inputs)
    lines = lines_taken_in(inputs["heads"], date(last.year, 1, 1) if span == "year" else first, last)
    mine = [] if scope is None else [in_scope(lines, scope, inputs)]
    mine += [lines.c[name] == value for name, value in of.items() if value is not None]
    units, grams, count = session.execute(
        select(
            cast(func.coalesce(func.sum(lines.c.units), 0), BigInteger),
            cast(func.coalesce(func.sum(lines.c.net_g), 0), BigInteger),
            func.count(),
        ).where(*mine)
    ).one()
    columns = [lines.c[name] for name in _LINE_KEY]
    wanted = select(lines).where(*mine).order_by(*columns)
    if cursor is not None:
        read = read_cursor(cursor, date.fromisoformat, key, str, whole, whole, whole)
        wanted = wanted.where(tuple_(*columns) > read)
    rows = session.execute(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    more = len(rows) > limit
    return {
        "lines": [dict(row._mapping) for row in shown],
        "sum": {"units": units, "recovered_g": grams, "ticket_lines": count},
        "next_cursor": write_cursor(*(shown[-1]._mapping[name] for name in _LINE_KEY)) if more else None,
    }


def inputs_of(report: GoalReport) -> Mapping[str, Any]:
    """What a report was made of.

    Raises
    ------
    Conflict
        When that was not kept yet in its day.
    """
    if not report.inputs:
        raise Conflict(
            f"report {report.id} was made on {report.made_at:%Y-%m-%d}, before inputs were kept; make a new version of"
            f" {report.period} / 该报告生成时尚未保存依据，请重新生成"
        )
    return report.inputs


def in_scope(lines: Subquery, label: str, inputs: Mapping[str, Any]) -> ColumnElement[bool]:
    """Tells of a line that it lies inside a scope of the report, or in none of them."""
    scopes = {f"{one['key']}/{one['version']}": one for one in inputs["scopes"]}
    if label == OUTSIDE:
        return not_(or_(false(), *(_covered(lines, one, inputs) for one in scopes.values())))
    if label not in scopes:
        known = ", ".join([*scopes, OUTSIDE])
        raise InvalidInput(f"scope {label[:80]!r} is not in this report; choose from {known} / 报告中没有该口径")
    return _covered(lines, scopes[label], inputs)


def _covered(lines: Subquery, scope: Mapping[str, Any], inputs: Mapping[str, Any]) -> ColumnElement[bool]:
    kinds = [key for key, kind in inputs["item_types"].items() if kind["group"] in scope["groups"]]
    return and_(
        lines.c.item_type.in_(kinds),
        lines.c.channel.in_(scope["channels"]),
        lines.c.town_key.in_(scope["area"]),
        lines.c.provenance.in_(scope["provenance"]),
    )
