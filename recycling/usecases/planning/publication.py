"""The shared step of publishing: the day's pointer moves to a plan, and the log of publications says so."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from recycling.errors import PlanReplaced
from recycling.models.base import insert_if_absent, insert_into
from recycling.models.people import Staff
from recycling.models.plan import Plan, Publication, PublishedPlan
from recycling.models.transaction import rows_met
from recycling.policy.access import Principal


def make_current(
    plan: Plan, *, replaces: UUID | None, by: Principal, session: Session, now: datetime, cause: str | None = None
) -> None:
    """Move the day's pointer from the expected plan to this one.

    Raises
    ------
    PlanReplaced
        When another plan than ``replaces`` is published.
    """
    values = {"plan_id": plan.id, "published_at": now, "published_by_id": by.id}
    if replaces is None:
        first = insert_into(session, PublishedPlan).values(day=plan.day, **values)
        moved = session.scalar(first.on_conflict_do_nothing().returning(PublishedPlan.day)) is not None
    else:
        expected = (PublishedPlan.day == plan.day, PublishedPlan.plan_id == replaces)
        moved = rows_met(session, update(PublishedPlan).where(*expected).values(**values)) == 1
    if not moved:
        standing = session.get(PublishedPlan, plan.day, populate_existing=True)
        current = "none" if standing is None else str(standing.plan_id)
        raise PlanReplaced(
            f"the published plan of {plan.day} is {current}, not {replaces or 'none'}; look at it, then send its id as"
            " replaces / 当日已发布的计划与您看到的不同，请刷新后重试"
        )
    # One that people went by before, and do again, stands in the log already.
    insert_if_absent(session, Publication, plan_id=plan.id, day=plan.day, at=now, by_id=by.id, cause=cause)


def dispatchers(session: Session) -> list[UUID]:
    """The accounts of those who settle what a plan does not: dispatchers, and administrators, who may too."""
    at_work = select(Staff.id).where(Staff.role.in_(("dispatcher", "admin")), Staff.active.is_(True))
    return list(session.scalars(at_work.order_by(Staff.id)))
