"""Figures: how fast they are read, made and made anew, beside the bare SQL that does the same on the same rows."""

from __future__ import annotations

import gc
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from benchmarks.support.five_years import DAYS, LAST
from benchmarks.support.five_years_app import NOW, FiveYears, five_years
from benchmarks.support.workbook_process import written
from benchmarks.table import Row
from recycling.extensions import db
from recycling.models.base import table_of
from recycling.models.recovery import DailyRecovery
from recycling.policy.district import District
from recycling.usecases.reporting.goal_progress import FIRST_DAY, goal_progress
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.roll_up import roll_up_day
from recycling.usecases.reporting.verify_report import verify_report

# Smaller by the environment: LINES=100000 SQLITE_LINES=50000 LOOKS=50.
LINES = int(os.environ.get("LINES", "10_000_000"))
SQLITE_LINES = int(os.environ.get("SQLITE_LINES", "500_000"))
LOOKS = int(os.environ.get("LOOKS", "300"))
READ_P99_MS, ROLL_UP_S, BARE, APART = 150.0, 2.0, 2.0, 1.25
MONTH, VERIFY_S = LAST.replace(day=1), 10.0
BOOK_LINES, BOOK_S, BOOK_MIB = 50_000, 5.0, 200.0
REBUILD_BARE = {"postgresql": 1.5, "sqlite": 2.0}


def rows() -> Iterator[Row]:
    """Measure everything of the issue's speed table, on PostgreSQL and on SQLite."""
    for engine, lines in (("postgresql", LINES), ("sqlite", SQLITE_LINES)):
        with five_years(engine, lines=lines) as made, made.app.app_context():
            yield from measured(made, named=f"{engine}, {lines:,} lines over five years", lines=lines, looks=LOOKS)
            db.session.remove()


def measured(made: FiveYears, *, named: str, lines: int, looks: int) -> Iterator[Row]:
    """The table of one engine."""
    session: Session = db.session()
    yield from _rebuilt(made, session, named=named)
    yield from _read(session, district=made.district, looks=looks, named=named)
    yield from _rolled_up(made, session, named=named)
    yield from _reported(made, session, named=named, lines=lines)


def _rebuilt(made: FiveYears, session: Session, *, named: str) -> Iterator[Row]:
    """All figures from nothing, and again when they stand, beside one statement for each table."""
    bare_s, most = _bare_rebuild_s(session), REBUILD_BARE[session.get_bind().dialect.name]
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        found = made.rebuild()
        seconds.append(time.perf_counter() - began)
        made.tidy()
    count = sum(one.rows for one in found)
    for what, took in zip(
        (
            f"full rebuild of {count:,} daily figures, in {len(found)} months, none of which stood",
            "the same when all of them stand and are right",
        ),
        seconds,
        strict=True,
    ):
        yield Row(
            name=f"{named}: {what}", figure=took, unit="s", target=f"<= {most} x bare", ok=took <= most * bare_s,
            peer="one aggregate of all lines, written", peer_figure=bare_s,
        )  # fmt: skip


def _read(session: Session, *, district: District, looks: int, named: str) -> Iterator[Row]:
    chance = random.Random(23)
    days = [FIRST_DAY + timedelta(days=chance.randrange((LAST - FIRST_DAY).days + 1)) for _ in range(looks)]
    types = {
        scope.key: tuple(kind.key for kind in district.catalogue.rows if scope.covers(kind.group))
        for scope in district.goals.current_scopes()
    }

    def progress(day: date) -> Any:
        return goal_progress(day, district=district, session=session, now=NOW)

    def bare_figures(day: date) -> Any:
        return _bare(session, day, KEYS, "true")

    def bare_towns(day: date) -> dict[str, Any]:
        return {key: _bare(session, day, "town_key", f"item_type IN {some}") for key, some in types.items()}

    gc.collect()
    gc.freeze()  # as a server does when it has started
    assert _of_towns(progress(LAST)) == _by_town(bare_towns(LAST)), "the two do not say the same"
    for what, bare, peer in (
        (
            "goal progress at the end of a day, all scopes with their breakdowns",
            bare_figures,
            "the figures in bare SQL",
        ),
        (
            "what each town-level unit recovered by the end of a day, in each scope",
            bare_towns,
            "bare sums by town, thrice",
        ),
    ):
        ours_ms, bare_ms = _by_turns(progress, bare, days)
        yield Row(
            name=f"{named}: {what}, {looks} days of four years: 99th percentile (median"
            f" {statistics.median(ours_ms):.0f} ms, bare {statistics.median(bare_ms):.0f} ms)",
            figure=_p99(ours_ms), unit="ms", target=f"<= {READ_P99_MS:.0f} ms, <= {BARE:.0f} x bare",
            ok=_p99(ours_ms) <= min(READ_P99_MS, BARE * _p99(bare_ms)), peer=peer, peer_figure=_p99(bare_ms),
        )  # fmt: skip


def _rolled_up(made: FiveYears, session: Session, *, named: str) -> Iterator[Row]:
    seconds = made.night_s()
    yield Row(
        name=f"{named}: nightly roll-up of a day, 10 stations, everything right", figure=seconds, unit="s",
        target=f"<= {ROLL_UP_S:.0f} s, <= {APART} x a fifth", ok=seconds <= min(ROLL_UP_S, APART * made.short_night_s),
        peer="with a fifth of the history", peer_figure=made.short_night_s,
    )  # fmt: skip
    session.execute(table_of(DailyRecovery).delete().where(table_of(DailyRecovery).c.day == LAST))
    session.commit()
    began = time.perf_counter()
    with capture_logs():
        found = roll_up_day(LAST, district=made.district, session=session, now=NOW)
    lost_s = time.perf_counter() - began
    yield Row(
        name=f"{named}: the same when the {found.differences:,} figures of the day are lost", figure=lost_s, unit="s",
        target=f"<= {ROLL_UP_S:.0f} s", ok=lost_s <= ROLL_UP_S,
    )  # fmt: skip


def _reported(made: FiveYears, session: Session, *, named: str, lines: int) -> Iterator[Row]:
    """The last month verified, and the workbook of as many days as have fifty thousand lines."""
    made.vouch(MONTH)
    month = make_goal_report(f"{MONTH:%Y-%m}", district=made.district, session=session, now=NOW)
    began = time.perf_counter()
    verdict = verify_report(month.id, district=made.district, session=session)
    took = time.perf_counter() - began
    yield Row(
        name=f"{named}: verify of a month, {_lines_since(session, MONTH):,} lines;"
        f" {len(verdict.differences)} differences",
        figure=took, unit="s", target=f"<= {VERIFY_S:.0f} s, 0 differences",
        ok=took <= VERIFY_S and not verdict.differences,
    )  # fmt: skip
    first = max(LAST - timedelta(days=BOOK_LINES * DAYS // lines - 1), FIRST_DAY)
    report = make_goal_report(f"{first}..{LAST}", district=made.district, session=session, now=NOW)
    listed = _lines_since(session, first)
    session.rollback()
    book = written(made.url, report.id)
    yield Row(
        name=f"{named}: workbook of {listed:,} lines, {book.kib:,} KiB", figure=book.seconds, unit="s",
        target=f"<= {BOOK_S:.0f} s", ok=book.seconds <= BOOK_S,
    )  # fmt: skip
    yield Row(
        name=f"{named}: largest memory of the process that writes it", figure=book.peak_mib, unit="MiB",
        target=f"< {BOOK_MIB:.0f} MiB", ok=book.peak_mib < BOOK_MIB,
        peer="before it begins", peer_figure=book.start_mib,
    )  # fmt: skip


def _lines_since(session: Session, day: date) -> int:
    since = {"day": str(day)}
    return int(session.scalar(text("SELECT SUM(ticket_lines) FROM daily_recovery WHERE day >= :day"), since) or 0)


def _by_turns(
    ours: Callable[[date], Any], bare: Callable[[date], Any], days: Sequence[date]
) -> tuple[list[float], list[float]]:
    """Milliseconds of each, day by day, one after the other, so that both meet the machine in the same mood."""
    took: tuple[list[float], list[float]] = ([], [])
    for day in days:
        for ask, kept in zip((ours, bare), took, strict=True):
            began = time.perf_counter()
            ask(day)
            kept.append(1000 * (time.perf_counter() - began))
    return took


def _p99(took: Sequence[float]) -> float:
    return sorted(took)[int(0.99 * (len(took) - 1))]


def _bare(session: Session, day: date, keys: str, where: str) -> Sequence[Any]:
    """Sums from New Year to the end of a day, of the figures by month and of the days that it has more or less."""
    month, after = day.replace(day=1), (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    late = day.day > (after - month).days // 2
    spans = {
        "year": date(day.year, 1, 1), "to_month": month if late else month - timedelta(days=1),
        "from_day": day + timedelta(days=1) if late else month, "to_day": after - timedelta(days=1) if late else day,
    }  # fmt: skip
    sign = -1 if late else 1
    statement = (
        f"SELECT {keys}, SUM(units), SUM(recovered_g) FROM ("
        f" SELECT {KEYS}, units, recovered_g FROM monthly_recovery WHERE month BETWEEN :year AND :to_month AND {where}"
        f" UNION ALL SELECT {KEYS}, {sign} * units, {sign} * recovered_g FROM daily_recovery"
        f" WHERE day BETWEEN :from_day AND :to_day AND {where}) figures GROUP BY {keys}"
    )
    bound = {name: str(one) for name, one in spans.items()}
    found = session.connection().execute(text(statement), bound).all()
    session.rollback()
    return found


KEYS = "item_type, town_key, channel, provenance"


def _of_towns(report: Any) -> dict[str, dict[str, tuple[int, int]]]:
    return {
        scope["scope"]["key"]: {row["town_key"]: (row["units"], row["recovered_g"]) for row in scope["by_town"]}
        for scope in report["scopes"]
    }


def _by_town(found: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, tuple[int, int]]]:
    return {scope: {town: (int(units), int(grams)) for town, units, grams in rows} for scope, rows in found.items()}


def _bare_rebuild_s(session: Session) -> float:
    """One statement that adds all lines up by day and one that adds the days up, written into tables of their own."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    for name in ("daily_recovery", "monthly_recovery"):
        if sqlite:
            made = session.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name})
            session.execute(text(str(made).replace(name, f"bare_{name}")))
        else:
            session.execute(text(f"CREATE TABLE bare_{name} (LIKE {name} INCLUDING ALL)"))
    session.commit()
    month = "date(day, 'start of month')" if sqlite else "date_trunc('month', day)::date"
    began = time.perf_counter()
    if not sqlite:  # it takes longer than a request may
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text("SET LOCAL work_mem = '64MB'"))
    session.execute(text(BARE_DAYS))
    session.execute(text(BARE_MONTHS.format(month=month)))
    session.commit()
    took = time.perf_counter() - began
    for name in ("daily_recovery", "monthly_recovery"):
        session.execute(text(f"DROP TABLE bare_{name}"))
    session.commit()
    return took


BARE_DAYS = """
INSERT INTO bare_daily_recovery
SELECT counts_on, station_key, town_key, item_type, channel, provenance, SUM(units), SUM(net_g), COUNT(*) FROM (
    SELECT t.counts_on, t.station_key, l.town_key, l.item_type, t.channel, l.provenance, l.units, l.net_g
    FROM intake_ticket t JOIN intake_line l ON l.ticket_id = t.id
    WHERE NOT EXISTS (SELECT 1 FROM intake_ticket n WHERE n.corrects_id = t.id AND n.counters_id IS NULL)
    UNION ALL
    SELECT t.counts_on, t.station_key, l.town_key, l.item_type, c.channel, l.provenance, -l.units, -l.net_g
    FROM intake_ticket t JOIN intake_ticket c ON c.id = t.counters_id JOIN intake_line l ON l.ticket_id = c.id
) lines GROUP BY counts_on, station_key, town_key, item_type, channel, provenance
"""

BARE_MONTHS = """
INSERT INTO bare_monthly_recovery
SELECT {month}, station_key, town_key, item_type, channel, provenance, SUM(units), SUM(recovered_g), SUM(ticket_lines)
FROM bare_daily_recovery GROUP BY {month}, station_key, town_key, item_type, channel, provenance
"""
