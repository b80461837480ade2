"""The application over a database of five years of tickets, on either engine."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import flask_migrate
from flask import Flask
from rich.console import Console
from sqlalchemy import bindparam, func, insert, select, text
from structlog.testing import capture_logs

from benchmarks.support.five_years import LAST, Span, load, tickets_for, tidy
from recycling.app import create_app
from recycling.extensions import db
from recycling.models.base import table_of
from recycling.models.intake import IntakeLine, IntakeTicket, Scale, ticket_mac
from recycling.models.months_anew import MonthAnew, months_on_record
from recycling.models.recovery import ClosedMonth, DailyRecovery, MonthlyRecovery, RecoveryDay
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.usecases.reporting.rebuild_figures import rebuild_figures
from recycling.usecases.reporting.roll_up import roll_up_day
from tests.conftest import fresh_postgres
from tests.servers import server_settings

NIGHTS = 5  # roll-ups of the last days, the middle one counts
NOW = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)  # 23:00 in Xuecheng
COPIED = (IntakeTicket, IntakeLine, Scale, ClosedMonth)
FIGURES = (DailyRecovery, MonthlyRecovery, RecoveryDay)
AT_ONCE = 10_000  # rows copied in one statement

console = Console(stderr=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiveYears:
    """An app over a database of five years, and what a night took when there was only the last of them.

    What is asked of it is asked inside its app context.
    """

    app: Flask
    url: str
    short_night_s: float = 0.0

    @property
    def district(self) -> District:
        """The real district."""
        found: District = self.app.extensions["district"]
        return found

    def rebuild(self) -> list[MonthAnew]:
        """Make all figures from the tickets; what was not there before would be told loudly, month by month."""
        with capture_logs():
            return [
                rebuild_figures(month, by=SYSTEM, session=db.session(), now=NOW)
                for month in months_on_record(db.session())
            ]

    def night_s(self) -> float:
        """Seconds that the roll-up of one of the last days takes when all is right."""
        took = []
        for back in range(NIGHTS):
            began = time.perf_counter()
            found = roll_up_day(LAST - timedelta(days=back), district=self.district, session=db.session(), now=NOW)
            took.append(time.perf_counter() - began)
            assert not found.differences, found
        return statistics.median(took)

    def vouch(self, day: date) -> None:
        """Chain the tickets from a day on as if they had been weighed in; what came before keeps its made-up macs."""
        heads: dict[tuple[str, str], bytes] = {}
        first = select(func.min(IntakeTicket.number)).where(IntakeTicket.counts_on >= day).scalar_subquery()
        wanted = select(IntakeTicket).where(IntakeTicket.number >= first - 1)
        macs = []
        for ticket in db.session.scalars(wanted.order_by(IntakeTicket.station_key, IntakeTicket.number)):
            scale = (ticket.station_key, ticket.scale_number)
            before = heads.get(scale)
            heads[scale] = bytes(ticket.mac) if before is None else ticket_mac(ticket, before=before)
            macs.append({"ticket_id": ticket.id, "to": heads[scale]})
        db.session.rollback()
        tickets, scales = table_of(IntakeTicket), table_of(Scale)
        db.session.connection().execute(
            tickets.update().where(tickets.c.id == bindparam("ticket_id")).values(mac=bindparam("to")), macs
        )
        for (station_key, number), mac in heads.items():
            db.session.execute(
                scales.update()
                .where(scales.c.station_key == station_key, scales.c.scale_number == number)
                .values(last_mac=mac)
            )
        db.session.commit()

    def lose_figures(self) -> None:
        """Leave the tickets alone."""
        for model in FIGURES:
            db.session.execute(table_of(model).delete())
        db.session.commit()

    def tidy(self) -> None:
        """Let the engine look at the figures that were written, as it does by itself after a while."""
        db.session.rollback()
        if self.url.startswith("sqlite"):
            db.session.execute(text("ANALYZE"))
            db.session.commit()
        else:
            tidy(self.url, ("daily_recovery", "monthly_recovery", "recovery_day"))


@contextmanager
def five_years(engine: str, *, lines: int) -> Iterator[FiveYears]:
    """A database with tickets and without figures. PostgreSQL makes the tickets, SQLite gets a copy of them."""
    servers = fresh_postgres()
    growing = _Growing(url=next(servers), engine=engine, tickets=tickets_for(lines))
    try:
        with tempfile.TemporaryDirectory() as name:
            yield growing.grown(Path(name))
    finally:
        growing.close()
        for _ in servers:  # let the generator drop what it made
            pass


@dataclass(slots=True, kw_only=True)
class _Growing:
    """First the last year alone, for a night to be measured on; then the four years before it."""

    url: str
    engine: str
    tickets: int
    apps: list[Flask] = field(default_factory=list)

    def grown(self, folder: Path) -> FiveYears:
        source, fifth = self._app(self.url), self.tickets * 4 // 5
        made = FiveYears(app=source, url=self.url)
        if self.engine == "sqlite":
            url = f"sqlite:///{folder / 'figures.db'}"
            made = FiveYears(app=self._app(url), url=url)
        self._load(source, made, fifth, self.tickets)
        with made.app.app_context():
            made.rebuild()
            made.tidy()
            made = replace(made, short_night_s=made.night_s())
            db.session.remove()
        self._load(source, made, 0, fifth)
        with made.app.app_context():
            made.lose_figures()
            made.tidy()
            db.session.remove()
        return made

    def close(self) -> None:
        for app in self.apps:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()

    def _app(self, url: str) -> Flask:
        app = create_app(server_settings(url))
        self.apps.append(app)
        with app.app_context():
            flask_migrate.upgrade()
        return app

    def _load(self, source: Flask, made: FiveYears, first: int, last: int) -> None:
        console.print(f"{self.engine}: writing tickets {first:,} to {last:,}")
        load(self.url, Span(first=first, last=last, of=self.tickets), district=source.extensions["district"])
        if made.app is not source:
            self._copy(source, made.app)

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
                for begin in range(0, len(found), AT_ONCE):
                    db.session.execute(insert(table_of(model)), [dict(row) for row in found[begin : begin + AT_ONCE]])
            db.session.commit()
            db.session.remove()
