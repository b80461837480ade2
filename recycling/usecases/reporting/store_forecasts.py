"""Make the forecasts of a day and keep them (每日预测): of each scope, in pieces and in grams, whole and in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import InvalidInput
from recycling.logs import logger
from recycling.models.forecast import MEASURES, ForecastPart, GoalForecast, Measured
from recycling.models.transaction import atomic, queue_for, see_one_state
from recycling.policy.district import District
from recycling.policy.forecast import Forecast, Known, Method, forecast
from recycling.policy.scope import Scope
from recycling.usecases.reporting.goal_progress import progress_at
from recycling.usecases.reporting.known_figures import Figures, ScopeFigures, figures_known
from recycling.usecases.reporting.levers import levers

log = logger(__name__)

FORECASTS = UUID("f0ca0000-0000-4000-8000-000000000001")  # what makers of forecasts queue for


def store_forecasts(day: date, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """Forecast the calendar year of a day as it looked at its end; a day that has its forecasts keeps them.

    Raises
    ------
    InvalidInput
        When the day is not over.
    """
    yesterday = service_day(now) - timedelta(days=1)
    if day > yesterday:
        raise InvalidInput(f"{day} is not over; forecast {yesterday} or an earlier day / {day} 尚未结束")
    made_before = _made_before(day, session=session)
    if made_before:
        session.rollback()
        return {"forecasts": made_before, "made_before": True}
    see_one_state(session)
    figures = figures_known(day, session=session)
    rows = [row | {"day": day, "made_at": now} for row in _forecasts(figures, district=district, session=session)]
    session.rollback()
    with atomic(session):
        # Whoever comes second finds the set of the first whole, not a part of it mixed with its own.
        queue_for(session, [FORECASTS])
        made_before = _made_before(day, session=session)
        if made_before:
            return {"forecasts": made_before, "made_before": True}
        session.execute(insert(GoalForecast), rows)
    whole = [row["method"] for row in rows if row["part"] == "district"]
    log.info("forecasts.stored", day=str(day), forecasts=len(rows))
    return {"forecasts": len(rows), "methods": {method: whole.count(method) for method in sorted(set(whole))}}


def _made_before(day: date, *, session: Session) -> int:
    return session.scalar(select(func.count()).where(GoalForecast.day == day)) or 0


def _forecasts(figures: Figures, *, district: District, session: Session) -> Iterator[dict[str, Any]]:
    progress = progress_at(figures.on, district=district, session=session)
    reports = {report["scope"]["label"]: report for report in progress["scopes"]}
    for scope in district.goals.current_scopes():
        of_scope = ScopeFigures(figures, scope, district=district)
        wanted = district.goals.goal(scope, year=figures.on.year) is not None
        for measure in MEASURES:
            known = of_scope.known(measure)
            whole = forecast(known, calendar=district.calendar)
            goes_on = levers(of_scope, reports[scope.label], session=session) if measure == scope.unit else []
            yield _row(scope, measure, "district", "", known, whole) | {"levers": goes_on}
            # Parts of figures that nobody has a goal for interest nobody.
            if not wanted:
                continue
            # What was tried on the whole serves its parts, which are too small to try anything on.
            method: Method = "trend" if whole.method == "trend" else "seasonal"
            parts: tuple[tuple[ForecastPart, Sequence[str]], ...] = (
                ("town", scope.area),
                ("item_type", of_scope.item_types()),
            )
            for part, keys in parts:
                for key in keys:
                    of_part = of_scope.known(measure, part, key)
                    found = forecast(of_part, calendar=district.calendar, method=method)
                    yield _row(scope, measure, part, key, of_part, found) | {"levers": []}


def _row(
    scope: Scope, measure: Measured, part: ForecastPart, part_key: str, known: Known, found: Forecast
) -> dict[str, Any]:
    return {
        "scope": scope.label,
        "measure": measure,
        "part": part,
        "part_key": part_key,
        "method": found.method,
        "recovered": known.year_to_date,
        "declared": sum(known.months[month] for month in known.declared if month.year == known.on.year),
        "projected": found.projected,
        "percentiles": list(found.percentiles or ()),
        "errors_bp": dict(found.errors_bp),
        "months_own": found.months_own,
        "months_declared": found.months_declared,
        "months_missing": found.months_missing,
    }
