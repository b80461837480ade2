"""Serving on one machine: whatever ends the terminal's program ends everything it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_the_terminal_ends_web_server_and_scheduler(tmp_path: Path, number: signal.Signals) -> None:
    # given both running
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = os.environ | server_environment(f"sqlite:///{tmp_path / 'x.db'}", INSTANCE_DIR=str(tmp_path))
    code = SERVE.format(port=port, log=str(tmp_path / "scheduler.log"))
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environ, stderr=subprocess.PIPE) as serving:
        try:
            wait_until(port, up=True, seconds=START_S)
            # when the signal comes
            serving.send_signal(number)
            serving.wait(timeout=20)
        finally:
            serving.kill()
    # then nobody is left at the port
    wait_until(port, up=False, seconds=5)
    assert serving.returncode == 0
