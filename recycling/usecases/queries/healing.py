"""Reading a day that mends itself: what went wrong, proposals and what they change, promises that broke."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.models.booking import Booking
from recycling.models.healing import BrokenPromise, Disruption, ReplanProposal, TakenAlternative
from recycling.models.plan import Plan, Publication, PublishedPlan, Route
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import clock_text
from recycling.usecases.bookings.sight import visible_to

MOST_ROWS = 200  # of one day; a district has a handful


def list_disruptions(day: date, *, session: Session) -> Sequence[Disruption]:
    """What went wrong on a day, first things first."""
    wanted = select(Disruption).where(Disruption.day == day).order_by(Disruption.at, Disruption.id)
    return session.scalars(wanted.limit(MOST_ROWS)).all()


def list_proposals(day: date, *, session: Session) -> list[dict[str, Any]]:
    """The proposals for the rest of a day, newest first."""
    wanted = (
        select(ReplanProposal, Plan.version, Publication.at, PublishedPlan.plan_id)
        .join(Plan, Plan.id == ReplanProposal.plan_id)
        .outerjoin(Publication, Publication.plan_id == ReplanProposal.plan_id)
        .outerjoin(PublishedPlan, PublishedPlan.day == ReplanProposal.day)
        .where(ReplanProposal.day == day)
        .order_by(Plan.version.desc())
    )
    return [
        _summary(proposal, version, published_at, standing_id)
        for proposal, version, published_at, standing_id in session.execute(wanted.limit(MOST_ROWS))
    ]


def running_day(day: date, *, session: Session) -> dict[str, Any]:
    """What a dispatcher looks at while a day runs: what went wrong, and the newest proposal with what it changes."""
    proposals = list_proposals(day, session=session)
    newest = proposals[0]["plan_id"] if proposals else None
    return {
        "disruptions": list_disruptions(day, session=session),
        "proposal": None if newest is None else proposal_in_full(newest, session=session),
    }


def proposal_in_full(plan_id: UUID, *, session: Session) -> dict[str, Any]:
    """One proposal: what it is based on, how much it changes, and what for whom.

    Raises
    ------
    NotFound
        When there is none of that id.
    """
    proposal = session.get(ReplanProposal, plan_id)
    if proposal is None:
        raise NotFound(f"no proposal {plan_id}; list them with GET /replans?day= / 未找到该重排方案")
    summary = next(one for one in list_proposals(proposal.day, session=session) if one["plan_id"] == plan_id)
    before, after = (_driven(one, session) for one in (proposal.base_plan_id, plan_id))
    return summary | {
        "changes": [_change(one) for one in proposal.changes],
        "distance_before_m": before[0], "distance_after_m": after[0],
        "travel_before_s": before[1], "travel_after_s": after[1],
    }  # fmt: skip


def _driven(plan_id: UUID, session: Session) -> tuple[int, int]:
    """Metres and seconds that all vehicles drive by a version, from their stations to their stations."""
    distance_m, travel_s = func.sum(Route.distance_m), func.sum(Route.travel_s)
    row = session.execute(select(distance_m, travel_s).where(Route.plan_id == plan_id)).one()
    return row[0] or 0, row[1] or 0


def _summary(proposal: ReplanProposal, version: int, published_at: Any, standing_id: UUID | None) -> dict[str, Any]:
    fields = (
        "plan_id", "base_plan_id", "day", "cause", "open_stops", "moved", "eased", "broken", "left_out", "made_at",
    )  # fmt: skip
    share = 0 if proposal.open_stops == 0 else 10_000 * proposal.moved // proposal.open_stops
    return {name: getattr(proposal, name) for name in fields} | {
        "version": version,
        "now": clock_text(proposal.now_s),
        "moved_bp": share,
        "published_at": published_at,
        "current": standing_id == proposal.base_plan_id,
    }


def _change(one: dict[str, Any]) -> dict[str, Any]:
    """A stored change, with its times in words."""
    before, after = one["start_before_s"], one["start_after_s"]
    return one | {
        "start_before": None if before is None else clock_text(before),
        "start_after": None if after is None else clock_text(after),
        "window": "–".join(clock_text(second) for second in one["window_s"]),
    }


def list_promises(
    *, by: Principal, district: District, session: Session, day: date | None = None
) -> list[dict[str, Any]]:
    """The broken promises that the caller may see, newest first, with what is offered for them."""
    wanted = (
        select(BrokenPromise, TakenAlternative)
        .join(Booking, Booking.id == BrokenPromise.booking_id)
        .outerjoin(TakenAlternative, TakenAlternative.promise_id == BrokenPromise.id)
        .where(visible_to(by))
        .order_by(BrokenPromise.at.desc(), BrokenPromise.id)
    )
    if day is not None:
        wanted = wanted.where(BrokenPromise.day == day)
    rows = session.execute(wanted.limit(MOST_ROWS))
    return [_promise(promise, taken, district) for promise, taken in rows]


def _promise(promise: BrokenPromise, taken: TakenAlternative | None, district: District) -> dict[str, Any]:
    windows = district.network.pickup_windows
    after = promise.expected_after_s
    offered = [
        {
            "number": number,
            "day": date.fromisoformat(one["day"]),
            "pickup_window": one["pickup_window"],
            "name_zh": windows[one["pickup_window"]].name_zh if one["pickup_window"] in windows else "",
            "name_en": windows[one["pickup_window"]].name_en if one["pickup_window"] in windows else "",
        }
        for number, one in enumerate(promise.alternatives, start=1)
    ]
    fields = ("id", "booking_id", "plan_id", "day", "pickup_window", "reason", "at")
    return {name: getattr(promise, name) for name in fields} | {
        "expected": None if after is None else clock_text(after),
        "alternatives": offered,
        "taken": None if taken is None else taken.number,
        "taken_booking_id": None if taken is None else taken.booking_id,
    }
