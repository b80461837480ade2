"""One transaction per use case, spelled out once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, CursorResult, Delete, Executable, Update, func, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from recycling.errors import Busy, StaleVersion

# PostgreSQL: lock_not_available, deadlock_detected, serialization_failure. All mean: again, from the start.
AGAIN_STATES = {"55P03", "40P01", "40001"}

# Whether the transaction that begins now writes. On SQLite a writer must say BEGIN IMMEDIATE before its first read, or
# it decides on a view of the data that is older than its lock: `atomic` does. Outside it nothing is written, and above
# all what is read after its commit, for a log line or an answer, must not queue for the write lock again.
_writes: ContextVar[bool] = ContextVar("writes", default=False)


def writes() -> bool:
    """Whether a transaction begun now takes the write lock at once."""
    return _writes.get()


@contextmanager
def atomic(session: Session) -> Iterator[Session]:
    """Commit what the block did, or nothing of it. Inside another `atomic` block it joins that one.

    Raises
    ------
    Busy
        When another transaction holds the row longer than the lock time-out; nothing was written.
    """
    if session.info.get("atomic"):
        yield session
        return
    session.rollback()  # a read before us may have opened a transaction that is older than our locks
    session.expire_all()  # and a row remembered from before it may have changed since
    session.info["atomic"] = True
    before = _writes.set(True)
    try:
        yield session
        session.commit()
        for told in session.info.pop("committed", ()):
            told()
    except OperationalError as error:
        session.rollback()
        if is_busy(error):
            raise Busy(
                "another change to the same rows is under way; send the request again in a moment"
                " / 系统繁忙，请稍后重试"
            ) from error
        raise
    except StaleDataError as error:
        session.rollback()
        raise StaleVersion(
            "somebody else changed this at the same moment; read it again and repeat"
            " / 内容刚被他人修改，请重新读取后再改"
        ) from error
    except BaseException:
        session.rollback()
        raise
    finally:
        _writes.reset(before)
        session.info["atomic"], session.info["connection"] = False, None
        session.info.pop("committed", None)
        session.info.pop("drafts", None)  # of days whose lock has ended with the transaction
        session.info.pop("limits", None)  # counters moved and not written, of a block that failed


def on_commit(session: Session, told: Callable[[], None]) -> None:
    """Call ``told`` when the running `atomic` block has committed; never if it fails."""
    session.info.setdefault("committed", []).append(told)


def queue_for(session: Session, names: Iterable[UUID]) -> None:
    """Let transactions that name the same things queue until ours ends; SQLite's writers queue as it is."""
    if session.get_bind().dialect.name == "postgresql":
        for name in sorted(names):
            session.execute(select(func.pg_advisory_xact_lock(name.int % 2**63)))


def see_one_state(session: Session) -> None:
    """Begin a transaction in which every statement sees the same state; inside `atomic`, before its first statement.

    On SQLite each transaction does. PostgreSQL looks anew at every statement unless it is told otherwise, and figures
    read one after the other would contradict each other when a ticket is written between them.
    """
    if not session.info.get("atomic"):
        session.rollback()  # a read before us may have opened a transaction
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def run(
    session: Session, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]
) -> CursorResult[Any]:
    """Run a statement on tables; inside `atomic`, on the connection that the first such statement began on.

    The session would look its connection up anew for each statement, and take a tenth of a booking's time for that.
    """
    connection: Connection = session.info.get("connection") or session.connection()
    if session.info.get("atomic"):
        session.info["connection"] = connection
    return connection.execute(statement, values)


def rows_met(session: Session, statement: Update | Delete) -> int:
    """Run an UPDATE or DELETE and count the rows it met; what the session has read before is not brought up to date."""
    done = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", done).rowcount


DATABASE_ERRORS = (DBAPIError, PoolTimeout)


# What SQLite calls an operational error although the statement is at fault and will fail for ever.
FAULTS = ("no such table", "no such column", "syntax error")


def is_outage(error: Exception) -> bool:
    """Whether the database is away or out of connections, rather than refusing a statement that is wrong."""
    if isinstance(error, PoolTimeout | InterfaceError):
        return True
    return isinstance(error, OperationalError) and not any(fault in str(error.orig) for fault in FAULTS)


def is_busy(error: OperationalError) -> bool:
    """Whether the database refused because of somebody else's lock rather than because it is broken."""
    state = getattr(error.orig, "sqlstate", None)
    return state in AGAIN_STATES or "database is locked" in str(error.orig)
