"""Invariants of limits on live bookings and of no-shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.booking import PROMISED, Booking
from recycling.models.limits import LiveCount, LiveItem, NoShow, address_digest
from recycling.usecases.queries.invariants.deciding import deciding_events
from recycling.usecases.queries.invariants.rule import MOST_ROWS, Breaches, invariant

NO_SHOW_REASONS = ("nobody_home",)  # written out here: checks share nothing with what they check


@invariant("I-4", "限额占用 = 有效预约 / a live booking has each of its items at its door and day, nobody else has any")
def live_items_are_of_live_bookings(session: Session, now: datetime) -> Breaches:
    """Items of live bookings without their row, rows of other bookings, and rows at another door or day.

    A booking has those of all its visits; institutions, who give away by the dozen, have no limits. One whose day is
    long over gives its limits back without an outcome: it may have all of its rows or none.
    """
    kept: dict[UUID, set[tuple[str, date, str]]] = {}
    for row in session.execute(select(LiveItem.booking_id, LiveItem.address_digest, LiveItem.day, LiveItem.item_type)):
        kept.setdefault(row.booking_id, set()).add((row.address_digest, row.day, row.item_type))
    found: list[Sequence[Any]] = []
    limited = (Booking.made_up.is_(False), func.coalesce(Booking.consent, "") != "institution")
    live = select(Booking).where(Booking.state.in_(PROMISED), *limited, Booking.part_of.is_(None))
    further: dict[UUID | None, list[Booking]] = {}
    for part in session.scalars(select(Booking).where(Booking.part_of.is_not(None))):
        further.setdefault(part.part_of, []).append(part)
    for booking in session.scalars(live.order_by(Booking.id)):
        door = address_digest(booking.place["address"], booking.village_code)
        asked = [item for visit in (booking, *further.get(booking.id, ())) for item in visit.items]
        wanted = {(door, booking.day, item.item_type) for item in asked if item.declared_units}
        has = kept.pop(booking.id, set())
        released = not has and booking.day < service_day(now)
        if has != wanted and not released:
            found.append((booking.id, booking.day, len(wanted), len(has)))
    found += [(booking_id, "not live") for booking_id in sorted(kept)]
    return found[:MOST_ROWS]


@invariant("I-4", "限额计数 = 有效预约数 / each counter is the live bookings of its resident or address")
def live_counts_are_live_bookings(session: Session, _now: datetime) -> Breaches:
    """Counters that are not the number of bookings with limits, and bookings that no counter counts."""
    counted: dict[str, set[UUID]] = {}
    having = select(LiveItem.address_digest, LiveItem.booking_id, Booking.resident_id)
    for digest, booking_id, resident_id in session.execute(
        having.join(Booking, Booking.id == LiveItem.booking_id)
    ):  # fmt: skip
        counted.setdefault(f"address:{digest}", set()).add(booking_id)
        counted.setdefault(f"resident:{resident_id}", set()).add(booking_id)
    used = {row.scope: row.used for row in session.execute(select(LiveCount.scope, LiveCount.used))}
    wrong = [
        (scope, used.get(scope), len(counted.get(scope, ())))
        for scope in sorted(used.keys() | counted.keys())
        if used.get(scope, 0) != len(counted.get(scope, ()))
    ]
    return wrong[:MOST_ROWS]


@invariant("I-10", "爽约 = 无人应答的结果 / a no-show is a booking whose last event found nobody home, counted once")
def no_shows_are_outcomes(session: Session, _now: datetime) -> Breaches:
    """No-shows that the last event does not tell of or of another resident or day, and such outcomes not kept."""
    decisive = deciding_events(session)
    empty = [key for key, event in decisive.items() if event["kind"] == "failed" and event["reason"] in NO_SHOW_REASONS]
    told = {
        (booking_id, resident_id, day)
        for booking_id, resident_id, day in session.execute(
            select(Booking.id, Booking.resident_id, Booking.day).where(
                Booking.id.in_(empty), Booking.state == "failed", Booking.made_up.is_(False)
            )
        )
    }
    kept = {tuple(row) for row in session.execute(select(NoShow.booking_id, NoShow.resident_id, NoShow.day))}
    return [(booking_id, day) for booking_id, _, day in sorted(told ^ kept)][:MOST_ROWS]
