"""The figures of a report one by one (报告数字): each with the words by which its tickets are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

SpanOf = Literal["period", "year"]
OUTSIDE = "outside"  # in place of a scope: what lies in none

# How a breakdown is called in the body, and the name of its key.
BREAKDOWNS = {
    "by_town": "town_key", "by_item_type": "item_type", "by_station": "station_key", "by_day": "day",
    "provenance": "provenance",
}  # fmt: skip
# Figures that no tickets lie behind: they follow from goal, baseline and calendar.
MEASURES = (
    "target", "progress_bp", "pace_bp", "missing", "needed_per_day", "needed_per_working_day",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureKey:
    """What a figure is of.

    Parameters
    ----------
    span
        The report's own days, or the year up to their last.
    scope
        Label of a scope, or `OUTSIDE`.
    by, key
        What it is broken down by, such as ``town_key`` and ``lincheng``; empty for the whole.
    """

    span: SpanOf
    scope: str
    by: str = ""
    key: str = ""

    def asked(self) -> dict[str, str]:
        """The query of `GET /goal-reports/{id}/tickets` that lists the tickets behind it."""
        return {"span": self.span, "scope": self.scope} | ({self.by: self.key} if self.by else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a report; ``units`` is ``None`` where a breakdown tells grams alone."""

    of: FigureKey
    units: int | None
    recovered_g: int


def figures_of(body: Mapping[str, Any]) -> Iterator[Figure]:
    """Every recovered figure that a report shows, in its own sequence."""
    for scope in body["scopes"]:
        label = scope["scope"]["label"]
        yield _figure(FigureKey(span="year", scope=label), scope["recovered"])
        yield from _breakdowns("year", label, scope)
    for part in body["in_period"]:
        yield _figure(FigureKey(span="period", scope=part["scope"]), part)
        yield from _breakdowns("period", part["scope"], part)
    yield _figure(FigureKey(span="year", scope=OUTSIDE), body["outside_scopes"])


def measures_of(body: Mapping[str, Any]) -> Iterator[tuple[str, str, int | None]]:
    """Scope, name and value of what follows from goal, baseline and calendar."""
    for scope in body["scopes"]:
        for unit in ("units", "mass"):
            found = scope[f"{unit}_progress"]
            for name in MEASURES:
                yield scope["scope"]["label"], f"{unit}_{name}", None if found is None else found[name]


def marks_of(body: Mapping[str, Any], *, draft: bool) -> list[str]:
    """Words that must stand on every page and file of a report."""
    marks = ["草稿，未签发 / DRAFT, NOT PUBLISHED"] if draft else []
    tickets = body["made_up_tickets"]
    if tickets:
        marks.append(f"含演示数据：{tickets} 张虚构磅单 / MADE-UP DATA: includes {tickets} made-up tickets")
    for scope in body["scopes"]:
        if scope["goal"] is not None and scope["baseline_state"] != "confirmed":
            marks.append("基准未确认 / BASELINE NOT CONFIRMED")
        if scope["baseline"] is not None and scope["baseline"]["marker"]:
            marks.append(scope["baseline"]["marker"])
    return list(dict.fromkeys(marks))


def _breakdowns(span: SpanOf, scope: str, part: Mapping[str, Any]) -> Iterator[Figure]:
    for name, by in BREAKDOWNS.items():
        for row in part.get(name, ()):
            yield _figure(FigureKey(span=span, scope=scope, by=by, key=row[by]), row)


def _figure(of: FigureKey, row: Mapping[str, Any]) -> Figure:
    grams: int = row["recovered_g"] if "recovered_g" in row else row["mass_g"]
    return Figure(of=of, units=row.get("units"), recovered_g=grams)
