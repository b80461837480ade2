"""What a report is judged by besides its tickets (报告依据): scopes, goals, baselines, names, working days, as JSON.

A report keeps them, so that it can be worked out again when the configuration has long changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from recycling.policy.catalogue import Catalogue
from recycling.policy.district import District
from recycling.policy.provenance_interval import WeightErrors
from recycling.policy.scope import Baseline, Goal, GoalBook, Scope
from recycling.policy.service_calendar import DayOverride, ServiceCalendar

LISTS = ("groups", "givers", "channels", "area", "provenance")  # fields of a scope that JSON turns into lists


@dataclass(frozen=True, slots=True)
class KeptCalendar(ServiceCalendar):
    """The working days of a year as they were known when a report was made; its swap days may be fixed later."""

    provisional: bool = False

    def is_provisional(self, year: int) -> bool:
        """Tell what was known then."""
        return self.provisional


def pack_ground(district: District, *, last: date) -> dict[str, Any]:
    """Everything configured that a report up to a day is judged by, as JSON values."""
    book = district.goals
    scopes = book.current_scopes()
    labels = {scope.label for scope in scopes}
    year_end = date(last.year, 12, 31)
    days = [last + timedelta(days=ahead) for ahead in range((year_end - last).days + 1)]
    return {
        "scopes": [_listed(asdict(scope)) for scope in scopes],
        "goals": [asdict(goal) for goal in book.goals],
        "baselines": [
            asdict(base) | {"confirmed_on": base.confirmed_on.isoformat() if base.confirmed_on is not None else None}
            for base in book.baselines
            if f"{base.scope_key}/{base.scope_version}" in labels
        ],
        "item_types": {
            key: {"name_zh": kind.name_zh, "name_en": kind.name_en, "group": kind.group}
            for key in sorted({row.key for row in district.catalogue.rows})
            for kind in [district.catalogue.latest(key)]
        },
        "towns": {key: {"name_zh": town.name_zh, "name_en": town.name_en} for key, town in _towns(district)},
        "stations": sorted(district.network.stations),
        "weight_errors": asdict(district.weight_errors),
        "calendar": {
            "provisional": district.calendar.is_provisional(last.year),
            "working_days": [day.isoformat() for day in days if district.calendar.is_working_day(day)],
        },
    }


def kept_district(inputs: Mapping[str, Any], *, last: date, district: District) -> District:
    """The district with everything that `pack_ground` kept as it was kept."""
    working = {date.fromisoformat(day) for day in inputs["calendar"]["working_days"]}
    days = [last + timedelta(days=ahead) for ahead in range((date(last.year, 12, 31) - last).days + 1)]
    known = {day: DayOverride(day=day, is_working=day in working, note="", source="kept") for day in days}
    network = district.network
    any_town = next(iter(network.towns.values()))
    towns = {key: replace(network.towns.get(key, any_town), key=key, **names) for key, names in inputs["towns"].items()}
    return replace(
        district,
        goals=GoalBook(
            scopes=tuple(Scope(**_tupled(row)) for row in inputs["scopes"]),
            goals=tuple(Goal(**row) for row in inputs["goals"]),
            baselines=tuple(Baseline(**_dated(row)) for row in inputs["baselines"]),
        ),
        calendar=KeptCalendar(known, provisional=inputs["calendar"]["provisional"]),
        catalogue=_kept_catalogue(inputs["item_types"], district.catalogue),
        network=replace(network, towns=towns),
        weight_errors=WeightErrors(**inputs["weight_errors"]),
    )


def _kept_catalogue(kept: Mapping[str, Mapping[str, Any]], catalogue: Catalogue) -> Catalogue:
    """One row for each item type: as it is configured, or any other's where it is no more; names and group as kept."""
    known = {row.key: row for row in catalogue.rows}
    any_row = catalogue.rows[0]
    return Catalogue(tuple(replace(known.get(key, any_row), key=key, **words) for key, words in kept.items()))


def _towns(district: District) -> list[tuple[str, Any]]:
    return sorted(district.network.towns.items())


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: list(row[name]) for name in LISTS}


def _tupled(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) | {name: tuple(row[name]) for name in LISTS}


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    confirmed_on = row["confirmed_on"]
    return dict(row) | {"confirmed_on": None if confirmed_on is None else date.fromisoformat(confirmed_on)}
