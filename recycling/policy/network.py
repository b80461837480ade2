"""The district's collection network: town-level units, villages, stations, vehicles, crews and bookable windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from recycling.errors import ConfigError
from recycling.policy.checks import check_known, check_opening, check_range
from recycling.policy.fleet import TWO_PERSON_LIFT, Collector, Shift, ShiftPattern, Vehicle, VehicleClass
from recycling.units import ClockTime

Thing = TypeVar("Thing")

TIERS = frozenset({"collection_point", "transfer_station", "sorting_centre"})
SITINGS = frozenset({"indicative", "registered"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TownUnit:
    """One of the ten town-level units; also the key of its service area.

    Parameters
    ----------
    code
        Nine-digit division code.
    seat_lat, seat_lon
        Approximate seat in WGS-84 degrees, rounded to about 1 km.
    in_remit
        Whether the bureau serves the unit; ``None`` until the bureau has said so.
    """

    key: str
    code: str
    name_zh: str
    name_en: str
    seat_lat: float
    seat_lon: float
    in_remit: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Village:
    """A village or community, by its twelve-digit division code."""

    code: str
    name_zh: str
    town_key: str

    @property
    def is_rural(self) -> bool:
        """Whether villagers govern it (村委会), and not residents (居委会): so far the only word on it that we have."""
        return self.name_zh.endswith(("村委会", "村民委员会"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A recycling station: depot, weigh-in and unload point of one service area.

    Parameters
    ----------
    key
        Key of the town-level unit it serves.
    lat, lon
        WGS-84 degrees.
    siting
        ``indicative`` until the bureau's register gives the address, then ``registered``.
    tier
        ``collection_point``, ``transfer_station`` or ``sorting_centre``.
    opens_s, closes_s
        Seconds after midnight; vehicles start, unload and end inside.
    unload_s
        Seconds one unloading takes.
    can_unload
        Whether vehicles may unload here on the way.
    intake_limit_g, intake_limit_l
        Most the station takes in a day; both set or both ``None``.
    storage_limit_g
        Most that may lie in stock there; ``None`` for no limit. Goods that are there are weighed in all the same.
    """

    key: str
    name_zh: str
    name_en: str
    lat: float
    lon: float
    siting: str
    tier: str
    opens_s: ClockTime
    closes_s: ClockTime
    unload_s: int
    can_unload: bool
    intake_limit_g: int | None = None
    intake_limit_l: int | None = None
    storage_limit_g: int | None = None

    def __post_init__(self) -> None:
        check_known("siting", {self.siting}, SITINGS)
        check_known("tier", {self.tier}, TIERS)
        check_opening("station", self.opens_s, self.closes_s)
        check_range("unload_s", self.unload_s, least=0, most=self.closes_s - self.opens_s)
        if (self.intake_limit_g is None) != (self.intake_limit_l is None):
            raise ValueError("intake_limit_g and intake_limit_l are given together or not at all")
        for name, limit in (("intake_limit_g", self.intake_limit_g), ("intake_limit_l", self.intake_limit_l)):
            if limit is not None:
                check_range(name, limit, least=0)
        if self.storage_limit_g is not None:
            check_range("storage_limit_g", self.storage_limit_g, least=1)

    @property
    def open_s(self) -> tuple[int, int]:
        """Opening interval in seconds after midnight, closed at both ends."""
        return self.opens_s, self.closes_s

    @property
    def intake_limit(self) -> tuple[int, int] | None:
        """Most grams and litres taken in a day, or ``None`` for no limit."""
        if self.intake_limit_g is None or self.intake_limit_l is None:
            return None
        return self.intake_limit_g, self.intake_limit_l


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupWindow:
    """A bookable interval of the service day in which service starts.

    Parameters
    ----------
    opens_s, closes_s
        First and last second at which service may start, both inclusive.
    all_day
        Whether this is the window without a promised part of the day.
    """

    key: str
    name_zh: str
    name_en: str
    opens_s: ClockTime
    closes_s: ClockTime
    all_day: bool = False

    def __post_init__(self) -> None:
        check_opening("window", self.opens_s, self.closes_s)

    @property
    def window_s(self) -> tuple[int, int]:
        """The interval in seconds after midnight, closed at both ends."""
        return self.opens_s, self.closes_s


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelEstimate:
    """How travel is estimated without a road engine.

    Parameters
    ----------
    factor
        Road distance over great-circle distance.
    speed_kmh
        Mean driving speed.
    """

    factor: float
    speed_kmh: float

    def __post_init__(self) -> None:
        for name, value, most in (("factor", self.factor, 10), ("speed_kmh", self.speed_kmh, 200)):
            if not 0 < value <= most:
                raise ValueError(f"{name} = {value} must be above 0 and at most {most}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Everything that stands or drives, each by its key in the order of the configuration.

    Notes
    -----
    A service area carries the key of its town-level unit, and so does the station that serves it.
    """

    towns: Mapping[str, TownUnit]
    villages: Mapping[str, Village]
    stations: Mapping[str, Station]
    vehicle_classes: Mapping[str, VehicleClass]
    vehicles: Mapping[str, Vehicle]
    shift_patterns: Mapping[str, ShiftPattern]
    collectors: Mapping[str, Collector]
    pickup_windows: Mapping[str, PickupWindow]
    travel: TravelEstimate

    def villages_of(self, town_key: str) -> tuple[Village, ...]:
        """The villages and communities of one town-level unit."""
        return tuple(village for village in self.villages.values() if village.town_key == town_key)

    def pickup_window(self, key: str) -> PickupWindow:
        """A window that a booking names.

        Raises
        ------
        ConfigError
            When the configuration no longer has it.
        """
        return _named(self.pickup_windows, key, "pickup window")

    def village(self, code: str) -> Village:
        """A village or community that a booking names.

        Raises
        ------
        ConfigError
            When the configuration no longer has it.
        """
        return _named(self.villages, code, "village")

    def vehicles_of(self, station_key: str) -> tuple[Vehicle, ...]:
        """The vehicles at home at a station."""
        return tuple(vehicle for vehicle in self.vehicles.values() if vehicle.station_key == station_key)

    def crew_of(self, vehicle_key: str) -> tuple[Collector, ...]:
        """The collectors who ride on a vehicle."""
        return tuple(collector for collector in self.collectors.values() if collector.vehicle_key == vehicle_key)

    def shift_of(self, vehicle_key: str) -> Shift:
        """The working day of one vehicle and its crew.

        Raises
        ------
        KeyError
            When the vehicle is unknown.
        ValueError
            When nobody rides on it, or its crew keep different hours.
        """
        vehicle = self.vehicles[vehicle_key]
        vehicle_class = self.vehicle_classes[vehicle.class_key]
        crew = self.crew_of(vehicle_key)
        patterns = {collector.shift_key for collector in crew}
        if len(patterns) != 1:
            found = ", ".join(sorted(patterns)) or "no crew"
            raise ValueError(f"vehicle {vehicle_key!r} needs a crew on one common shift; found {found}")
        pattern = self.shift_patterns[patterns.pop()]
        skills = set(vehicle_class.skills).union(*(collector.skills for collector in crew))
        if sum(TWO_PERSON_LIFT in collector.skills for collector in crew) < 2:
            skills.discard(TWO_PERSON_LIFT)
        return Shift(
            vehicle=vehicle,
            vehicle_class=vehicle_class,
            crew=crew,
            skills=tuple(sorted(skills)),
            shift_s=(pattern.starts_s, pattern.ends_s),
            break_window_s=(pattern.break_opens_s, pattern.break_closes_s),
            break_duration_s=pattern.break_s,
        )

    def shifts(self) -> tuple[Shift, ...]:
        """The working day of every vehicle, in the order of the vehicles."""
        return tuple(self.shift_of(key) for key in self.vehicles)


def _named(things: Mapping[str, Thing], key: str, kind: str) -> Thing:
    found = things.get(key)
    if found is None:
        raise ConfigError(
            f"config/district has no {kind} {key!r} any more, but bookings name it; put it back until their day is over"
        )
    return found
