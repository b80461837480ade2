"""Publish a proposal for the rest of a running day (发布重排): the pointer moves, and those whose day changes hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, DayMovedOn, NotFound
from recycling.logs import logger
from recycling.models.booking import Booking, linked_on, with_parts
from recycling.models.healing import BrokenPromise, ReplanProposal
from recycling.models.ledger import close_day
from recycling.models.outbox import OutboxMessage, post
from recycling.models.people import Staff
from recycling.models.plan import Plan, PublishedPlan, Route, RouteCrew, RouteStop
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.alternatives import Alternative, alternatives
from recycling.usecases.bookings.history import one_of_fact
from recycling.usecases.planning.expected_times import QUARTER_S
from recycling.usecases.planning.live_day import live_day
from recycling.usecases.planning.publication import dispatchers, make_current
from recycling.usecases.planning.replan_day import breaks, touched
from recycling.usecases.planning.told_times import MOVES_S, start_times, told_times

log = logger(__name__)

# So long a proposal holds: vehicles drive on, and its times begin where they were.
HOLDS = timedelta(minutes=10)


def publish_replan(
    plan_id: UUID, *, by: Principal, district: District, session: Session, now: datetime
) -> PublishedPlan:
    """Make a proposal the plan that people go by; one that is it already stays so, and nobody is told twice.

    Raises
    ------
    NotFound
        When there is no such proposal.
    Conflict
        When its day is not today.
    PlanReplaced
        When another plan has been published since it was made.
    DayMovedOn
        When something has happened since that it does not know, or it is too old.
    """
    with atomic(session):
        proposal = session.get(ReplanProposal, plan_id)
        if proposal is None:
            raise NotFound(f"no proposal {plan_id}; list them with GET /replans?day= / 未找到该重排方案")
        if proposal.day != service_day(now):
            raise Conflict(
                f"{proposal.day} is not today; its plan stays as it was / {proposal.day} 非今日，计划不再更改"
            )
        # Cancellations of the day and other publications queue here; what they changed is seen by the statements below.
        close_day(session, proposal.day, now=now)
        standing = session.get(PublishedPlan, proposal.day, populate_existing=True)
        if standing is not None and standing.plan_id == plan_id:
            return standing
        plan = session.get_one(Plan, plan_id)
        _refuse_old(proposal, now=now)
        told, base_id, cause = told_times(plan.day, session), proposal.base_plan_id, proposal.cause
        _refuse_moved_on(proposal, standing, district=district, session=session, now=now)
        make_current(plan, replaces=base_id, by=by, session=session, now=now, cause=cause)
        news = _News(plan=plan, proposal=proposal, told=told, session=session, now=now)
        broken = news.break_promises(district)
        news.tell_moved(broken)
        news.tell_crews()
        if broken:
            news.tell_dispatchers(broken)
        published = session.get_one(PublishedPlan, plan.day, populate_existing=True)
    log.info("replan.published", plan_id=str(plan_id), cause=cause, broken=len(broken), by_id=str(by.id))
    return published


def _refuse_old(proposal: ReplanProposal, *, now: datetime) -> None:
    if now - proposal.made_at > HOLDS:
        minutes = HOLDS // timedelta(minutes=1)
        raise DayMovedOn(
            f"this proposal was made more than {minutes} minutes ago and the vehicles have driven on; ask for a new one"
            f" with POST /replans / 该方案已超过 {minutes} 分钟，车辆已前行，请重新排线"
        )


def _refuse_moved_on(
    proposal: ReplanProposal, standing: PublishedPlan | None, *, district: District, session: Session, now: datetime
) -> None:
    """See that nothing has happened since that matters; that another plan stands is for the pointer to say."""
    if standing is None or standing.plan_id != proposal.base_plan_id:
        return
    live = live_day(proposal.day, district=district, session=session, now=now)
    if live.mark(touched(proposal.changes)) != proposal.seen:
        raise DayMovedOn(
            "since this proposal was made a stop that it moves has begun, or something new went wrong; ask for a new"
            " one with POST /replans / 方案生成后现场有变化（停靠点已开始或有新情况），请重新排线"
        )


@dataclass(frozen=True, kw_only=True)
class _News:
    """What a publication changes for people, and the words for it."""

    plan: Plan
    proposal: ReplanProposal
    told: Mapping[UUID, int]
    session: Session
    now: datetime

    def break_promises(self, district: District) -> set[UUID]:
        """Write a row for each promise that breaks, with two ways out, and tell its resident."""
        changes = {UUID(one["booking_id"]): one for one in self.proposal.changes if breaks(one)}
        bookings = self._bookings(changes)
        whole = {key: self._visits(booking) for key, booking in bookings.items()}
        offered = alternatives(whole, district=district, session=self.session, now=self.now)
        for booking_id, booking in bookings.items():
            self._break(booking, changes[booking_id], offered[booking_id])
        return set(bookings)

    def _bookings(self, ids: Mapping[UUID, Any] | set[UUID]) -> dict[UUID, Booking]:
        wanted = select(Booking).where(Booking.id.in_(list(ids)), Booking.state == "booked").order_by(Booking.id)
        return {booking.id: booking for booking in self.session.scalars(wanted)}

    def _visits(self, booking: Booking) -> Sequence[Booking]:
        """The booking and, where it stands for several visits, those still to come: they go together."""
        rows = self.session.scalars(
            select(Booking).where(with_parts(booking.id), Booking.state == "booked").order_by(Booking.id)
        )
        return sorted(rows, key=lambda row: row.id != booking.id)

    def _break(self, booking: Booking, change: Mapping[str, Any], offered: Sequence[Alternative]) -> None:
        after = change["start_after_s"]
        ways_out = [{"day": str(one.day), "pickup_window": one.pickup_window} for one in offered]
        message_id = (
            self._tell_late(booking, after, ways_out) if after is not None else self._tell_lost(booking, ways_out)
        )
        self.session.add(
            BrokenPromise(
                id=uuid4(), plan_id=self.plan.id, booking_id=booking.id, day=booking.day,
                pickup_window=booking.pickup_window, expected_before_s=change["start_before_s"],
                expected_after_s=after, reason=change["reason"] or "late", alternatives=ways_out, at=self.now,
                message_id=message_id,
            )
        )  # fmt: skip

    def _tell_late(self, booking: Booking, start_s: int, ways_out: list[dict[str, str]]) -> UUID | None:
        if booking.made_up:
            return None  # nobody is there
        post(
            self.session,
            dedupe_key=self._key(booking),
            kind="plan.promise_late",
            to=("resident", booking.resident_id),
            facts={
                "booking_id": str(booking.id), "day": str(booking.day), "pickup_window": booking.pickup_window,
                "expected_s": start_s // QUARTER_S * QUARTER_S, "alternatives": ways_out, **self._one_of(booking),
            },
            now=self.now,
        )  # fmt: skip
        return self._message_id(booking)

    def _tell_lost(self, booking: Booking, ways_out: list[dict[str, str]]) -> UUID | None:
        if booking.made_up:
            return None
        post(
            self.session,
            dedupe_key=self._key(booking),
            kind="plan.promise_broken",
            to=("resident", booking.resident_id),
            facts={
                "booking_id": str(booking.id), "day": str(booking.day), "pickup_window": booking.pickup_window,
                "alternatives": ways_out, **self._one_of(booking),
            },
            now=self.now,
        )  # fmt: skip
        return self._message_id(booking)

    def _key(self, booking: Booking) -> str:
        return f"plan.promise:{self.plan.id}:{booking.id}"

    def _message_id(self, booking: Booking) -> UUID:
        return self.session.scalars(
            select(OutboxMessage.id).where(OutboxMessage.dedupe_key == self._key(booking))
        ).one()  # fmt: skip

    def _one_of(self, booking: Booking) -> dict[str, int]:
        return one_of_fact(linked_on(self.session, booking.day).get(booking.part_of or booking.id, 1))

    def tell_moved(self, broken: set[UUID]) -> None:
        """Tell those to whom we come at another time than they were told, within their window."""
        starts = start_times(self.plan.id, self.session)
        moved = {
            booking_id
            for booking_id, start_s in starts.items()
            if booking_id not in broken and abs(start_s - self.told.get(booking_id, -MOVES_S - 1)) > MOVES_S
        }
        changed = {UUID(one["booking_id"]) for one in self.proposal.changes}
        # What the proposal leaves as it was is being made, or comes when it was to come.
        for booking_id, booking in self._bookings(moved & changed).items():
            if not booking.made_up:
                self._tell_moved(booking, starts[booking_id])

    def _tell_moved(self, booking: Booking, start_s: int) -> None:
        post(
            self.session,
            dedupe_key=f"plan.time_moved:{self.plan.id}:{booking.id}",
            kind="plan.time_moved",
            to=("resident", booking.resident_id),
            facts={
                "booking_id": str(booking.id), "day": str(booking.day), "pickup_window": booking.pickup_window,
                "expected_s": start_s // QUARTER_S * QUARTER_S, **self._one_of(booking),
            },
            now=self.now,
        )  # fmt: skip

    def tell_crews(self) -> None:
        """Tell the crews whose route is another one now; one that has lost it too."""
        before, after = (self._routes(one) for one in (self.proposal.base_plan_id, self.plan.id))
        for vehicle in sorted(before.keys() | after.keys()):
            was, now = before.get(vehicle), after.get(vehicle)
            if was is None or now is None or was.stops != now.stops or was.crew != now.crew:
                riders = (was.crew if was else frozenset()) | (now.crew if now else frozenset())
                self._tell_riders(vehicle, riders)

    def tell_dispatchers(self, broken: set[UUID]) -> None:
        """Tell those who will be called about it."""
        for staff_id in dispatchers(self.session):
            post(
                self.session,
                dedupe_key=f"plan.promises_broken:{self.plan.id}:{staff_id}",
                kind="plan.promises_broken",
                to=("staff", staff_id),
                facts={
                    "plan_id": str(self.plan.id), "day": str(self.plan.day),
                    "booking_ids": [str(one) for one in sorted(broken)],
                },
                now=self.now,
            )  # fmt: skip

    def _tell_riders(self, vehicle: str, riders: frozenset[str]) -> None:
        accounts = select(Staff.id).where(Staff.collector_key.in_(riders), Staff.active.is_(True)).order_by(Staff.id)
        for staff_id in self.session.scalars(accounts):
            post(
                self.session, dedupe_key=f"route.changed:{self.plan.id}:{vehicle}:{staff_id}", kind="route.changed",
                to=("staff", staff_id), now=self.now,
                facts={"plan_id": str(self.plan.id), "day": str(self.plan.day), "vehicle_key": vehicle},
            )  # fmt: skip

    def _routes(self, plan_id: UUID) -> dict[str, _Ridden]:
        """By vehicle, the bookings in their sequence and who rides."""
        stops: dict[str, list[UUID]] = {}
        crew: dict[str, set[str]] = {}
        riding = select(Route.vehicle_key, RouteCrew.collector_key).join(RouteCrew, RouteCrew.route_id == Route.id)
        for vehicle, rider in self.session.execute(riding.where(Route.plan_id == plan_id)):
            crew.setdefault(vehicle, set()).add(rider)
        visits = (
            select(Route.vehicle_key, RouteStop.booking_id)
            .join(RouteStop, RouteStop.route_id == Route.id)
            .where(Route.plan_id == plan_id, RouteStop.booking_id.is_not(None))
            .order_by(Route.vehicle_key, RouteStop.position)
        )
        for vehicle, booking_id in self.session.execute(visits):
            if booking_id is not None:
                stops.setdefault(vehicle, []).append(booking_id)
        return {key: _Ridden(stops=tuple(stops.get(key, ())), crew=frozenset(crew[key])) for key in crew}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ridden:
    """A route as its crew knows it."""

    stops: tuple[UUID, ...]
    crew: frozenset[str]
