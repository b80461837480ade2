"""Goal reports (目标报告): what a period brought, kept with everything it was made of, and told to the bureau."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Busy, InvalidInput
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.base import insert_into
from recycling.models.outbox import post
from recycling.models.recovery import GoalReport
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.policy.periods import read_period
from recycling.usecases.reporting.goal_progress import FIRST_DAY
from recycling.usecases.reporting.report_body import body_of, digest, span_of, substance, take_inputs

log = logger(__name__)

FIRST_REASON = "first version"
UNKEPT_REASON = "inputs of the version before were not kept"


def make_goal_report(
    period: str, *, district: District, session: Session, now: datetime, by: Principal = SYSTEM
) -> GoalReport:
    """Keep the report of a period such as ``2026-11``, ``2026-Q4``, ``2026`` or ``2026-03-05..2026-04-17``.

    The standing version is returned when nothing it is made of changed. A period that is still running is reported up
    to today.

    Raises
    ------
    InvalidInput
        When the period is none, has not begun, or lies before the base year of the goals.
    Conflict
        When a configured scope cannot be measured by weigh-in tickets.
    Busy
        When somebody else is just making the same report.
    """
    wanted, today = read_period(period), service_day(now)
    if not FIRST_DAY <= wanted.first <= today:
        raise InvalidInput(
            f"period {period} begins on {wanted.first}; figures exist from {FIRST_DAY} to today, {today}"
            f" / 报告期须在 {FIRST_DAY} 至 {today} 之间"
        )
    with atomic(session):
        inputs = take_inputs(wanted, min(today, wanted.last), district=district, session=session, now=now)
        body = body_of(inputs, district=district, session=session)
        standing: GoalReport | None = session.scalar(
            select(GoalReport).where(GoalReport.period == period).order_by(GoalReport.version.desc()).limit(1)
        )
        if standing is not None and _says_the_same(standing, inputs, body):
            return standing
        report = _keep(standing, inputs, body, by=by, session=session, now=now)
    log.info("goal_report.made", report_id=str(report.id), period=period, version=report.version, sha256=report.sha256)
    return report


def _says_the_same(standing: GoalReport, inputs: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    if not standing.inputs:
        return False
    return standing.sha256 == digest(body) and digest(substance(standing.inputs)) == digest(substance(inputs))


def _keep(
    standing: GoalReport | None,
    inputs: dict[str, Any],
    body: dict[str, Any],
    *,
    by: Principal,
    session: Session,
    now: datetime,
) -> GoalReport:
    """Write the new version down, with a row of the audit log and a word to the bureau."""
    period, version = inputs["period"], 1 if standing is None else standing.version + 1
    made = insert_into(session, GoalReport).values(
        id=uuid4(), period=period, version=version, as_of=span_of(inputs)[1], reason=_reason(standing, inputs),
        inputs=inputs, inputs_sha256=digest(inputs), body=body, sha256=digest(body), made_at=now, made_by_id=by.id,
    )  # fmt: skip
    report: GoalReport | None = session.scalar(made.on_conflict_do_nothing().returning(GoalReport))
    if report is None:
        raise Busy(f"the report of {period} is just being made; ask for it again in a moment")
    facts = {"period": period, "version": version, "sha256": report.sha256, "inputs_sha256": report.inputs_sha256}
    audit(session, action="report.made", subject=report.id, by=by, now=now, facts=facts)
    post(
        session,
        dedupe_key=f"goal_report.made:{period}:{version}",
        kind="goal_report.made",
        to=("bureau", None),
        facts={"report_id": str(report.id), "period": period, "version": version},
        now=now,
    )
    return report


def _reason(standing: GoalReport | None, inputs: Mapping[str, Any]) -> str:
    """Why there is another version: which inputs are not what they were."""
    if standing is None:
        return FIRST_REASON
    if not standing.inputs:
        return UNKEPT_REASON
    before, after = substance(standing.inputs), substance(inputs)
    changed = [name for name in sorted(after) if after[name] != before.get(name)]
    return f"changed since version {standing.version}: {', '.join(changed) or 'the program'}"[:200]
