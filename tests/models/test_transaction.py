"""`atomic`: all or nothing, once, and a clean "busy" instead of a wait without end."""

from __future__ import annotations

import threading
import time
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from recycling.app import create_app
from recycling.errors import Busy
from recycling.extensions import LOCK_WAIT_MS, db, wal_is_safe
from recycling.models.ledger import DayLedger, locked_day
from recycling.models.transaction import atomic, is_outage
from tests.conftest import NOW, test_settings

DAY = date(2026, 11, 24)


class Stop(Exception):
    """Anything that goes wrong."""


def test_an_exception_undoes_everything_even_what_an_inner_block_did(session: Session) -> None:
    def two_changes() -> None:
        with atomic(session):
            with atomic(session):
                locked_day(session, DAY, now=NOW)
            raise Stop

    with pytest.raises(Stop):
        two_changes()
    assert session.scalars(select(DayLedger)).all() == []
    # and the next use case works as ever
    with atomic(session):
        locked_day(session, DAY, now=NOW)
    session.rollback()
    assert len(session.scalars(select(DayLedger)).all()) == 1


def test_who_waits_too_long_for_a_lock_hears_busy(app: Flask, session: Session) -> None:
    # given a row that another transaction has changed and not yet committed
    with atomic(session):
        locked_day(session, DAY, now=NOW)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with app.app_context(), atomic(db.session()) as other:
            other.execute(update(DayLedger).values(version=8))
            held.set()
            let_go.wait(timeout=30)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(timeout=10)
        # when we want to change it too
        began = time.monotonic()
        with pytest.raises(Busy, match="in a moment"), atomic(session):
            session.execute(update(DayLedger).values(version=9))
        waited_s = time.monotonic() - began
    finally:
        let_go.set()
        holder.join()
    # then we are told after the time-out, not at once and not never
    assert LOCK_WAIT_MS / 1000 * 0.9 <= waited_s < 3 * LOCK_WAIT_MS / 1000


def test_reading_after_a_commit_takes_no_lock(app: Flask, session: Session) -> None:
    # given a use case that has committed and then read its row again, as every log line and answer does
    with atomic(session):
        locked_day(session, DAY, now=NOW)
    assert session.get_one(DayLedger, DAY).version == 1
    # when another writes meanwhile, it need not wait for us
    began = time.monotonic()

    def write() -> None:
        with app.app_context(), atomic(db.session()) as other:
            other.execute(update(DayLedger).values(version=8))

    writer = threading.Thread(target=write)
    writer.start()
    writer.join()
    assert time.monotonic() - began < LOCK_WAIT_MS / 1000
    session.rollback()
    assert session.get_one(DayLedger, DAY).version == 8


def test_a_use_case_sees_what_another_changed_since_this_session_last_looked(app: Flask, session: Session) -> None:
    # given a row that this session made and still holds
    with atomic(session):
        locked_day(session, DAY, now=NOW)
        row = session.get_one(DayLedger, DAY)
    assert row.version == 1
    # when another session changes it
    with app.app_context(), atomic(db.session()) as other:
        other.execute(update(DayLedger).values(version=7))
    # then the next use case decides on the new value
    with atomic(session):
        assert session.get_one(DayLedger, DAY).version == 7


def test_a_wrong_statement_is_no_outage(session: Session) -> None:
    with pytest.raises(Exception, match="no_such_table") as caught:
        session.execute(text("SELECT * FROM no_such_table"))
    session.rollback()
    # SQLite calls it an operational error; it must not be answered as "come back later"
    assert isinstance(caught.value, OperationalError) is (session.get_bind().dialect.name == "sqlite")
    assert not is_outage(caught.value)


def test_an_app_checks_foreign_keys_and_waits_for_the_disk(engine_url: str) -> None:
    # given an app as it is served, not the one that hurries other tests
    sqlite = engine_url.startswith("sqlite")
    asked = ("PRAGMA foreign_keys", "PRAGMA synchronous") if sqlite else ("SHOW fsync",)
    with create_app(test_settings(engine_url)).app_context():
        with db.engine.connect() as connection:
            found = [connection.exec_driver_sql(one).scalar_one() for one in asked]
        db.engine.dispose()
    assert found == ([1, 2] if sqlite else ["on"])  # 2 is FULL


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
    ],
)
def test_wal_is_trusted_only_where_its_fault_is_mended(version: tuple[int, int, int], safe: bool) -> None:  # noqa: FBT001 - a parameter of the table above
    assert wal_is_safe(version) is safe
