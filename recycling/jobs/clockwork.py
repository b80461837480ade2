"""The scheduler's process: APScheduler as a clock that asks, the database's list as the one that decides."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from recycling.clock import SHANGHAI, utc_now
from recycling.errors import Busy
from recycling.extensions import db
from recycling.gateways.deadman import ping
from recycling.jobs.actions import improve_days
from recycling.jobs.lateness import tell_late
from recycling.jobs.runner import Runner
from recycling.jobs.schedule import jobs_of
from recycling.logs import logger
from recycling.models.transaction import DATABASE_ERRORS, is_outage
from recycling.usecases.bookings.free_lapsed import free_lapsed
from recycling.usecases.bookings.offer_freed import offer_freed
from recycling.usecases.learning.in_force import facts_in_force
from recycling.usecases.live.watch_day import watch_day
from recycling.usecases.messages.deliver import deliver_next

log = logger(__name__)

LOOK_FOR_RUNS_S, LOOK_FOR_MESSAGES_S = 2, 5
# The cron entries ask on the second; this one finds the due times that passed while the process was suspended.
SWEEP_S = 60
WATCH_S = 120  # how often today's routes are looked at for who is late
IMPROVE_S = 180  # how often the planner looks at the days whose promises changed
# A late entry still asks, once, and never twice at a time. (The defaults drop what is more than a second late.)
ENTRY_RULES = {"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}


def runner_for(app: Flask, *, clock: Callable[[], datetime] = utc_now) -> Runner:
    """A worker with the app's database, district and settings; call it inside an app context."""
    district = app.extensions["district"]
    return Runner(
        sessions=sessionmaker(db.engine), district=district, settings=app.config, clock=clock, jobs=jobs_of(district)
    )


def database_clock(sessions: Callable[[], Session]) -> Callable[[], datetime]:
    """The database's clock, so that schedulers on machines whose clocks differ agree on leases and due times."""

    def now() -> datetime:
        with sessions() as session:
            if session.get_bind().dialect.name == "sqlite":
                return utc_now()  # the file is on this machine
            answer: datetime = session.scalars(select(func.clock_timestamp())).one()
            return answer

    return now


def run_scheduler(app: Flask) -> None:
    """Do what is due until SIGTERM or SIGINT: a run under way is finished, a second signal leaves it to others.

    Call it in the main thread, inside an app context.
    """
    clock = database_clock(sessionmaker(db.engine))
    runner = runner_for(app, clock=clock)
    stop = threading.Event()
    enqueue = _patient(lambda: runner.enqueue_due(clock()))
    # The work entry is busy for as long as a plan takes; that its next looks are left out is no fact worth a line.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(
        timezone=SHANGHAI, job_defaults=ENTRY_RULES, executors={"default": ThreadPoolExecutor(8)}
    )
    for job in runner.jobs.values():
        if job.cron is not None:
            scheduler.add_job(enqueue, job.cron.trigger(), id=job.key)
    for entry, seconds in _looks(app, runner, clock, stop):
        # The first look at once: there may be work from before the start.
        scheduler.add_job(_patient(entry), "interval", seconds=seconds, id=entry.__name__, next_run_time=utc_now())
    _stop_on_signal(stop)
    enqueue()  # what came due while no scheduler ran
    scheduler.start()
    log.info("scheduler.started", entries=len(scheduler.get_jobs()), pid=os.getpid())
    stop.wait()
    scheduler.shutdown(wait=True)
    log.info("scheduler.stopped", pid=os.getpid())


def sweep(runner: Runner, *, deadman_url: str) -> None:
    """Write down what is due, tell of what is late, and give the outside a sign of life when nothing is.

    Whatever keeps us from looking keeps the sign back as well: silence is the alarm.
    """
    now = runner.clock()
    runner.enqueue_due(now)
    with runner.sessions() as session:
        late = tell_late(session, runner.jobs, now=now)
    if deadman_url and not late:
        ping(deadman_url)


def _looks(
    app: Flask, runner: Runner, clock: Callable[[], datetime], stop: threading.Event
) -> tuple[tuple[Callable[[], object], int], ...]:
    """What the scheduler looks after, and every how many seconds."""

    def enqueue() -> None:
        sweep(runner, deadman_url=app.config.get("DEADMAN_URL", ""))

    def work() -> None:
        while not stop.is_set() and runner.run_next() is not None:
            pass

    def free() -> None:
        with runner.sessions() as session:
            free_lapsed(district=facts_in_force(runner.district, session=session), session=session, now=clock())

    def offer() -> None:
        with runner.sessions() as session:
            offer_freed(district=facts_in_force(runner.district, session=session), session=session, now=clock())

    def watch() -> None:
        with runner.sessions() as session:
            watch_day(district=facts_in_force(runner.district, session=session), session=session, now=clock())

    def improve() -> None:
        with runner.sessions() as session:
            facts = facts_in_force(runner.district, session=session)
            improve_days(app.config, district=facts, session=session, clock=clock, stop=stop.is_set)

    def deliver() -> None:
        ways = {name: app.extensions[name] for name in ("sms", "webhooks", "mail")}

        def next_one(session: Session) -> bool:
            return deliver_next(**ways, district=runner.district, session=session, now=clock()) is not None

        with runner.sessions() as session:
            while not stop.is_set() and next_one(session):
                pass

    return (
        (enqueue, SWEEP_S), (work, LOOK_FOR_RUNS_S), (deliver, LOOK_FOR_MESSAGES_S), (free, SWEEP_S),
        (offer, SWEEP_S), (watch, WATCH_S), (improve, IMPROVE_S),
    )  # fmt: skip


def _patient(entry: Callable[[], object]) -> Callable[[], None]:
    """The entry, for which a database that is away or busy is a reason to look again later."""

    def look() -> None:
        try:
            entry()
        except Busy:
            log.warning("scheduler.busy", entry=entry.__name__)
        except DATABASE_ERRORS as error:
            if not is_outage(error):
                raise
            log.warning("scheduler.no_database", entry=entry.__name__, error=str(getattr(error, "orig", error))[:200])

    return look


def _stop_on_signal(stop: threading.Event) -> None:
    def hear(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            log.warning("scheduler.dropped", signal=signal.Signals(number).name)
            os._exit(1)  # the leases end by themselves, and another scheduler takes the runs over
        log.info("scheduler.stopping", signal=signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hear)
