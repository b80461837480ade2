"""Record and end dated changes of fleet, crews, station hours and service days (日期变更), keeping every promise.

A change takes the rows of its days first, as a booking does. Under them it finds other places for the visits that lose
theirs. Promises for which there is none are named, and only somebody who has seen them may let the change stand: then
they stay promised, and the planner and the dispatcher place them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, InvalidInput, NotFound, PromisesInTheWay, StaleVersion
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.booking import PROMISED, Booking
from recycling.models.day_change import DayChangeRow, next_number
from recycling.models.ledger import note_change
from recycling.models.plan import PublishedPlan, Route, RouteStop
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.day_changes import CALENDAR_KINDS, DayChange, shifts_by_vehicle
from recycling.policy.district import District
from recycling.usecases.bookings.tentative import changing
from recycling.usecases.learning.in_force import facts_in_force

log = logger(__name__)

MOST_LISTED = 200  # bookings that a refusal names; a day has about as many
LATEST_DAYS = 366  # ahead that a change may begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A change as it stands now, and the bookings that it left without a place, for people to look after."""

    row: DayChangeRow
    without_place: Sequence[Booking]


def record_day_change(
    change: DayChange, *, even_unplaced: bool, by: Principal, district: District, session: Session, now: datetime
) -> Recorded:
    """Record a change of days to come.

    Parameters
    ----------
    even_unplaced
        Whether it stands although promises are left without a place.
    district
        The facts as configured.

    Raises
    ------
    InvalidInput
        When it begins today or earlier or too far ahead, or names what there is not.
    Conflict
        When it would change nothing, or leave a day without a vehicle.
    PromisesInTheWay
        When promises would be left without a place.
    """
    _check_days(change.first_day, now=now)
    with atomic(session):
        number = next_number(session)
        before = facts_in_force(district, session=session)
        _check_names(change, before)
        row = DayChangeRow(
            **_recorded_fields(change), id=uuid4(), number=number, mark=uuid4(), version=1, made_at=now,
            made_by_id=by.id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        after = facts_in_force(district, session=session)
        _check_difference(change, before, after)
        hit = _work_in(change.first_day, change.last_day, number, before, after, session=session, now=now)
        _refuse_hit(hit, change, even_unplaced=even_unplaced)
        facts = {"kind": change.kind, "first_day": str(change.first_day), "last_day": str(change.last_day)}
        named = {name: getattr(change, name) for name in ("vehicle_key", "collector_key", "station_key")}
        audit(
            session, action="day_change.recorded", subject=row.id, by=by, now=now,
            facts=facts | named | {"without_place": len(hit)},
        )  # fmt: skip
    log.info("day_change.recorded", change_id=str(row.id), **facts, without_place=len(hit), by_id=str(by.id))
    return Recorded(row=row, without_place=hit)


def end_day_change(
    change_id: UUID,
    ends_on: date,
    *,
    even_unplaced: bool,
    version: int,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> Recorded:
    """End a change from a day on, of which it was true until then; from its first day on when it was a mistake.

    Raises
    ------
    NotFound, StaleVersion
        When there is none of that id, or it is no longer the version that the caller saw.
    InvalidInput
        When the day is today or earlier, or none of the change's.
    Conflict
        When it has ended before.
    PromisesInTheWay
        As for `record_day_change`.
    """
    _check_days(ends_on, now=now)
    with atomic(session):
        number = next_number(session)
        row = session.get(DayChangeRow, change_id, populate_existing=True)
        if row is None:
            raise NotFound(f"no day change {change_id}; list them with GET /day-changes / 未找到该日期变更")
        if row.version != version:
            raise StaleVersion(
                f"the change is now version {row.version}, you sent {version}; read it again / 已变更，请刷新后重试"
            )
        if row.ends_on is not None:
            raise Conflict(f"this change has ended on {row.ends_on} already / 该变更已于 {row.ends_on} 终止")
        if not row.first_day <= ends_on <= row.last_day:
            raise InvalidInput(
                f"ends_on {ends_on} is no day of {row.first_day} to {row.last_day} / 终止日须在变更期间内"
            )
        before = facts_in_force(district, session=session)
        row.ends_on, row.ended_at, row.ended_by_id = ends_on, now, by.id
        row.number, row.mark, row.version = number, uuid4(), row.version + 1
        session.flush()
        after = facts_in_force(district, session=session)
        change = change_of(row)
        hit = _work_in(ends_on, row.last_day, number, before, after, session=session, now=now)
        _refuse_hit(hit, change, even_unplaced=even_unplaced)
        facts = {"kind": row.kind, "ends_on": str(ends_on), "without_place": len(hit)}
        audit(session, action="day_change.ended", subject=row.id, by=by, now=now, facts=facts)
    log.info("day_change.ended", change_id=str(change_id), **facts, by_id=str(by.id))
    return Recorded(row=row, without_place=hit)


def change_of(row: DayChangeRow) -> DayChange:
    """A stored change in the domain's form."""
    return DayChange(**{name: getattr(row, name) for name in DayChange.__dataclass_fields__})


def _recorded_fields(change: DayChange) -> dict[str, Any]:
    return {name: value for name, value in asdict(change).items() if name not in ("number", "ends_on")}


def _check_days(first: date, *, now: datetime) -> None:
    today = service_day(now)
    if first <= today:
        raise InvalidInput(
            f"{first} is today or over; changes begin tomorrow at the earliest, and what goes wrong today is a"
            f" disruption (POST /disruptions) / {first} 不晚于今天：变更最早从明天起，当天的情况请登记为当日异常"
        )
    if first > today + timedelta(days=LATEST_DAYS):
        raise InvalidInput(f"{first} is more than {LATEST_DAYS} days ahead / 日期过远")


def _check_names(change: DayChange, facts: District) -> None:
    network = facts.network
    for name, known in (
        ("vehicle_key", network.vehicles), ("collector_key", network.collectors), ("station_key", network.stations),
    ):  # fmt: skip
        key = getattr(change, name)
        if key is not None and key not in known:
            raise InvalidInput(f"{name} {key!r} is none of ours; choose one of GET /fleet / 没有该车辆、回收员或站点")


def _check_difference(change: DayChange, before: District, after: District) -> None:
    """See that the change makes a difference on one of its days and leaves each day a vehicle."""
    different = False
    for ahead in range((change.last_day - change.first_day).days + 1):
        day = change.first_day + timedelta(days=ahead)
        try:
            network = after.network_on(day)
        except ValueError as error:  # hours in which a station cannot even unload one vehicle
            raise InvalidInput(f"these hours cannot be: {error} / 时间过短，请重新填写") from None
        if not network.vehicles:
            raise Conflict(
                f"no vehicle would be left on {day}; close the day instead / {day} 将没有任何车辆，请改为停收该日"
            )
        open_before, open_after = (facts.calendar.is_service_day(day) for facts in (before, after))
        different = different or open_before != open_after or _differ(before, after, day)
    if not different:
        raise Conflict("these days are like this already; see GET /day-changes / 这些日期已是如此，无需重复登记")


def _differ(before: District, after: District, day: date) -> bool:
    old, new = before.network_on(day), after.network_on(day)
    return old is not new and (
        shifts_by_vehicle(old) != shifts_by_vehicle(new)
        or {key: one.open_s for key, one in old.stations.items()}
        != {key: one.open_s for key, one in new.stations.items()}
    )


def _work_in(
    first: date, last: date, number: int, before: District, after: District, *, session: Session, now: datetime
) -> list[Booking]:
    """Work a change into the routes of its days, under their locks; the bookings it leaves without a place."""
    horizon = service_day(now) + timedelta(days=after.booking_rules.horizon_days + 1)
    days = [first + timedelta(days=ahead) for ahead in range((min(last, horizon) - first).days + 1)]
    hit: list[UUID] = []
    with changing(session, days, district=after, now=now, even_closed=True) as drafts:
        note_change(session, days, number=number)
        for day in days:
            if not after.calendar.is_service_day(day):
                wanted = select(Booking.id).where(Booking.day == day, Booking.state.in_(PROMISED))
                hit += session.scalars(wanted)
            elif drafts[day].state.closed:
                hit += _published_with(_changed_vehicles(before, after, day), day, session)
            elif _differ(before, after, day):
                hit += (UUID(key) for key in drafts[day].place_anew(session))
    found = session.scalars(select(Booking).where(Booking.id.in_(hit)).order_by(Booking.day, Booking.id))
    return list(found)


def _changed_vehicles(before: District, after: District, day: date) -> set[str]:
    if not _differ(before, after, day):
        return set()
    old, new = (shifts_by_vehicle(facts.network_on(day)) for facts in (before, after))
    return {key for key, shift in old.items() if new.get(key) != shift}


def _published_with(vehicles: Collection[str], day: date, session: Session) -> Sequence[UUID]:
    """The open bookings that the published plan of a day gives to vehicles: the day is to be planned again."""
    wanted = (
        select(Booking.id)
        .join(RouteStop, RouteStop.booking_id == Booking.id)
        .join(Route, Route.id == RouteStop.route_id)
        .join(PublishedPlan, PublishedPlan.plan_id == Route.plan_id)
        .where(PublishedPlan.day == day, Booking.state == "booked", Route.vehicle_key.in_(sorted(vehicles)))
    )
    return session.scalars(wanted).all() if vehicles else ()


def _refuse_hit(hit: Sequence[Booking], change: DayChange, *, even_unplaced: bool) -> None:
    closing = change.kind in CALENDAR_KINDS
    if not hit or (even_unplaced and not closing):
        return
    days = sorted({booking.day for booking in hit})
    what_en, what_zh = (
        ("move or cancel them with their residents first", "请先与居民联系改期或取消")
        if closing
        else (
            "call their residents, or record it with even_unplaced and plan the day again",
            "请联系居民改期，或确认仍要登记，随后重新排线",
        )
    )
    raise PromisesInTheWay(
        f"{len(hit)} promises on {', '.join(map(str, days))} have no place then; {what_en}"
        f" / 有 {len(hit)} 个预约（{'、'.join(map(str, days))}）将无法安排：{what_zh}",
        bookings=[
            {
                "booking_id": str(booking.id), "day": str(booking.day), "pickup_window": booking.pickup_window,
                "state": booking.state,
            }
            for booking in hit[:MOST_LISTED]
        ],
        can_stand=not closing,
    )  # fmt: skip
