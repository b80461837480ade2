"""The months of this year and the last, and how far this year is ahead of it (逐月对比): what charts are drawn from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, literal, null, select, true, union_all
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.forecast import MEASURES
from recycling.models.recovery import DailyRecovery, MonthlyRecovery, month_after, month_of
from recycling.models.transaction import see_one_state
from recycling.policy.district import District
from recycling.policy.forecast import month_is_over
from recycling.policy.scope import Scope
from recycling.usecases.queries.scopes import in_scope
from recycling.usecases.reporting.goal_progress import check_asked, counted
from recycling.usecases.reporting.known_figures import declared_amount, declared_figures
from recycling.usecases.reporting.recovered_facts import Fact, facts_between

Amounts = tuple[int | None, int | None]  # units and grams, as far as they are told


class _Told(NamedTuple):
    """What tickets tell of a month, or of a town unit's item type over last year's months before the same day's.

    Bit ``i`` of ``scopes`` is that of the i-th current scope; what a figure is not of is ``None``.
    """

    month: date | None
    town_key: str | None
    item_type: str | None
    scopes: int
    units: int
    recovered_g: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is read once for all scopes: of the year of ``day`` and the one before."""

    day: date
    told: Sequence[_Told]  # of months that are over
    running: Sequence[Fact]  # of the month of the day, when it is not over
    last_days: Sequence[Fact]  # of the month of the same day last year, when it was not over by then
    declared: Mapping[date, Sequence[Any]]
    first_own_day: date | None


def goal_months(on: date | None = None, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """Each scope's months of this year and the last up to a day, today unless named, as JSON values.

    Of a month either the tickets count or the declaration, as in `known_figures`. The comparison with last year is to
    the same day where tickets tell it, else over the whole months that are known of both years, else there is none.

    Raises
    ------
    InvalidInput
        When the day lies ahead, or before the base year of the goals.
    """
    day = check_asked(on, today=service_day(now))
    see_one_state(session)
    scopes = district.goals.current_scopes()
    seen = _Seen(
        day=day,
        told=_told(scopes, day, district=district, session=session),
        running=_days_so_far(day, session=session),
        last_days=_days_so_far(same_day_before(day), session=session),
        declared=declared_figures(session=session, since=date(day.year - 1, 1, 1), before=month_of(day)),
        first_own_day=session.scalar(select(func.min(DailyRecovery.day))),
    )
    return {
        "on": day.isoformat(),
        "scopes": [_scope_months(place, scope, seen, district=district) for place, scope in enumerate(scopes)],
    }


def same_day_before(day: date) -> date:
    """The same day of the year before; of 29 February the 28th."""
    return date(day.year - 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def _days_so_far(day: date, *, session: Session) -> Sequence[Fact]:
    """What the days of a month have brought up to one of them; nothing when its month is over with it."""
    return [] if month_is_over(day) else facts_between(month_of(day), day, session=session)


def _told(scopes: Sequence[Scope], day: date, *, district: District, session: Session) -> Sequence[_Told]:
    """Both years' months that are over, read in one turn for all scopes and added up by the database in both ways."""
    month = MonthlyRecovery
    inside = [
        in_scope(
            scope, district=district, item_type=month.item_type, channel=month.channel, town_key=month.town_key,
            provenance=month.provenance,
        )
        for scope in scopes
    ]  # fmt: skip
    # What all scopes ask of a figure is asked once: with the rest of it, it would be most of the work.
    shared = [clause for clause in inside[0] if all(any(map(clause.compare, mine)) for mine in inside)]
    apart = ([clause for clause in mine if not any(map(clause.compare, shared))] for mine in inside)
    bits = (case((and_(true(), *mine), 1 << place), else_=0) for place, mine in enumerate(apart))
    read = (
        select(
            month.month, month.town_key, month.item_type, sum(bits, start=literal(0)).label("scopes"), month.units,
            month.recovered_g,
        )
        .where(month.month >= date(day.year - 1, 1, 1), month.month < _not_over(day), *shared)
        .subquery()
        .c
    )  # fmt: skip
    every = (read.month, read.town_key, read.item_type, read.scopes)
    figure = select(*every, *_amounts(read)).group_by(*every).cte("figure").c
    by_month = select(figure.month, null(), null(), figure.scopes, *_amounts(figure))
    by_part = select(null(), figure.town_key, figure.item_type, figure.scopes, *_amounts(figure))
    both = union_all(
        by_month.group_by(figure.month, figure.scopes),
        by_part.where(figure.month < _not_over(same_day_before(day)))
        .group_by(figure.town_key, figure.item_type, figure.scopes),
    )  # fmt: skip
    return [_Told._make(row) for row in session.execute(both)]


def _amounts(figure: Any) -> Iterator[ColumnElement[int]]:
    # PostgreSQL adds 64-bit integers up to decimals.
    return (cast(func.sum(figure[name]), BigInteger).label(name) for name in ("units", "recovered_g"))


def _not_over(day: date) -> date:
    """The first month that is not over with a day."""
    return month_of(day + timedelta(days=1))


def _scope_months(place: int, scope: Scope, seen: _Seen, *, district: District) -> dict[str, Any]:
    mine = [row for row in seen.told if row.scopes >> place & 1]
    own = _own(mine, scope, seen, district=district)
    months: dict[date, tuple[str | None, Amounts]] = {}
    month = date(seen.day.year - 1, 1, 1)
    while month <= seen.day:
        months[month] = _month(month, own, scope, seen, district=district)
        month = month_after(month)
    return {
        "scope": scope.label,
        "unit": scope.unit,
        "years": [
            {"year": year, "months": [_shown(month, *found) for month, found in months.items() if month.year == year]}
            for year in (seen.day.year - 1, seen.day.year)
        ],
        "last_year": _same_day(mine, scope, seen, district=district) or _whole_months(months, seen),
    }


def _own(mine: Iterable[_Told], scope: Scope, seen: _Seen, *, district: District) -> dict[date, Amounts]:
    """What tickets tell of each month up to the day."""
    found: defaultdict[date, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in mine:
        if row.month is not None:
            units, recovered_g = found[row.month]
            found[row.month] = units + row.units, recovered_g + row.recovered_g
    if not month_is_over(seen.day) and seen.first_own_day is not None and seen.first_own_day <= seen.day:
        running = counted(seen.running, scope, district=district)
        found[month_of(seen.day)] = sum(fact.units for fact in running), sum(fact.recovered_g for fact in running)
    return dict(found)


def _month(
    month: date, own: Mapping[date, Amounts], scope: Scope, seen: _Seen, *, district: District
) -> tuple[str | None, Amounts]:
    """Where the amounts of a month are from, and what they are: a month that tickets begin in is declared, if it is."""
    whole = seen.first_own_day is not None and month >= seen.first_own_day
    if month in own and whole:
        return "tickets", own[month]
    units, mass_g = (
        declared_amount(seen.declared.get(month, ()), scope, measure, "district", "", district=district)
        for measure in MEASURES
    )
    if units is not None or mass_g is not None:
        return "declared", (units, mass_g)
    return ("tickets", own[month]) if month in own else (None, (None, None))


def _shown(month: date, source: str | None, amounts: Amounts) -> dict[str, Any]:
    return {"month": month, "source": source, "units": amounts[0], "recovered_g": amounts[1]}


def _same_day(mine: Iterable[_Told], scope: Scope, seen: _Seen, *, district: District) -> dict[str, Any] | None:
    """Last year up to the same day, where tickets tell all of it."""
    if seen.first_own_day is None or seen.first_own_day > date(seen.day.year - 1, 1, 1):
        return None
    until = same_day_before(seen.day)
    over = [row for row in mine if row.month is None]
    figures: list[_Told | Fact] = [*over, *counted(seen.last_days, scope, district=district)]

    def sums(name: str) -> list[dict[str, Any]]:
        found: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        for one in figures:
            amounts = found[getattr(one, name)]
            amounts[0] += one.units
            amounts[1] += one.recovered_g
        return [{"key": key, "units": units, "recovered_g": grams} for key, (units, grams) in sorted(found.items())]

    return {
        "until": until,
        "whole_months": False,
        "units": sum(one.units for one in figures),
        "recovered_g": sum(one.recovered_g for one in figures),
        "this_units": None,
        "this_recovered_g": None,
        "by_town": sums("town_key"),
        "by_item_type": sums("item_type"),
    }


def _whole_months(months: Mapping[date, tuple[str | None, Amounts]], seen: _Seen) -> dict[str, Any] | None:
    """The whole months of both years, where every one of them is known."""
    until = _not_over(seen.day)
    count = until.month - 1 if until.year == seen.day.year else 12
    last, this = (
        [months[date(year, month, 1)][1] for month in range(1, count + 1)]
        for year in (seen.day.year - 1, seen.day.year)
    )
    sums = [_sum(side, place) for side in (last, this) for place in (0, 1)]
    if count == 0 or (None in (sums[0], sums[2]) and None in (sums[1], sums[3])):
        return None
    return {
        "until": month_after(date(seen.day.year - 1, count, 1)) - timedelta(days=1),
        "whole_months": True,
        "units": sums[0],
        "recovered_g": sums[1],
        "this_units": sums[2],
        "this_recovered_g": sums[3],
        "by_town": [],
        "by_item_type": [],
    }


def _sum(side: Sequence[Amounts], place: int) -> int | None:
    amounts = [amounts[place] for amounts in side]
    return None if None in amounts else sum(amount or 0 for amount in amounts)
