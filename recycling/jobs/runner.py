"""Run jobs (任务执行): write due runs down once, take one at a time, and end it under the token it was taken with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy.orm import Session

from recycling.errors import Conflict, DomainError
from recycling.jobs.context import JobContext
from recycling.jobs.lateness import missing_times
from recycling.jobs.schedule import Job
from recycling.logs import logger, mask_phones
from recycling.models import job_run
from recycling.models.job_run import LATE_AFTER, Claim
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.learning.in_force import facts_in_force
from recycling.usecases.messages.tell_staff import tell_staff

log = logger(__name__)

LEASE = timedelta(minutes=2)
BEATS_PER_LEASE = 4  # three beats may fail before a lease ends
MOST_ATTEMPTS = 5
FIRST_WAIT = timedelta(minutes=1)  # doubled after each failed attempt: 1, 2, 4, 8 minutes

REPLACED = "由之后一次代替 / a later run replaces it"
BEFORE_US = "首次启动之前到期 / due before the first start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended. ``taken_over`` means that another worker has the run now and nothing was recorded."""

    held: Claim
    state: Literal["done", "queued", "failed", "taken_over"]
    figures: dict[str, Any] | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A worker on the database's list of runs. Any number of them, in any processes, share one list."""

    sessions: Callable[[], Session]
    district: District
    settings: Mapping[str, Any]
    clock: Callable[[], datetime]
    jobs: Mapping[str, Job]
    lease: timedelta = LEASE

    def enqueue_due(self, now: datetime) -> int:
        """Write down every run that came due since the last one written; returns how many are to be done.

        Runs that nobody wrote in time are caught up. A job that was never scheduled before begins now.
        """
        with self.sessions() as session:
            written = job_run.last_due(session, now=now)
            session.rollback()
            missing = [(job, times) for job in self.jobs.values() if (times := missing_times(job, written, now=now))]
            if not missing:
                return 0
            with atomic(session):
                return sum(_write(session, job, times, first=job.key not in written, now=now) for job, times in missing)

    def claim_next(self, now: datetime) -> Claim | None:
        """Take the run that is due longest and that nobody holds."""
        with self.sessions() as session:
            idle = not job_run.waiting(session, now=now)
            session.rollback()
            if idle:
                return None
            with atomic(session):
                return job_run.claim(session, now=now, lease=self.lease)

    def run_next(self) -> Outcome | None:
        """Take a run and do it; ``None`` when there is nothing to do."""
        held = self.claim_next(self.clock())
        return None if held is None else self.do(held)

    def run_by_hand(self, job: Job, day: date, *, by: Principal) -> Outcome:
        """Do a job now for a day, in this process; a failure is not tried again.

        Raises
        ------
        Conflict
            When the same run was asked for in the same instant.
        """
        now = self.clock()
        with self.sessions() as session, atomic(session):
            # Written and taken in one transaction, so that no scheduler takes it first.
            run_id = job_run.enqueue(session, job=job.key, due_at=now, scope=job.scope(day), now=now, asked_by_id=by.id)
            held = None if run_id is None else job_run.claim(session, now=now, lease=self.lease, run_id=run_id)
        if held is None:
            raise Conflict(f"{job.key} for {day} was asked for at this very instant; look at flask jobs history")
        return self.do(held, most_attempts=1)

    def do(self, held: Claim, *, most_attempts: int = MOST_ATTEMPTS) -> Outcome:
        """Do a run that was taken, keep its lease meanwhile, and record its end under its token."""
        with structlog.contextvars.bound_contextvars(run_id=str(held.run_id), job=held.job, scope=held.scope):
            log.info("job.started", due_at=held.due_at.isoformat(), attempt=held.attempt, late=held.late)
            try:
                if held.attempt > most_attempts:
                    raise Conflict(f"{most_attempts} workers died with this run; look for their end in the log")
                figures = self._act(held)
            except Exception as error:  # whatever a job raises: its run says so, and the next run is done
                return self._failed(held, error, most_attempts=most_attempts)
            with self.sessions() as session, atomic(session):
                mine = job_run.finish(session, held, figures=figures, now=self.clock())
            if not mine:
                return _taken_over(held)
            log.info("job.done", **figures)
            return Outcome(held=held, state="done", figures=figures)

    def _act(self, held: Claim) -> dict[str, Any]:
        job = self.jobs.get(held.job)
        if job is None:
            raise Conflict(f"this version knows no job {held.job!r}; an older or newer scheduler wrote it")
        with self._heartbeat(held), self.sessions() as session:
            context = JobContext(
                run_id=held.run_id, due_at=held.due_at, scope=held.scope, session=session,
                district=facts_in_force(self.district, session=session),
                settings=self.settings, clock=self.clock,
            )  # fmt: skip
            return job.action(context)

    @contextmanager
    def _heartbeat(self, held: Claim) -> Iterator[None]:
        """Extend the lease from a thread of its own while the block runs."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self.lease.total_seconds() / BEATS_PER_LEASE):
                try:
                    with self.sessions() as session, atomic(session):
                        mine = job_run.keep(session, held, now=self.clock(), lease=self.lease)
                except Exception as error:  # the database may be away for a beat; the next one tries again
                    log.warning("job.beat_missed", run_id=str(held.run_id), error=type(error).__name__)
                    continue
                if not mine:
                    log.warning("job.lease_lost", run_id=str(held.run_id))
                    return

        thread = threading.Thread(target=beat, name=f"heartbeat-{held.run_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _failed(self, held: Claim, error: Exception, *, most_attempts: int) -> Outcome:
        """Queue the run again after a wait; when that cannot help, or was tried often enough, record it and tell."""
        if isinstance(error, DomainError):
            words, traceback, hopeless = mask_phones(f"{error.code}: {error.message}"), None, not error.retryable
        else:  # a bug: the log holds it whole, the row names it
            words, traceback, hopeless = type(error).__name__, error, False
        last = hopeless or held.attempt >= most_attempts
        now = self.clock()
        with self.sessions() as session, atomic(session):
            if last:
                mine = job_run.give_up(session, held, error=words, now=now)
            else:
                again_at = now + FIRST_WAIT * 2 ** (held.attempt - 1)
                mine = job_run.put_back(session, held, error=words, again_at=again_at)
            if last and mine:
                # For people to settle.
                facts = {"run_id": str(held.run_id), "job": held.job, "scope": held.scope}
                tell_staff(
                    session, ("admin", "dispatcher"), about=str(held.run_id), kind="job.failed", facts=facts, now=now
                )
        if not mine:
            return _taken_over(held)
        log.error(
            "job.failed" if last else "job.put_back",
            error=words,
            attempt=held.attempt,
            exc_info=traceback,
        )
        return Outcome(held=held, state="failed" if last else "queued", error=words)


def _write(session: Session, job: Job, times: list[datetime], *, first: bool, now: datetime) -> int:
    """Write the rows of a job's due times; those not to be done are written as skipped, so that none is missing."""
    queued = 0
    for due_at in times:
        because = None
        if first and not job.from_the_first_start and now - due_at > LATE_AFTER:
            because = BEFORE_US
        elif job.latest_only and due_at != times[-1]:
            because = REPLACED
        scope = job.scope_at(due_at)
        run_id = job_run.enqueue(session, job=job.key, due_at=due_at, scope=scope, now=now, skip_because=because)
        if run_id is not None and because is None:
            queued += 1
            log.info("job.queued", run_id=str(run_id), job=job.key, scope=scope, due_at=due_at.isoformat())
    if job.latest_only:
        job_run.skip_older(session, job=job.key, than=times[-1], because=REPLACED, now=now)
    return queued


def _taken_over(held: Claim) -> Outcome:
    log.warning("job.taken_over", run_id=str(held.run_id), attempt=held.attempt)
    return Outcome(held=held, state="taken_over")
