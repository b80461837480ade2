"""Scheduler processes on one database, in a simulated time that the test turns; they can be stopped, killed, replaced.

Each process runs the product's own `Runner` on the product's own schedule. Its actions note that they began, and stay
busy while the test wants them to; given settings, they do what they do in the product as well. A process reads the
shared time through a clock that is off by up to a second, its own way.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from ctypes import c_bool, c_double
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawArray, RawValue
from typing import Any
from uuid import uuid4

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, insert, select
from sqlalchemy.orm import Session, sessionmaker

from recycling.errors import Busy
from recycling.extensions import engine_options, prepare_engine
from recycling.jobs.context import JobContext
from recycling.jobs.runner import LEASE, Runner
from recycling.jobs.schedule import jobs_of
from recycling.logs import configure_logs
from recycling.models import job_run
from recycling.models.base import UtcDateTime
from recycling.models.encrypted import keyring
from recycling.models.job_run import Claim, JobRun
from recycling.models.transaction import DATABASE_ERRORS, atomic, is_outage
from recycling.policy.district import District

PROCESSES = 4
LOOK_EVERY_S = 0.02
HELD_S = 4 * LOOK_EVERY_S  # real seconds that a run is under way at least, so that all others look meanwhile
AFTER_LEASE = LEASE + timedelta(seconds=5)
PATIENCE_S = 120  # real seconds for the processes to do what is due

Work = Callable[[JobContext], dict[str, Any]]

# What the processes did, seen by themselves: an action "began"; it ended as "done", or as "taken_over" by another one.
DEEDS = Table(
    "deed_of_a_scheduler",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("what", String(16)),
    Column("job", String(32)),
    Column("due_at", UtcDateTime),
)


def engine_of(url: str) -> Engine:
    """The product's engine for a database."""
    engine = create_engine(url, **engine_options(url))
    prepare_engine(engine)
    return engine


@dataclass(frozen=True)
class Shared:
    """What the test and its processes see of each other: plain shared memory, which a killed process cannot lock."""

    start: datetime
    elapsed_s: Any = field(default_factory=lambda: RawValue(c_double, 0.0))
    hold: Any = field(default_factory=lambda: RawValue(c_bool, False))
    hold_after: Any = field(default_factory=lambda: RawValue(c_bool, False))  # when its work is done, and not before
    claims_off: Any = field(default_factory=lambda: RawValue(c_bool, False))
    at_work: Any = field(default_factory=lambda: RawArray(c_bool, PROCESSES))

    def now(self) -> datetime:
        """The simulated present."""
        return self.start + timedelta(seconds=self.elapsed_s.value)


@dataclass(frozen=True)
class Actions:
    """What the actions of a process do: they note that they began, stay while they are held, and do their work if any.

    They are held before their work, or after it.
    """

    sessions: Callable[[], Session]
    shared: Shared
    number: int

    def note(self, what: str, job: str, due_at: datetime) -> None:
        """Write a deed down."""
        with self.sessions() as session, atomic(session):
            session.execute(insert(DEEDS).values(what=what, job=job, due_at=due_at))

    def noted(self, work: Work) -> Work:
        """The action around a job's work."""

        def action(context: JobContext) -> dict[str, Any]:
            with self.sessions() as session:
                job = session.get_one(JobRun, context.run_id).job
            self.note("began", job, context.due_at)
            after = self.shared.hold_after.value
            if not after:
                self._stay()
            figures = work(context)
            if after:
                self._stay()
            return figures

        return action

    def _stay(self) -> None:
        self.shared.at_work[self.number] = True
        while self.shared.hold.value:
            time.sleep(LOOK_EVERY_S / 10)
        self.shared.at_work[self.number] = False


def no_work(_context: JobContext) -> dict[str, Any]:
    """The work of an action that only notes."""
    return {}


def run_scheduler_process(
    url: str, shared: Shared, number: int, district: District, settings: Mapping[str, Any] | None
) -> None:
    """Look for due runs and do them, over and over, until killed."""
    jobs = jobs_of(district)
    if settings is None:
        jobs = {key: replace(job, action=no_work) for key, job in jobs.items()}
    else:
        configure_logs("CRITICAL")
        keyring.configure(keys=settings["DATA_KEYS"], current=settings["DATA_KEY_ID"], index_key=settings["INDEX_KEY"])
    sessions = sessionmaker(engine_of(url))
    skew = timedelta(seconds=random.Random(number).uniform(-1, 1))
    actions = Actions(sessions, shared, number)
    runner = Runner(
        sessions=sessions,
        district=district,
        settings=settings or {},
        clock=lambda: shared.now() + skew,
        jobs={key: replace(job, action=actions.noted(job.action)) for key, job in jobs.items()},
    )
    while True:
        if shared.claims_off.value:
            job_run.claim, job_run.finish = look_only, finish_anyway
        try:
            runner.enqueue_due(runner.clock())
            while (outcome := runner.run_next()) is not None:
                actions.note(outcome.state, outcome.held.job, outcome.held.due_at)
        except Busy:
            pass
        except DATABASE_ERRORS as error:
            if not is_outage(error):
                raise
        time.sleep(random.uniform(0, 2 * LOOK_EVERY_S))


def look_only(session: Session, *, now: datetime, lease: timedelta, run_id: Any = None) -> Claim | None:
    """The control: take the run that is due longest without telling anybody."""
    row = session.scalar(select(JobRun).where(JobRun.state == "queued").order_by(JobRun.due_at, JobRun.id).limit(1))
    if row is None:
        return None
    return Claim(run_id=row.id, token=uuid4(), job=row.job, due_at=row.due_at, scope=row.scope, attempt=1, late=False)


def finish_anyway(session: Session, held: Claim, *, figures: Any, now: datetime) -> bool:
    """The control's ending: whoever took the run ends it."""
    row = session.get_one(JobRun, held.run_id)
    row.state, row.finished_at = "done", now
    return True


@dataclass
class Fleet:
    """The processes, as the test handles them; with settings their actions are the real ones."""

    url: str
    district: District
    shared: Shared
    session: Session
    settings: Mapping[str, Any] | None = None
    owed: set[tuple[str, datetime]] = field(default_factory=set)
    processes: list[BaseProcess] = field(default_factory=list)

    def start(self, number: int) -> None:
        """Start one process, in its place."""
        child = multiprocessing.get_context("spawn").Process(
            target=run_scheduler_process,
            args=(self.url, self.shared, number, self.district, self.settings),
            daemon=True,
        )
        child.start()
        self.processes[number : number + 1] = [child]
        self.shared.at_work[number] = False

    def turn_to(self, moment: datetime) -> None:
        """Turn the simulated time on, and let the processes do what is due."""
        self.shared.elapsed_s.value = (moment - self.shared.start).total_seconds()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing that is due by now is missing, queued, under way, or done and not yet noted."""
        time.sleep(2 * LOOK_EVERY_S)
        self._wait_until(lambda: not self._undone(), "runs to be done")

    def wait_for_endings(self, count: int) -> None:
        """Wait until so many attempts ended, well or badly: two who do one run may get in each other's way."""
        self._wait_until(lambda: self.endings() >= count, f"{count} attempts to end")

    def wait_for_others(self) -> None:
        """Wait until no run but that of a killed process is under way."""
        self._wait_until(lambda: sum(run.state == "running" for run in self.runs()) <= 1, "the others to end")

    def wait_for_deeds(self, what: str, count: int) -> None:
        """Wait until the processes have done so much of a kind."""
        self._wait_until(lambda: len(self.deeds(what)) >= count, f"{count} {what}")

    def catch_one_at_work(self, moment: datetime) -> int:
        """Turn the time on to a due moment and hold the process that takes the run in the middle of it."""
        self.shared.hold.value = True
        self.shared.elapsed_s.value = (moment - self.shared.start).total_seconds()
        self._wait_until(lambda: any(self.shared.at_work), "a process to take a run")
        return list(self.shared.at_work).index(True)

    def wait_for_two_at_work(self) -> None:
        """Wait until a second process is held at its work; its clock may be slower than that of the first."""
        self.shared.elapsed_s.value += 2
        self._wait_until(lambda: sum(self.shared.at_work) >= 2, "a second process to take a run")

    def let_go(self) -> None:
        """Hold nobody any longer."""
        self.shared.hold.value = False

    def live_through(self, moment: datetime) -> None:
        """Turn the time on to a due moment and let the run take a while, with all others looking for work."""
        self.catch_one_at_work(moment)
        time.sleep(HELD_S)
        self.let_go()
        self.settle()

    def send(self, number: int, what: signal.Signals) -> None:
        """Send a signal to one process."""
        pid = self.processes[number].pid
        assert pid is not None
        os.kill(pid, what)
        if what == signal.SIGKILL:
            self.processes[number].join()
            self.shared.at_work[number] = False

    def deeds(self, what: str) -> list[tuple[str, datetime]]:
        """(job, due time) of everything the processes did of a kind."""
        self.session.rollback()
        found = self.session.execute(select(DEEDS.c.job, DEEDS.c.due_at).where(DEEDS.c.what == what))
        return [(job, due_at) for job, due_at in found]

    def endings(self) -> int:
        """How many attempts ended, whichever way."""
        self.session.rollback()
        return len(self.session.execute(select(DEEDS.c.id).where(DEEDS.c.what != "began")).all())

    def runs(self) -> list[JobRun]:
        """The rows of all runs."""
        self.session.rollback()
        return list(self.session.scalars(select(JobRun).order_by(JobRun.due_at)))

    def _undone(self) -> bool:
        runs = self.runs()
        written = {(run.job, run.due_at) for run in runs}
        # A second behind, for the process whose clock is slowest.
        owed = {due for due in self.owed if due[1] <= self.shared.now() - timedelta(seconds=1)}
        states = Counter(run.state for run in runs)
        # Who is killed at any moment may have ended a run and not noted it.
        unnoted = self.settings is None and states["done"] > len(self.deeds("done"))
        if self.settings is not None and states["queued"] and not states["running"]:
            self._pass_waits(runs)
        return not owed <= written or states["queued"] + states["running"] > 0 or unnoted

    def _pass_waits(self, runs: Sequence[JobRun]) -> None:
        """Turn the time on to the next attempt at what is queued, by the slowest clock: it does not come by itself."""
        again_at = min(run.claim_after for run in runs if run.state == "queued")
        if again_at > self.shared.now() - timedelta(seconds=1):
            self.shared.elapsed_s.value = (again_at - self.shared.start).total_seconds() + 2

    def _wait_until(self, true: Callable[[], bool], what: str) -> None:
        give_up_at = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < give_up_at, f"waited {PATIENCE_S} s for {what} at {self.shared.now()}"
            time.sleep(LOOK_EVERY_S)


@contextlib.contextmanager
def a_fleet(
    url: str, *, district: District, start: datetime, settings: Mapping[str, Any] | None = None
) -> Iterator[Fleet]:
    """Four scheduler processes on a database, at a simulated time."""
    engine = engine_of(url)
    DEEDS.create(engine)
    try:
        with Session(engine) as session:
            fleet = Fleet(url=url, district=district, shared=Shared(start=start), session=session, settings=settings)
            try:
                for number in range(PROCESSES):
                    fleet.start(number)
                yield fleet
            finally:
                for child in fleet.processes:
                    child.kill()
                    child.join()
    finally:
        DEEDS.drop(engine)
        engine.dispose()
