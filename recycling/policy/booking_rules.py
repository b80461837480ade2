"""When a service day can be booked, and until when a booking can be withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from recycling.clock import service_day
from recycling.policy.checks import check_range
from recycling.policy.service_calendar import ServiceCalendar
from recycling.units import ClockTime, instant_at


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRules:
    """Cut-offs on the calendar day before the service day, and how far ahead one may book.

    Parameters
    ----------
    horizon_days
        Last bookable day, counted from today.
    booking_cutoff_s, cancel_cutoff_s, plan_at_s
        Seconds after midnight of the day before: bookings end, withdrawals end, the day is planned. In this order, so
        that the plan sees a settled day.
    live_per_resident, live_per_address
        Bookings and holds not yet visited that one resident, and one address, may have at a time.
    """

    horizon_days: int
    booking_cutoff_s: ClockTime
    cancel_cutoff_s: ClockTime
    plan_at_s: ClockTime
    live_per_resident: int = 5
    live_per_address: int = 5

    def __post_init__(self) -> None:
        check_range("horizon_days", self.horizon_days, least=1, most=90)
        check_range("live_per_resident", self.live_per_resident, least=1, most=1000)
        check_range("live_per_address", self.live_per_address, least=1, most=1000)
        if not self.booking_cutoff_s <= self.cancel_cutoff_s <= self.plan_at_s:
            raise ValueError(
                f"the cut-offs {self.booking_cutoff_s}, {self.cancel_cutoff_s} and the planning clock {self.plan_at_s} "
                "must follow each other: booking, withdrawing, planning"
            )

    def booking_closes_at(self, day: date) -> datetime:
        """The UTC instant from which a service day takes no more bookings."""
        return instant_at(day - timedelta(days=1), self.booking_cutoff_s)

    def cancel_closes_at(self, day: date) -> datetime:
        """The UTC instant from which bookings of a service day cannot be withdrawn."""
        return instant_at(day - timedelta(days=1), self.cancel_cutoff_s)

    def bookable_days(self, *, now: datetime, calendar: ServiceCalendar) -> tuple[date, ...]:
        """List the service days that can be booked at an aware instant, nearest first."""
        days = (service_day(now) + timedelta(days=ahead) for ahead in range(1, self.horizon_days + 1))
        return tuple(day for day in days if self.is_bookable(day, now=now, calendar=calendar))

    def is_bookable(self, day: date, *, now: datetime, calendar: ServiceCalendar) -> bool:
        """Whether one day can be booked at an aware instant."""
        ahead = (day - service_day(now)).days
        return 1 <= ahead <= self.horizon_days and calendar.is_service_day(day) and now < self.booking_closes_at(day)
