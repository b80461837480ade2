"""Engines in child processes: started, listened to, and killed when their time is over."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from recycling.routing.child import run
from recycling.routing.day import Sequences
from recycling.routing.engines import Ask, engine_address

LARGEST_REPORT = 64 * 1024 * 1024  # bytes; the sequences of a million stops take less


class Child:
    """One engine at work in its own process.

    A thread reads its reports, so that a child stuck in the middle of a message stops nobody. Unless every report is
    wanted, only the latest is kept: it is the best.
    """

    def __init__(self, name: str, ask: Ask, news: threading.Event, *, every_report: bool) -> None:
        self.name = name
        self._news = news
        self._shape = (len(ask.problem.vehicles), len(ask.problem.stops))
        self._reports: deque[bytes] = deque(maxlen=None if every_report else 1)
        self._done = False
        context = multiprocessing.get_context("spawn")
        self._wire, theirs = context.Pipe(duplex=False)
        self._process = context.Process(
            target=run, args=(engine_address(name), pickle.dumps(ask), theirs), name=f"engine-{name}", daemon=True
        )
        self._process.start()
        theirs.close()
        self._reader = threading.Thread(target=self._listen, name=f"reports-{name}", daemon=True)
        self._reader.start()

    @property
    def done(self) -> bool:
        """Whether the engine has finished or died, and nothing it said is unread."""
        return self._done and not self._reports

    def next_report(self) -> Sequences | None:
        """The next well-formed report, or ``None`` when there is none right now."""
        while self._reports:
            sequences = read_report(self._reports.popleft(), *self._shape)
            if sequences is not None:
                return sequences
        return None

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.join(timeout=2)
        self._reader.join(timeout=1)

    def _listen(self) -> None:
        try:
            while True:
                self._reports.append(self._wire.recv_bytes(LARGEST_REPORT))
                self._news.set()
        except (EOFError, OSError):  # the child closed the wire, died, or sent more than any report can be
            self._done = True
            self._wire.close()
            self._news.set()


class Children:
    """Several engines at once; leaving the ``with`` block kills them all."""

    def __init__(self, asks: Sequence[tuple[str, Ask]], *, every_report: bool) -> None:
        self.news = threading.Event()
        self.all: list[Child] = []
        try:
            for name, ask in asks:
                self.all.append(Child(name, ask, self.news, every_report=every_report))
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def done(self) -> bool:
        """Whether no more reports will come."""
        return all(child.done for child in self.all)

    def wait(self, seconds: float) -> None:
        """Sleep until there may be news, at most so long."""
        self.news.wait(max(0.0, seconds))
        self.news.clear()

    def kill(self) -> None:
        """End all processes."""
        for child in self.all:
            child.kill()


def read_report(raw: bytes, vehicles: int, stops: int) -> Sequences | None:
    """Sequences from a report, or ``None`` for anything else: the child may have said whatever it liked."""
    try:
        rows: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(rows, list) or len(rows) != vehicles or not all(isinstance(row, list) for row in rows):
        return None
    if any(type(stop) is not int or not 0 <= stop < stops for row in rows for stop in row):
        return None
    if sum(map(len, rows)) > stops:
        return None
    return tuple(tuple(row) for row in rows)
