"""Progress, pace, forecast and levers of every scope on one page (目标预测), as the night has worked them out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.forecast import MEASURES, GoalForecast, Measured
from recycling.models.transaction import see_one_state
from recycling.policy.district import District
from recycling.policy.forecast import INTERVALS, LEAST_MONTHS, interval, probability_bp
from recycling.policy.scope import Scope
from recycling.usecases.reporting.goal_progress import check_asked, progress_at

OLDEST_DAYS = 7  # a forecast older than this tells of another time; jobs that stood still are told of elsewhere
AMOUNT = {"units": "units", "mass": "recovered_g"}
NO_FORECAST = ("预测尚未生成，次日凌晨生成", "no forecast yet; the night makes it")


def goal_forecast(on: date | None = None, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """Where every scope will probably stand at the end of the year, as JSON values.

    The forecasts are those kept for the newest day up to the one asked for; what is probable is worked out against the
    baseline in force now.

    Raises
    ------
    InvalidInput, Conflict
        As for `goal_progress`.
    """
    day = check_asked(on, today=service_day(now))
    see_one_state(session)
    return forecast_at(day, district=district, session=session)


def forecast_at(day: date, *, district: District, session: Session) -> dict[str, Any]:
    """The same for a day that may be asked for, in the transaction of the caller."""
    progress = progress_at(day, district=district, session=session)
    stored = _stored(day, session=session)
    scopes = {scope.label: scope for scope in district.goals.current_scopes()}
    return {
        "on": day.isoformat(),
        "forecast_of": max((row.day for row in stored), default=None),
        "scopes": [
            _scope_page(report, scopes[report["scope"]["label"]], stored, district=district)
            for report in progress["scopes"]
        ],
    }


def _stored(day: date, *, session: Session) -> Sequence[GoalForecast]:
    """The rows of the newest day that has any, not much before the day and of its year."""
    since = max(day - timedelta(days=OLDEST_DAYS), date(day.year, 1, 1))
    newest = session.scalar(
        select(GoalForecast.day).where(GoalForecast.day.between(since, day)).order_by(GoalForecast.day.desc()).limit(1)
    )
    if newest is None:
        return ()
    wanted = select(GoalForecast).where(GoalForecast.day == newest)
    return session.scalars(wanted.order_by(GoalForecast.scope, GoalForecast.part, GoalForecast.part_key)).all()


def _scope_page(
    report: Mapping[str, Any], scope: Scope, stored: Sequence[GoalForecast], *, district: District
) -> dict[str, Any]:
    mine = [row for row in stored if row.scope == scope.label]
    whole: dict[str, GoalForecast] = {row.measure: row for row in mine if row.part == "district"}
    parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in mine:
        if row.part != "district" and row.measure == scope.unit:
            parts[row.part].append(_named(row, district) | projection(row, target=None))
    return {
        "scope": scope.label,
        "name_zh": scope.name_zh,
        "name_en": scope.name_en,
        "unit": scope.unit,
        "labels": report["labels"],
        "goal": report["goal"],
        "baseline_state": report["baseline_state"],
        "remaining_days": report["remaining_days"],
        "remaining_working_days": report["remaining_working_days"],
        "measures": [
            _measure(measure, report, whole.get(measure)) for measure in MEASURES
        ],
        "by_town": parts["town"],
        "by_item_type": parts["item_type"],
        "levers": whole[scope.unit].levers if scope.unit in whole else [],
    }  # fmt: skip


def _measure(measure: Measured, report: Mapping[str, Any], row: GoalForecast | None) -> dict[str, Any]:
    progress = report["units_progress" if measure == "units" else "mass_progress"] or {}
    target = progress.get("target")
    return {
        "measure": measure,
        "recovered": report["recovered"][AMOUNT[measure]],
        "target": target,
        **{
            name: progress.get(name)
            for name in ("progress_bp", "pace_bp", "missing", "needed_per_day", "needed_per_working_day")
        },
        "forecast": None if row is None else projection(row, target=target),
        "words_zh": NO_FORECAST[0] if row is None else _words(row)[0],
        "words_en": NO_FORECAST[1] if row is None else _words(row)[1],
    }


def projection(row: GoalForecast, *, target: int | None) -> dict[str, Any]:
    """A stored forecast as it goes out; a probability only of a target, which only a confirmed baseline gives."""
    sure = bool(row.percentiles)
    error = row.errors_bp.get(row.method)
    return {
        "day": row.day,
        "method": row.method,
        "projected": row.projected,
        "intervals": [
            {"percent": percent, "low": low, "high": high}
            for percent in (INTERVALS if sure else ())
            for low, high in [interval(row.percentiles, percent)]
        ],
        "probability_bp": probability_bp(row.percentiles, target, reached=row.recovered)
        if sure and target is not None
        else None,
        "error_bp": error,
        "errors": [{"method": method, "error_bp": bp} for method, bp in sorted(row.errors_bp.items())],
        "recovered": row.recovered,
        "declared": row.declared,
        "months_own": row.months_own,
        "months_declared": row.months_declared,
        "months_missing": row.months_missing,
    }


def _words(row: GoalForecast) -> tuple[str, str]:
    """What a forecast rests on, in words."""
    own, declared, missing = row.months_own, row.months_declared, row.months_missing
    grounds_zh = f"依据 {own} 个月过磅数据与 {declared} 个月申报数据"
    grounds_en = f"from {own} months of tickets and {declared} declared months"
    if row.method == "straight_line":
        why_zh = f"历史不足（还缺 {missing} 个月，至少 {LEAST_MONTHS} 个月）" if missing else "有月份为零或负，无法建模"
        why_en = (
            f"not enough history: {missing} months more are needed"
            if missing
            else "a month at or below zero cannot be modelled"
        )
        return (
            f"按年初至今直线推算，不给出区间与概率：{why_zh}；{grounds_zh}",
            f"a straight line, without interval or probability: {why_en}; {grounds_en}",
        )
    if row.method == "year_over":
        return "本年度已结束", "the year is over"
    tried = row.errors_bp.get(row.method)
    tried_zh = "" if tried is None else f"；回测误差中位数 {tried / 100:.1f} %"
    tried_en = "" if tried is None else f"; median error in the back-test {tried / 100:.1f} %"
    name_zh, name_en = {
        "seasonal": ("季节趋势模型", "trend and seasons"),
        "trend": ("趋势模型（不含季节，区间放宽）", "trend without seasons"),
    }[row.method]
    return f"{name_zh}，{grounds_zh}{tried_zh}", f"{name_en}, {grounds_en}{tried_en}"


def _named(row: GoalForecast, district: District) -> dict[str, Any]:
    if row.part == "town":
        town = district.network.towns.get(row.part_key)
        if town is None:  # it has left the configuration since the forecast was made
            return {"key": row.part_key, "name_zh": row.part_key, "name_en": row.part_key}
        return {"key": row.part_key, "name_zh": town.name_zh, "name_en": town.name_en}
    kind = district.catalogue.latest(row.part_key)
    return {"key": row.part_key, "name_zh": kind.name_zh, "name_en": kind.name_en}
