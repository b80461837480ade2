"""Invariants of the running day: no place of a van without somebody who waits for it, and windows judged rightly."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, case, exists, or_, select
from sqlalchemy.orm import Session

from recycling.models.booking import Booking
from recycling.models.field import FieldEvent
from recycling.models.kept_window import KeptWindow
from recycling.models.position import VehiclePosition
from recycling.usecases.queries.invariants.rule import Breaches, invariant, rows

LEFT = ("arrive", "start", "collected", "partly", "failed", "shift_end")
LOOKED_AFTER = timedelta(minutes=10)  # a watcher that looks every two minutes has been there long ago


@invariant("I-33", "位置只在途中 / a van's place is kept only on the way to a booking that waits for it")
def positions_lead_to_a_booking(session: Session, _now: datetime) -> Breaches:
    """Places of vehicles that did not set out for the booking they name, or that has its outcome."""
    place, event = VehiclePosition, FieldEvent
    set_out = exists().where(
        event.vehicle_key == place.vehicle_key, event.booking_id == place.booking_id, event.kind == "on_the_way"
    )
    over = Booking.state.in_(("collected", "partly_collected", "failed"))
    wanted = select(place.vehicle_key, place.booking_id).join(Booking, Booking.id == place.booking_id)
    return rows(session, wanted.where(or_(~set_out, over)))


@invariant("I-33", "位置按时删除 / a van's place is gone minutes after it arrived or fell silent", by_clock=True)
def positions_are_forgotten(session: Session, now: datetime) -> Breaches:
    """Places whose time was over minutes ago, or whose vehicle said then that it has arrived or gone home."""
    place, event, since = VehiclePosition, FieldEvent, now - LOOKED_AFTER
    arrived = exists().where(
        event.vehicle_key == place.vehicle_key, event.kind.in_(LEFT), event.made_at >= place.made_at,
        event.received_at < since, ~event.quarantined,
    )  # fmt: skip
    return rows(session, select(place.vehicle_key, place.made_at).where(or_(place.kept_until < since, arrived)))


@invariant("I-34", "履约账与预约相符 / a judged window is its booking's, and its lateness what its start says")
def windows_are_judged_by_their_start(session: Session, _now: datetime) -> Breaches:
    """Judged windows of another day or village than their booking, and lateness that does not follow from the start."""
    window = KeptWindow
    late_s = case(
        (window.started_s > window.closes_s, window.started_s - window.closes_s),
        (window.started_s < window.opens_s, window.started_s - window.opens_s),
        else_=0,
    )
    wrong = or_(
        Booking.day != window.day,
        Booking.village_code != window.village_code,
        Booking.pickup_window != window.pickup_window,
        and_(window.started_s.is_not(None), window.late_s != late_s),
        and_(window.cause == "late", window.late_s <= 0),
        and_(window.cause == "early", window.late_s >= 0),
    )
    wanted = select(window.booking_id, window.late_s, window.cause).join(Booking, Booking.id == window.booking_id)
    return rows(session, wanted.where(wrong))
