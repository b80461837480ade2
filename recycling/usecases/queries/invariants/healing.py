"""Invariants of running days: mid-day versions of plans, and the promises that they break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased, undefer

from recycling.models.booking import Booking
from recycling.models.healing import BrokenPromise, ReplanProposal
from recycling.models.outbox import OutboxMessage
from recycling.models.plan import Plan, Publication, Route, RouteStop, Unassigned
from recycling.routing.check import violations
from recycling.routing.plan import plan_from_json
from recycling.routing.problem import problem_from_json
from recycling.usecases.planning.road_travel import unpacked
from recycling.usecases.queries.invariants.rule import MOST_ROWS, Breaches, invariant, rows


def _published(session: Session) -> Sequence[ReplanProposal]:
    """The proposals that people went by."""
    wanted = select(ReplanProposal).join(Publication, Publication.plan_id == ReplanProposal.plan_id)
    return session.scalars(wanted.order_by(ReplanProposal.day, ReplanProposal.made_at)).all()


def _visits(session: Session, plan_id: UUID) -> dict[UUID, int]:
    """When a plan serves each booking, in seconds after midnight."""
    wanted = (
        select(RouteStop.booking_id, RouteStop.start_s)
        .join(Route, Route.id == RouteStop.route_id)
        .where(Route.plan_id == plan_id)
    )
    return {booking_id: start_s for booking_id, start_s in session.execute(wanted) if booking_id is not None}


def _windows(session: Session, plan_id: UUID) -> Mapping[UUID, Sequence[Sequence[int]]]:
    """The windows that were promised on the day of a plan; none once its problem is blanked."""
    problem = session.scalars(select(Plan).where(Plan.id == plan_id).options(undefer(Plan.problem))).one().problem
    return {UUID(stop["key"]): stop["windows_s"] for stop in problem.get("stops", ())}


def _standing(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    found = session.scalars(select(Booking.id).where(Booking.id.in_(ids), Booking.state != "cancelled"))
    return set(found)


@invariant("I-7", "重排版本不漏人 / a mid-day version visits or lists every standing booking of the version before it")
def replans_cover_their_base(session: Session, _now: datetime) -> Breaches:
    """Bookings that a published mid-day version has lost, and which were not cancelled."""
    return list(_first(_lost(session)))


def _lost(session: Session) -> Iterator[Sequence[Any]]:
    for one in _published(session):
        before = set(_visits(session, one.base_plan_id))
        listed = select(Unassigned.booking_id).where(Unassigned.plan_id == one.plan_id)
        gone = before - set(_visits(session, one.plan_id)) - set(session.scalars(listed))
        yield from ((one.plan_id, booking_id) for booking_id in sorted(_standing(session, sorted(gone))))


def _first(found: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    for _, row in zip(range(MOST_ROWS), found, strict=False):
        yield row


@invariant("I-8", "重排版本守规则 / a published mid-day version keeps the rules of its mid-day problem")
def replans_keep_the_rules(session: Session, _now: datetime) -> Breaches:
    """Mid-day versions that the independent checker objects to, as far as their problem is still there."""
    found: list[Sequence[Any]] = []
    for one in _published(session):
        wanted = select(Plan).where(Plan.id == one.plan_id, Plan.blanked_at.is_(None))
        plan = session.scalar(wanted.options(undefer(Plan.problem), undefer(Plan.answer), undefer(Plan.travel)))
        if plan is not None:
            broken = violations(problem_from_json(unpacked(plan)), plan_from_json(plan.answer))
            found += [(one.plan_id, rule.cause, rule.text) for rule in broken]
    return found[:MOST_ROWS]


@invariant("I-8", "重排接续其所依据的版本 / a mid-day version was published after the one that it goes on from")
def replans_follow_their_base(session: Session, _now: datetime) -> Breaches:
    """Publications with a cause that have no proposal, or whose base was never published or only later."""
    mine, base = Publication, aliased(Publication)
    wanted = (
        select(mine.plan_id, mine.cause)
        .outerjoin(ReplanProposal, ReplanProposal.plan_id == mine.plan_id)
        .outerjoin(base, base.plan_id == ReplanProposal.base_plan_id)
        .where(
            or_(
                and_(mine.cause.is_not(None), or_(base.plan_id.is_(None), base.at > mine.at, base.day != mine.day)),
                and_(mine.cause.is_(None), ReplanProposal.plan_id.is_not(None)),
            )
        )
    )
    return rows(session, wanted)


@invariant("I-9", "失约必有记录 / no re-plan moves a visit out of its promised window without a broken promise")
def broken_windows_are_written_down(session: Session, _now: datetime) -> Breaches:
    """Visits that a published mid-day version takes out of their window, or gives up, and nobody wrote down."""
    return list(_first(_unwritten(session)))


def _unwritten(session: Session) -> Iterator[Sequence[Any]]:
    for one in _published(session):
        windows = _windows(session, one.root_plan_id)
        before, after = _visits(session, one.base_plan_id), _visits(session, one.plan_id)
        lost = {
            booking_id
            for booking_id, start_s in before.items()
            if _inside(start_s, windows.get(booking_id)) and not _inside(after.get(booking_id), windows.get(booking_id))
        }
        written = select(BrokenPromise.booking_id).where(BrokenPromise.plan_id == one.plan_id)
        missing = _standing(session, sorted(lost)) - set(session.scalars(written))
        yield from ((one.plan_id, booking_id) for booking_id in sorted(missing))


def _inside(start_s: int | None, windows: Sequence[Sequence[int]] | None) -> bool:
    return windows is None or (start_s is not None and any(opens <= start_s <= closes for opens, closes in windows))


@invariant("I-9", "失约必告知 / every broken promise has its notice, unless nobody is there to read it")
def broken_promises_are_told(session: Session, _now: datetime) -> Breaches:
    """Broken promises without a message to their resident."""
    promise, message = BrokenPromise, OutboxMessage
    wanted = (
        select(promise.id, promise.booking_id)
        .join(Booking, Booking.id == promise.booking_id)
        .outerjoin(message, message.id == promise.message_id)
        .where(
            Booking.made_up.is_(False),
            or_(message.id.is_(None), message.kind.not_in(("plan.promise_late", "plan.promise_broken"))),
        )
    )
    return rows(session, wanted)
