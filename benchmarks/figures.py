"""Figures: how fast they are read, made and made anew, beside the bare SQL that does the same on the same rows."""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import flask_migrate
from flask import Flask
from rich.console import Console
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from benchmarks.support.five_years import LAST, Span, load, tickets_for, tidy
from benchmarks.table import Row
from recycling.app import create_app
from recycling.extensions import db
from recycling.models.base import table_of
from recycling.models.intake import IntakeLine, IntakeTicket, Scale
from recycling.models.months_anew import months_on_record
from recycling.models.recovery import ClosedMonth, DailyRecovery, MonthlyRecovery, RecoveryDay
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.usecases.reporting.goal_progress import FIRST_DAY, goal_progress
from recycling.usecases.reporting.rebuild_figures import rebuild_figures
from recycling.usecases.reporting.roll_up import roll_up_day
from tests.conftest import fresh_postgres
from tests.servers import server_settings

# Smaller by the environment: LINES=100000 SQLITE_LINES=50000 LOOKS=50.
LINES = int(os.environ.get("LINES", "10_000_000"))
SQLITE_LINES = int(os.environ.get("SQLITE_LINES", "500_000"))
LOOKS = int(os.environ.get("LOOKS", "300"))
READ_P99_MS, ROLL_UP_S, BARE, REBUILD_BARE, APART = 150.0, 2.0, 2.0, 1.5, 1.25
NIGHTS = 5  # roll-ups of the last days, the middle one counts
NOW = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)  # 23:00 in Xuecheng
COPIED = (IntakeTicket, IntakeLine, Scale, ClosedMonth)
FIGURES = (DailyRecovery, MonthlyRecovery, RecoveryDay)

console = Console(stderr=True)


def rows() -> Iterator[Row]:
    """Measure everything of the issue's speed table, on PostgreSQL and on SQLite."""
    yield from measured("postgresql", lines=LINES, looks=LOOKS)
    yield from measured("sqlite", lines=SQLITE_LINES, looks=LOOKS)


def measured(engine: str, *, lines: int, looks: int) -> Iterator[Row]:
    """The table of one engine."""
    named = f"{engine}, {lines:,} lines over five years"
    # What is rebuilt from nothing is told loudly, month by month; here it is what is measured.
    with capture_logs(), _app_over(engine, lines=lines) as made, made.app.app_context():
        session: Session = db.session()
        yield from _rebuilt(made, session, named=named)
        yield from _read(session, district=made.district, looks=looks, named=named)
        yield from _rolled_up(made, session, named=named)
        db.session.remove()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An app over a database of five years, and what a night took when there was only the last of them."""

    app: Flask
    url: str
    short_night_s: float

    @property
    def district(self) -> District:
        """The real district."""
        found: District = self.app.extensions["district"]
        return found

    def tidy(self) -> None:
        """Let the engine look at the figures that were written, as it does by itself after a while."""
        if self.url.startswith("sqlite"):
            with self.app.app_context():
                db.session.execute(text("ANALYZE"))
                db.session.commit()
        else:
            tidy(self.url, ("daily_recovery", "monthly_recovery", "recovery_day"))


@contextmanager
def _app_over(engine: str, *, lines: int) -> Iterator[Made]:
    """PostgreSQL makes the tickets; SQLite gets a copy of them."""
    servers = fresh_postgres()
    made = _Growing(next(servers), engine=engine, tickets=tickets_for(lines))
    try:
        with tempfile.TemporaryDirectory() as name:
            yield made.grown(Path(name))
    finally:
        made.close()
        for _ in servers:  # let the generator drop what it made
            pass


class _Growing:
    """First the last year alone, for a night to be measured on; then the four years before it."""

    def __init__(self, url: str, *, engine: str, tickets: int) -> None:
        self._url, self._engine, self._tickets = url, engine, tickets
        self._apps: list[Flask] = []

    def grown(self, folder: Path) -> Made:
        source = self._app(self._url)
        fifth = self._tickets * 4 // 5
        self._load(source, fifth, self._tickets)
        app, url = source, self._url
        if self._engine == "sqlite":
            url = f"sqlite:///{folder / 'figures.db'}"
            app = self._app(url)
            self._copy(source, app)
        made = Made(app=app, url=url, short_night_s=0.0)
        with app.app_context():
            for month in months_on_record(db.session()):
                rebuild_figures(month, by=SYSTEM, session=db.session(), now=NOW)
            db.session.remove()
        made.tidy()
        with app.app_context():
            short_night_s = _night(db.session(), district=made.district)
            db.session.remove()
        self._load(source, 0, fifth)
        if self._engine == "sqlite":
            self._copy(source, app)
        with app.app_context():  # what is rebuilt is rebuilt from nothing
            for model in FIGURES:
                db.session.execute(table_of(model).delete())
            db.session.commit()
        made.tidy()
        return Made(app=app, url=url, short_night_s=short_night_s)

    def close(self) -> None:
        for app in self._apps:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()

    def _app(self, url: str) -> Flask:
        app = create_app(server_settings(url))
        self._apps.append(app)
        with app.app_context():
            flask_migrate.upgrade()
        return app

    def _load(self, source: Flask, first: int, last: int) -> None:
        console.print(f"{self._engine}: writing tickets {first:,} to {last:,}")
        span = Span(first=first, last=last, of=self._tickets)
        load(self._url, span, district=source.extensions["district"])

    def _copy(self, source: Flask, target: Flask) -> None:
        """Put into the target what the source has, in place of what is there."""
        with target.app_context():
            db.session.execute(text("PRAGMA defer_foreign_keys=ON"))
            for model in reversed(COPIED):
                db.session.execute(table_of(model).delete())
            for model in COPIED:
                with source.app_context():
                    found = db.session.execute(select(table_of(model))).mappings().all()
                    db.session.rollback()
                for first in range(0, len(found), 10_000):
                    db.session.execute(insert(table_of(model)), [dict(row) for row in found[first : first + 10_000]])
            db.session.commit()
            db.session.remove()


def _rebuilt(made: Made, session: Session, *, named: str) -> Iterator[Row]:
    """All figures from nothing, and again when they stand, beside one statement for each table."""
    bare_s = _bare_rebuild_s(session)
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        found = [rebuild_figures(month, by=SYSTEM, session=session, now=NOW) for month in months_on_record(session)]
        seconds.append(time.perf_counter() - began)
        made.tidy()
    count = sum(one.rows for one in found)
    yield Row(
        name=f"{named}: full rebuild of {count:,} daily figures, in {len(found)} months, none of which stood",
        figure=seconds[0], unit="s", target=f"<= {REBUILD_BARE} x bare", ok=seconds[0] <= REBUILD_BARE * bare_s,
        peer="one aggregate of all lines, written", peer_figure=bare_s,
    )  # fmt: skip
    yield Row(
        name=f"{named}: the same when all of them stand and are right", figure=seconds[1], unit="s",
        target=f"<= {REBUILD_BARE} x bare", ok=seconds[1] <= REBUILD_BARE * bare_s,
        peer="one aggregate of all lines, written", peer_figure=bare_s,
    )  # fmt: skip


def _read(session: Session, *, district: District, looks: int, named: str) -> Iterator[Row]:
    chance = random.Random(23)
    days = [FIRST_DAY + timedelta(days=chance.randrange((LAST - FIRST_DAY).days + 1)) for _ in range(looks)]
    types = tuple(kind.key for kind in district.catalogue.rows if kind.group != "furniture")

    def progress(day: date) -> Any:
        return goal_progress(day, district=district, session=session, now=NOW)["scopes"][0]

    def bare_figures(day: date) -> Any:
        return _bare(session, day, "item_type, town_key, channel, provenance", "true")

    def bare_towns(day: date) -> Any:
        return _bare(session, day, "town_key", f"item_type IN {types}")

    for what, bare, peer in (
        (
            "goal progress at the end of a day, all scopes with their breakdowns",
            bare_figures,
            "the figures in bare SQL",
        ),
        ("what the 10 town-level units recovered by the end of a day", bare_towns, "sums by town in bare SQL"),
    ):
        assert _of_towns(progress(LAST)) == _by_town(bare_towns(LAST)), "the two do not say the same"
        ours_ms, bare_ms = _by_turns(progress, bare, days)
        yield Row(
            name=f"{named}: {what}, {looks} days of four years: 99th percentile (median"
            f" {statistics.median(ours_ms):.0f} ms, bare {statistics.median(bare_ms):.0f} ms)",
            figure=_p99(ours_ms), unit="ms", target=f"<= {READ_P99_MS:.0f} ms, <= {BARE:.0f} x bare",
            ok=_p99(ours_ms) <= min(READ_P99_MS, BARE * _p99(bare_ms)), peer=peer, peer_figure=_p99(bare_ms),
        )  # fmt: skip


def _rolled_up(made: Made, session: Session, *, named: str) -> Iterator[Row]:
    seconds = _night(session, district=made.district)
    yield Row(
        name=f"{named}: nightly roll-up of a day, 10 stations, everything right", figure=seconds, unit="s",
        target=f"<= {ROLL_UP_S:.0f} s, <= {APART} x a fifth", ok=seconds <= min(ROLL_UP_S, APART * made.short_night_s),
        peer="with a fifth of the history", peer_figure=made.short_night_s,
    )  # fmt: skip
    session.execute(table_of(DailyRecovery).delete().where(table_of(DailyRecovery).c.day == LAST))
    session.commit()
    began = time.perf_counter()
    found = roll_up_day(LAST, district=made.district, session=session, now=NOW)
    lost_s = time.perf_counter() - began
    yield Row(
        name=f"{named}: the same when the {found.differences:,} figures of the day are lost", figure=lost_s, unit="s",
        target=f"<= {ROLL_UP_S:.0f} s", ok=lost_s <= ROLL_UP_S,
    )  # fmt: skip


def _night(session: Session, *, district: District) -> float:
    took = []
    for back in range(NIGHTS):
        began = time.perf_counter()
        found = roll_up_day(LAST - timedelta(days=back), district=district, session=session, now=NOW)
        took.append(time.perf_counter() - began)
        assert not found.differences, found
    return statistics.median(took)


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
    """Sums from New Year to the end of a day, of the figures by month and of the days of a month that is not whole."""
    after = day + timedelta(days=1)
    begun = date(day.year, 1, 1), day.replace(day=1) if after.day != 1 else after
    found = (
        session.connection()
        .execute(
            text(
                f"SELECT {keys}, SUM(units), SUM(recovered_g) FROM ("  # constants of this file
                f" SELECT {FACTS} FROM monthly_recovery WHERE month >= :year AND month < :month AND {where}"
                f" UNION ALL SELECT {FACTS} FROM daily_recovery WHERE day >= :month AND day < :after AND {where}"
                f") figures GROUP BY {keys}"
            ),
            {"year": str(begun[0]), "month": str(begun[1]), "after": str(after)},
        )
        .all()
    )
    session.rollback()
    return found


FACTS = "item_type, town_key, channel, provenance, units, recovered_g"


def _of_towns(scope: Any) -> dict[str, tuple[int, int]]:
    return {row["town_key"]: (row["units"], row["recovered_g"]) for row in scope["by_town"]}


def _by_town(found: Sequence[Any]) -> dict[str, tuple[int, int]]:
    return {town: (int(units), int(grams)) for town, units, grams in found}


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
