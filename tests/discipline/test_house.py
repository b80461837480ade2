"""The house stays as its pages say: commands exist, words are kept, dependencies are declared, no path is local."""

import ast
import configparser
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
OURS = {"recycling", "config", "tests", "benchmarks", "wsgi", "migrations"}
ONLY_FOR_MYPY = {"_typeshed"}
# Somebody's home, a workplace's mount, or what lies beside the checkout: none of them is there after a clone.
LOCAL_PATHS = re.compile(r"(?<![\w.~-])/(?:root|home|Users|work)/\w|\.\./shared\b")
SKIPPING = re.compile(r"pytest\.(?:skip|importorskip|xfail|mark\.(?:skip|skipif|xfail))\b|unittest\.skip")
FORBIDDEN_NAMES = {"utils", "helpers", "helper", "manager", "service", "services", "misc", "common"}


def _kept_files() -> list[Path]:
    """Return what git keeps, or would with the next commit."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name for name in listing.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def _texts(*suffixes: str) -> Iterator[tuple[Path, str]]:
    """Return the kept text files with their text, vendored files left out."""
    for path in _kept_files():
        if "vendor" in path.parts or (suffixes and path.suffix not in suffixes):
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield path.relative_to(ROOT), content.decode()


def _targets() -> set[str]:
    """Return the targets a person may name to make."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def _setup() -> configparser.ConfigParser:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return settings


def _requirements(lines: str) -> dict[str, Requirement]:
    """Return declared requirements by canonical name, comments left out."""
    declared = (Requirement(line) for line in lines.splitlines() if line.strip() and not line.strip().startswith("#"))
    return {canonicalize_name(requirement.name): requirement for requirement in declared}


def test_every_make_command_in_the_pages_exists() -> None:
    named = {
        (str(path), target)
        for path, text in _texts(".md")
        for target in re.findall(r"`make ([a-z]+)\b|^\s*(?:\$ )?make ([a-z]+)\b", text, re.MULTILINE)
        for target in target
        if target
    }

    assert named
    assert [(path, target) for path, target in sorted(named) if target not in _targets()] == []


def test_every_make_target_explains_itself_in_make_help() -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    missing = [name for name in sorted(_targets()) if not re.search(rf"^  make {name} +\S", told.stdout, re.MULTILINE)]

    assert missing == []


def test_the_build_runs_the_test_command_of_the_readme() -> None:
    build = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert build.rstrip().splitlines()[-1] == "make test"


def test_no_file_names_a_path_of_one_machine() -> None:
    # This file holds the patterns themselves.
    found = [
        f"{path}: {match.group(0)}"
        for path, text in _texts()
        if path.name != Path(__file__).name
        for match in LOCAL_PATHS.finditer(text)
    ]

    assert found == []


def test_decisions_are_numbered_without_gaps_and_state_their_price() -> None:
    pages = sorted(path for path in (ROOT / "docs" / "decisions").glob("*.md") if path.name != "README.md")

    assert [path.name[:5] for path in pages] == [f"{number:04}-" for number in range(1, len(pages) + 1)]
    assert [path.name for path in pages if "\n## Price\n" not in path.read_text(encoding="utf-8")] == []


def test_no_proof_can_be_skipped() -> None:
    found = [
        str(path) for path, text in _texts(".py") if path.parts[:2] == ("tests", "proof") and SKIPPING.search(text)
    ]

    assert found == []


def test_every_ignored_type_error_gives_its_reason() -> None:
    bare = re.compile(r"# type: ignore(?!\[[\w, -]+\]\s+# \S)")
    found = [
        f"{path}: {line.strip()}"
        for path, text in _texts(".py")
        if path.name != Path(__file__).name
        for line in text.splitlines()
        if bare.search(line)
    ]

    assert found == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    found = [str(path) for path, _ in _texts(".py") if {*path.parts[:-1], path.stem} & FORBIDDEN_NAMES]

    assert found == []


def test_every_database_table_is_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    classes = {
        node.name
        for path, text in _texts(".py")
        if path.parts[:2] == ("recycling", "models")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Base" for base in node.bases)
    }

    assert classes
    assert sorted(name for name in classes if f"`{name}`" not in glossary) == []


@pytest.mark.parametrize(
    ("packages", "extras"),
    [
        pytest.param({"recycling", "config", "migrations", "wsgi.py"}, ("postgres", "server"), id="what runs"),
        pytest.param(
            {"tests", "benchmarks", "conftest.py"}, ("postgres", "server", "test", "bench", "browser"), id="what checks"
        ),
    ],
)
def test_every_imported_library_is_declared(packages: set[str], extras: tuple[str, ...]) -> None:
    # given what setup.cfg asks for
    setup = _setup()
    declared = set(_requirements(setup["options"]["install_requires"]))
    for extra in extras:
        declared |= set(_requirements(setup["options.extras_require"][extra]))

    # when every import, at any depth of a file, is traced to the distribution that brings it
    distributions = {"vroom": ["pyvroom"], **packages_distributions()}  # a peer that need not be installed here
    undeclared = {
        f"{path}: {name}"
        for path, text in _texts(".py")
        if path.parts[0] in packages
        for name in _imported(text)
        if name not in OURS | ONLY_FOR_MYPY | sys.stdlib_module_names
        and not {canonicalize_name(owner) for owner in distributions.get(name, [name])} & declared
    }

    # then none came along by accident
    assert sorted(undeclared) == []


def _imported(text: str) -> Iterator[str]:
    """Return the top-level names a module imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_the_lock_answers_setup_cfg_and_names_no_index() -> None:
    # given the lock's pins
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^ \\]+)", lock, re.MULTILINE))

    # when each declared requirement of the base and of the locked extras is looked up
    setup = _setup()
    wanted = _requirements(setup["options"]["install_requires"])
    for extra in ("postgres", "server", "test"):
        wanted |= _requirements(setup["options.extras_require"][extra])
    unmet = [str(need) for name, need in wanted.items() if name not in pins or pins[name] not in need.specifier]

    # then all are met, the peers of the benchmarks stay out, and files are fetched from wherever pip is told
    assert unmet == [], "run `make lock`"
    assert set(_requirements(setup["options.extras_require"]["bench"])) & set(pins) == set()
    assert not re.search(r"--(?:extra-)?index-url|--find-links|--trusted-host|file://", lock)
