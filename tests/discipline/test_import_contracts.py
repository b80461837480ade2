"""Each import contract of setup.cfg holds, and is seen to break when it is violated."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

VIOLATIONS = [
    ("layers", "recycling/policy/__init__.py", "import recycling.models"),
    ("layers", "recycling/routing/__init__.py", "import recycling.policy"),
    ("layers", "recycling/models/__init__.py", "import recycling.gateways"),
    ("layers", "recycling/usecases/__init__.py", "import recycling.routes"),
    ("layers", "recycling/jobs/__init__.py", "import recycling.routes"),
    ("layers", "recycling/errors.py", "import recycling.policy"),
    ("layers", "recycling/no_place_in_the_house.py", ""),
    ("flask-free", "recycling/usecases/__init__.py", "import flask"),
    ("flask-free", "recycling/models/__init__.py", "import flask_sqlalchemy"),
    ("flask-free", "recycling/gateways/__init__.py", "import werkzeug"),
    ("pure", "recycling/routing/__init__.py", "import sqlalchemy"),
    ("pure", "recycling/routing/engines/__init__.py", "import socket"),
    ("pure", "recycling/policy/__init__.py", "import requests"),
    ("routes-without-sql", "recycling/routes/__init__.py", "import sqlalchemy"),
    ("engines", "recycling/routing/__init__.py", "import ortools"),
    ("engines", "recycling/usecases/__init__.py", "import pyvrp"),
    ("photos", "recycling/gateways/photo_decoder.py", "import PIL"),
    ("settings-come-in", "recycling/__init__.py", "import config"),
]


def _contracts() -> set[str]:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    prefix = "importlinter:contract:"
    return {section.removeprefix(prefix) for section in settings.sections() if section.startswith(prefix)}


def _linted(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter as `make lint` does, on another tree."""
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache", *arguments], cwd=tree, capture_output=True, text=True, check=False
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of everything the contracts speak about."""
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    for package in ("recycling", "config"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    return tmp_path


def test_the_code_keeps_every_contract() -> None:
    answer = _linted(ROOT)

    assert answer.returncode == 0, answer.stdout


def test_every_contract_has_a_violation_that_tries_it() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == _contracts()


@pytest.mark.parametrize(("contract", "file", "violation"), VIOLATIONS)
def test_a_violated_contract_is_seen_to_break(contract: str, file: str, violation: str, tree: Path) -> None:
    # given a copy of the code with one import, or one module, too many
    with (tree / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{violation}\n")

    # when that contract alone is checked
    answer = _linted(tree, "--contract", contract)

    # then it is this contract that breaks; an import-linter that could not even read the tree says neither
    assert answer.returncode == 1
    assert "BROKEN" in answer.stdout or "no_place_in_the_house" in answer.stdout, answer.stdout + answer.stderr
