"""Serving on one machine: web server and scheduler as child processes that live and end together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import click

HOST = "127.0.0.1"
WORKERS, THREADS = 2, 8
GRACE_S = 10  # how long a child may take to finish its requests before it is killed
LOOK_EVERY_S = 0.2


def serve_until_stopped(port: int, *, scheduler_log: Path) -> None:
    """Run web server and scheduler until ctrl-C, SIGTERM or the terminal's end, or until one of them ends by itself.

    The scheduler logs into a file of its own, so that the sign-in codes stay in sight.

    Raises
    ------
    click.ClickException
        When the port is taken, or a child ended by itself; the other one is stopped first.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as reason:
            raise click.ClickException(f"port {port} cannot be used ({reason.strerror}); try PORT={port + 1}") from None
    commands = {
        "web server": [
            "gunicorn", "--bind", f"{HOST}:{port}", "--workers", str(WORKERS), "--threads", str(THREADS),
            "--worker-class", "gthread", "--graceful-timeout", str(GRACE_S), "--log-level", "warning",
            "--no-control-socket", "wsgi:app",
        ],
        "scheduler": ["flask", "--app", "wsgi", "scheduler", "run"],
    }  # fmt: skip
    with (
        _until_told() as told,
        scheduler_log.open("ab") as log,
        _children(commands, logs={"scheduler": log}) as children,
    ):
        while not told:
            for name, child in children.items():
                if child.poll() is not None:
                    raise click.ClickException(f"the {name} ended by itself with exit status {child.returncode}")
            time.sleep(LOOK_EVERY_S)


@contextmanager
def _until_told() -> Iterator[list[int]]:
    """A list that receives the signal which asks us to stop."""
    told: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    heard = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup it is ignored, and stays so
        heard.append(signal.SIGHUP)
    before = {number: signal.signal(number, hear) for number in heard}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _children(
    commands: dict[str, list[str]], *, logs: dict[str, BinaryIO]
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The commands as running children, each leading a session of its own so that all its processes can be ended."""
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            children[name] = subprocess.Popen(
                [sys.executable, "-m", *command], start_new_session=True, stdout=logs.get(name), stderr=logs.get(name)
            )
        yield children
    finally:
        for child in children.values():
            _signal(child, signal.SIGTERM)
        patience = time.monotonic() + GRACE_S
        for child in children.values():
            try:
                child.wait(timeout=max(0.1, patience - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.wait()


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it may have ended before we asked
        os.killpg(child.pid, number)
