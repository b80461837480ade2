"""Who does how much (工作量): a vehicle's day in figures, shared among its crew; the middle, and who is far from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median, quantiles

from recycling.policy.field_events import OUTCOMES, FieldKind, FieldRecord

MEASURES = (
    "worked_s", "driven_s", "stops", "carried_g", "storeys", "early_shifts", "late_shifts", "prices_down",
)  # fmt: skip
FEWEST = 5  # people of whom a middle is told: of fewer, each could work out the others' figures
FAR = 3.0  # standard deviations from the middle, by the median absolute deviation
MAD_TO_SD = 1.4826
ARRIVALS: frozenset[FieldKind] = frozenset({"arrive", "start", "unload", "break_start", "shift_end"})
DEPARTURES: frozenset[FieldKind] = frozenset({"shift_start", "unload", "break_end", *OUTCOMES})


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleDay:
    """One vehicle's day; times are everybody's on it, what is carried is shared.

    Parameters
    ----------
    crew
        Keys of the collectors who rode on it.
    recorded
        Whether it is what the crew recorded; else it is what was planned.
    carried_g
        Mass by the catalogue of the units taken on board.
    storeys
        Storeys climbed with a load, without a lift: each load counts.
    early, late
        Whether it began before the shift, or ended after it.
    prices_down
        By collector: prices recorded below what was estimated.
    """

    crew: tuple[str, ...]
    recorded: bool
    worked_s: int
    driven_s: int
    stops: int
    carried_g: int
    storeys: int
    early: bool
    late: bool
    prices_down: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The middle of a measure over collectors and the half around it."""

    median: int
    low: int
    high: int


def week_of(days: Iterable[VehicleDay]) -> dict[str, dict[str, int]]:
    """Each collector's week: every measure, and ``days`` and ``days_recorded``."""
    found: dict[str, dict[str, int]] = {}
    for day in days:
        for key in day.crew:
            own = found.setdefault(key, dict.fromkeys(("days", "days_recorded", *MEASURES), 0))
            own["days"] += 1
            own["days_recorded"] += day.recorded
            own["worked_s"] += day.worked_s
            own["driven_s"] += day.driven_s
            own["stops"] += day.stops
            own["carried_g"] += round(day.carried_g / len(day.crew))
            own["storeys"] += round(day.storeys / len(day.crew))
            own["early_shifts"] += day.early
            own["late_shifts"] += day.late
            own["prices_down"] += day.prices_down.get(key, 0)
    return dict(sorted(found.items()))


def spreads(weeks: Mapping[str, Mapping[str, int]]) -> dict[str, Spread] | None:
    """The middle of each measure over collectors; ``None`` of fewer than five."""
    if len(weeks) < FEWEST:
        return None
    return {measure: _spread([week[measure] for week in weeks.values()]) for measure in MEASURES}


def far_off(weeks: Mapping[str, Mapping[str, int]]) -> dict[str, list[str]]:
    """By collector, the measures in which they are far from the middle, up or down; who is not is missing."""
    found: dict[str, list[str]] = {}
    if len(weeks) < FEWEST:
        return found
    for measure in MEASURES:
        values = {key: week[measure] for key, week in weeks.items()}
        middle = median(values.values())
        reach = FAR * MAD_TO_SD * median(abs(value - middle) for value in values.values())
        for key, value in values.items():
            if reach and abs(value - middle) > reach:
                found.setdefault(key, []).append(measure)
    return found


def driven_s(standing: Sequence[FieldRecord]) -> int:
    """Seconds from leaving a place to the next, of records in their sequence; unloading counts to the way there."""
    total = 0.0
    left: datetime | None = None
    seen = set()
    for record in standing:
        if record.kind in ARRIVALS and left is not None:
            total += (record.made_at - left).total_seconds()
            left = None
        again = record.kind in OUTCOMES and record.booking_id in seen
        if record.kind in DEPARTURES and not again:  # an outcome put right later is no departure
            left = record.made_at
        if record.kind in OUTCOMES:
            seen.add(record.booking_id)
    return round(total)


def _spread(values: Sequence[int]) -> Spread:
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return Spread(median=round(middle), low=round(low), high=round(high))
