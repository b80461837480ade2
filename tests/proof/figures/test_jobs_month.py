"""A month of every scheduled job, by four schedulers that are killed at random and paused: what one quiet one leaves.

The jobs are those of the schedule, whatever they are: a job that is added to it is in this proof.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session, sessionmaker

from recycling.clock import SHANGHAI, service_day
from recycling.gateways.anchor_file import FILE, read_lines
from recycling.jobs.runner import Runner
from recycling.jobs.schedule import jobs_of
from recycling.models import Base
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.intake.weigh_in import weigh_in
from tests.builders import a_booking, a_resident
from tests.conftest import empty, test_settings
from tests.loads import a_keeper, a_weighing
from tests.proof.harness import Proof, Size
from tests.proof.line.schedulers import AFTER_LEASE, PROCESSES, Fleet, a_fleet, engine_of

DAYS = {"small": 2, "full": 31, "release": 93}
KILLS = {"small": 3, "full": 24, "release": 72}  # a third each: before a run's work, after it, at any moment
PAUSES = {"small": 1, "full": 2, "release": 6}
PAUSE = timedelta(hours=3)
# So that the days of the small proof hold a month's end, and jobs of the first and the third. (A local time: 10:00.)
START = datetime(2026, 11, 30, 10, tzinfo=SHANGHAI)
NOON_S = 2 * 3600  # after START's hour
CONTROL_DAYS = 1

Due = tuple[str, datetime]


@dataclass(frozen=True, slots=True)
class Life:
    """What the district does meanwhile, the same in both months: each noon a pickup is booked and a load weighed in."""

    session: Session
    district: District

    def until(self, moment: datetime, since: datetime) -> None:
        """Live the noons between two instants."""
        noon = since.astimezone(SHANGHAI).replace(hour=12, minute=0, second=0, microsecond=0)
        while noon <= moment:
            if noon > since:
                self._noon(noon)
            noon += timedelta(days=1)
        self.session.rollback()

    def _noon(self, now: datetime) -> None:
        given: dict[str, Any] = {"district": self.district, "session": self.session, "now": now}
        weigh_in(a_weighing(), scale_number="1", by=a_keeper(), **given)
        open_days = self.district.booking_rules.bookable_days(now=now, calendar=self.district.calendar)
        in_two_days = service_day(now) + timedelta(days=2)
        with atomic(self.session):  # so that it waits for the schedulers, as everything that writes does
            resident = a_resident(self.session, now=now)
        a_booking(**given, by=resident, day=next(day for day in open_days if day >= in_two_days))


@pytest.fixture
def settings(engine_url: str, tmp_path: Path) -> dict[str, Any]:
    """Of every scheduler: plans are first drafts, and anchors have a second place."""
    return test_settings(engine_url, PLAN_SECONDS=1, PLAN_WORKERS=0, AUDIT_ANCHOR_DIR=tmp_path / "anchors")


@pytest.fixture
def live(shared_app: Flask, engine_url: str) -> Iterator[Life]:
    """An empty database in which the district goes on with its work."""
    engine = engine_of(engine_url)
    if engine.dialect.name == "sqlite":
        # Four schedulers on two cores may keep the one write lock busy for longer than a request would wait for it.
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=60000"))
    with Session(engine) as session:
        empty(session)
        yield Life(session, shared_app.extensions["district"])
        session.rollback()
        empty(session)
    engine.dispose()


def test_a_month_of_kills_and_pauses_leaves_what_a_quiet_one_leaves(
    live: Life, engine_url: str, settings: dict[str, Any], size: Size, proof: Proof, tmp_path: Path
) -> None:
    # given what one scheduler leaves that nothing ever happens to
    days, district = DAYS[size], live.district
    owed = due_runs(district, START, START + timedelta(days=days))
    quiet = _quiet_month(live, owed, settings | {"AUDIT_ANCHOR_DIR": tmp_path / "quiet"})
    empty(live.session)
    # when four live through the same month, killed and paused
    with a_fleet(engine_url, district=district, start=START, settings=settings) as fleet:
        fleet.owed.update([*owed, *_before_the_start(district)])
        fleet.settle()
        told = _live_through(fleet, live, owed, random.Random(days), kills=KILLS[size], pauses=PAUSES[size])
        loud = _left(live.session)
        states = Counter((run.job, run.due_at, run.state) for run in fleet.runs())
        ended = Counter(fleet.deeds("done"))
        lines = len(read_lines(tmp_path / "anchors" / FILE))
        off = _with_claims_off(fleet, START + timedelta(days=days))
    # then every due run is done, none ended twice, and every table holds as many rows as in the quiet month
    missed = [due for due in owed if (*due, "done") not in states]
    twice = [due for due, count in ended.items() if count > 1]
    apart = {name: (quiet[name], loud[name]) for name in quiet if quiet[name] != loud[name]}
    jobs = {job for job, _ in owed}
    proof.record(
        name="each job once over a month",
        figure=f"{len(owed)} due runs of {len(jobs)} jobs in {days} days, {len(missed)} missed, {len(twice)} twice,"
        f" {len(apart)} of {len(quiet)} tables apart from a quiet month; {told} kills, {PAUSES[size]} pauses of 3 h",
        target="0 missed, 0 twice, 0 apart",
        control=f"claim off: {off[0]} runs of {off[1]} due",
        ok=not missed and not twice and not apart and off[0] > off[1],
    )
    assert (missed, twice, apart) == ([], [], {})
    assert {state for _, _, state in states} <= {"done", "skipped"}
    # one anchor a night, in both places
    assert lines == loud["audit_anchor"] == sum(job == "audit_anchor" for job, _ in owed)
    assert told == KILLS[size]


def due_runs(district: District, after: datetime, until: datetime) -> list[Due]:
    """What comes due, of every job there is, in its sequence."""
    found = [
        (job.key, due_at)
        for job in jobs_of(district).values()
        if job.cron is not None
        for due_at in job.cron.due_times(after=after, until=until)
    ]
    return sorted(found, key=lambda due: due[1])


def _before_the_start(district: District) -> list[Due]:
    """What every first start of a scheduler still does."""
    return [
        (job.key, list(job.cron.due_times(after=START - timedelta(days=40), until=START))[-1])
        for job in jobs_of(district).values()
        if job.cron is not None and job.from_the_first_start
    ]


def _quiet_month(live: Life, owed: list[Due], settings: dict[str, Any]) -> dict[str, int]:
    """Row counts after the same month with one worker that is never disturbed."""
    at = [START]
    runner = Runner(
        sessions=sessionmaker(live.session.get_bind()), district=live.district, settings=settings,
        clock=lambda: at[0], jobs=jobs_of(live.district),
    )  # fmt: skip
    for moment in (START, *sorted({moment for _, moment in owed})):
        live.until(moment, at[0])
        at[0] = moment + timedelta(seconds=3)
        runner.enqueue_due(at[0])
        while (outcome := runner.run_next()) is not None:
            assert outcome.state == "done", outcome
    return _left(live.session)


def _left(session: Session) -> dict[str, int]:
    """How many rows each table holds."""
    session.rollback()
    tables = Base.metadata.sorted_tables
    found = {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    session.rollback()
    return found


def _live_through(fleet: Fleet, live: Life, owed: list[Due], chance: random.Random, *, kills: int, pauses: int) -> int:
    """Pass from due time to due time; returns how many processes were killed on the way."""
    moments = sorted({moment for _, moment in owed})
    blows = ["pause"] * pauses + [("before", "after", "wild")[number % 3] for number in range(kills)]
    struck = dict(zip(chance.sample(range(len(moments)), len(blows)), blows, strict=True))
    left, killed = 0, 0
    for number, moment in enumerate(moments):
        blow = struck.get(number)
        live.until(max(moment, fleet.shared.now()), fleet.shared.now())
        if moment + timedelta(seconds=3) <= fleet.shared.now():
            left += blow not in (None, "pause")  # it came due in a pause; who is to be killed is killed next time
            continue
        if blow == "pause":
            _pause(fleet, live, moment)
            continue
        if blow is None and left:
            left, blow = left - 1, "wild"
        if blow is None:
            fleet.turn_to(moment + timedelta(seconds=3))
        else:
            _kill(fleet, moment, blow, chance)
            killed += 1
    return killed + left


def _kill(fleet: Fleet, moment: datetime, blow: str, chance: random.Random) -> None:
    """Kill the process that has a run, before or after its work, or any process at any moment; start another one."""
    if blow == "wild":
        fleet.shared.elapsed_s.value = (moment + timedelta(seconds=3) - fleet.shared.start).total_seconds()
        time.sleep(chance.uniform(0, 0.2))
        number = chance.randrange(PROCESSES)
    else:
        fleet.shared.hold_after.value = blow == "after"
        number = fleet.catch_one_at_work(moment + timedelta(seconds=3))
    fleet.send(number, signal.SIGKILL)
    fleet.let_go()
    fleet.shared.hold_after.value = False
    fleet.wait_for_others()
    fleet.turn_to(moment + AFTER_LEASE)
    fleet.start(number)


def _pause(fleet: Fleet, live: Life, moment: datetime) -> None:
    """Stop all processes until three hours after a due time, as a suspended machine does."""
    for number in range(PROCESSES):
        fleet.send(number, signal.SIGSTOP)
    live.until(moment + PAUSE, fleet.shared.now())
    fleet.shared.elapsed_s.value = (moment + PAUSE - fleet.shared.start).total_seconds()
    for number in range(PROCESSES):
        fleet.send(number, signal.SIGCONT)
    fleet.settle()


def _with_claims_off(fleet: Fleet, since: datetime) -> tuple[int, int]:
    """Runs ended, and due, when every process does what it sees queued without taking it."""
    before = len(fleet.deeds("done"))
    fleet.shared.claims_off.value = True
    owed = due_runs(fleet.district, since, since + timedelta(days=CONTROL_DAYS))
    fleet.owed.update(owed)
    for moment in sorted({moment for _, moment in owed}):
        ended = fleet.endings()
        fleet.catch_one_at_work(moment + timedelta(seconds=3))
        fleet.wait_for_two_at_work()
        fleet.let_go()
        fleet.wait_for_endings(ended + 2)
    return len(fleet.deeds("done")) - before, len(owed)
