"""How much of a service day may be promised in one area, derived from the fleet that is at home there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recycling.policy.checks import BP
from recycling.policy.fleet import Shift
from recycling.policy.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCapacity:
    """Limits of one area on one service day.

    Parameters
    ----------
    places
        Bookings per pickup window, by window key; the all-day window has its own.
    service_s, mass_g, litres
        Sums over all bookings of the day: seconds at doors, grams, litres.
    """

    area: str
    places: Mapping[str, int]
    service_s: int
    mass_g: int
    litres: int


def area_capacity(network: Network, area: str) -> AreaCapacity:
    """Derive what one area may promise.

    Parameters
    ----------
    network
        Fleet, windows and the rule to count with.
    area
        Key of a town-level unit.

    Returns
    -------
    AreaCapacity
        All figures rounded down.

    Raises
    ------
    KeyError
        When no station serves the area.

    Notes
    -----
    Work = shift - break - trips x (unloading + way to the station and back). The day's seconds are the part of it
    spent at doors. Places of a window = seconds of the window inside the shifts / ``stop_cycle_s``, without the share
    kept for the all-day window; that one gets its share of all work. Grams and litres = capacity x trips x fill, never
    above the station's intake limit. Borrowing vehicles from other areas is the planner's reserve and is not promised.
    """
    station, rule = network.stations[area], network.capacity_rule
    shifts = [network.shift_of(vehicle.key) for vehicle in network.vehicles_of(area)]
    trip_s = station.unload_s + rule.return_s
    work_s = sum(max(0, _shift_s(shift) - rule.trips_per_shift * trip_s) for shift in shifts)
    places = {}
    for key, window in network.pickup_windows.items():
        if window.all_day:
            seconds, share_bp = work_s, rule.all_day_share_bp
        else:
            seconds, share_bp = sum(_overlap_s(window.window_s, shift.shift_s) for shift in shifts), BP
            share_bp -= rule.all_day_share_bp
        places[key] = seconds * share_bp // (BP * rule.stop_cycle_s)
    filled = rule.trips_per_shift * rule.fill_bp
    mass_g = sum(shift.vehicle_class.capacity_g for shift in shifts) * filled // BP
    litres = sum(shift.vehicle_class.capacity_l for shift in shifts) * filled // BP
    if station.intake_limit is not None:
        mass_g, litres = min(mass_g, station.intake_limit[0]), min(litres, station.intake_limit[1])
    return AreaCapacity(
        area=area,
        places=places,
        service_s=work_s * rule.service_share_bp // BP,
        mass_g=mass_g,
        litres=litres,
    )


def _shift_s(shift: Shift) -> int:
    start_s, end_s = shift.shift_s
    return end_s - start_s - shift.break_duration_s


def _overlap_s(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))
