"""Real servers for tests: gunicorn with processes and threads, on a port nobody else has, over a given database."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.settings import SECRETS, from_environment

ROOT = Path(__file__).resolve().parent.parent
START_S = 60  # several servers may start at once on two cores
STOP_S = 15
# Of every app of the tests, in this process or another one: the keys that rows are read with are a process's own, and a
# test beside a server leaves those of the server to the next test.
TEST_KEYS = {name: hashlib.sha256(f"key of a test: {name}".encode()).hexdigest() for name in SECRETS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server."""

    host: str
    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """What to put before a path."""
        return f"http://{self.host}:{self.port}"


def server_environment(url: str, **overrides: str) -> dict[str, str]:
    """What a server of a test finds in its environment: a database and keys that the test knows too."""
    rules = {"ENVIRONMENT": "test", "LOG_LEVEL": "WARNING", "SMS_GATEWAY": "none"}
    unlimited = {"RATELIMIT_DEFAULT": "1000000 per minute"}  # all clients of a test call from one address
    return TEST_KEYS | rules | unlimited | {"DATABASE_URL": url} | overrides


def server_settings(url: str, **overrides: str) -> dict[str, Any]:
    """The settings that a server of `serving` runs with, for an app in the test's own process beside it."""
    return from_environment(server_environment(url, **overrides))


@contextmanager
def serving(
    url: str,
    *,
    log: Path,
    wsgi: str = "wsgi:app",
    workers: int = 2,
    threads: int = 8,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Serve a migrated database with gunicorn until the block ends; what it says goes into ``log``.

    ``options`` are gunicorn's own.

    Raises
    ------
    RuntimeError
        When it does not answer in time; holds the end of the log.
    """
    with socket.socket() as port_holder, log.open("wb") as output:
        port_holder.bind(("127.0.0.1", 0))
        port_holder.listen(2048)
        host, port = port_holder.getsockname()
        # Loaded once and forked: half the start-up work of importing it in each worker.
        command = [
            sys.executable, "-m", "gunicorn", "--bind", f"fd://{port_holder.fileno()}", "--no-control-socket",
            "--workers", str(workers), "--worker-class", "gthread", "--threads", str(threads), "--preload",
            "--graceful-timeout", "1", *options, wsgi,
        ]  # fmt: skip
        # A session of its own, so that master and workers end together and nothing else does.
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            pass_fds=(port_holder.fileno(),), env=os.environ | server_environment(url) | dict(environment or {}),
        )  # fmt: skip
        server = Server(host=host, port=port, log=log, process=process)
        try:
            _wait_until_healthy(server)
            yield server
        finally:
            _stop(process)


def _wait_until_healthy(server: Server) -> None:
    patience = time.monotonic() + START_S
    while time.monotonic() < patience and server.process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
            with contextlib.closing(connection):
                connection.request("GET", "/healthz")
                if connection.getresponse().status == http.client.OK:
                    return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not answer on {server.address}:\n{server.log.read_text()[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            continue
        return
