"""Which lever moves the goal (可用抓手): town units and item types that lag, demand that was not served, channels.

Each lever is a number with its derivation in words, so that whoever pulls it can check it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.models.booking import BookedItem, Booking
from recycling.models.forecast import ForecastPart, Measured
from recycling.models.recurring import RecurringDay
from recycling.models.waiting import WaitingWish
from recycling.policy.checks import BP
from recycling.policy.forecast import Known
from recycling.policy.scope import Goal, Scope
from recycling.units import instant_at, kg_text
from recycling.usecases.reporting.known_figures import ScopeFigures

MEASURED_DAYS = 90  # of pickups by which is told what one brings


def levers(of_scope: ScopeFigures, report: Mapping[str, Any], *, session: Session) -> list[dict[str, Any]]:
    """The levers of a scope, in its goal's unit, each kind with the largest first; none without a goal."""
    goal = of_scope.district.goals.goal(of_scope.scope, year=of_scope.figures.on.year)
    if goal is None:
        return []
    found = [
        *_lagging("town", of_scope, goal, report),
        *_lagging("item_type", of_scope, goal, report),
        *_unserved(of_scope, report, session=session),
        *_channels(of_scope),
    ]
    return sorted(found, key=lambda lever: (lever["kind"], -lever["amount"], lever["key"]))


def _lagging(
    part: ForecastPart, of_scope: ScopeFigures, goal: Goal, report: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Parts below what they would have, had each grown alike: against the base year, else against last year.

    What was declared of months of this year came, too: it stands in the years that they are held against.
    """
    scope = of_scope.scope
    for key, (name_zh, name_en) in _names(part, of_scope, report).items():
        known = of_scope.known(_unit(scope), part, key)
        for year, increase_bp in ((goal.baseline_year, goal.increase_bp), (goal.year - 1, 0)):
            before = _year_total(known, year)
            if before is None:
                continue
            expected = before * (BP + increase_bp) * report["elapsed_days"] // (BP * report["year_days"])
            short = expected - known.year_to_date
            if short > 0:
                (short_zh, short_en), (before_zh, before_en) = _said(scope, short), _said(scope, before)
                times = f" × {(BP + increase_bp) / BP:.4g}" if increase_bp else ""
                times += f" × {report['elapsed_days']} / {report['year_days']}"
                (came_zh, came_en), (told_zh, told_en) = _said(scope, known.year_to_date), _declared(scope, known)
                yield {
                    "kind": "town_unit" if part == "town" else "item_type",
                    "key": key,
                    "name_zh": name_zh,
                    "name_en": name_en,
                    "amount": short,
                    "zh": f"较各处同步增长少 {short_zh}：{year} 年 {before_zh}{times} 天，"
                    f"减去今年已回收 {came_zh}{told_zh}",
                    "en": f"{short_en} below equal growth: {before_en} of {year}{times} days,"
                    f" less the {came_en} that came this year{told_en}",
                }
            break


def _names(part: ForecastPart, of_scope: ScopeFigures, report: Mapping[str, Any]) -> Mapping[str, tuple[str, str]]:
    """The parts of a scope, those of which nothing came too."""
    if part == "town":
        return {row["town_key"]: (row["name_zh"], row["name_en"]) for row in report["by_town"]}
    return {
        kind.key: (kind.name_zh, kind.name_en)
        for kind in of_scope.district.catalogue.valid_on(of_scope.figures.on)
        if of_scope.scope.covers(kind.group)
    }


def _declared(scope: Scope, known: Known) -> tuple[str, str]:
    """How much of what came this year was declared, in both languages; nothing where nothing was."""
    amount = sum(known.months[month] for month in known.declared if month.year == known.on.year)
    zh, en = _said(scope, amount)
    return (f"（含申报 {zh}）", f", {en} of it declared") if amount else ("", "")


def _unit(scope: Scope) -> Measured:
    return "units" if scope.unit == "units" else "mass"


def _said(scope: Scope, amount: int) -> tuple[str, str]:
    """An amount in the scope's unit, in both languages."""
    return (f"{amount} 台", f"{amount} units") if scope.unit == "units" else (kg_text(amount), kg_text(amount))


def _year_total(known: Known, year: int) -> int | None:
    """What a part came to in a whole year; ``None`` where a month is not known down to parts."""
    months = [known.months.get(date(year, month, 1)) for month in range(1, 13)]
    return None if None in months else sum(month or 0 for month in months)


def _unserved(of_scope: ScopeFigures, report: Mapping[str, Any], *, session: Session) -> Iterator[dict[str, Any]]:
    """Wishes of the year that found no window, times what a pickup brings: what more places would have brought."""
    scope, on = of_scope.scope, of_scope.figures.on
    new_year, end = instant_at(date(on.year, 1, 1), 0), instant_at(on + timedelta(days=1), 0)
    waiting = (
        select(func.count())
        .select_from(WaitingWish)
        .where(WaitingWish.created_at >= new_year, WaitingWish.created_at < end)
        .where(WaitingWish.state.in_(("waiting", "lapsed")))
    )
    unplaced = (
        select(func.count())
        .select_from(RecurringDay)
        .where(RecurringDay.day.between(date(on.year, 1, 1), on), RecurringDay.state == "unplaced")
    )
    wishes, recurring = session.scalar(waiting) or 0, session.scalar(unplaced) or 0
    kinds = [kind.key for kind in of_scope.district.catalogue.rows if scope.covers(kind.group)]
    units, pickups = session.execute(
        select(func.coalesce(func.sum(BookedItem.collected_units), 0), func.count(func.distinct(Booking.id)))
        .join(Booking, Booking.id == BookedItem.booking_id)
        .where(
            Booking.day.between(on - timedelta(days=MEASURED_DAYS - 1), on),
            Booking.state.in_(("collected", "partly_collected")),
            BookedItem.item_type.in_(kinds),
        )
    ).one()
    if not (wishes + recurring) or not pickups:
        return
    brings = (wishes + recurring) * int(units) // pickups
    if scope.unit == "mass":
        came = report["recovered"]
        brings = brings * came["recovered_g"] // came["units"] if came["units"] else 0
    brings_zh, brings_en = _said(scope, brings)
    yield {
        "kind": "unserved_demand",
        "key": "places",
        "name_zh": "增加可约时段",
        "name_en": "More windows",
        "amount": brings,
        "zh": f"今年 {wishes} 个候补与 {recurring} 次定期回收未能排上；"
        f"近 {MEASURED_DAYS} 天 {pickups} 次上门共 {units} 台，照此约可多收 {brings_zh}",
        "en": f"{wishes} waiting wishes and {recurring} recurring pickups of this year found no place;"
        f" {pickups} pickups of the last {MEASURED_DAYS} days brought {units} units,"
        f" so these would have brought about {brings_en}",
    }


def _channels(of_scope: ScopeFigures) -> Iterator[dict[str, Any]]:
    """What each channel brought this year by tickets, and its share."""
    scope = of_scope.scope
    came = of_scope.by_channel(_unit(scope))
    total = sum(came.values())
    if total <= 0:
        return
    for channel, amount in came.items():
        amount_zh, amount_en = _said(scope, amount)
        share = amount * 1000 // total / 10
        yield {
            "kind": "channel",
            "key": channel,
            "name_zh": CHANNEL_WORDS[channel][0],
            "name_en": CHANNEL_WORDS[channel][1],
            "amount": amount,
            "zh": f"今年 {amount_zh}，占 {share:g} %",
            "en": f"{amount_en} this year, {share:g} %",
        }


CHANNEL_WORDS = {
    "door": ("上门", "Doorstep"),
    "walk_in": ("自送", "Walk-in"),
    "bin": ("智能回收箱", "Smart bins"),
    "trade_in": ("以旧换新", "Trade-in"),
    "pool": ("资产池", "Asset pool"),
}
