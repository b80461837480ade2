"""How long a collector's sign-in lasts, and on how many devices at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from recycling.clock import service_day
from recycling.policy.checks import check_range
from recycling.policy.network import Network
from recycling.policy.service_calendar import ServiceCalendar
from recycling.units import instant_at


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRule:
    """What holds for the devices of collectors.

    Parameters
    ----------
    most_per_collector
        Devices that one collector may be signed in on at a time.
    margin_s
        Seconds after the end of the shift until the sign-in ends; also its length outside of shifts.
    """

    most_per_collector: int
    margin_s: int

    def __post_init__(self) -> None:
        check_range("most_per_collector", self.most_per_collector, least=1, most=10)
        check_range("margin_s", self.margin_s, least=600, most=43_200)

    def sign_in_ends_at(
        self, collector_key: str, *, network: Network, calendar: ServiceCalendar, now: datetime
    ) -> datetime:
        """When a sign-in that a collector opens now ends by itself.

        The margin after the end of the last shift of their vehicle on this service day. Without a shift to come, after
        it, on a day without service or with a key that has left the configuration, the margin from now: long enough to
        send what a phone still holds.
        """
        shift_ends_at = _shift_ends_at(collector_key, network=network, calendar=calendar, now=now)
        return max(now, shift_ends_at or now) + timedelta(seconds=self.margin_s)


def _shift_ends_at(
    collector_key: str, *, network: Network, calendar: ServiceCalendar, now: datetime
) -> datetime | None:
    rider, day = network.collectors.get(collector_key), service_day(now)
    if rider is None or not calendar.is_service_day(day):
        return None
    shifts = (network.shift_patterns[one.shift_key] for one in network.crew_of(rider.vehicle_key))
    return instant_at(day, max(shift.ends_s for shift in shifts))
