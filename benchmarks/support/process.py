"""Commands run side by side under a clock: their wall time, the memory of all their processes, killed when late."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 5.0  # past its seconds, what the planner's own front door allows itself
SAMPLE_S = 0.5
PROC = Path("/proc")
KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What became of the commands.

    Parameters
    ----------
    wall_s
        Until the last of them was over.
    peak_mib
        Largest sum seen over all processes that they started, pages shared between them counted once; ``None`` where
        the system does not say.
    late
        Whether they had to be killed.
    failed
        The end of the error output of those that failed by themselves; empty when none did.
    """

    wall_s: float
    peak_mib: float | None
    late: bool
    failed: str


def watch(
    commands: Sequence[Sequence[str]], *, began: float, seconds: float, cwd: Path, tick: Callable[[float], None]
) -> Watched:
    """Start all commands at once and wait for them.

    Parameters
    ----------
    began
        Instant of `time.monotonic` from which the wall time counts.
    seconds
        What they may take; `GRACE_S` later they are killed, with everything they started.
    tick
        Called twice a second with the seconds so far.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        running = [
            subprocess.Popen(
                command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                start_new_session=True,
            )
            for command in commands
        ]  # fmt: skip
        peak_mib, late = None, False
        try:
            while any(one.poll() is None for one in running):
                now_mib = memory_mib({one.pid for one in running})
                peak_mib = now_mib if peak_mib is None else max(peak_mib, now_mib or 0.0)
                passed = time.monotonic() - began
                tick(passed)
                late = passed > seconds + GRACE_S
                if late:
                    break
                _wait(running, SAMPLE_S)
        finally:
            _kill(running)
        wall_s = time.monotonic() - began
        errors.seek(0)
        failed = "" if late or not any(one.returncode for one in running) else errors.read()[-2000:] or "exit status"
    return Watched(wall_s=wall_s, peak_mib=peak_mib, late=late, failed=failed)


def _wait(running: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
    """Sleep until the first of them is over, or so long: what ends between two samples ends on time."""
    until = time.monotonic() + seconds
    before = sum(one.poll() is None for one in running)
    while time.monotonic() < until and sum(one.poll() is None for one in running) == before:
        time.sleep(0.02)


def _kill(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """End the sessions, children that outlived their parent included."""
    for one in running:
        with suppress(ProcessLookupError, PermissionError):  # nothing of it is left
            os.killpg(one.pid, signal.SIGKILL)
        one.wait()


def memory_mib(sessions: set[int]) -> float | None:
    """Memory of all processes of these sessions, in MiB."""
    if not PROC.is_dir():
        return None
    return (
        sum(_pages_kib(entry) for entry in PROC.iterdir() if entry.name.isdigit() and _session(entry) in sessions) / KIB
    )


def _session(entry: Path) -> int:
    try:
        # The name may hold blanks and brackets; what counts starts after its last bracket.
        return int((entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[3])
    except (OSError, IndexError, ValueError):
        return -1


def _pages_kib(entry: Path) -> float:
    """A process's proportional share of its pages, or all of them where the kernel does not divide."""
    for name, field in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            for line in (entry / name).read_text(encoding="utf-8").splitlines():
                if line.startswith(field):
                    return float(line.split()[1])
        except OSError:
            continue
    return 0.0
