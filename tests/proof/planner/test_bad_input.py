"""Whatever a problem file holds, the command ends in time: a line that says what is wrong, or a plan that passes."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from pathlib import Path

import pytest

from recycling.routing import fields
from recycling.routing.__main__ import main
from recycling.routing.check import violations
from recycling.routing.plan import load_plan
from recycling.routing.problem import load_problem
from tests.proof.harness import Proof, Size
from tests.routing.bad_input import mutant

GRACE_S = 5.0  # what the front door promises beyond its budget
WITH_ENGINES = 40  # every so many a day, one is planned with engines too: their processes take a second to start


def test_days_spoilt_by_chance_are_refused_in_a_line_or_planned(
    size: Size, proof: Proof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given a good day with every part of the contract, spoilt by chance in one to three places each time
    many = 100 if size == "small" else 1000
    # when the command plans it
    ends = Counter(_ended(seed, tmp_path, capsys) for seed in range(many))
    # then it has said what is wrong in one line, or its plan passes; where no field is refused, many a traceback
    monkeypatch.setattr(fields, "refuse", lambda *_: None)
    broken = Counter(_ended(seed, tmp_path, capsys) for seed in range(0, many, 5))
    proof.record(
        figure=f"{ends['refused']} refused in a line, {ends['planned']} planned and checked, of {many}",
        target="all",
        control=f"with no field refused {broken['traceback']} of {broken.total()} end in a traceback",
        ok=ends["refused"] + ends["planned"] == many
        and ends["planned"] > many // 5
        and broken["traceback"] > broken.total() // 20,
    )


def _ended(seed: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """How planning one spoilt day ended."""
    problem, plan = folder / "problem.json", folder / "plan.json"
    problem.write_text(mutant(seed), encoding="utf-8")
    seconds, workers = (2.0, "2") if seed % WITH_ENGINES == 0 else (1.0, "0")
    began = time.monotonic()
    try:
        code = main(["solve", str(problem), "--seconds", str(seconds), "--workers", workers, "--out", str(plan)])
        late = time.monotonic() - began > seconds + GRACE_S
        said = capsys.readouterr().err.splitlines()
        if late or len(said) != (code == 2):
            return "late" if late else "unclear"
        if code == 2:
            return "refused"
        return "violated" if violations(load_problem(problem), load_plan(plan)) else "planned"
    except Exception:  # what a caller would see as a traceback, whatever it is
        traceback.print_exc()
        return "traceback"
