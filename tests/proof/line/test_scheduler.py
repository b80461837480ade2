"""Four schedulers on one database, one killed, one stopped past its lease, all paused: each due run is done once."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from recycling.clock import SHANGHAI
from recycling.gateways.config_files import read_district
from tests.conftest import ROOT, empty
from tests.proof.harness import Proof, Size
from tests.proof.line.schedulers import AFTER_LEASE, PROCESSES, Fleet, a_fleet, engine_of

WEEKS = {"small": 1, "full": 4, "release": 50}
KILLS, STOPS, PAUSES = 2, 2, 1  # in each week
# A Thursday, so that the first week holds a month's end. (A local time: 10:00.)
START = datetime(2026, 11, 26, 10, tzinfo=SHANGHAI)
CONTROL_DAYS = 2
PAUSE = timedelta(hours=2)
WEEK = 7 * 14  # due times that a week holds at least: of fourteen daily jobs

Due = tuple[str, datetime]
Blow = Callable[[Fleet, datetime, "Told"], None]


@dataclass
class Told:
    """What was done to the processes, and what that must have cost."""

    kills: int = 0
    stops: int = 0
    pauses: int = 0


@pytest.fixture
def fleet(engine_url: str) -> Iterator[Fleet]:
    """Four schedulers on an empty database."""
    engine = engine_of(engine_url)
    with Session(engine) as session:
        empty(session)
    with a_fleet(engine_url, district=read_district(Path(ROOT) / "config"), start=START) as found:
        yield found
    with Session(engine) as session:
        empty(session)
    engine.dispose()


def test_each_due_run_is_done_once_by_four_schedulers(fleet: Fleet, size: Size, proof: Proof) -> None:
    # given four schedulers that start at once on a database which has seen none
    days = 7 * WEEKS[size]
    owed = due_runs(days)
    fleet.owed.update(owed)
    fleet.wait_for_deeds("done", 1)  # the plan of the first day
    # when weeks pass in which some are killed in the middle of a run, some stopped for longer than a lease, all paused
    told = _live_through(fleet, [moment for _, moment in owed], random.Random(days))
    # then every due run stands as done, once; so does the plan of the first day, which every first start looks for
    first = ("plan_tomorrow", START.replace(hour=20) - timedelta(days=1))
    expected = {first, *owed}
    rows = Counter((run.job, run.due_at) for run in fleet.runs() if run.state == "done")
    ended, began, refused = (Counter(fleet.deeds(what)) for what in ("done", "began", "taken_over"))
    twice = sum(count - 1 for count in (*rows.values(), *ended.values()) if count > 1)
    missed = len(expected - rows.keys()) + len(expected - ended.keys())
    late = [run for run in fleet.runs() if run.state == "done" and run.late]

    off = _with_claims_off(fleet, START + timedelta(days=days))
    proof.record(
        name="each due run once",
        figure=f"{ended.total()} runs of {len(expected)} due, {twice} twice, {missed} missed, {PROCESSES} schedulers",
        target="0 twice, 0 missed",
        control=f"claim off: {off[0]} runs of {off[1]} due",
        ok=twice == 0 and missed == 0 and ended.total() == len(expected) and off[0] > off[1],
    )
    # a killed or stopped worker's run was begun again by another, and no run more often than that
    assert began.total() == len(expected) + told.kills + told.stops
    # the ending of each stopped worker, awake again, was refused
    assert refused.total() == told.stops
    # what was caught up is recorded as late: the plan of the first day, and one run for each pause
    assert len(late) == 1 + told.pauses
    assert (told.kills, told.stops, told.pauses) == tuple(WEEKS[size] * each for each in (KILLS, STOPS, PAUSES))


def due_runs(days: int) -> list[Due]:
    """What comes due in so many days from `START`, by the calendar alone, in its sequence."""
    found: list[Due] = []
    for ahead in range(days + 1):
        midnight = START.replace(hour=0) + timedelta(days=ahead)
        found += [
            ("book_recurring", midnight + timedelta(minutes=10)),
            ("roll_up", midnight + timedelta(minutes=30)),
            ("audit_anchor", midnight + timedelta(minutes=50)),
            ("forecast", midnight + timedelta(hours=1, minutes=10)),
            ("verify_records", midnight + timedelta(hours=1, minutes=20)),
            ("housekeeping", midnight + timedelta(hours=3, minutes=15)),
            ("verify_reports", midnight + timedelta(hours=4, minutes=15)),
            ("stock_age", midnight + timedelta(hours=7, minutes=30)),
            ("tell_missed", midnight + timedelta(hours=8, minutes=30)),
            ("judge_windows", midnight + timedelta(hours=8, minutes=40)),
            ("mass_balance", midnight + timedelta(hours=8, minutes=50)),
            ("remind", midnight + timedelta(hours=9)),
            ("remind_early", midnight + timedelta(hours=9, minutes=10)),
            ("plan_tomorrow", midnight + timedelta(hours=20)),
        ]
        if midnight.weekday() == 0:
            found.append(("pace_alarm", midnight + timedelta(hours=7, minutes=40)))
        if midnight.day == 1:
            found.append(("goal_report", midnight + timedelta(hours=6)))
        if midnight.day == 2:
            found.append(("class_averages", midnight + timedelta(hours=4)))
        if midnight.day == 1 and midnight.month % 3 == 1:
            found.append(("quarterly_report", midnight + timedelta(hours=6, minutes=10)))
        if midnight.day == 1 and midnight.month == 1:
            found.append(("yearly_report", midnight + timedelta(hours=6, minutes=20)))
        if midnight.day == 3:
            found.append(("propose_handling", midnight + timedelta(hours=5)))
    end = START + timedelta(days=days)
    return sorted((due for due in found if START < due[1] <= end), key=lambda due: due[1])


def _live_through(fleet: Fleet, moments: list[datetime], chance: random.Random) -> Told:
    """Pass from due time to due time, with what may happen to a process on the way."""
    told = Told()
    blows: list[Blow] = []
    for begin in range(0, len(moments) - len(moments) % WEEK, WEEK):
        week: list[Blow] = [*[_kill] * KILLS, *[_stop] * STOPS, *[_pause] * PAUSES]
        week += [_pass] * (WEEK - len(week))
        chance.shuffle(week)
        while _passes_over_another(week, moments[begin:]):  # it would be late as well, and its own blow missed
            chance.shuffle(week)
        blows += week
    blows += [_pass] * (len(moments) - len(blows))
    for blow, moment in zip(blows, moments, strict=True):
        fleet.turn_to(moment - timedelta(seconds=3))
        blow(fleet, moment, told)
    return told


def _passes_over_another(week: list[Blow], moments: list[datetime]) -> bool:
    """Whether a pause lasts beyond the due time after its own."""
    return any(
        blow is _pause and moments[number + 1] <= moments[number] + PAUSE
        for number, blow in enumerate(week)
        if number + 1 < len(moments)
    )


def _pass(fleet: Fleet, moment: datetime, told: Told) -> None:
    """Let a due time be an ordinary one."""
    fleet.live_through(moment + timedelta(seconds=3))


def _kill(fleet: Fleet, moment: datetime, told: Told) -> None:
    """Kill the process that has the run; another takes it over when the lease is over."""
    number = fleet.catch_one_at_work(moment + timedelta(seconds=3))
    fleet.send(number, signal.SIGKILL)
    fleet.let_go()
    fleet.turn_to(moment + AFTER_LEASE)
    fleet.start(number)
    told.kills += 1


def _stop(fleet: Fleet, moment: datetime, told: Told) -> None:
    """Stop the process that has the run for longer than its lease, then wake it."""
    number = fleet.catch_one_at_work(moment + timedelta(seconds=3))
    fleet.send(number, signal.SIGSTOP)
    fleet.let_go()
    fleet.turn_to(moment + AFTER_LEASE)
    fleet.send(number, signal.SIGCONT)
    told.stops += 1
    fleet.wait_for_deeds("taken_over", told.stops)


def _pause(fleet: Fleet, moment: datetime, told: Told) -> None:
    """Stop all processes until two hours after the due time, as a suspended machine does."""
    for number in range(PROCESSES):
        fleet.send(number, signal.SIGSTOP)
    fleet.shared.elapsed_s.value = (moment + PAUSE - fleet.shared.start).total_seconds()
    for number in range(PROCESSES):
        fleet.send(number, signal.SIGCONT)
    fleet.settle()
    told.pauses += 1


def _with_claims_off(fleet: Fleet, since: datetime) -> tuple[int, int]:
    """Runs done, and due, when every process does what it sees queued without taking it."""
    before = len(fleet.deeds("done"))
    fleet.shared.claims_off.value = True
    owed = [due for due in due_runs((since - START).days + CONTROL_DAYS) if due[1] > since]
    fleet.owed.update(owed)
    for _, moment in owed:
        fleet.live_through(moment + timedelta(seconds=3))
    return len(fleet.deeds("done")) - before, len(owed)
