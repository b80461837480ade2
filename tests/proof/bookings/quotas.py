"""Bookings by quota: places, seconds and loads per area, day and window, derived from the fleet. A control.

This is what the application did before its promises were places in routes, and what booking systems commonly do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from recycling.policy.fleet import Shift
from recycling.policy.network import Network
from recycling.policy.service_time import StopNeed

STOP_CYCLE_S = 1500  # 25 minutes from door to door
TRIPS = 2  # of a vehicle in a shift
RETURN_S = 600  # to the station and back, once a trip
SERVICE_SHARE, FILL, ALL_DAY_SHARE = 0.70, 0.85, 0.25  # of working time at doors, of capacity, of places


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one area may promise on one day."""

    places: Mapping[str, int]
    service_s: int
    load: tuple[int, int]


class Quotas:
    """One day's counters, all areas; ``size`` makes every limit so many times as large."""

    def __init__(self, network: Network, *, size: float = 1.0) -> None:
        self._limits = {area: limits_of(network, area, size=size) for area in network.stations}
        self._places: Counter[tuple[str, str]] = Counter()
        self._service_s: Counter[str] = Counter()
        self._load: dict[str, tuple[int, int]] = dict.fromkeys(network.stations, (0, 0))

    def open_windows(self, area: str, need: StopNeed) -> list[str]:
        """The windows that still take such a booking."""
        most, (grams, litres) = self._limits[area], self._load[area]
        fits = (
            self._service_s[area] + need.service_s <= most.service_s
            and grams + need.mass_g <= most.load[0]
            and litres + need.litres <= most.load[1]
        )
        return [key for key, places in most.places.items() if fits and self._places[area, key] < places]

    def take(self, area: str, window: str, need: StopNeed) -> None:
        """Count a booking."""
        self._places[area, window] += 1
        self._service_s[area] += need.service_s
        grams, litres = self._load[area]
        self._load[area] = (grams + need.mass_g, litres + need.litres)


def limits_of(network: Network, area: str, *, size: float = 1.0) -> Limits:
    """The limits of an area, from the vehicles at home there."""
    station = network.stations[area]
    shifts = [network.shift_of(vehicle.key) for vehicle in network.vehicles_of(area)]
    work_s = sum(max(0, _work_s(shift) - TRIPS * (station.unload_s + RETURN_S)) for shift in shifts)
    places = {}
    for key, window in network.pickup_windows.items():
        if window.all_day:
            seconds, share = work_s, ALL_DAY_SHARE
        else:
            opens, closes = window.window_s
            seconds = sum(max(0, min(s.shift_s[1], closes) - max(s.shift_s[0], opens)) for s in shifts)
            share = 1 - ALL_DAY_SHARE
        places[key] = int(size * seconds * share) // STOP_CYCLE_S
    load = [int(sum(s.vehicle_class.capacity[unit] for s in shifts) * TRIPS * FILL * size) for unit in (0, 1)]
    most = station.intake_limit or load
    return Limits(
        places=places, service_s=int(size * work_s * SERVICE_SHARE),
        load=(min(load[0], most[0]), min(load[1], most[1])),
    )  # fmt: skip


def _work_s(shift: Shift) -> int:
    return shift.shift_s[1] - shift.shift_s[0] - shift.break_duration_s
