"""Engines and executors that misbehave in every way they can; an engine is named to `solve` as ``module:name``.

Where the variable `MARKS` names a folder, an engine leaves a file there before it goes wrong: a test can tell mischief
that was withstood from mischief that never began.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from hashlib import pbkdf2_hmac
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

from recycling.routing import unit
from recycling.routing.engines import Ask, Report, engine_address, load_engine

MARKS = "HOSTILE_MARKS"


def address(engine: type) -> str:
    """How `solve` is told to use the engine."""
    return f"{engine.__module__}:{engine.__name__}"


class Hostile(ABC):
    """An engine that goes wrong."""

    def improve(self, ask: Ask, report: Report) -> None:
        """Leave a mark, and go wrong."""
        if os.environ.get(MARKS):
            Path(os.environ[MARKS], type(self).__name__).touch()
        self.misbehave(ask, report)

    @abstractmethod
    def misbehave(self, ask: Ask, report: Report) -> None:
        """Go wrong."""


class Spins(Hostile):
    """Burns the processor for ever, for seconds at a time inside C."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        while True:
            pbkdf2_hmac("sha256", b"round", b"and round", 10_000_000)


class Unkillable(Spins):
    """The same, deaf to every signal that can be ignored, its own alarm among them."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)
        super().misbehave(ask, report)


class Overruns(Hostile):
    """OR-Tools as if its time limit were ignored (or-tools #2212, #2660): it holds the interpreter inside C++."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        load_engine(engine_address("ortools")).improve(replace(ask, seconds=10_000.0), report)


class Endless(Hostile):
    """PyVRP without a limit."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        load_engine(engine_address("pyvrp")).improve(replace(ask, seconds=10_000.0), report)


class Sleeps(Hostile):
    """Never says anything."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        time.sleep(3600)


class Deafens(Sleeps):
    """Closes every file it has, the way back to its parent among them, and sleeps."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        os.closerange(3, 1024)
        super().misbehave(ask, report)


class Crashes(Hostile):
    """Dies as a segmentation fault would make it."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


class Faults(Hostile):
    """Reads where nothing is: a segmentation fault of the machine's own."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        ctypes.string_at(0)


class Aborts(Hostile):
    """Ends as a failed CHECK in C++ does."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        os.abort()


class Exits(Hostile):
    """Leaves with the code a shell gives a segmentation fault."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        os._exit(139)


class Raises(Hostile):
    """Fails with an exception."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # keeps its traceback out of the test's output
        raise RuntimeError("no good")


class Freezes(Hostile):
    """Stops itself, so that not even a polite signal reaches it."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)


class Lies(Hostile):
    """Reports sequences that break every rule: everything on one vehicle, stops twice, backwards, nothing at all."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        stops, vehicles = range(len(ask.problem.stops)), len(ask.problem.vehicles)
        report((tuple(stops), *[()] * (vehicles - 1)))
        report(tuple(tuple(stops)[:1] * 2 for _ in range(vehicles)))
        report(tuple(tuple(reversed(row)) for row in ask.warm))
        report(tuple(() for _ in range(vehicles)))


class Babbles(Hostile):
    """Reports what no sequence looks like."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        shapeless: list[Any] = [
            None, 7, "x", {}, [], [[]], [[1.5]], [["0"]], [[True]], [[-1]], [[10**30]], [[0] * 10**5],
            [[0]] * (len(ask.problem.vehicles) + 1), [None] * len(ask.problem.vehicles), float("nan"),
        ]  # fmt: skip
        for one in shapeless:
            report(cast(Any, one))


class Garbles(Hostile):
    """Sends back what is no answer."""

    answer = b"[" * 10**6

    def misbehave(self, ask: Ask, report: Report) -> None:
        setattr(unit, "_answer", lambda *_, **__: self.answer)  # noqa: B010  # the process is the engine's own


class Inflates(Garbles):
    """Sends back an answer of thirty megabytes."""

    answer = b'{"best": [' + b"[0]," * 7_500_000 + b"[0]]}"


class Hoards(Hostile):
    """Eats memory until the machine or somebody else ends it."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))  # the test's machine is not what is on trial
        kept = [bytearray(2**26)]
        while True:
            kept.append(bytearray(2**26))


class Floods(Hostile):
    """Reports as fast as it can, for ever."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        while True:
            report(ask.warm)


class Spawns(Hostile):
    """Answers at once, and leaves threads behind that keep its process busy and alive."""

    def misbehave(self, ask: Ask, report: Report) -> None:
        for _ in range(4):
            threading.Thread(target=Spins().misbehave, args=(ask, report)).start()


MISCHIEF: tuple[type[Hostile], ...] = (
    Spins, Unkillable, Overruns, Endless, Sleeps, Deafens, Crashes, Faults, Aborts, Exits, Raises, Freezes, Lies,
    Babbles, Garbles, Inflates, Hoards, Floods, Spawns,
)  # fmt: skip


class Silent(Executor):
    """Takes every call and answers none."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that is never done."""
        return Future()


class Refuses(Executor):
    """Takes no calls."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Fails as a broker does that cannot be reached."""
        raise ConnectionRefusedError("nobody there")


class Fails(Executor):
    """Fails every call at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that holds an exception."""
        future: Future[Any] = Future()
        future.set_exception(OSError("lost on the way"))
        return future


class Cancels(Executor):
    """Cancels every call at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that is cancelled, and has told those who wait for it."""
        future: Future[Any] = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future


class Answers(Executor):
    """Answers every call at once, with something else each time."""

    def __init__(self) -> None:
        self._said = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that holds no answer to the call."""
        answers: tuple[Any, ...] = (b"", None, 7, b"null", b"[0]", b"{}", b"\xff", CancelledError(), [[0]], b"[[[[")
        future: Future[Any] = Future()
        future.set_result(answers[self._said % len(answers)])
        self._said += 1
        return future


def broken_pool() -> Executor:
    """A process pool whose process has died."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    pool.submit(os._exit, 139).exception()
    return pool


def closed_pool() -> Executor:
    """A thread pool that has been shut down."""
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    return pool


BAD_EXECUTORS: tuple[Callable[[], Executor], ...] = (
    Silent, Refuses, Fails, Cancels, Answers, broken_pool, closed_pool,
)  # fmt: skip
