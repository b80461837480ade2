"""The scheduler as a process of its own: it catches up at its start, works, delivers, and stops when it is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import utc_now
from recycling.jobs.clockwork import database_clock
from recycling.models.job_run import JobRun
from recycling.models.outbox import OutboxMessage, post
from recycling.models.transaction import atomic
from tests.conftest import ROOT
from tests.servers import server_environment

START_S, STOP_S = 60, 30


@pytest.fixture
def scheduler(engine_url: str, session: Session, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A running `flask scheduler run`, and the file of its log."""
    log = tmp_path / "scheduler.log"
    environment = server_environment(engine_url, LOG_LEVEL="INFO", PLAN_SECONDS="1")
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "scheduler", "run"]
    with log.open("wb") as written:
        child = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stderr=written)
    yield child, log
    if child.poll() is None:
        child.kill()
    child.wait()


def lines(log: Path) -> list[dict[str, Any]]:
    """The log so far."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def wait_for(log: Path, event: str) -> None:
    """Wait until the log tells of an event."""
    give_up_at = time.monotonic() + START_S
    while event not in {line["event"] for line in lines(log)}:
        assert time.monotonic() < give_up_at, log.read_text(encoding="utf-8")
        time.sleep(0.1)


def test_it_catches_up_delivers_and_stops_cleanly(
    scheduler: tuple[subprocess.Popen[bytes], Path], session: Session
) -> None:
    # given a message in the outbox, and a scheduler on a database that has seen none before
    facts = {"report_id": str(uuid4()), "period": "2026-10", "version": 1}
    with atomic(session):
        post(session, dedupe_key="r", kind="goal_report.made", to=("bureau", None), facts=facts, now=utc_now())
    child, log = scheduler
    # when it has seen to today's plan and to the message
    wait_for(log, "scheduler.started")
    wait_for(log, "job.done")
    wait_for(log, "message.sent")
    # and is told to stop
    # (by ctrl-C on one engine and by a supervisor on the other, since each start takes seconds)
    child.send_signal(signal.SIGINT if session.get_bind().dialect.name == "sqlite" else signal.SIGTERM)
    assert child.wait(timeout=STOP_S) == 0
    # then it has said so, and nothing is left in its hands
    events = [line["event"] for line in lines(log)]
    assert "scheduler.stopping" in events
    assert events[-1] == "scheduler.stopped"
    session.rollback()
    # Within minutes of another job's hour the machine's clock queues that one too: it is finished after the word to
    # stop, or left to the next start.
    states = set(session.scalars(select(JobRun.state).where(JobRun.state != "skipped")))
    assert {"done"} <= states <= {"done", "queued"}
    assert set(session.scalars(select(OutboxMessage.token))) == {None}


def test_schedulers_read_the_time_from_the_database(session: Session) -> None:
    # given a process whose own clock stands in 2030, beside a database
    clock = database_clock(lambda: Session(session.get_bind()))
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC)):
        now = clock()
    # then a server tells its own time; a file has no other clock than this process's
    assert (now.year == 2030) == (session.get_bind().dialect.name == "sqlite")
