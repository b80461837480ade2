"""Serving on one machine: whatever ends the terminal's program ends everything it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers import ROOT, START_S, server_environment

SERVE = """
from pathlib import Path
from recycling.cli.serving import serve_until_stopped
serve_until_stopped({port}, scheduler_log=Path({log!r}))
"""


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(port: int, *, up: bool, seconds: float) -> None:
    """Wait for the server to answer, or to be gone."""
    patience = time.monotonic() + seconds
    while answers(port) is not up:
        assert time.monotonic() < patience, f"still {'down' if up else 'up'} after {seconds} s"
        time.sleep(0.1)


@contextmanager
def served(folder: Path, *, before: str = "") -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Both running, in a program of their own, and the port they answer at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = os.environ | server_environment(f"sqlite:///{folder / 'x.db'}", INSTANCE_DIR=str(folder))
    code = before + SERVE.format(port=port, log=str(folder / "scheduler.log"))
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environ, stderr=subprocess.PIPE) as serving:
        try:
            wait_until(port, up=True, seconds=START_S)
            yield serving, port
        finally:
            serving.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_the_terminal_ends_web_server_and_scheduler(tmp_path: Path, number: signal.Signals) -> None:
    with served(tmp_path) as (serving, port):
        serving.send_signal(number)
        assert serving.wait(timeout=20) == 0
    # then nobody is left at the port
    wait_until(port, up=False, seconds=5)


def test_under_nohup_the_terminal_may_end(tmp_path: Path) -> None:
    with served(tmp_path, before="import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)") as (serving, port):
        serving.send_signal(signal.SIGHUP)
        time.sleep(1)  # five looks of the loop that waits for signals
        assert answers(port)
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=20) == 0
