"""Vehicles, the people on them and their hours."""

from __future__ import annotations

from dataclasses import dataclass

from recycling.policy.checks import check_known, check_opening, check_range
from recycling.units import ClockTime

TWO_PERSON_LIFT = "two-person-lift"
UPRIGHT = "upright"
DISMANTLING = "dismantling"
REFRIGERANT = "refrigerant"
GAS_FITTING = "gas-fitting"
SKILLS = frozenset({TWO_PERSON_LIFT, UPRIGHT, DISMANTLING, REFRIGERANT, GAS_FITTING})
# As a crew reads what a stop asks of them.
SKILL_WORDS = {
    TWO_PERSON_LIFT: ("双人搬运", "two-person lift"),
    UPRIGHT: ("直立装运", "carried upright"),
    DISMANTLING: ("拆装", "taking apart"),
    REFRIGERANT: ("制冷剂作业", "refrigerant work"),
    GAS_FITTING: ("燃气拆移", "gas disconnection"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleClass:
    """What vehicles of one kind carry and cost.

    Parameters
    ----------
    capacity_g, capacity_l
        Payload in grams and load space in litres.
    skills
        What the vehicle itself can do, e.g. carry a fridge standing (``upright``).
    fixed_cost, cost_per_travel_s, cost_per_m, overtime_cost_per_s
        Integers in the planner's cost unit (one second of driving costs 1).
    max_overtime_s
        Seconds a route may run past the end of the shift.
    """

    key: str
    name_zh: str
    name_en: str
    capacity_g: int
    capacity_l: int
    skills: tuple[str, ...]
    fixed_cost: int
    cost_per_travel_s: int
    cost_per_m: int
    max_overtime_s: int
    overtime_cost_per_s: int

    def __post_init__(self) -> None:
        check_range("capacity_g", self.capacity_g, least=1)
        check_range("capacity_l", self.capacity_l, least=1)
        check_known("skills", set(self.skills), SKILLS)
        for name in ("fixed_cost", "cost_per_travel_s", "cost_per_m", "max_overtime_s", "overtime_cost_per_s"):
            check_range(name, getattr(self, name), least=0)

    @property
    def capacity(self) -> tuple[int, int]:
        """Grams and litres, in the order of the planner's load units."""
        return self.capacity_g, self.capacity_l


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """One vehicle: its class and home station; its number plate where a weighbridge reads it."""

    key: str
    class_key: str
    station_key: str
    plate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftPattern:
    """Working hours that collectors share.

    Parameters
    ----------
    starts_s, ends_s
        Seconds after midnight.
    break_opens_s, break_closes_s
        Interval in which the break starts.
    break_s
        Length of the break in seconds.
    """

    key: str
    starts_s: ClockTime
    ends_s: ClockTime
    break_opens_s: ClockTime
    break_closes_s: ClockTime
    break_s: int

    def __post_init__(self) -> None:
        check_opening("shift", self.starts_s, self.ends_s)
        check_opening("break", self.break_opens_s, self.break_closes_s)
        check_range("break_s", self.break_s, least=0, most=self.ends_s - self.starts_s)
        if self.break_opens_s < self.starts_s or self.break_closes_s + self.break_s > self.ends_s:
            raise ValueError(f"the break of shift {self.key!r} does not fit inside the shift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """A crew member: skills, shift pattern and the vehicle they ride on."""

    key: str
    name_zh: str
    name_en: str
    skills: tuple[str, ...]
    shift_key: str
    vehicle_key: str

    def __post_init__(self) -> None:
        check_known("skills", set(self.skills), SKILLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One vehicle with its crew on a service day, in the planner's terms.

    Parameters
    ----------
    skills
        Those of the vehicle class and of the crew together. ``two-person-lift`` is among them only when two of the
        crew hold it: one person is never sent to carry a fridge.
    shift_s, break_window_s
        Closed intervals in seconds after midnight.
    break_duration_s
        Seconds.
    """

    vehicle: Vehicle
    vehicle_class: VehicleClass
    crew: tuple[Collector, ...]
    skills: tuple[str, ...]
    shift_s: tuple[int, int]
    break_window_s: tuple[int, int]
    break_duration_s: int
