"""Invariants of bookings, the day's ledger, plans and the doorstep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, false, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from recycling.models.booking import NEXT_STATES, PROMISED, BookedItem, Booking, BookingChange
from recycling.models.field import FieldEvent, FieldFlag
from recycling.models.ledger import DayLedger, TentativeRoute
from recycling.models.people import Staff
from recycling.models.plan import Plan, Publication, PublishedPlan, Route, RouteCrew, RouteStop, Unassigned
from recycling.models.recurring import RecurringDay, RecurringPickup
from recycling.models.waiting import WaitingDay, WaitingWish
from recycling.routing.standing import route_from_json
from recycling.usecases.queries.invariants.deciding import deciding_events, flagged_bookings
from recycling.usecases.queries.invariants.rule import MOST_ROWS, Breaches, invariant, rows

STANDS = Booking.state != "cancelled"
STATE_OF_EVENT = {"collected": "collected", "partly": "partly_collected", "failed": "failed"}


@invariant("I-1", "意向路线 = 占位与预约 / the tentative routes of a day hold each promise once, and nothing else")
def routes_hold_what_is_promised(session: Session, _now: datetime) -> Breaches:
    """Promises of open days without a place or with two, and places that nobody was promised."""
    open_days = select(DayLedger.day).where(DayLedger.closed.is_(False))
    planned_days = select(DayLedger.day).where(DayLedger.closed)
    placed: Counter[tuple[date, str]] = Counter()
    for day, route in session.execute(
        select(TentativeRoute.day, TentativeRoute.route).where(TentativeRoute.day.in_(open_days))
    ):
        placed.update((day, visit.key) for visit in route_from_json("", route).visits if not visit.gone)
    promised = {
        (day, str(booking_id))
        for day, booking_id in session.execute(
            select(Booking.day, Booking.id).where(Booking.state.in_(PROMISED), Booking.day.not_in(planned_days))
        )
    }
    wrong = [
        (day, key, placed[day, key])
        for day, key in sorted(promised | set(placed))
        if placed[day, key] != ((day, key) in promised)
    ]
    return wrong[:MOST_ROWS]


@invariant("I-4", "有效预约至少一件物品 / a booking that stands asks for at least one unit")
def bookings_ask_for_something(session: Session, _now: datetime) -> Breaches:
    """Bookings that take a visit for nothing."""
    asked = select(BookedItem.booking_id).where(BookedItem.declared_units > 0)
    return rows(session, select(Booking.id).where(STANDS, Booking.id.not_in(asked)))


@invariant("I-32", "关联上门与其预约一致 / the visits of a booking share resident, door, day and window, and its state")
def visits_go_together(session: Session, _now: datetime) -> Breaches:
    """Further visits elsewhere, of somebody else, of a visit, or in another state than their booking's.

    Once the day is planned each visit has an outcome of its own, and its promise may be given up alone.
    """
    part, main = aliased(Booking), aliased(Booking)
    promised = part.state.in_(PROMISED)
    planned = main.day.in_(select(DayLedger.day).where(DayLedger.closed))
    lost = or_(
        main.part_of.is_not(None),
        main.resident_id != part.resident_id,
        and_(
            promised,
            or_(
                main.day != part.day,
                main.pickup_window != part.pickup_window,
                main.village_code != part.village_code,
                (main.state == "held") != (part.state == "held"),
                main.state == "cancelled",
                and_(~planned, main.state != part.state),
            ),
        ),
    )
    return rows(session, select(part.id, part.part_of, part.state).join(main, main.id == part.part_of).where(lost))


@invariant("I-29", "候补与占位一致 / an offered wish has its hold or booking, a live one its days, an ended one none")
def offers_have_their_place(session: Session, _now: datetime) -> Breaches:
    """Offers of no place or of somebody else's, wishes taken by no booking, and days that nobody waits for."""
    state, of = WaitingWish.state, Booking.state
    wrong_place = or_(
        and_(state == "offered", func.coalesce(of, "") != "held"),
        and_(state == "taken", func.coalesce(of, "held") == "held"),
        Booking.resident_id != WaitingWish.resident_id,
    )
    placed = select(WaitingWish.id, state, of).outerjoin(Booking, Booking.id == WaitingWish.booking_id)
    live = state.in_(("waiting", "offered"))
    days = select(WaitingDay.wish_id)
    dangling = or_(and_(live, WaitingWish.id.not_in(days)), and_(~live, WaitingWish.id.in_(days)))
    return [*rows(session, placed.where(wrong_place)), *rows(session, select(WaitingWish.id, state).where(dangling))]


@invariant("I-30", "定期回收之预约属其联系人 / the booking of a recurring pickup's day is its contact's")
def recurring_days_are_their_bookings(session: Session, _now: datetime) -> Breaches:
    """Days whose booking is another contact's."""
    wanted = (
        select(RecurringDay.recurring_id, RecurringDay.day, Booking.id)
        .join(RecurringPickup, RecurringPickup.id == RecurringDay.recurring_id)
        .join(Booking, Booking.id == RecurringDay.booking_id)
    )
    # The day itself may be changed by the contact afterwards.
    return rows(session, wanted.where(Booking.resident_id != RecurringPickup.resident_id))


@invariant("I-5", "每次变更一行记录 / a booking's version counts its changes, the last one holds its state")
def versions_count_changes(session: Session, _now: datetime) -> Breaches:
    """Bookings whose history has a gap, a double, or another end than their state."""
    change = BookingChange
    counted = (
        select(
            change.booking_id,
            func.count().label("changes"),
            func.count(change.version.distinct()).label("versions"),
            func.min(change.version).label("first"),
        )
        .group_by(change.booking_id)
        .subquery()
    )
    last = aliased(change)
    wanted = (
        select(Booking.id, Booking.version, Booking.state, counted.c.changes)
        .outerjoin(counted, counted.c.booking_id == Booking.id)
        .outerjoin(last, and_(last.booking_id == Booking.id, last.version == Booking.version))
    )
    whole = and_(
        counted.c.changes == Booking.version,
        counted.c.versions == Booking.version,
        counted.c.first == 1,
        last.state == Booking.state,
    )
    # A hold has no history yet.
    return rows(session, wanted.where(Booking.state != "held", func.coalesce(whole, false()).is_(False)))


@invariant("I-5", "状态只沿允许的方向变化 / a booking's states follow the allowed graph")
def states_follow_the_graph(session: Session, _now: datetime) -> Breaches:
    """Successive changes between states that no arrow joins, and histories that do not begin as booked."""
    before, after = aliased(BookingChange), aliased(BookingChange)
    arrows = [f"{state}>{state}" for state in NEXT_STATES]
    arrows += [f"{state}>{following}" for state, allowed in NEXT_STATES.items() for following in allowed]
    step = (
        select(after.booking_id, after.version, before.state, after.state)
        .outerjoin(before, and_(before.booking_id == after.booking_id, before.version == after.version - 1))
        .where(
            or_(
                and_(after.version == 1, after.state != "booked"),
                (before.state + ">" + after.state).not_in(arrows),
            )
        )
    )
    return rows(session, step)


@invariant("I-6", "一人一日一条路线 / nobody rides on two routes of one plan")
def nobody_is_in_two_places(session: Session, _now: datetime) -> Breaches:
    """Collectors on more than one route of a plan."""
    riding = select(Route.plan_id, RouteCrew.collector_key, func.count()).join(
        RouteCrew, RouteCrew.route_id == Route.id
    )
    return rows(session, riding.group_by(Route.plan_id, RouteCrew.collector_key).having(func.count() > 1))


@invariant("I-7", "已发布计划不漏不重 / the published plan visits each booked pickup of its day once, or lists it")
def published_plans_cover_their_day(session: Session, _now: datetime) -> Breaches:
    """Bookings that the published plan of their day leaves out, or visits and lists more than once."""
    visited = (
        select(PublishedPlan.day.label("day"), RouteStop.booking_id.label("booking_id"))
        .join(Route, Route.plan_id == PublishedPlan.plan_id)
        .join(RouteStop, RouteStop.route_id == Route.id)
        .where(RouteStop.booking_id.is_not(None))
    )
    listed = select(PublishedPlan.day, Unassigned.booking_id).join(
        Unassigned, Unassigned.plan_id == PublishedPlan.plan_id
    )
    covered = union_all(visited, listed).subquery()
    times = func.count(covered.c.booking_id)
    wanted = (
        select(Booking.day, Booking.id, times)
        .join(PublishedPlan, PublishedPlan.day == Booking.day)
        .outerjoin(covered, and_(covered.c.booking_id == Booking.id, covered.c.day == Booking.day))
        .group_by(Booking.day, Booking.id, Booking.state)
        # One that was visited or cancelled before a later version was published is no business of that version.
        .having(or_(times > 1, and_(times == 0, Booking.state == "booked")))
    )
    return rows(session, wanted)


@invariant("I-8", "每日至多一个已发布计划 / a day has one published plan at most, and it is a plan of that day")
def published_plans_are_of_their_day(session: Session, _now: datetime) -> Breaches:
    """Days whose published plan was made for another day."""
    wanted = select(PublishedPlan.day, Plan.id, Plan.day).join(Plan, Plan.id == PublishedPlan.plan_id)
    return rows(session, wanted.where(Plan.day != PublishedPlan.day))


@invariant("I-8", "已发布计划有发布记录 / what is published stands in the log of publications")
def publications_are_kept(session: Session, _now: datetime) -> Breaches:
    """Days whose published plan the log does not know."""
    known = select(Publication.plan_id).where(Publication.day == PublishedPlan.day)
    return rows(session, select(PublishedPlan.day, PublishedPlan.plan_id).where(PublishedPlan.plan_id.not_in(known)))


@invariant("I-10", "预约结果 = 上门记录之折叠 / a booking is what its field events fold to")
def bookings_are_what_was_recorded(session: Session, _now: datetime) -> Breaches:
    """Bookings whose state or collected units are not those of the event that decides.

    The decisive one is the last of the crew that recorded an outcome first, taken-back and quarantined ones apart.
    What a station has weighed is never counted below; a cancelled booking stays so; either is flagged.
    """
    decisive = deciding_events(session)
    weighed: dict[UUID, dict[str, int]] = {}
    counted: dict[UUID, dict[str, int]] = {}
    columns = (BookedItem.booking_id, BookedItem.item_type, BookedItem.collected_units, BookedItem.weighed_units)
    for item in session.execute(select(*columns).where(BookedItem.collected_units > 0)):
        counted.setdefault(item.booking_id, {})[item.item_type] = item.collected_units
        weighed.setdefault(item.booking_id, {})[item.item_type] = item.weighed_units
    states = {
        row.id: row.state
        for row in session.execute(
            select(Booking.id, Booking.state).where(
                or_(Booking.id.in_(decisive), Booking.state.in_(STATE_OF_EVENT.values()))
            )
        )
    }
    flagged = flagged_bookings(session)
    found: list[Sequence[Any]] = []
    for booking_id, state in states.items():
        units = counted.pop(booking_id, {})
        event = decisive.get(booking_id)
        if event is None:
            if (booking_id, "undo_blocked") not in flagged:
                found.append((booking_id, state, "no event decides"))
            continue
        if state == "cancelled" and (booking_id, "booking_cancelled") in flagged:
            continue
        told = {item["item_type"]: item["units"] for item in event["items"] if item["units"]}
        least = weighed.get(booking_id, {})
        wanted = {key: max(told.get(key, 0), least.get(key, 0)) for key in told.keys() | least.keys()}
        if wanted != told and (booking_id, "already_weighed") in flagged:
            told = wanted
            if event["kind"] == "failed":
                continue  # something was weighed of it, so it did not fail: a person looks at it
        if STATE_OF_EVENT[event["kind"]] != state or units != {key: count for key, count in told.items() if count}:
            found.append((booking_id, state, event["kind"]))
    # What is left was collected by nobody.
    found += [(booking_id, "no event") for booking_id in sorted(counted)]
    return found[:MOST_ROWS]


@invariant("I-11", "有结果必有记录 / a pickup has an outcome only with a field event")
def outcomes_have_an_event(session: Session, _now: datetime) -> Breaches:
    """Bookings that were visited according to their state and to nobody else."""
    visited = Booking.state.in_(STATE_OF_EVENT.values())
    told = select(FieldEvent.booking_id).where(FieldEvent.kind.in_(STATE_OF_EVENT), FieldEvent.booking_id.is_not(None))
    return rows(session, select(Booking.id, Booking.state).where(visited, Booking.id.not_in(told)))


@invariant("I-10", "设备序号唯一或已标记 / a device's number names one event, or the events are flagged")
def device_numbers_are_unique_or_flagged(session: Session, _now: datetime) -> Breaches:
    """Events that share their device's number with another one and that nobody was told of."""
    twice = (
        select(FieldEvent.device_id, FieldEvent.device_seq)
        .group_by(FieldEvent.device_id, FieldEvent.device_seq)
        .having(func.count() > 1)
        .subquery()
    )
    flagged = select(FieldFlag.event_id).where(FieldFlag.code == "sequence_reused")
    return rows(
        session,
        select(FieldEvent.event_id, FieldEvent.device_id, FieldEvent.device_seq)
        .join(twice, (twice.c.device_id == FieldEvent.device_id) & (twice.c.device_seq == FieldEvent.device_seq))
        .where(FieldEvent.event_id.not_in(flagged)),
    )


@invariant("I-28", "记录发生时间不晚于到达时间 / nothing happened after it was received")
def events_happened_before_they_came(session: Session, _now: datetime) -> Breaches:
    """Events that are said to have happened later than we heard of them."""
    return rows(
        session, select(FieldEvent.event_id, FieldEvent.made_at).where(FieldEvent.made_at > FieldEvent.received_at)
    )


@invariant("I-11", "记录人须在该路线上 / a field event comes from the crew of a route that the booking was on")
def events_come_from_the_crew(session: Session, _now: datetime) -> Breaches:
    """Events of people who rode on no route with that booking, in whichever version of the day's plan."""
    on_the_route = (
        select(RouteStop.booking_id)
        .join(RouteCrew, RouteCrew.route_id == RouteStop.route_id)
        .join(Staff, Staff.collector_key == RouteCrew.collector_key)
        .where(Staff.id == FieldEvent.collector_id, RouteStop.booking_id == FieldEvent.booking_id)
    )
    return rows(
        session,
        select(FieldEvent.event_id, FieldEvent.collector_id).where(
            FieldEvent.booking_id.is_not(None), ~on_the_route.correlate(FieldEvent).exists()
        ),
    )
