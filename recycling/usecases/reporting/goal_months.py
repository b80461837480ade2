"""The months of this year and the last, and how far this year is ahead of it (逐月对比): what charts are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, cast, func, select
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is read once for all scopes: of the year of ``day`` and the one before."""

    day: date
    running: Sequence[Fact]  # of the month of the day, when it is not over
    last_year: Sequence[Fact]  # from its new year to the same day
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
    new_year = date(day.year, 1, 1)
    seen = _Seen(
        day=day,
        running=[] if month_is_over(day) else facts_between(month_of(day), day, session=session),
        last_year=facts_between(date(day.year - 1, 1, 1), same_day_before(day), session=session),
        declared=declared_figures(session=session, since=date(new_year.year - 1, 1, 1), before=month_of(day)),
        first_own_day=session.scalar(select(func.min(DailyRecovery.day))),
    )
    return {
        "on": day.isoformat(),
        "scopes": [
            _scope_months(scope, seen, district=district, session=session)
            for scope in district.goals.current_scopes()
        ],
    }  # fmt: skip


def same_day_before(day: date) -> date:
    """The same day of the year before; of 29 February the 28th."""
    return date(day.year - 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def _scope_months(scope: Scope, seen: _Seen, *, district: District, session: Session) -> dict[str, Any]:
    own = _own(scope, seen, district=district, session=session)
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
        "last_year": _same_day(scope, seen, district=district) or _whole_months(months, seen),
    }


def _own(scope: Scope, seen: _Seen, *, district: District, session: Session) -> dict[date, Amounts]:
    """What tickets tell of each month up to the day."""
    month = MonthlyRecovery
    mine = in_scope(
        scope, district=district, item_type=month.item_type, channel=month.channel, town_key=month.town_key,
        provenance=month.provenance,
    )  # fmt: skip
    over = seen.day + timedelta(days=1)
    span = month.month.between(date(seen.day.year - 1, 1, 1), month_of(over) - timedelta(days=1))
    units, recovered_g = (cast(func.sum(column), BigInteger) for column in (month.units, month.recovered_g))
    rows = session.execute(select(month.month, units, recovered_g).where(span, *mine).group_by(month.month))
    found: dict[date, Amounts] = {first: (pieces, grams) for first, pieces, grams in rows}
    if not month_is_over(seen.day) and seen.first_own_day is not None and seen.first_own_day <= seen.day:
        running = counted(seen.running, scope, district=district)
        found[month_of(seen.day)] = sum(fact.units for fact in running), sum(fact.recovered_g for fact in running)
    return found


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


def _same_day(scope: Scope, seen: _Seen, *, district: District) -> dict[str, Any] | None:
    """Last year up to the same day, where tickets tell all of it."""
    if seen.first_own_day is None or seen.first_own_day > date(seen.day.year - 1, 1, 1):
        return None
    mine = counted(seen.last_year, scope, district=district)

    def sums(name: str) -> list[dict[str, Any]]:
        keys = sorted({getattr(fact, name) for fact in mine})
        parts = [(key, [fact for fact in mine if getattr(fact, name) == key]) for key in keys]
        return [
            {"key": key, "units": sum(one.units for one in part), "recovered_g": sum(one.recovered_g for one in part)}
            for key, part in parts
        ]

    return {
        "until": same_day_before(seen.day),
        "whole_months": False,
        "units": sum(fact.units for fact in mine),
        "recovered_g": sum(fact.recovered_g for fact in mine),
        "this_units": None,
        "this_recovered_g": None,
        "by_town": sums("town_key"),
        "by_item_type": sums("item_type"),
    }


def _whole_months(months: Mapping[date, tuple[str | None, Amounts]], seen: _Seen) -> dict[str, Any] | None:
    """The whole months of both years, where every one of them is known."""
    until = seen.day + timedelta(days=1)
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
