"""Propose new handling seconds from the records of a period (作业时长建议): worked out, shown, not yet in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import InvalidInput
from recycling.logs import logger
from recycling.models.handling import HandlingProposal
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.handling import TRAVEL
from recycling.policy.learning import (
    VisitSeen,
    held_out,
    learn_seconds,
    learn_travel,
    median_error_s,
    predicted_s,
)
from recycling.policy.retiming import retimed_arrivals
from recycling.usecases.learning.observations import Observed, observed
from recycling.usecases.learning.values import present_values

log = logger(__name__)

LONGEST_DAYS = 366


def propose_handling(
    first: date,
    last: date,
    *,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
    run_id: UUID | None = None,
) -> HandlingProposal | None:
    """Work out what the visits and legs of a period say, both days included; ``None`` when no visit counts.

    ``district`` is the one with the accepted handling tables. The same ``run_id`` again answers with the proposal that
    this job run has made already.

    Raises
    ------
    InvalidInput
        When the period is not over, runs backwards or is too long.
    """
    _check_period(first, last, now=now)
    session.rollback()
    made = _made_by(run_id, session)
    if made is not None:
        return made
    # Read and worked out with no lock held: bookings go on meanwhile.
    found = observed(first, last, district=district, session=session)
    session.rollback()
    if not found.visits:
        return None
    proposal = _proposal(found, district=district, day=last)
    with atomic(session):
        made = _made_by(run_id, session)
        if made is not None:
            return made
        row = HandlingProposal(
            id=uuid4(), first_day=first, last_day=last, made_at=now, made_by_id=by.id, made_by_run_id=run_id, **proposal
        )
        session.add(row)
    log.info(
        "handling.proposed", proposal_id=str(row.id), first_day=str(first), last_day=str(last), visits=row.visits,
        legs=row.legs, trimmed=row.trimmed,
    )  # fmt: skip
    return row


def _check_period(first: date, last: date, *, now: datetime) -> None:
    today = service_day(now)
    if not first <= last < today:
        raise InvalidInput(
            f"the period {first} to {last} must run forwards and be over; choose days before {today}"
            f" / 时间段应已结束，请选择 {today} 之前的日期"
        )
    if (last - first).days >= LONGEST_DAYS:
        raise InvalidInput(
            f"the period {first} to {last} is longer than {LONGEST_DAYS} days; choose a shorter one"
            f" / 时间段过长，最多 {LONGEST_DAYS} 天"
        )


def _made_by(run_id: UUID | None, session: Session) -> HandlingProposal | None:
    if run_id is None:
        return None
    return session.scalar(select(HandlingProposal).where(HandlingProposal.made_by_run_id == run_id))


def _proposal(found: Observed, *, district: District, day: date) -> dict[str, Any]:
    present = present_values(district, day=day)
    old_bp = present.pop(TRAVEL)
    held = held_out(visit.day for visit in found.visits)
    # What is tried on the days held out is learned without them; and that is what is proposed.
    fit = learn_seconds([visit for visit in found.visits if visit.day not in held], old=present)
    travel = learn_travel((leg for leg in found.legs if leg.day not in held), old_bp=old_bp)
    seconds = {one.name: one.new for one in fit.learned}
    return {
        "visits": len(found.visits),
        "legs": len(found.legs),
        "trimmed": fit.trimmed,
        "left_out": dict(sorted(found.left_out.items())),
        "parameters": [asdict(one) for one in (*fit.learned, *travel)],
        "gain": {
            "service": _service_gain(found.visits, seconds, held),
            "arrival": _arrival_gain(found, seconds, travel[0].new, held, district=district),
        },
    }


def _service_gain(visits: Iterable[VisitSeen], seconds: Mapping[str, int], held: frozenset[date]) -> dict[str, Any]:
    """The median error of a visit's seconds as promised, and by the new values."""
    shares: dict[bool, list[VisitSeen]] = {False: [], True: []}
    for visit in visits:
        shares[visit.day in held].append(visit)
    return {
        name: {
            "visits": len(shares[out]),
            "before_s": median_error_s((visit.planned_s, visit.actual_s) for visit in shares[out]),
            "after_s": median_error_s((predicted_s(visit, seconds), visit.actual_s) for visit in shares[out]),
        }
        for name, out in (("in_sample", False), ("held_out", True))
    }


def _arrival_gain(
    found: Observed, seconds: Mapping[str, int], travel_bp: int, held: frozenset[date], *, district: District
) -> dict[str, Any]:
    """The median error of an arrival as planned, and with the routes timed anew in their sequence."""
    service_s = {
        str(booking_id): sum(count * seconds[name] for name, count in counts.items()) + apart_s
        for booking_id, (counts, apart_s) in found.parts.items()
        if counts.keys() <= seconds.keys()
    }
    before: dict[bool, list[tuple[int, int]]] = {False: [], True: []}
    after: dict[bool, list[tuple[int, int]]] = {False: [], True: []}
    for route in found.routes:
        planned_bp = district.handling.travel_bp(route.day)
        arrivals = retimed_arrivals(
            route.steps, seconds=service_s, travel_before=planned_bp,
            travel_after=travel_bp if route.estimated else planned_bp,
        )  # fmt: skip
        for step in route.steps:
            came_s = None if step.key is None else found.arrived_s.get(UUID(step.key))
            if step.key is not None and came_s is not None:
                before[route.day in held].append((step.arrival_s, came_s))
                after[route.day in held].append((arrivals[step.key], came_s))
    return {
        name: {
            "visits": len(before[out]),
            "before_s": median_error_s(before[out]),
            "after_s": median_error_s(after[out]),
        }
        for name, out in (("in_sample", False), ("held_out", True))
    }
