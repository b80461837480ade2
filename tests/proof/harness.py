"""The pytest plugin behind ``make prove``: a proof must record figures, and each record becomes one printed line."""

from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

import pytest

from benchmarks.table import rendered, shown

Size = Literal["small", "full", "release"]
FOLDER = Path(__file__).parent
HEADINGS = ("area", "proof", "figure", "target", "control", "")
_PROPERTY = "proof"  # the user property that carries a record from an xdist worker to the process that prints


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One proof as it is printed."""

    area: str
    name: str
    figure: str
    target: str
    control: str
    ok: bool


@dataclass(slots=True)
class Proof:
    """The sheet of one proof; every record is one line of ``make prove``."""

    area: str
    name: str
    variant: str
    lines: list[Line] = field(default_factory=list)

    @classmethod
    def of(cls, item: pytest.Function) -> "Proof":
        """Return an empty sheet named after its test."""
        variant = item.name.removeprefix(item.originalname).strip("[]")
        return cls(area=area_of(item.nodeid), name=_spoken(item.originalname), variant=variant)

    def record(self, *, figure: object, target: object, control: object, ok: bool, name: str | None = None) -> None:
        """Write down what was measured, what was asked, and what the same measure showed with the guard off.

        ``control`` is ``None`` only where there is no guard to take away. ``ok`` is the author's verdict and should
        include that the control failed; the test fails after its last line when a record is not ok.
        """
        title = f"{name or self.name} · {self.variant}" if self.variant else name or self.name
        line = Line(
            area=self.area, name=title, figure=shown(figure), target=shown(target), control=shown(control), ok=bool(ok)
        )
        self.lines.append(line)


def areas() -> list[str]:
    """Return the areas that hold proofs: the folders beside this file."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir() and any(path.glob("test_*.py")))


def area_of(nodeid: str) -> str:
    """Return the area a test belongs to, or nothing when it is no proof: ``tests/proof/<area>/test_….py::…``."""
    parts = nodeid.split("::")[0].split("/")
    return parts[2] if parts[:2] == ["tests", "proof"] and len(parts) > 3 else ""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose how large proofs are."""
    parser.addoption(
        "--size", choices=get_args(Size), default="small", help="how large the proofs in tests/proof are (small)"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in an area's folder as a proof."""
    for item in items:
        if area_of(item.nodeid):
            item.add_marker("proof")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a proof, pass on what it recorded, and fail it when it recorded nothing or fell short."""
    if not area_of(pyfuncitem.nodeid):
        return (yield)
    sheet = pyfuncitem.funcargs.get("proof")
    lines = sheet.lines if isinstance(sheet, Proof) else []
    try:
        answer = yield
    finally:
        pyfuncitem.user_properties.extend((_PROPERTY, asdict(line)) for line in lines)
    if not lines:
        pytest.fail(
            "A proof takes the fixture `proof` and calls proof.record(...); this one recorded nothing.", pytrace=False
        )
    short = [line for line in lines if not line.ok]
    if short:
        pytest.fail("\n".join(f"{line.name}: {line.figure}, target {line.target}" for line in short), pytrace=False)
    return answer


class _Printer:
    """Gathers the lines of all proofs in the process that prints, and ends the run badly when one is short."""

    def __init__(self) -> None:
        self._lines: list[Line] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the lines of a proof that ran; one that could not run, or broke outside its records, is short."""
        area = area_of(report.nodeid)
        if not area:
            return
        carried = report.user_properties if report.when == "call" else []
        recorded = [Line(**fields) for key, fields in carried if key == _PROPERTY and isinstance(fields, dict)]
        self._lines += recorded
        if not report.passed and all(line.ok for line in recorded):
            why = "not run" if report.skipped else f"broke ({report.when})"
            name = _spoken(report.nodeid.split("::", 1)[1])
            self._lines.append(Line(area=area, name=name, figure=why, target="to run", control="–", ok=False))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A proof that is short makes the run fail, even one that was only skipped."""
        if session.exitstatus == pytest.ExitCode.OK and not all(line.ok for line in self._lines):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Print one line a proof."""
        if not self._lines:
            return
        terminalreporter.section(f"proofs, size {config.getoption('--size')}")
        cells = [((line.area, line.name, line.figure, line.target, line.control), line.ok) for line in self._lines]
        terminalreporter.write_line(rendered(HEADINGS, sorted(cells), colour=terminalreporter.hasmarkup))
        short = sum(not line.ok for line in self._lines)
        terminalreporter.write_line(f"{len(self._lines) - short} ok, {short} short", red=short > 0, green=not short)


def pytest_configure(config: pytest.Config) -> None:
    """Print only once: in the process that reports, not in xdist's workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Printer(), "proof-printer")


def _spoken(name: str) -> str:
    """Return a test's name as a sentence."""
    return name.replace("::", " ").removeprefix("test_").replace("_", " ")
