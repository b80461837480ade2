"""The two people who answer for a report, and a report on its way from draft to publication."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.models.people import Staff
from recycling.models.recovery import GoalReport
from recycling.models.transaction import atomic
from recycling.policy.access import Principal, Role
from recycling.policy.district import District
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.publish_report import publish_report
from recycling.usecases.reporting.sign_report import sign_report


def a_signer(session: Session, *, now: datetime, role: Role = "clerk", name: str = "张三") -> Principal:
    """Somebody with an account that may sign."""
    person = Staff(
        id=uuid4(), login=f"{role}-{uuid4()}", name=name, role=role, password_hash="-", created_at=now
    )  # fmt: skip
    with atomic(session):
        session.add(person)
    return Principal(id=person.id, role=role)


def a_published_report(session: Session, *, district: District, now: datetime, period: str = "2026-11") -> GoalReport:
    """A report of a period that is over, signed by a clerk and published by an administrator."""
    report_id = make_goal_report(period, district=district, session=session, now=now).id
    publish(session, report_id, district=district, now=now)
    return session.get_one(GoalReport, report_id)


def publish(session: Session, report_id: UUID, *, district: District, now: datetime) -> None:
    """Let two people who are nobody else answer for a report."""
    clerk, admin = (a_signer(session, now=now, role=role) for role in ("clerk", "admin"))
    sign_report(report_id, by=clerk, session=session, now=now)
    publish_report(report_id, by=admin, district=district, session=session, now=now)
