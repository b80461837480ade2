"""Dated changes (日期变更) of fleet, crews, station hours and service days, on top of what the files say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal, get_args

from recycling.policy.checks import check_opening, check_range
from recycling.policy.fleet import Collector, Shift, ShiftPattern
from recycling.policy.network import Network
from recycling.policy.service_calendar import DayOverride

ChangeKind = Literal[
    "vehicle_out", "collector_away", "other_vehicle", "shift_moved", "station_hours", "day_closed", "day_opened"
]
CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
CALENDAR_KINDS: tuple[ChangeKind, ...] = ("day_closed", "day_opened")
# What each kind names: these fields and no others.
NAMED: Mapping[ChangeKind, frozenset[str]] = {
    "vehicle_out": frozenset({"vehicle_key"}),
    "collector_away": frozenset({"collector_key"}),
    "other_vehicle": frozenset({"collector_key", "vehicle_key"}),
    "shift_moved": frozenset({"vehicle_key", "from_s", "to_s"}),
    "station_hours": frozenset({"station_key", "from_s", "to_s"}),
    "day_closed": frozenset(),
    "day_opened": frozenset(),
}
LONGEST_DAYS = 366  # of one change; a vehicle that is away for longer leaves the files
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChange:
    """What is different on the days of a span, both ends included.

    Parameters
    ----------
    number
        Which edit of all changes it is as it stands now; a later one wins over an earlier one of the same thing.
    from_s, to_s
        The hours of a moved shift or of a station, in seconds after midnight.
    ends_on
        The first day on which it no longer holds, when it was ended; its span stays as it was recorded.

    Raises
    ------
    ValueError
        When the span or the hours are impossible, or it names what its kind does not.
    """

    kind: ChangeKind
    first_day: date
    last_day: date
    number: int = 0
    vehicle_key: str | None = None
    collector_key: str | None = None
    station_key: str | None = None
    from_s: int | None = None
    to_s: int | None = None
    reason: str = ""
    ends_on: date | None = None

    def __post_init__(self) -> None:
        names = ("vehicle_key", "collector_key", "station_key", "from_s", "to_s")
        given = {name for name in names if getattr(self, name) is not None}
        if given != NAMED[self.kind]:
            wanted = ", ".join(sorted(NAMED[self.kind])) or "nothing but its days"
            raise ValueError(f"a change {self.kind!r} names {wanted}; given: {', '.join(sorted(given)) or 'nothing'}")
        if not 0 <= (self.last_day - self.first_day).days < LONGEST_DAYS:
            raise ValueError(f"last_day {self.last_day} must lie 0 to {LONGEST_DAYS - 1} days after {self.first_day}")
        if self.from_s is not None and self.to_s is not None:
            check_range("to_s", self.to_s, least=1, most=DAY_S)
            check_opening(self.kind, self.from_s, self.to_s)

    def holds_on(self, day: date) -> bool:
        """Whether it makes a difference to a day."""
        return self.touches(day) and (self.ends_on is None or day < self.ends_on)

    def touches(self, day: date) -> bool:
        """Whether a day is of its span, ended or not."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class DayChangeBook:
    """All changes that people have recorded, ascending by number."""

    changes: tuple[DayChange, ...] = ()
    _networks: dict[tuple[DayChange, ...], Network] = field(default_factory=dict, compare=False, repr=False)

    def on(self, day: date) -> tuple[DayChange, ...]:
        """The changes that hold on a day."""
        return tuple(change for change in self.changes if change.holds_on(day))

    def newest_on(self, day: date) -> int:
        """The number of the newest change that concerns a day, ended ones too; 0 for none."""
        return max((change.number for change in self.changes if change.touches(day)), default=0)

    def network_on(self, network: Network, day: date) -> Network:
        """The network as it is on a day; the same object where no change holds. One book serves one network."""
        held = self.on(day)
        if not held:
            return network
        known = self._networks.get(held)
        if known is None:
            known = self._networks[held] = changed_network(network, held)
        return known

    def overrides(self) -> dict[date, DayOverride]:
        """By day, the calendar's changes, the newest winning."""
        found = {}
        for change in self.changes:
            if change.kind in CALENDAR_KINDS:
                for ahead in range((change.last_day - change.first_day).days + 1):
                    day = change.first_day + timedelta(days=ahead)
                    if change.holds_on(day):
                        found[day] = DayOverride(
                            day=day, is_working=change.kind == "day_opened", note=change.reason,
                            source=f"day_change/{change.number}",
                        )  # fmt: skip
        return found


def changed_network(network: Network, changes: tuple[DayChange, ...]) -> Network:
    """A network with changes worked in, in their sequence.

    A vehicle on which nobody is left stays at home.
    """
    vehicles, collectors = dict(network.vehicles), dict(network.collectors)
    stations, patterns = dict(network.stations), dict(network.shift_patterns)
    hours: dict[str, str] = {}  # by vehicle, the key of the pattern that its crew keeps
    for change in changes:
        if change.kind == "vehicle_out":
            vehicles.pop(change.vehicle_key or "", None)
        elif change.kind == "collector_away":
            collectors.pop(change.collector_key or "", None)
        elif change.kind == "other_vehicle" and change.collector_key in collectors and change.vehicle_key in vehicles:
            collectors[change.collector_key] = _on(collectors[change.collector_key], change.vehicle_key, network)
        elif change.kind == "shift_moved" and network.crew_of(change.vehicle_key or ""):
            usual = network.shift_patterns[network.crew_of(change.vehicle_key or "")[0].shift_key]
            moved = moved_shift(usual, from_s=change.from_s or 0, to_s=change.to_s or 0)
            patterns[moved.key] = moved
            hours[change.vehicle_key or ""] = moved.key
        elif change.kind == "station_hours" and change.station_key in stations:
            stations[change.station_key] = replace(
                stations[change.station_key], opens_s=change.from_s or 0, closes_s=change.to_s or 0
            )
    for key, rider in collectors.items():
        if rider.vehicle_key in hours:
            collectors[key] = replace(rider, shift_key=hours[rider.vehicle_key])
    ridden = {rider.vehicle_key for rider in collectors.values()}
    return replace(
        network,
        vehicles={key: vehicle for key, vehicle in vehicles.items() if key in ridden},
        collectors=collectors,
        stations=stations,
        shift_patterns=patterns,
    )


def moved_shift(usual: ShiftPattern, *, from_s: int, to_s: int) -> ShiftPattern:
    """A shift at other hours: its break as usual where that fits, else as near to it as can be; none in a short one."""
    latest = to_s - usual.break_s
    opens = min(max(usual.break_opens_s, from_s), latest - 1)
    closes = min(max(usual.break_closes_s, opens + 1), latest)
    fits = from_s <= opens < closes and usual.break_s * 4 <= to_s - from_s
    return ShiftPattern(
        key=f"{usual.key}@{from_s}-{to_s}", starts_s=from_s, ends_s=to_s,
        break_opens_s=opens if fits else from_s, break_closes_s=closes if fits else to_s,
        break_s=usual.break_s if fits else 0,
    )  # fmt: skip


def shifts_by_vehicle(network: Network) -> dict[str, Shift]:
    """The working day of each vehicle, to compare two networks by."""
    return {shift.vehicle.key: shift for shift in network.shifts()}


def _on(rider: Collector, vehicle_key: str, network: Network) -> Collector:
    """A collector on another vehicle, at the hours of its crew."""
    crew = network.crew_of(vehicle_key)
    return replace(rider, vehicle_key=vehicle_key, shift_key=crew[0].shift_key if crew else rider.shift_key)
