"""A proof cannot pass in silence: each way of not proving anything is seen to fail, in a small tree of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MET = "proof.record(figure=0, target='0 oversold', control=37, ok=True)"


def _run(tree: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # Neither the parent run's own options nor its demand for PostgreSQL reach the run under test; plugins it does not
    # need would take most of its time.
    inherited = {key: value for key, value in os.environ.items() if key not in ("PYTEST_ADDOPTS", "REQUIRE_POSTGRES")}
    inherited["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tree,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree with the harness and an area that is still empty."""
    kept = ["setup.cfg", "conftest.py", "benchmarks/table.py", "tests/closing.py"]
    kept += [f"tests/proof/{name}.py" for name in ("__init__", "__main__", "conftest", "harness")]
    for name in kept:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "tests" / "proof" / "line").mkdir()
    return tmp_path


def _prove(tree: Path, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run one proof, written as the body of a test, the way `make prove P=line` does."""
    source = f"import pytest\n\ndef test_the_last_place_is_sold_once(proof, size):\n    {body}\n"
    (tree / "tests" / "proof" / "line" / "test_places.py").write_text(source, encoding="utf-8")
    return _run(tree, "tests.proof", "line", *options)


def test_a_proof_that_meets_its_target_prints_one_line_and_passes(tree: Path) -> None:
    answer = _prove(tree, MET)

    assert answer.returncode == 0, answer.stdout
    line = next(line for line in answer.stdout.splitlines() if "the last place is sold once" in line)
    assert re.split(r" {2,}", line) == ["line", "the last place is sold once", "0", "0 oversold", "37", "ok"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("pass", id="it records nothing"),
        pytest.param("proof.record(figure=2, target='0 oversold', control=37, ok=False)", id="it misses its target"),
        pytest.param(f"{MET}; assert False", id="it breaks after a good record"),
        pytest.param("pytest.skip('no server')", id="it is skipped"),
    ],
)
def test_a_proof_is_short_when(body: str, tree: Path) -> None:
    answer = _prove(tree, body)

    assert answer.returncode == 1, answer.stdout
    assert any(line.startswith("line ") and line.endswith("short") for line in answer.stdout.splitlines())


def test_make_prove_is_full_size_and_make_test_is_small(tree: Path) -> None:
    body = "proof.record(figure=size, target='the size', control=None, ok=True)"

    full = _prove(tree, body).stdout
    small = _run(tree, "pytest", "-q").stdout

    assert "proofs, size full" in full
    assert "proofs, size small" in small


def test_lines_reach_the_summary_from_parallel_workers(tree: Path) -> None:
    _prove(tree, MET)

    answer = _run(tree, "pytest", "-p", "xdist", "-n", "1")

    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.count("the last place is sold once") == 1


def test_an_unknown_area_is_answered_with_the_areas_there_are(tree: Path) -> None:
    _prove(tree, MET)

    answer = _run(tree, "tests.proof", "lime")

    assert answer.returncode == 2
    assert answer.stderr == "There is no proof area 'lime'. Areas: line.\n"


@pytest.mark.parametrize(
    ("engines", "code"), [("sqlite", 1), ("sqlite postgresql", 0)], ids=["without it fails", "with it passes"]
)
def test_a_run_that_must_use_postgresql(engines: str, code: int, tree: Path) -> None:
    source = f"""
import pytest

@pytest.mark.parametrize("engine_url", {engines.split()!r})
def test_something_stored(engine_url):
    pass
"""
    (tree / "tests" / "test_something.py").write_text(source, encoding="utf-8")

    answer = _run(tree, "pytest", "-q", REQUIRE_POSTGRES="1")

    assert answer.returncode == code, answer.stdout
    assert ("postgresql  NOT RUN" in answer.stdout) is bool(code)
