"""Forty made-up years: they end where the forecast said as often as it said, and nearer to it than by plain means."""

from __future__ import annotations

import calendar as months
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import sqrt
from statistics import NormalDist, median

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from recycling.models.forecast import GoalForecast
from recycling.policy.district import District
from recycling.policy.forecast import Known, forecast, interval, last_year_plus_growth, straight_line
from recycling.policy.service_calendar import ServiceCalendar
from recycling.units import instant_at
from recycling.usecases.reporting.store_forecasts import store_forecasts
from tests.declared import table_of, upload
from tests.made_up_years import SHAPES, MadeUpYears, made_up_years
from tests.proof.harness import Proof, Size

YEARS = {"small": 15, "full": 40, "release": 200}
UPLOADED = {"small": 3, "full": 10, "release": 40}
# From spring to the last weeks; some of them within a month, some with whole months only.
DAYS = {
    "small": ((5, 15), (9, 30)),
    "full": ((3, 31), (5, 15), (6, 30), (8, 10), (9, 30), (11, 20)),
    "release": ((3, 31), (5, 15), (6, 30), (8, 10), (9, 30), (11, 20)),
}
LEAST, MOST = 0.70, 0.90  # of the years, inside an interval that says 80 %
PLAIN = ServiceCalendar({})
Z_80 = NormalDist().inv_cdf(0.9)


@dataclass
class Judged:
    """What became of the forecasts of one kind."""

    inside: int = 0
    inside_line: int = 0
    count: int = 0

    def __post_init__(self) -> None:
        self.ours: list[float] = []
        self.grown: list[float] = []
        self.line: list[float] = []

    @property
    def coverage(self) -> float:
        """The share of years inside the interval."""
        return self.inside / self.count

    @property
    def coverage_of_line(self) -> float:
        """The same of the interval that a straight line's residuals give."""
        return self.inside_line / self.count


def test_the_80_percent_interval_holds_the_year_about_as_often_as_it_says(size: Size, proof: Proof) -> None:
    # given years of five shapes, two months of each missing, judged on days from spring to November
    judged = Judged()
    for seed in range(YEARS[size]):
        years = made_up_years(seed)
        total = years.total()
        for on in (date(years.year, month, day) for month, day in DAYS[size]):
            known = known_on(years, on)
            found = forecast(known, calendar=PLAIN)
            assert found.percentiles is not None
            low, high = interval(found.percentiles, 80)
            judged.count += 1
            judged.inside += low <= total <= high
            low_of_line, high_of_line = interval_of_line(known)
            judged.inside_line += low_of_line <= total <= high_of_line
            judged.ours.append(abs(found.projected - total) / total)
            judged.line.append(abs(straight_line(known, calendar=PLAIN) - total) / total)
            grown = last_year_plus_growth(known.months, on=on)
            if grown is not None:
                judged.grown.append(abs(grown - total) / total)
    assert {made_up_years(seed).shape for seed in range(YEARS[size])} == set(SHAPES)
    # then the interval is neither too narrow nor too wide, and the plain one is too narrow
    proof.record(
        name="years inside the 80 % interval of their forecast",
        figure=f"{judged.coverage:.1%} of {judged.count}",
        target=f"{LEAST:.0%} to {MOST:.0%}",
        control=f"from a straight line's residuals: {judged.coverage_of_line:.1%}",
        ok=LEAST <= judged.coverage <= MOST and not LEAST <= judged.coverage_of_line <= MOST,
    )
    proof.record(
        name="median error of the year's end",
        figure=f"{median(judged.ours):.2%}",
        target="below both plain methods",
        control=f"last year plus growth: {median(judged.grown):.2%}, straight line: {median(judged.line):.2%}",
        ok=median(judged.ours) < min(median(judged.grown), median(judged.line)),
    )


def test_uploaded_history_forecasts_as_well(session: Session, district: District, size: Size, proof: Proof) -> None:
    # given the same years as tables that the bureau uploads, one after the other, each above the one before
    judged, same = Judged(), 0
    for number, (years, on) in enumerate(uploads(size)):
        now = instant_at(on + timedelta(days=1), 8 * 3600 + number)
        found = stored_forecast(years, on, district=district, session=session, now=now)
        known = known_on(years, on)
        same += tuple(found.percentiles) == forecast(known, calendar=district.calendar).percentiles
        low, high = interval(found.percentiles, 80)
        low_of_line, high_of_line = interval_of_line(known)
        judged.count += 1
        judged.inside += low <= years.total() <= high
        judged.inside_line += low_of_line <= years.total() <= high_of_line
        assert (found.months_own, found.months_declared) == (0, 36 - len(years.missing) + on.month)
    # then what the night keeps of them is what the same months give however they are known
    proof.record(
        name="uploaded years: forecasts as from the same months, years inside their 80 % interval",
        figure=f"{same} of {judged.count}, {judged.coverage:.0%} inside",
        target=f"all, at least {LEAST:.0%}",
        control=f"from a straight line's residuals: {judged.coverage_of_line:.0%}",
        ok=same == judged.count and judged.coverage >= max(LEAST, judged.coverage_of_line),
    )


def uploads(size: Size) -> Iterator[tuple[MadeUpYears, date]]:
    """Years, and the month's end at which each is judged."""
    for seed in range(100, 100 + UPLOADED[size]):
        years = made_up_years(seed)
        month = (4, 6, 8, 10)[seed % 4]
        yield years, date(years.year, month, months.monthrange(years.year, month)[1])


def stored_forecast(
    years: MadeUpYears, on: date, *, district: District, session: Session, now: datetime
) -> GoalForecast:
    """Upload what is known of the years at the end of a day, and let the night's job forecast."""
    known = {month: amount for month, amount in years.months.items() if month <= on and month not in years.missing}
    session.execute(delete(GoalForecast))
    for table in ("declared_figure", "declared_upload"):
        session.execute(GoalForecast.metadata.tables[table].delete())
    session.commit()
    upload(table_of(known), district=district, session=session, now=now)
    store_forecasts(on, district=district, session=session, now=now)
    whole = select(GoalForecast).where(GoalForecast.measure == "units", GoalForecast.part == "district")
    return session.scalars(whole.where(GoalForecast.scope == "household-appliances/2")).one()


def known_on(years: MadeUpYears, on: date) -> Known:
    """What is known at the end of a day: whole months, and the days of the running one."""
    first = on.replace(day=1)
    last = months.monthrange(on.year, on.month)[1]
    whole = {
        month: amount
        for month, amount in years.months.items()
        if month not in years.missing and (month < first or (month == first and on.day == last))
    }
    to_date = sum(amount for month, amount in whole.items() if month.year == on.year)
    if on.day == last:
        return Known(on=on, months=whole, year_to_date=to_date)
    working = np.array([PLAIN.is_working_day(first + timedelta(days=day)) for day in range(last)])
    shares = working * years.daily[first][:last]
    so_far = round(years.months[first] * shares[: on.day].sum() / shares.sum())
    return Known(on=on, months=whole, so_far=so_far, year_to_date=to_date + so_far)


def interval_of_line(known: Known) -> tuple[float, float]:
    """Control: a line through the months, and the spread of what it leaves over, as in a spreadsheet."""
    first = min(known.months)
    places = np.array([(month.year - first.year) * 12 + month.month - first.month for month in known.months])
    amounts = np.array(list(known.months.values()), dtype=float)
    slope, start = np.polyfit(places, amounts, 1)
    spread = float(np.std(amounts - slope * places - start, ddof=2))
    this_year = sum(amount for month, amount in known.months.items() if month.year == known.on.year)
    known_months = sum(month.year == known.on.year for month in known.months)
    ahead = np.arange(12 - known_months) + places.max() + 1
    middle = this_year + float((slope * ahead + start).sum())
    half = Z_80 * spread * sqrt(len(ahead))
    return middle - half, middle + half
