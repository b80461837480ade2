"""Flask extensions and the database's connection rules. Made here, bound to an app in `app.py`."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_jwt_extended import JWTManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from limits.storage import Storage
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session

from recycling.models import Base
from recycling.models.transaction import writes

try:
    from pysqlite3 import dbapi2 as sqlite
except ImportError:  # no wheel for this platform: the interpreter's own library, with the journal rule below
    sqlite = sqlite3

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

# What a view returns after its commit is what it wrote: nothing is read again only to be shown.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate()
jwt = JWTManager()

LOCK_WAIT_MS = 3000  # longer waits turn into a clean "busy" answer (docs/decisions)
LOCK_RETRY_MS = 5  # about half of what a booking holds SQLite's write lock for
COUNTS_SWEEP_S = 60  # the width of the default window: no count outlives its end by more

# SQLite in WAL mode with several connections may corrupt a file from 3.7.0 on; fixed in these releases
# (sqlite.org/wal.html, "The WAL-reset bug"; not every branch got the fix).
WAL_FIXED_BRANCHES = {(3, 44): 6, (3, 50): 7}
WAL_FIXED_FROM = (3, 51, 3)


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite library may be trusted with WAL and several connections."""
    fixed_patch = WAL_FIXED_BRANCHES.get(version[:2])
    return version >= WAL_FIXED_FROM or (fixed_patch is not None and version[2] >= fixed_patch)


def engine_options(url: str) -> dict[str, Any]:
    """What Flask-SQLAlchemy hands to ``create_engine`` for this database."""
    # Without it an error message repeats the values of its statement, and the log would hold people's phones.
    common = {"hide_parameters": True}
    if url.startswith("sqlite"):
        return common | {"module": sqlite}
    return common | {
        "pool_size": 10,
        "max_overflow": 10,
        "pool_timeout": 4,
        "connect_args": {
            "connect_timeout": 3,
            "options": f"-c lock_timeout={LOCK_WAIT_MS} -c statement_timeout=60000 -c timezone=UTC",
        },
    }


def prepare_engine(engine: Engine) -> None:
    """Give a SQLite engine its transaction rules; PostgreSQL got its own through `engine_options`.

    Every transaction of `atomic` begins IMMEDIATE: a deferred one reads first and then loses the race for the lock.
    """
    if engine.dialect.name != "sqlite":
        return
    journal = "WAL" if wal_is_safe(sqlite.sqlite_version_info) else "DELETE"

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is sent below, never by the driver
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={LOCK_WAIT_MS}",
            f"journal_mode={journal}",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        if sqlite is not sqlite3:  # the interpreter's own library cannot be told how to wait, only how long
            connection.set_busy_handler(_wait_for_lock)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes() else "BEGIN DEFERRED")


def _wait_for_lock(tries: int) -> bool:
    """Wait a moment for somebody else's lock; whether SQLite shall try again.

    Left to itself SQLite waits longer after each try, up to a tenth of a second. Under load newcomers then ask twenty
    times as often as whoever has waited longest, who goes without: of 400 bookings by eight clients, one gave up.
    """
    time.sleep(LOCK_RETRY_MS / 1000)
    return tries * LOCK_RETRY_MS < LOCK_WAIT_MS


class ProcessCounters(Storage):
    """Counts for the rate limit, kept in this process and forgotten when their window ends: ``process://``.

    The library's own ``memory://`` starts a thread at almost every request, and two requests that start the same one
    fail (alisaifee/limits #352, not yet in release 5.8.0).
    """

    STORAGE_SCHEME = ["process"]  # noqa: RUF012  # the library's form
    base_exceptions = ()  # nothing here can fail

    def __init__(self, uri: str | None = None, **options: Any) -> None:
        """Begin with no counts."""
        super().__init__(uri, **options)
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}  # count and end of its window, by key
        self._swept_at = 0.0

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a count and return it; the first of a window starts it."""
        now = time.time()
        with self._lock:
            if now >= self._swept_at + COUNTS_SWEEP_S:
                self._counts = {name: kept for name, kept in self._counts.items() if kept[1] > now}
                self._swept_at = now
            count, ends_at = self._counts.get(key, (0, 0.0))
            if ends_at <= now:
                count, ends_at = 0, now + expiry
            self._counts[key] = count + amount, ends_at
        return count + amount

    def get(self, key: str) -> int:
        """The count of the running window."""
        count, ends_at = self._counts.get(key, (0, 0.0))
        return count if ends_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the running window ends, in seconds since 1970."""
        return max(self._counts.get(key, (0, 0.0))[1], time.time())

    def check(self) -> bool:
        """It is always there."""
        return True

    def reset(self) -> int:
        """Forget every count; returns how many."""
        with self._lock:
            found, self._counts = len(self._counts), {}
        return found

    def clear(self, key: str) -> None:
        """Forget one count."""
        with self._lock:
            self._counts.pop(key, None)


def database_state(session: Session) -> dict[str, str]:
    """Engine, library version, journal mode and migration of the database a session talks to."""
    dialect = session.get_bind().dialect.name
    if dialect == "sqlite":
        library, journal = sqlite.sqlite_version, str(session.execute(text("PRAGMA journal_mode")).scalar_one())
    else:
        library, journal = str(session.execute(text("SHOW server_version")).scalar_one()), "wal"
    context = MigrationContext.configure(session.connection())
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    return {
        "database": dialect,
        "library": library,
        "journal": journal,
        "migration": context.get_current_revision() or "",
        "newest_migration": newest or "",
    }
