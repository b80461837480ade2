"""A planner under the clock: late ones are ended with all their children, and the memory of all of them is seen."""

import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks.support.process import PROC, Watched, memory_mib, watch

PARENT = """
import subprocess, sys, pathlib
child = subprocess.Popen([sys.executable, "-c", sys.argv[2]])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
child.wait()
"""
SLEEPER = "import time; time.sleep(120)"
EATER = """
import os, pathlib, time
block = bytearray(80 << 20)
pathlib.Path("eating-" + str(os.getpid())).touch()
while len(list(pathlib.Path().glob("eating-*"))) < {}:
    time.sleep(0.02)
time.sleep(2)
"""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = PROC / str(pid) / "stat"
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def _gone(pid: int, within_s: float = 5.0) -> bool:
    until = time.monotonic() + within_s
    while _alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not _alive(pid)


def test_a_late_planner_is_ended_with_the_children_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a planner with a child of its own, both far too slow, and half a second of grace
    monkeypatch.setattr("benchmarks.support.process.GRACE_S", 0.5)
    born = tmp_path / "child"
    command = [sys.executable, "-c", PARENT, str(born), SLEEPER]

    # when its second is over
    seen = watch([command], began=time.monotonic(), seconds=1.0, cwd=tmp_path, tick=lambda _: None)

    # then it is called late, and nothing of it runs on
    assert seen.late
    assert seen.wall_s < 30
    assert _gone(int(born.read_text()))


@pytest.mark.skipif(not PROC.is_dir(), reason="this system has no /proc: the benchmarks print no memory")
def test_memory_is_that_of_all_processes_together(tmp_path: Path) -> None:
    # given a planner whose child holds 80 MiB, and two of them at once
    def seen(count: int) -> Watched:
        folder = tmp_path / str(count)
        folder.mkdir()
        command = [sys.executable, "-c", PARENT, str(folder / "child"), EATER.format(count)]
        return watch([command] * count, began=time.monotonic(), seconds=60.0, cwd=folder, tick=lambda _: None)

    one, two = seen(1), seen(2)

    # then the child's memory counts, and that of both
    assert one.peak_mib is not None
    assert two.peak_mib is not None
    assert 80 < one.peak_mib < 160
    assert 160 < two.peak_mib < 320
    assert not one.late
    assert not one.failed


def test_no_session_has_no_memory() -> None:
    assert not memory_mib(set())


def test_a_planner_that_fails_says_why(tmp_path: Path) -> None:
    seen = watch(
        [[sys.executable, "-c", "raise SystemExit('no licence')"]],
        began=time.monotonic(), seconds=30.0, cwd=tmp_path, tick=lambda _: None,
    )  # fmt: skip

    assert seen.failed.strip() == "no licence"
    assert not seen.late
