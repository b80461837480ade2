"""The shared step of signing and publishing: who may, and which reports are fit for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, Forbidden, NotFound
from recycling.models.people import Staff
from recycling.models.publication import ReportSignature, signatures_of
from recycling.models.recovery import ClosedMonth, GoalReport, MonthlyRecovery, month_after
from recycling.policy.access import Principal, Role
from recycling.policy.periods import read_period

SIGNERS: tuple[Role, ...] = ("clerk", "admin")


def fit_report(report_id: UUID, *, session: Session, now: datetime) -> tuple[GoalReport, Sequence[ReportSignature]]:
    """A report that may be signed, with the signatures it has.

    Raises
    ------
    NotFound
        When there is no such report.
    Conflict
        When a newer version stands, its period is not over, its inputs were not kept, or a month in it is open.
    """
    report = session.get(GoalReport, report_id, populate_existing=True)
    if report is None:
        raise NotFound(f"no goal report {report_id}; take an id from GET /goal-reports / 未找到该报告")
    newest = session.scalar(select(func.max(GoalReport.version)).where(GoalReport.period == report.period))
    if newest != report.version:
        raise Conflict(
            f"version {report.version} of {report.period} is not the newest, {newest}; sign that one"
            f" / 该报告已有第 {newest} 版，请签发最新版"
        )
    period, today = read_period(report.period), service_day(now)
    if period.last >= today or report.as_of != period.last or not report.inputs:
        raise Conflict(
            f"report {report.id} tells of {report.period} up to {report.as_of}; when {period.last} is over, make a new"
            " version and sign that / 报告期尚未结束或报告不完整，请在期满后重新生成再签发"
        )
    if month_after(period.last) > today:
        raise Conflict(
            f"{period.last:%Y-%m} is not over, and what is weighed in it may still change; publish {report.period} from"
            f" {month_after(period.last)} on / {period.last:%Y-%m} 尚未结束，请自 {month_after(period.last)} 起签发"
        )
    still_open = open_months(period.first, period.last, session=session)
    if period.kind == "month":
        still_open = [month for month in still_open if month != period.first]
    if still_open:
        named = ", ".join(f"{month:%Y-%m}" for month in still_open)
        raise Conflict(
            f"{named} of the same year is open, so that the figures of {report.period} can still change; publish the"
            f" report of {still_open[0]:%Y-%m} first / {named} 尚未结账，请先签发 {still_open[0]:%Y-%m} 月报"
        )
    return report, signatures_of(session, [report_id])[report_id]


def months_told(first: date, last: date) -> list[date]:
    """The months that a report tells of: from new year or an earlier first day to its last, since it has both."""
    month = min(first.replace(day=1), date(last.year, 1, 1))
    found = []
    while month <= last:
        found.append(month)
        month = month_after(month)
    return found


def open_months(first: date, last: date, *, session: Session) -> list[date]:
    """The months that a report tells of and that have figures, but that no published report has closed."""
    told = months_told(first, last)
    wanted = (
        select(MonthlyRecovery.month)
        .where(MonthlyRecovery.month.in_(told), MonthlyRecovery.month.not_in(select(ClosedMonth.month)))
        .distinct()
        .order_by(MonthlyRecovery.month)
    )
    return list(session.scalars(wanted))


def signature(report: GoalReport, *, place: int, by: Principal, session: Session, now: datetime) -> dict[str, Any]:
    """The signature of a person, as a row.

    Raises
    ------
    Forbidden
        When the caller is nobody who may sign: jobs and commands sign nothing.
    """
    person = session.get(Staff, by.id)
    if person is None or not person.active or person.role not in SIGNERS:
        raise Forbidden(f"reports are signed by people of the roles {', '.join(SIGNERS)} / 仅限商促局人员签发报告")
    return {
        "report_id": report.id, "place": place, "signed_by_id": by.id, "signed_by_role": person.role,
        "signed_by_name": person.name, "signed_at": now, "sha256": report.sha256,
    }  # fmt: skip
