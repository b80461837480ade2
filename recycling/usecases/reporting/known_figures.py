"""What is known of past months, from tickets and as declared, for forecasts and comparisons: kept apart, never mixed.

Of a month either the tickets count or the declaration. Tickets do from the first whole month in which there were any;
before that, and in months without a single ticket, what was declared last.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from recycling.models.forecast import ForecastPart, Measured
from recycling.models.history import DeclaredFigure
from recycling.models.recovery import DailyRecovery, MonthlyRecovery, month_after, month_of
from recycling.policy.district import District
from recycling.policy.forecast import Known, month_is_over
from recycling.policy.scope import Scope
from recycling.usecases.reporting.goal_progress import counted
from recycling.usecases.reporting.recovered_facts import facts_between

Row = Any  # of facts or declared figures, with their amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything known at the end of a day: rows of whole months, and of the running one so far."""

    on: date
    own: Mapping[date, Sequence[Row]]
    running: Sequence[Row]
    declared: Mapping[date, Sequence[Row]]
    first_own_day: date | None

    def own_from(self) -> date:
        """The first month that tickets tell the whole of."""
        first = self.first_own_day
        if first is None:
            return date.max
        return first if first.day == 1 else month_after(first)


class ScopeFigures:
    """The figures of one scope, added up once for all its parts."""

    def __init__(self, figures: Figures, scope: Scope, *, district: District) -> None:
        self.figures, self.scope, self.district = figures, scope, district
        self.own = {month: self._sums(rows) for month, rows in figures.own.items()}
        self.running = self._sums(figures.running)

    def _sums(self, rows: Sequence[Row]) -> Counter[tuple[str, str, str]]:
        """What tickets tell, by measure, part and key; and by channel."""
        found: Counter[tuple[str, str, str]] = Counter()
        for row in counted(rows, self.scope, district=self.district):
            for measure, amount in (("units", row.units), ("mass", row.recovered_g)):
                found[measure, "district", ""] += amount
                found[measure, "town", row.town_key] += amount
                found[measure, "item_type", row.item_type] += amount
                found[measure, "channel", row.channel] += amount
        return found

    def known(self, measure: Measured, part: ForecastPart = "district", part_key: str = "") -> Known:
        """The months of one figure, as a forecast wants them."""
        on, own_from, key = self.figures.on, self.figures.own_from(), (measure, part, part_key)
        months: dict[date, int] = {}
        declared: set[date] = set()
        for month in sorted({*self.own, *self.figures.declared}):
            if month >= own_from and month in self.own:
                months[month] = self.own[month][key]
                continue
            told = declared_amount(
                self.figures.declared.get(month, ()), self.scope, measure, part, part_key, district=self.district
            )
            if told is not None:
                months[month] = told
                declared.add(month)
        # The first tickets, before there was a whole month of them, count as well where nothing was declared.
        to_date = sum(figure for month, figure in months.items() if month.year == on.year)
        to_date += sum(sums[key] for month, sums in self.own.items() if month.year == on.year and month not in months)
        so_far = None
        if not month_is_over(on) and self.figures.first_own_day is not None:
            so_far = self.running[key]
        return Known(
            on=on, months=months, declared=frozenset(declared), so_far=so_far, year_to_date=to_date + (so_far or 0),
            so_far_is_whole=month_of(on) >= own_from,
        )  # fmt: skip

    def by_channel(self, measure: Measured) -> Mapping[str, int]:
        """What tickets of the year so far tell of each channel of the scope."""
        of_year = [sums for month, sums in self.own.items() if month.year == self.figures.on.year]
        return {
            channel: sum(sums[measure, "channel", channel] for sums in (*of_year, self.running))
            for channel in self.scope.channels
        }

    def item_types(self) -> list[str]:
        """Item types of which anything is known in this year or the two before."""
        since = date(self.figures.on.year - 2, 1, 1)
        told = [sums for month, sums in self.own.items() if month >= since] + [self.running]
        found = {key for sums in told for _, part, key in sums if part == "item_type"}
        found |= {row.item_type for month, rows in self.figures.declared.items() if month >= since for row in rows}
        return sorted(key for key in found if key and self.scope.covers(self.district.catalogue.latest(key).group))


def figures_known(on: date, *, session: Session) -> Figures:
    """Read all months up to a day, in the transaction of the caller."""
    month = MonthlyRecovery
    over = on + timedelta(days=1)  # months that begin before and end on or before the day
    keys = (month.month, month.town_key, month.item_type, month.channel, month.provenance)
    sums = (func.sum(month.units).label("units"), cast(func.sum(month.recovered_g), BigInteger).label("recovered_g"))
    own: dict[date, list[Row]] = defaultdict(list)
    for row in session.execute(select(*keys, *sums).where(month.month < month_of(over)).group_by(*keys)):
        own[row.month].append(row)
    running = [] if month_is_over(on) else facts_between(month_of(on), on, session=session)
    return Figures(
        on=on,
        own=own,
        running=running,
        declared=declared_figures(session=session, before=month_of(over)),
        first_own_day=session.scalar(select(func.min(DailyRecovery.day))),
    )


def declared_figures(*, session: Session, before: date, since: date = date.min) -> Mapping[date, Sequence[Row]]:
    """The declared figures that count, by month: those of the newest upload that has the month."""
    figure = DeclaredFigure
    newest = (
        select(figure.month, func.max(figure.upload_number).label("number"))
        .where(figure.month >= since, figure.month < before)
        .group_by(figure.month)
        .subquery()
    )
    columns = (figure.month, figure.item_group, figure.item_type, figure.town_key, figure.units, figure.mass_g)
    wanted = select(*columns).join(newest, (newest.c.month == figure.month) & (newest.c.number == figure.upload_number))
    found: dict[date, list[Row]] = defaultdict(list)
    for row in session.execute(wanted):
        found[row.month].append(row)
    return found


def declared_amount(
    rows: Sequence[Row], scope: Scope, measure: Measured, part: ForecastPart, part_key: str, *, district: District
) -> int | None:
    """What was declared of a month for one figure of a scope; ``None`` when the declaration does not tell it.

    It tells a scope when it has each of its groups (zero counts), a town unit or item type when it goes down to them.
    """
    kind = district.catalogue.latest(part_key).group if part == "item_type" else None
    groups = (kind,) if kind is not None else scope.groups
    mine = [row for row in rows if row.item_group in groups]
    by_town = any(row.town_key for row in mine)
    if {row.item_group for row in mine} != set(groups):
        return None
    if part == "town" and not all(row.town_key for row in mine):
        return None
    if part == "item_type" and not all(row.item_type for row in mine):
        return None
    # A figure of the whole district says nothing of a scope that leaves town units out.
    if not by_town and set(scope.area) != set(district.network.towns):
        return None
    of_part = _of_part(part, part_key)
    wanted = [row for row in mine if of_part(row) and (not row.town_key or row.town_key in scope.area)]
    amounts = [row.units if measure == "units" else row.mass_g for row in wanted]
    return None if None in amounts else sum(amounts)


def _of_part(part: ForecastPart, part_key: str) -> Callable[[Row], bool]:
    if part == "town":
        return lambda row: bool(row.town_key == part_key)
    if part == "item_type":
        return lambda row: bool(row.item_type == part_key)
    return lambda row: True
