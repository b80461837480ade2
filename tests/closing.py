"""The last words of a test run: which database engines ran, and what could not run here."""

import os
import re
from collections import Counter

import pytest

ENGINES = ("sqlite", "postgresql")
"""As they appear in the parameter ids of the ``engine_url`` fixture."""


class Closing:
    """Counts what passed on each engine and why anything was left out, in the process that prints."""

    def __init__(self, *, postgres_demanded: bool) -> None:
        self._postgres_demanded = postgres_demanded
        self._passed: Counter[str] = Counter()
        self._not_run: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one test."""
        if report.when == "call" and report.passed:
            self._passed.update(engines_in(report.nodeid))
        if report.skipped and isinstance(report.longrepr, tuple):
            self._not_run[str(report.longrepr[2]).removeprefix("Skipped: ")] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that was told to use PostgreSQL and did not."""
        demanded = self._postgres_demanded and not session.config.option.collectonly
        if demanded and not self._passed["postgresql"] and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say loudly which engines ran and what did not."""
        if not (self._passed or self._not_run or self._postgres_demanded):
            return
        terminalreporter.section("what ran")
        for engine in ENGINES:
            if self._passed[engine]:
                terminalreporter.write_line(f"{engine:<11} {self._passed[engine]} tests passed", green=True)
            else:
                terminalreporter.write_line(f"{engine:<11} NOT RUN", red=True, bold=True)
        if not self._passed["postgresql"]:
            terminalreporter.write_line(
                "            No server answered at TEST_POSTGRES_URL "
                "(default postgresql+psycopg://postgres@127.0.0.1:5432/test), or no such test was chosen."
            )
            if self._postgres_demanded:
                terminalreporter.write_line("            REQUIRE_POSTGRES is set: this run fails.", red=True, bold=True)
        for reason, count in sorted(self._not_run.items()):
            terminalreporter.write_line(f"not run     {count} x {reason}", yellow=True, bold=True)


def engines_in(nodeid: str) -> list[str]:
    """Return the engine a test's parameter id names, if any."""
    parameters = re.search(r"\[(.*)\]$", nodeid)
    words = set(re.split(r"[^a-z]+", parameters.group(1))) if parameters else set()
    return [engine for engine in ENGINES if engine in words]


def pytest_configure(config: pytest.Config) -> None:
    """Listen only where reports are printed, not in pytest-xdist's workers."""
    if not hasattr(config, "workerinput"):
        demanded = os.environ.get("REQUIRE_POSTGRES", "") not in ("", "0")
        config.pluginmanager.register(Closing(postgres_demanded=demanded), "closing")
