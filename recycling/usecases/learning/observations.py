"""Plan against actual of a period, visit by visit and leg by leg: what counts, and why the rest does not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from recycling.errors import InvalidInput
from recycling.models.booking import Booking
from recycling.models.field import FieldEvent, FieldFlag
from recycling.models.plan import Plan, Publication, PublishedPlan, Route, RouteStop
from recycling.policy.district import District
from recycling.policy.field_events import OUTCOMES, FieldRecord, Visit, in_sequence, visit_of
from recycling.policy.handling import AS_ESTIMATED_BP, item_part
from recycling.policy.learning import LegSeen, VisitSeen
from recycling.policy.retiming import TimedStep
from recycling.policy.service_time import ItemCount, carrying_counts
from recycling.units import second_of_day
from recycling.usecases.field.records import records_of_day

# Why a visit teaches nothing.
LeftOut = Literal[
    "clock", "contested", "undone", "not_collected", "dismantled", "item_differs", "no_start", "waited", "unknown_item",
]  # fmt: skip
# What is flagged so was timed by a clock that nobody can vouch for, or recorded by a device that may be two.
DOUBTFUL = ("clock_skew", "clock_quarantined", "sequence_reused")
ESTIMATED_WAYS = "great_circle"  # the quality of a plan whose every way is our estimate: the one that is learned


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRoute:
    """A route as it was published for its day; ``estimated`` where all its ways were our estimate."""

    day: date
    steps: tuple[TimedStep, ...]
    estimated: bool


@dataclass(slots=True, kw_only=True)
class Observed:
    """What a period teaches.

    Parameters
    ----------
    visits
        Those that count.
    parts
        Counts of the parts of each pickup that was planned, by booking, and its seconds of taking apart.
    arrived_s
        When crews came, by booking, in seconds after midnight.
    left_out
        How many visits do not count, by reason.
    """

    visits: list[VisitSeen] = field(default_factory=list)
    legs: list[LegSeen] = field(default_factory=list)
    routes: list[PlannedRoute] = field(default_factory=list)
    parts: dict[UUID, tuple[Mapping[str, int], int]] = field(default_factory=dict)
    arrived_s: dict[UUID, int] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def observed(first: date, last: date, *, district: District, session: Session) -> Observed:
    """Read a period, both days included."""
    found = Observed()
    for n in range((last - first).days + 1):
        _see_day(first + timedelta(days=n), found, district=district, session=session)
    return found


def counts_of(booking: Booking, *, district: District) -> tuple[Mapping[str, int], int]:
    """How often each part goes into the time of a booking's visit as declared, and its seconds of taking apart.

    Raises
    ------
    InvalidInput
        When an item type was not in the catalogue on its day.
    """
    items = [
        ItemCount(
            item_type=district.catalogue.item_type(item.item_type, on=booking.day), quantity=item.declared_units,
            dismantle=item.dismantle,
        )
        for item in booking.items
        if item.declared_units
    ]  # fmt: skip
    carried = carrying_counts(items, floor=booking.floor, lift=booking.has_lift, rule=district.service_time)
    apart_s = sum(item.quantity * item.item_type.dismantling_s for item in items if item.dismantle)
    return carried | {item_part(item.item_type.key): item.quantity for item in items}, apart_s


def evening_plans(session: Session, days: Iterable[date]) -> list[Plan]:
    """The plan that each day began with: of those published in the evening before the last, else the one that stands.

    A plan of a running day holds only what was left of it then.
    """
    wanted = list(days)
    begun = select(Publication.day, Publication.plan_id, Publication.at).where(
        Publication.day.in_(wanted), Publication.cause.is_(None)
    )
    standing = select(PublishedPlan.day, PublishedPlan.plan_id).where(PublishedPlan.day.in_(wanted))
    chosen: dict[date, UUID] = {row.day: row.plan_id for row in session.execute(standing)}
    chosen |= {row.day: row.plan_id for row in session.execute(begun.order_by(Publication.at))}
    routes = selectinload(Plan.routes)
    plans = session.scalars(
        select(Plan)
        .where(Plan.id.in_(chosen.values()))
        .options(routes.selectinload(Route.stops), routes.selectinload(Route.crew))
        .order_by(Plan.day)
    )
    return list(plans)


def _see_day(day: date, found: Observed, *, district: District, session: Session) -> None:
    records = records_of_day(session, day)
    if not records:
        return
    of_booking: dict[UUID, list[FieldRecord]] = defaultdict(list)
    for record in records:
        if record.booking_id is not None:
            of_booking[record.booking_id].append(record)
    plans = evening_plans(session, [day])
    planned = {stop.booking_id for plan in plans for route in plan.routes for stop in route.stops if stop.booking_id}
    bookings = {
        booking.id: booking
        for booking in session.scalars(select(Booking).where(Booking.id.in_(planned | of_booking.keys())))
    }
    doubted = _doubted(session, day)
    clear: dict[UUID, Visit] = {}
    for booking in sorted(bookings.values(), key=lambda booking: str(booking.id)):
        try:
            found.parts[booking.id] = counts_of(booking, district=district)
        except InvalidInput:
            found.left_out["unknown_item"] += booking.id in of_booking
            continue
        if booking.id not in of_booking:
            continue
        visit = visit_of(of_booking[booking.id])
        why = _why_not(booking, visit, of_booking[booking.id], doubted, opens_s=_opens_s(booking, district))
        if why is None:
            clear[booking.id] = visit
            _add_visit(booking, visit, found)
        else:
            found.left_out[why] += 1
    found.routes += [_planned_route(plan, route) for plan in plans for route in plan.routes]
    towns = {booking_id: bookings[booking_id].area for booking_id in clear}
    for plan in plans:
        if plan.travel_quality == ESTIMATED_WAYS:
            found.legs += _legs(plan, records, clear, towns, factor_bp=district.handling.travel_bp(day))


def _doubted(session: Session, day: date) -> set[UUID]:
    """Bookings with a record whose clock nobody can vouch for, whatever was ruled on it since."""
    flagged = select(FieldFlag.event_id).where(FieldFlag.code.in_(DOUBTFUL))
    ids = session.scalars(
        select(FieldEvent.booking_id).where(
            FieldEvent.day == day, FieldEvent.booking_id.is_not(None),
            or_(FieldEvent.quarantined, FieldEvent.event_id.in_(flagged)),
        )
    )  # fmt: skip
    return {booking_id for booking_id in ids if booking_id is not None}


def _opens_s(booking: Booking, district: District) -> int:
    window = district.network.pickup_windows.get(booking.pickup_window)
    return 0 if window is None else window.opens_s


def _why_not(
    booking: Booking, visit: Visit, records: Sequence[FieldRecord], doubted: set[UUID], *, opens_s: int
) -> LeftOut | None:
    """The reason why a visit teaches nothing."""
    if booking.id in doubted:
        return "clock"
    if visit.contested:
        return "contested"
    if any(record.kind == "undo" for record in records):
        return "undone"
    if visit.outcome != "collected":
        return "not_collected"
    if any(item.dismantle and item.declared_units for item in booking.items):
        return "dismantled"
    if visit.units != {item.item_type: item.declared_units for item in booking.items if item.declared_units}:
        return "item_differs"
    if visit.started_at is None or visit.ended_at is None or visit.ended_at <= visit.started_at:
        return "no_start"
    began_s = second_of_day(visit.started_at, day=booking.day)
    if began_s < opens_s and not any(record.kind == "start" for record in records):
        return "waited"  # nobody knows how long of it they stood before the window
    return None


def _add_visit(booking: Booking, visit: Visit, found: Observed) -> None:
    if visit.started_at is None or visit.ended_at is None or visit.arrived_at is None:
        return
    taken_s = round((visit.ended_at - visit.started_at).total_seconds())
    counts, _ = found.parts[booking.id]
    found.visits.append(VisitSeen(day=booking.day, counts=counts, planned_s=booking.service_s, actual_s=taken_s))
    found.arrived_s[booking.id] = second_of_day(visit.arrived_at, day=booking.day)


def _planned_route(plan: Plan, route: Route) -> PlannedRoute:
    steps = (
        TimedStep(
            key=None if stop.booking_id is None else str(stop.booking_id), arrival_s=stop.arrival_s,
            start_s=stop.start_s, end_s=stop.end_s,
        )
        for stop in route.stops
    )  # fmt: skip
    return PlannedRoute(day=plan.day, steps=tuple(steps), estimated=plan.travel_quality == ESTIMATED_WAYS)


def _legs(
    plan: Plan,
    records: Sequence[FieldRecord],
    clear: Mapping[UUID, Visit],
    towns: Mapping[UUID, str],
    *,
    factor_bp: int,
) -> Iterator[LegSeen]:
    """Legs between two clear visits that follow each other in the plan and on the road, with nothing in between."""
    planned = {pair: leg_s for route in plan.routes for pair, leg_s in _planned_legs(route.stops)}
    of_vehicle: dict[str, list[FieldRecord]] = defaultdict(list)
    for record in records:
        of_vehicle[record.vehicle_key].append(record)
    for key in sorted(of_vehicle):
        for (one, left_at), (other, came_at) in _driven(in_sequence(of_vehicle[key])):
            if (one, other) in planned and one in clear and other in clear:
                estimated_s = round(planned[one, other] * AS_ESTIMATED_BP / factor_bp)
                driven_s = round((came_at - left_at).total_seconds())
                yield LegSeen(day=plan.day, town_key=towns[other], estimated_s=estimated_s, actual_s=driven_s)


def _planned_legs(stops: Sequence[RouteStop]) -> Iterator[tuple[tuple[UUID, UUID], int]]:
    for one, other in pairwise(stops):
        if one.booking_id is not None and other.booking_id is not None:
            yield (one.booking_id, other.booking_id), other.arrival_s - one.end_s


Place = tuple[UUID, datetime]


def _driven(standing: Iterable[FieldRecord]) -> Iterator[tuple[Place, Place]]:
    """From the first outcome at one door to the first arrival at the next."""
    left: Place | None = None
    seen: set[UUID] = set()
    for record in standing:
        if record.kind in ("note", "photo", "on_the_way"):
            continue
        if record.booking_id is None or record.kind == "fault":
            left = None  # a break, an unload, a fault: whatever was driven is not this leg alone
        elif record.kind in OUTCOMES:
            # An outcome put right later says nothing of when they left.
            left = (record.booking_id, record.made_at) if (record.booking_id not in seen) else None
            seen.add(record.booking_id)
        elif left is not None and record.booking_id != left[0]:
            yield left, (record.booking_id, record.made_at)
            left = None
