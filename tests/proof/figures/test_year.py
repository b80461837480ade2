"""A simulated year: every reported kilogram traces to a ticket line, and all figures come out of the tickets again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from recycling.models.months_anew import months_on_record
from recycling.models.recovery import DailyRecovery, GoalReport, MonthlyRecovery
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.queries.invariants import INVARIANTS
from recycling.usecases.queries.recovered import list_recovered
from recycling.usecases.reporting.goal_progress import goal_progress
from recycling.usecases.reporting.rebuild_figures import rebuild_figures
from recycling.usecases.reporting.report_body import plain
from recycling.usecases.reporting.verify_report import verify_report
from tests.proof.figures.played_year import PlayedYear
from tests.proof.figures.traced import Line, Sums, apart, difference, in_span, sums, traced_lines
from tests.proof.harness import Proof, Size

YEAR = 2025  # of a goal that the notice sets, and over
NEW_YEARS_EVE = date(YEAR, 12, 31)
DAYS = {"small": 36, "full": 365, "release": 365}
STATIONS = {"small": 2, "full": 4, "release": 10}
AFTER = timedelta(days=10)  # December is closed in January, and adjusted after that
PAGE = 1000
OF_FIGURES = ("I-12", "I-14", "I-15", "I-28")


def test_a_year_of_figures_traces_to_its_tickets_and_is_made_again_byte_by_byte(
    session: Session, district: District, size: Size, proof: Proof
) -> None:
    # given a year of weigh-ins, second thoughts, and months closed as it goes
    year = PlayedYear(session, district, sorted(district.network.stations)[: STATIONS[size]])
    first = NEW_YEARS_EVE - timedelta(days=DAYS[size] - 1)
    year.play(first, NEW_YEARS_EVE + AFTER)
    now = instant_at(NEW_YEARS_EVE + AFTER, 22 * 3600)
    assert year.closed[-1] == NEW_YEARS_EVE.replace(day=1)
    assert all(year.did[what] for what in ("correction", "withdrawal", "adjustment")), year.did
    broken = {rule.rule: rule.breaches(session, now) for rule in INVARIANTS if rule.key in OF_FIGURES}
    assert not any(broken.values()), broken
    # when what the bureau was told is held against the tickets, and again with one line altered behind its back
    told = _told(session, district=district, first=first, now=now)
    groups = {kind.key: kind.group for kind in district.catalogue.rows}
    found = _compared(told, traced_lines(session), groups)
    altered = _altered(session)
    false = _compared(told, traced_lines(session), groups)
    _restore(session, altered)
    # then they are the same in each way that they are shown
    proof.record(
        name=f"{DAYS[size]} days, {sum(year.did[one] for one in CHANNELS):,} tickets: reported kg and units traced",
        figure=f"{found.share} of {found.kg} kg and {found.units:,} units", target="100.000 %",
        control=f"a line altered by SQL: {false.share}", ok=found.share == "100.000 %" and false.share != found.share,
    )  # fmt: skip
    for name, wrong in found.apart.items():
        proof.record(
            name=name, figure=f"{wrong} of {found.keys[name]} differ", target=0,
            control=f"a line altered by SQL: {false.apart[name]}", ok=wrong == 0 < false.apart[name],
        )  # fmt: skip
    # when all facts are lost and made again from the tickets, later
    later = now + timedelta(days=100)
    _lose_and_rebuild(session, later)
    same, reports = _made_again(session, district=district, later=later)
    # and once more with the line altered
    altered = _altered(session)
    _lose_and_rebuild(session, later)
    same_if_altered, _ = _made_again(session, district=district, later=later)
    _restore(session, altered)
    proof.record(
        name="kept monthly reports that verify to the byte and are what rebuilt facts say",
        figure=f"{same} of {reports}", target="all", control=f"a line altered by SQL: {same_if_altered}",
        ok=same == reports > same_if_altered,
    )  # fmt: skip


CHANNELS = ("door", "walk_in", "bin", "trade_in", "pool")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the product says: kept reports by month, the year's progress, and the daily figures as they are listed."""

    reports: dict[str, dict[str, Any]]
    scopes: list[dict[str, Any]]
    outside: dict[str, Any]
    daily: list[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Told beside traced: which share of the reports' mass and units is in the tickets, and how many sums are not."""

    share: str
    kg: str
    units: int
    apart: dict[str, int]
    keys: dict[str, int]


def _told(session: Session, *, district: District, first: date, now: Any) -> Told:
    kept = session.scalars(select(GoalReport).order_by(GoalReport.period, GoalReport.version))
    reports = {report.period: report.body for report in kept if report.period.startswith(str(YEAR))}
    session.rollback()
    progress = goal_progress(NEW_YEARS_EVE, district=district, session=session, now=now)
    daily = [
        Line(str(row["day"]), row["station_key"], row["town_key"], row["item_type"], row["units"], row["recovered_g"])
        for row in _listed(session, first, district)
    ]
    session.rollback()
    return Told(reports=reports, scopes=progress["scopes"], outside=progress["outside_scopes"], daily=daily)


def _listed(session: Session, first: date, district: District) -> Iterator[dict[str, Any]]:
    """The daily figures of the year, page by page."""
    cursor = None
    while True:
        page = list_recovered(
            district=district, session=session, limit=PAGE, first=first, last=NEW_YEARS_EVE, cursor=cursor
        )
        yield from page["recovered"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _compared(told: Told, traced: list[Line], groups: dict[str, str]) -> Compared:
    """Every sum that is shown, beside the same sum of the lines; a scope's lines are those of its groups."""
    lines = in_span(traced, date(YEAR, 1, 1), NEW_YEARS_EVE)
    in_scope = {
        scope["scope"]["label"]: [line for line in lines if groups[line.item_type] in scope["scope"]["groups"]]
        for scope in told.scopes
    }

    def by_scope(key: Callable[[Line], str]) -> Sums:
        return {(label, one): amounts for label, mine in in_scope.items() for one, amounts in sums(mine, key).items()}

    reports = {
        (one["scope"], period): (one["units"], one["recovered_g"])
        for period, body in told.reports.items()
        for one in body["in_period"]
    }
    views: dict[str, tuple[Sums, Sums, int]] = {
        "kept monthly reports = their lines, by scope": (reports, by_scope(lambda line: line.day[:7]), 0),
        "sum over the town-level units = the district, by scope": (
            _shown(told, "by_town", "town_key"), by_scope(lambda line: line.town_key), _unsound(told, "by_town"),
        ),
        "item types = the total, by scope": (
            _shown(told, "by_item_type", "item_type"),
            by_scope(lambda line: line.item_type),
            _unsound(told, "by_item_type"),
        ),
        "days = the year": (
            sums(told.daily, lambda line: line.day), sums(lines, lambda line: line.day), _other_year(told),
        ),
        "stations = the district": (
            sums(told.daily, lambda line: line.station_key), sums(lines, lambda line: line.station_key),
            _other_year(told),
        ),
    }  # fmt: skip
    off = difference(reports, by_scope(lambda line: line.day[:7]))
    units, mass_g = (sum(one[n] for one in reports.values()) for n in (0, 1))
    return Compared(
        share=f"{100 * (1 - off / (units + mass_g)):.6f} %" if off else "100.000 %",
        kg=f"{sum(line.grams for line in told.daily) / 1000:,.3f}", units=sum(line.units for line in told.daily),
        apart={name: apart(shown, mine) + unsound for name, (shown, mine, unsound) in views.items()},
        keys={name: len(shown) for name, (shown, _, _) in views.items()},
    )  # fmt: skip


def _shown(told: Told, breakdown: str, key: str) -> Sums:
    return {
        (scope["scope"]["label"], row[key]): (row["units"], row["recovered_g"])
        for scope in told.scopes
        for row in scope[breakdown]
        if row["units"] or row["recovered_g"]
    }


def _unsound(told: Told, breakdown: str) -> int:
    """In how many scopes a breakdown does not add up to the total above it."""
    return sum(
        scope["recovered"][amount] != sum(row[amount] for row in scope[breakdown])
        for scope in told.scopes
        for amount in ("units", "recovered_g")
    )


def _other_year(told: Told) -> int:
    """Whether the daily figures come to something else than the widest scope, outside of which nothing is left."""
    year = max((scope["recovered"]["units"], scope["recovered"]["recovered_g"]) for scope in told.scopes)
    daily = (sum(line.units for line in told.daily), sum(line.grams for line in told.daily))
    return int(daily != year or told.outside["units"] != 0)


def _altered(session: Session) -> dict[str, Any]:
    """One gram and one unit more on a line of the year that stands, written past the program."""
    found = session.execute(
        text(
            "SELECT l.ticket_id, l.position FROM intake_line l JOIN intake_ticket t ON t.id = l.ticket_id"
            " WHERE t.counts_on <= :last AND t.counters_id IS NULL AND l.item_type = 'fridge'"
            " AND NOT EXISTS (SELECT 1 FROM intake_ticket n WHERE n.corrects_id = t.id)"
            " ORDER BY t.counts_on DESC, t.number, l.position LIMIT 1"
        ),
        {"last": str(NEW_YEARS_EVE)},
    ).one()
    named = dict(found._mapping)
    _alter(session, named, by=1)
    return named


def _restore(session: Session, named: dict[str, Any]) -> None:
    _alter(session, named, by=-1)


def _alter(session: Session, named: dict[str, Any], *, by: int) -> None:
    session.execute(
        text(
            "UPDATE intake_line SET units = units + :by, net_g = net_g + :by"
            " WHERE ticket_id = :ticket_id AND position = :position"
        ),
        named | {"by": by},
    )
    session.commit()


def _lose_and_rebuild(session: Session, now: Any) -> None:
    for model in (DailyRecovery, MonthlyRecovery):
        session.execute(delete(model))
    session.commit()
    for month in months_on_record(session):
        rebuild_figures(month, by=SYSTEM, session=session, now=now)


def _made_again(session: Session, *, district: District, later: Any) -> tuple[int, int]:
    """How many kept reports verify to the byte and are what the rebuilt figures say, of how many."""
    kept = session.scalars(select(GoalReport).where(GoalReport.version == 1)).all()
    same = 0
    for report in kept:
        verdict = verify_report(report.id, district=district, session=session)
        progress = goal_progress(report.as_of, district=district, session=session, now=later)
        same += not verdict.differences and plain({"scopes": progress["scopes"]})["scopes"] == report.body["scopes"]
    session.rollback()
    return same, len(kept)
