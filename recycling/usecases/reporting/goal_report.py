"""Monthly goal reports (月报): goal progress at the end of a month, kept as it was and sent to the bureau."""

from __future__ import annotations

import hashlib
import json
import re
from calendar import monthrange
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Busy, InvalidInput
from recycling.logs import logger
from recycling.models.base import insert_into
from recycling.models.outbox import post
from recycling.models.recovery import GoalReport
from recycling.models.transaction import atomic, see_one_state
from recycling.policy.district import District
from recycling.usecases.reporting.goal_progress import amounts, counted, facts_between, progress_at

log = logger(__name__)

PERIOD = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)


def make_goal_report(period: str, *, district: District, session: Session, now: datetime) -> GoalReport:
    """Keep the goal report of a month such as ``2026-11`` and tell the bureau; the standing one when nothing changed.

    A month that is still running is reported up to today.

    Raises
    ------
    InvalidInput
        When the period is no month, or has not begun.
    Busy
        When somebody else is just making the same report.
    """
    first, last = _month(period, today=service_day(now))
    with atomic(session):
        # The year to date, the month and the warning stand in one report: they are read from one state.
        see_one_state(session)
        body = _body(period, first, last, district=district, session=session)
        sha256 = digest(body)
        standing: GoalReport | None = session.scalar(
            select(GoalReport).where(GoalReport.period == period).order_by(GoalReport.version.desc()).limit(1)
        )
        if standing is not None and standing.sha256 == sha256:
            return standing
        version = standing.version + 1 if standing is not None else 1
        made = insert_into(session, GoalReport).values(
            id=uuid4(), period=period, version=version, as_of=last, body=body, sha256=sha256, made_at=now
        )
        report: GoalReport | None = session.scalar(made.on_conflict_do_nothing().returning(GoalReport))
        if report is None:
            raise Busy(f"the report of {period} is just being made; ask for it again in a moment")
        post(
            session,
            dedupe_key=f"goal_report.made:{period}:{version}",
            kind="goal_report.made",
            to=("bureau", None),
            facts={"report_id": str(report.id), "period": period, "version": version},
            now=now,
        )
    log.info("goal_report.made", report_id=str(report.id), period=period, version=version, sha256=sha256)
    return report


def canonical(body: dict[str, Any]) -> bytes:
    """The one byte form of a report: keys sorted, no spaces, UTF-8."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(body: dict[str, Any]) -> str:
    """SHA-256 of a report's canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(body)).hexdigest()


def _month(period: str, *, today: date) -> tuple[date, date]:
    """First day of the month, and the last one to report on."""
    match = PERIOD.fullmatch(period)
    if match is None:
        raise InvalidInput(f"period {period[:20]!r} is no month; write it as 2026-11")
    first = date(int(match[1]), int(match[2]), 1)
    if first > today:
        raise InvalidInput(f"period {period} has not begun; today is {today}")
    return first, min(today, first.replace(day=monthrange(first.year, first.month)[1]))


def _body(period: str, first: date, last: date, *, district: District, session: Session) -> dict[str, Any]:
    progress = progress_at(last, district=district, session=session)
    # When the figures were last rebuilt is no figure: with it in, every nightly roll-up would make a new version.
    del progress["rolled_up_at"]
    facts = facts_between(first, last, session=session)
    in_period = [
        {"scope": scope.label} | amounts(counted(facts, scope, district=district))
        for scope in district.goals.current_scopes()
    ]
    body = progress | {"period": period, "first_day": first.isoformat(), "in_period": in_period}
    # As it will be read back: tuples become lists before they are hashed.
    kept: dict[str, Any] = json.loads(canonical(body))
    return kept
