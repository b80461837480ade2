"""Goal progress at the end of a day (目标进度): every scope apart, with its 口径, provenance and breakdowns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import Conflict, InvalidInput
from recycling.models.class_average import averages_on
from recycling.models.recovery import RecoveryDay
from recycling.models.transaction import see_one_state
from recycling.policy import goal_progress as policy
from recycling.policy.district import District
from recycling.policy.provenance_interval import AverageError, MassInterval, MassPart, average_error, mass_interval
from recycling.policy.scope import GIVERS, Baseline, Goal, Scope, WeighProvenance
from recycling.units import kg_text
from recycling.usecases.queries.balances import held_between
from recycling.usecases.reporting.in_force import with_baselines
from recycling.usecases.reporting.outflow import outflow_by_kind
from recycling.usecases.reporting.recovered_facts import Fact, MadeUpLine, facts_between, made_up_between

FIRST_DAY = date(2023, 1, 1)  # the goals' base year begins; nothing before it is asked of anybody

Figure = TypeVar("Figure", bound=Fact | MadeUpLine)


def goal_progress(on: date | None = None, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """Where every scope stands at the end of a local day (today, unless named), as JSON values.

    Raises
    ------
    InvalidInput
        When the day lies ahead, or before the base year of the goals.
    Conflict
        When a configured scope cannot be measured by weigh-in tickets.
    """
    day = check_asked(on, today=service_day(now))
    see_one_state(session)
    return progress_at(day, district=district, session=session)


def check_asked(on: date | None, *, today: date) -> date:
    """The day that figures are asked for, today when none is named.

    Raises
    ------
    InvalidInput
        When it lies ahead, or before the base year of the goals.
    """
    day = on or today
    if not FIRST_DAY <= day <= today:
        raise InvalidInput(
            f"on = {day}: figures exist from {FIRST_DAY} to today, {today}; choose a day between"
            f" / 可查询 {FIRST_DAY} 至 {today} 的数据"
        )
    return day


def progress_at(day: date, *, district: District, session: Session) -> dict[str, Any]:
    """The same for a day that may be asked for, in the transaction of the caller."""
    district = with_baselines(district, session=session)
    new_year = date(day.year, 1, 1)
    facts = facts_between(new_year, day, session=session)
    made_up = made_up_between(new_year, day, session=session)
    rolled_up_at = session.scalar(
        select(func.max(RecoveryDay.rolled_up_at)).where(RecoveryDay.day.between(new_year, day))
    )
    averages = average_errors(day, session=session)
    progress = progress_of(day, facts=facts, made_up=made_up, averages=averages, district=district)
    return progress | {
        "rolled_up_at": rolled_up_at.isoformat() if rolled_up_at is not None else None,
        "held": held_between(new_year, day, session=session),
        "outflow": outflow_by_kind(new_year, day, session=session),
    }


def progress_of(
    day: date,
    *,
    facts: Sequence[Fact],
    made_up: Sequence[MadeUpLine],
    averages: Mapping[str, AverageError],
    district: District,
) -> dict[str, Any]:
    """What the figures of a year up to a day say; a report hands in those of the tickets that it took in."""
    scopes = district.goals.current_scopes()
    for scope in scopes:
        _refuse_unmeasurable(scope)
    mine = {scope.key: counted(facts, scope, district=district) for scope in scopes}
    inside = {fact for found in mine.values() for fact in found}
    outside = [fact for fact in facts if fact not in inside]
    return {
        "on": day.isoformat(),
        "scopes": [
            _scope_report(scope, day, mine=mine[scope.key], made_up=made_up, averages=averages, district=district)
            for scope in scopes
        ],
        "outside_scopes": amounts(outside),
    }


def counted(figures: Iterable[Figure], scope: Scope, *, district: District) -> list[Figure]:
    """Those of some figures that lie inside a scope."""
    types = {kind.key for kind in district.catalogue.rows if scope.covers(kind.group)}
    channels, area, provenance = (frozenset(each) for each in (scope.channels, scope.area, scope.provenance))
    return [
        one
        for one in figures
        if one.item_type in types and one.channel in channels and one.town_key in area and one.provenance in provenance
    ]


def _refuse_unmeasurable(scope: Scope) -> None:
    """Refuse a scope that asks for something tickets do not tell: any figure under its name would be wrong."""
    if scope.counting_event != "station_weigh_in" or set(scope.givers) != GIVERS:
        raise Conflict(
            f"scope {scope.label} counts {scope.counting_event} of {', '.join(scope.givers)}; tickets tell the weigh-in"
            " at a station, of all givers together. Correct the scope in config/policy/goals.toml"
        )


def amounts(facts: Sequence[Fact]) -> dict[str, Any]:
    """Units and mass of some figures together."""
    return _shown(sum(fact.units for fact in facts), sum(fact.recovered_g for fact in facts))


def _shown(units: int, recovered_g: int) -> dict[str, Any]:
    return {"units": units, "recovered_g": recovered_g, "mass_text": kg_text(recovered_g)}


def _sums(facts: Iterable[Fact], key: Callable[[Fact], str]) -> Mapping[str, tuple[int, int]]:
    """Units and grams by one thing, in one turn: a year is thousands of figures, and each is asked for in many ways."""
    units: defaultdict[str, int] = defaultdict(int)
    recovered_g: defaultdict[str, int] = defaultdict(int)
    for fact in facts:
        of = key(fact)
        units[of] += fact.units
        recovered_g[of] += fact.recovered_g
    return {of: (units[of], recovered_g[of]) for of in units}


def average_errors(day: date, *, session: Session) -> dict[str, AverageError]:
    """How far the class averages in force on a day may be off, by item type: of several stations the worst."""
    found: dict[str, AverageError] = {}
    for row in averages_on(session, day):
        one = average_error(mean_g=row.mean_g, sd_g=row.sd_g, lines=row.lines)
        worst = found.get(row.item_type, one)
        found[row.item_type] = AverageError(
            shared_bp=max(one.shared_bp, worst.shared_bp), spread_bp=max(one.spread_bp, worst.spread_bp)
        )
    return found


def interval_of(facts: Iterable[Fact], *, averages: Mapping[str, AverageError], district: District) -> MassInterval:
    """Between which masses the true one of some figures lies, 95 times in 100."""
    # Added up first, what is below zero apart: the errors of what was taken off do not cancel those of what came in.
    sums: dict[tuple[str, str, bool, bool], list[int]] = {}
    for fact in facts:
        key = (fact.item_type, fact.provenance, fact.units < 0, fact.recovered_g < 0)
        one = sums.setdefault(key, [0, 0, 0])
        one[0] += fact.units
        one[1] += fact.recovered_g
        one[2] += fact.ticket_lines
    parts = (
        MassPart(item_type=item_type, provenance=WeighProvenance(source), units=units, mass_g=mass_g, lines=lines)
        for (item_type, source, *_), (units, mass_g, lines) in sums.items()
    )
    return mass_interval(parts, errors=district.weight_errors, averages=averages)


def _scope_report(
    scope: Scope,
    day: date,
    *,
    mine: Sequence[Fact],
    made_up: Sequence[MadeUpLine],
    averages: Mapping[str, AverageError],
    district: District,
) -> dict[str, Any]:
    # Tickets and not lines: one may hold several item types, of this scope and of others.
    tickets = len({line.id for line in counted(made_up, scope, district=district)})
    warnings = [f"含演示数据：{tickets} 张虚构磅单 / includes {tickets} made-up tickets"] if tickets else []
    sources = _sums(mine, attrgetter("provenance"))
    recovered = policy.Recovered(
        units=sum(units for units, _ in sources.values()),
        mass_by_provenance_g={WeighProvenance(source): mass_g for source, (_, mass_g) in sources.items()},
    )
    interval = interval_of(mine, averages=averages, district=district)
    found = policy.goal_progress(
        day, scope=scope, recovered=recovered, goals=district.goals, calendar=district.calendar
    )
    return {
        "scope": asdict(scope) | {"label": scope.label},
        "labels": [*warnings, *found.labels],
        "recovered": _shown(recovered.units, recovered.mass_g),
        "provenance": [asdict(share) for share in found.shares],
        "mass_low_g": interval.low_g,
        "mass_high_g": interval.high_g,
        "mass_interval_text": interval.text,
        "weighed_share_bp": found.weighed_share_bp,
        "elapsed_days": found.elapsed_days,
        "year_days": found.year_days,
        "elapsed_bp": found.elapsed_bp,
        "remaining_days": found.remaining_days,
        "remaining_working_days": found.remaining_working_days,
        "working_days_provisional": found.working_days_provisional,
        "goal": _goal(found.goal, found.baseline) if found.goal is not None else None,
        "baseline_state": found.baseline_state,
        "baseline": _baseline(found.baseline) if found.baseline is not None else None,
        "units_progress": asdict(found.units) if found.units is not None else None,
        "mass_progress": asdict(found.mass) if found.mass is not None else None,
        "goals": [
            _goal(goal, district.goals.baseline(scope, year=goal.baseline_year))
            for goal in district.goals.goals
            if goal.scope_key == scope.key
        ],
        "by_town": _by_town(scope, mine, district=district),
        "by_item_type": _by_item_type(mine, district=district),
    }


def _goal(goal: Goal, baseline: Baseline | None) -> dict[str, Any]:
    """A goal or milestone; its target only against a confirmed baseline."""
    confirmed = baseline if baseline is not None and baseline.confirmed else None

    def target(base: Callable[[Baseline], int]) -> int | None:
        return policy.target_of(base(confirmed), increase_bp=goal.increase_bp) if confirmed is not None else None

    return asdict(goal) | {
        "label": goal.label,
        "target_units": target(lambda base: base.units),
        "target_g": target(lambda base: base.mass_g),
    }


def _baseline(baseline: Baseline) -> dict[str, Any]:
    """What a scope is measured against; a figure that nobody has confirmed is not shown at all."""
    return {
        "year": baseline.year,
        "version": baseline.version,
        "state": baseline.state,
        "label": baseline.label,
        "marker": baseline.marker,
        "units": baseline.units if baseline.confirmed else None,
        "mass_g": baseline.mass_g if baseline.confirmed else None,
        "source_document": baseline.source_document,
        "confirmed_by": baseline.confirmed_by,
        "confirmed_on": baseline.confirmed_on.isoformat() if baseline.confirmed_on is not None else None,
    }


def _by_town(scope: Scope, facts: Sequence[Fact], *, district: District) -> list[dict[str, Any]]:
    """Every town-level unit of the scope, those without a figure too: nothing recovered is a finding."""
    sums = _sums(facts, attrgetter("town_key"))
    return [
        {
            "town_key": key,
            "name_zh": district.network.towns[key].name_zh,
            "name_en": district.network.towns[key].name_en,
        }
        | _shown(*sums.get(key, (0, 0)))
        for key in scope.area
    ]


def _by_item_type(facts: Sequence[Fact], *, district: District) -> list[dict[str, Any]]:
    sums = _sums(facts, attrgetter("item_type"))
    kinds = [district.catalogue.latest(key) for key in sorted(sums)]
    return [
        {"item_type": kind.key, "name_zh": kind.name_zh, "name_en": kind.name_en, "group": kind.group}
        | _shown(*sums[kind.key])
        for kind in kinds
    ]
