"""Writes the workbook of a kept report in a process of its own, to see its seconds and its memory: URL, report id."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from benchmarks.table import ROOT
from recycling.app import create_app
from recycling.extensions import db
from recycling.models.recovery import GoalReport
from recycling.usecases.reporting.report_files import report_file
from tests.servers import server_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the workbook took; ``start_mib`` is what the process had before it began."""

    seconds: float
    peak_mib: float
    start_mib: float
    kib: int


def written(url: str, report_id: UUID) -> Written:
    """Write the workbook in a child process."""
    command = [sys.executable, "-m", "benchmarks.support.workbook_process", url, str(report_id)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Written(**json.loads(done.stdout.splitlines()[-1]))


def _peak_mib() -> float:
    """The largest memory of this program; what `getrusage` tells begins with that of the process it was forked from."""
    said = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(r"VmHWM:\s*(\d+)", said)[0]) / 1024


def _main(url: str, report_id: str) -> None:
    app = create_app(server_settings(url))
    with app.app_context():
        report = db.session.get_one(GoalReport, UUID(report_id))
        before, began = _peak_mib(), time.perf_counter()
        book = report_file(report, (), "xlsx", session=db.session())
        seconds = time.perf_counter() - began
        db.session.remove()
    found = {"seconds": seconds, "peak_mib": _peak_mib(), "start_mib": before, "kib": len(book) // 1024}
    print(json.dumps(found))


if __name__ == "__main__":
    _main(*sys.argv[1:])
