"""Tell the bureau when a goal is in danger (进度预警): once a month for each level of each scope."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.logs import logger
from recycling.models.outbox import post
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.units import percent_text
from recycling.usecases.reporting.goal_forecast import forecast_at
from recycling.usecases.reporting.goal_progress import check_asked

log = logger(__name__)


def raise_pace_alarm(day: date, *, district: District, session: Session, now: datetime) -> dict[str, int]:
    """Judge every goal of the year at the end of a day and post what is due; run again, it posts nothing new.

    A goal without a confirmed baseline is in no danger that anybody could name, and stays silent.

    Raises
    ------
    InvalidInput
        When the day lies ahead, or before the base year of the goals.
    """
    check_asked(day, today=service_day(now))
    judged = told = 0
    with atomic(session):
        page = forecast_at(day, district=district, session=session)
        for scope in page["scopes"]:
            measure = next(one for one in scope["measures"] if one["measure"] == scope["unit"])
            if measure["pace_bp"] is None:
                continue
            judged += 1
            probability_bp = (measure["forecast"] or {}).get("probability_bp")
            level = district.pace.level(
                elapsed_days=day.timetuple().tm_yday, probability_bp=probability_bp, pace_bp=measure["pace_bp"]
            )
            if level:
                told += _tell(scope, level, day, probability_bp, measure["pace_bp"], session=session, now=now)
    log.info("pace_alarm.judged", day=str(day), goals=judged, messages=told)
    return {"goals": judged, "messages": told}


def _tell(
    scope: dict[str, Any], level: int, day: date, probability_bp: int | None, pace_bp: int, *, session: Session,
    now: datetime,
) -> bool:  # fmt: skip
    if probability_bp is not None:
        said = percent_text(probability_bp)
        zh, en = f"达成概率 {said}", f"the probability of reaching it is {said}"
    else:
        said = percent_text(pace_bp)
        zh, en = f"进度为应有的 {said}", f"the pace is {said} of what it takes"
    log.warning("goal.behind_pace", scope=scope["scope"], level=level, day=str(day), pace_bp=pace_bp)
    return post(
        session,
        dedupe_key=f"goal.behind_pace:{scope['scope']}:{day:%Y-%m}:{level}",
        kind="goal.behind_pace",
        to=("bureau", None),
        facts={
            "scope": scope["scope"], "scope_zh": scope["name_zh"], "scope_en": scope["name_en"], "year": day.year,
            "level": level, "day": day.isoformat(), "judged_zh": zh, "judged_en": en,
        },
        now=now,
    )  # fmt: skip
