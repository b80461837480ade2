"""The planner's command line: its exit codes and its one clear line about what it cannot read."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from recycling.routing.__main__ import main
from recycling.routing.plan import load_plan, save_plan
from recycling.routing.problem import save_problem
from tests.routing.days import a_day
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A problem file and where its plan goes."""
    save_problem(a_day(1, stops=12), tmp_path / "problem.json")
    return tmp_path / "problem.json", tmp_path / "plan.json"


def planned(files: tuple[Path, Path]) -> None:
    problem, plan = files
    assert main(["solve", str(problem), "--seconds", "1", "--workers", "0", "--out", str(plan)]) == 0


def test_a_solved_day_passes_the_check(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    planned(files)
    said = capsys.readouterr()
    assert "stops on" in said.out
    assert said.err == ""  # no progress bar without a terminal
    assert main(["check", *map(str, files)]) == 0
    assert capsys.readouterr().out == ""


def test_a_broken_plan_is_one_line_a_violation_and_exit_1(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    planned(files)
    plan = load_plan(files[1])
    save_plan(replace(plan, routes=plan.routes[1:]), files[1])
    capsys.readouterr()
    assert main(["check", *map(str, files)]) == 1
    lines = capsys.readouterr().out.splitlines()
    gone = sum(step.kind == "pickup" for step in plan.routes[0].steps)
    assert sum(line.startswith("stop_missing") for line in lines) == gone


def test_a_standing_plan_is_where_the_next_one_starts(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(files)
    again = tmp_path / "again.json"
    how = ["--seconds", "1", "--workers", "0", "--warm", str(files[1]), "--out", str(again)]
    assert main(["solve", str(files[0]), *how]) == 0
    assert load_plan(again).cost.total <= load_plan(files[1]).cost.total
    how[5] = str(files[0])  # a problem is no plan
    assert main(["solve", str(files[0]), *how]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_gzipped_files_are_read_and_written(tmp_path: Path) -> None:
    problem, plan = tmp_path / "problem.json.gz", tmp_path / "plan.json.gz"
    save_problem(a_day(2, stops=8), problem)
    planned((problem, plan))
    assert plan.read_bytes()[:2] == b"\x1f\x8b"
    assert main(["check", str(problem), str(plan)]) == 0


def test_a_missing_file_a_bad_option_and_a_bad_place_for_the_plan_exit_2(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    problem, plan = map(str, files)
    assert main(["solve", "nowhere.json", "--out", plan]) == 2
    assert main(["solve", problem, "--seconds", "0", "--out", plan]) == 2
    assert main(["solve", problem, "--engines", "vroom", "--out", plan]) == 2
    assert main(["solve", problem, "--seconds", "1", "--workers", "0", "--out", "/nowhere/plan.json"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert "nowhere.json" in lines[0]
    assert "'vroom'" in lines[2]


def test_the_module_runs_as_a_program(files: tuple[Path, Path]) -> None:
    problem, plan = map(str, files)
    command = [sys.executable, "-m", "recycling.routing"]
    ran = subprocess.run(
        [*command, "solve", problem, "--seconds", "4", "--workers", "1", "--seed", "3", "--out", plan],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert load_plan(files[1]).search.seed == 3
    assert subprocess.run([*command, "check", problem, plan], check=False, timeout=60).returncode == 0
    assert subprocess.run([*command, "check", problem], capture_output=True, check=False, timeout=60).returncode == 2


def test_a_trace_holds_each_better_cost_with_its_seconds(tmp_path: Path) -> None:
    # given a day to plan
    problem, plan, trace = (tmp_path / name for name in ("problem.json", "plan.json", "trace.jsonl"))
    save_problem(a_problem((0, 600), (a_station("home", 0),), (a_vehicle("van"),), (a_stop("a", 1),)), problem)

    # when it is planned with a trace
    solving = ["solve", str(problem), "--seconds", "2", "--workers", "0"]
    assert main([*solving, "--out", str(plan), "--trace", str(trace)]) == 0

    # then the last line is the plan's cost
    lines = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    assert lines[-1][1] == load_plan(plan).cost.total
    assert all(0 < seconds < 60 for seconds, _ in lines)
