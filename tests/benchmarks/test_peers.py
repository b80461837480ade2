"""Every peer is given the problem as it is: what it can model comes back kept, what it cannot is said."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.support.peers import PEERS, joined
from benchmarks.support.repair import Repair
from benchmarks.support.runner import reports
from recycling.routing.check import violations
from recycling.routing.problem import Break, Problem, save_problem
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle

SECONDS = 3.0


def _day(**station: Any) -> Problem:
    """Two vans, of which one lifts; four stops, of which one needs it, one has two windows, one comes early."""
    return a_problem(
        (0, 600, 900, 1200, -700),
        (a_station("home", 0, **station),),
        (a_vehicle("plain"), a_vehicle("lifting", skills=frozenset({"lift"}), fixed_cost=1_500)),
        (
            a_stop("heavy", 1, skills=frozenset({"lift"}), load=(60,)),
            a_stop("choosy", 2, windows_s=((28_800, 29_000), (50_000, 52_000)), load=(30,)),
            a_stop("early", 3, windows_s=((30_000, 30_900),), load=(30,)),
            a_stop("other", 4, load=(40,)),
        ),
    )


def _answer(peer: str, problem: Problem, folder: Path) -> list[list[int]]:
    """The last answer of the peer's own process."""
    if not PEERS[peer].installed:
        pytest.skip(f"{PEERS[peer].title} is not installed; `make peers` installs it")
    save_problem(problem, folder / "problem.json")
    answers = folder / "answers.jsonl"
    command = [
        sys.executable, "-m", "benchmarks.support.peers", peer, str(folder / "problem.json"), str(answers),
        "--began", repr(time.monotonic()), "--seconds", str(SECONDS), "--seed", "1",
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    last: list[list[int]] = json.loads(answers.read_text(encoding="utf-8").splitlines()[-1])[1]
    return last


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_keeps_skills_windows_and_capacity_by_itself(peer: str, tmp_path: Path) -> None:
    # given a day of one trip: 160 units on two vans of 100 each
    problem = _day(can_unload=False)

    # when the peer plans it
    rows = _answer(peer, problem, tmp_path)

    # then all are served, the heavy one by the van that lifts, and mending changes nothing
    assert sorted(stop for row in rows for stop in row) == [0, 1, 2, 3]
    assert 0 in rows[1]
    plan = Repair(problem).plan(rows)
    assert [[step.stop for step in route.steps if step.stop] for route in plan.routes] == [
        [problem.stops[stop].key for stop in row] for row in rows if row
    ]


@pytest.mark.parametrize("peer", [name for name in PEERS if name != "vroom"])
def test_a_peer_that_knows_unloads_needs_one_van_for_two_trips(peer: str, tmp_path: Path) -> None:
    # given that unloading on the way is allowed, and a second van costs more than the detour, four stops more still
    problem = _day()
    problem = replace(problem, vehicles=tuple(replace(v, fixed_cost=9_000) for v in problem.vehicles))
    problem = replace(problem, stops=tuple(replace(stop, skip_cost=20_000) for stop in problem.stops))

    rows = _answer(peer, problem, tmp_path)

    assert [bool(row) for row in rows] == [False, True]
    assert Repair(problem).plan(rows).unassigned == ()


@pytest.mark.parametrize("peer", [name for name in PEERS if name != "vroom"])
def test_a_peer_plans_a_day_with_lunch(peer: str, tmp_path: Path) -> None:
    rest = Break(window_s=(41_400, 46_800), duration_s=3_600)
    problem = _day()
    problem = replace(problem, vehicles=tuple(replace(v, break_=rest) for v in problem.vehicles))

    plan = Repair(problem).plan(_answer(peer, problem, tmp_path))

    assert plan.unassigned == ()
    assert violations(problem, plan) == []


def test_what_a_peer_cannot_plan_it_says() -> None:
    timed = _day(can_unload=False)
    timed = replace(timed, vehicles=tuple(replace(v, max_duration_s=9_000) for v in timed.vehicles))
    held = replace(timed, vehicles=(replace(timed.vehicles[0], locked=("other",)), timed.vehicles[1]))

    assert PEERS["vroom"].cannot(_day()) == "no unloads on the way"
    assert PEERS["vroom"].cannot(timed) == "no longest duration"
    assert {peer.cannot(held) for name, peer in PEERS.items() if name != "vroom"} == {"no vehicles under way"}
    assert all(peer.cannot(_day(can_unload=False)) == "" for peer in PEERS.values())


def test_windows_that_touch_are_one_for_a_peer_and_others_stay_apart() -> None:
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("van"),),
        (a_stop("a", 1, windows_s=((28_800, 36_000), (36_000, 43_200), (50_000, 52_000))),),
    )  # fmt: skip

    assert joined(problem).stops[0].windows_s == ((28_800, 43_200), (50_000, 52_000))


def test_mending_takes_out_what_costs_more_to_serve_than_to_leave() -> None:
    # given a far stop that is worth 500, and an answer that serves it for 2 x 1,400 more of travel
    problem = a_problem(
        (0, 600, 2_000), (a_station("home", 0),), (a_vehicle("van"),),
        (a_stop("near", 1), a_stop("far", 2, skip_cost=500)),
    )  # fmt: skip

    plan = Repair(problem).plan([[0, 1]])

    # then it is left out: 1,000 for the van, 1,200 to the near one and back, 500 for the far one
    assert [one.stop for one in plan.unassigned] == ["far"]
    assert plan.cost.total == 2_700


def test_mending_moves_what_breaks_a_rule_to_where_it_is_kept() -> None:
    # given an answer in which the van that cannot lift has the heavy stop, and everything on board at once
    problem = _day(can_unload=False)

    plan = Repair(problem).plan([[0, 1, 2, 3], []])

    assert violations(problem, plan) == []
    assert plan.unassigned == ()


def test_reports_count_that_are_whole_and_plan_something(tmp_path: Path) -> None:
    # given a peer that began with nothing, improved once, and was killed while it wrote: mending nothing would be ours
    answers = tmp_path / "answers.jsonl"
    answers.write_text("[0.5,[[],[]]]\n[1.5,[[0],[2,1]]]\n[2.5,[[0,3],[2", encoding="utf-8")

    assert reports(answers) == [(1.5, [[0], [2, 1]])]
    assert reports(tmp_path / "never written") == []
