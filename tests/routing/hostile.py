"""Engines that misbehave in every way a child process can; each is named to `solve` as ``module:name``."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from hashlib import pbkdf2_hmac
from typing import Any, cast

from recycling.routing.engines import Ask, Report


def address(engine: type) -> str:
    """How `solve` is told to use the engine."""
    return f"{engine.__module__}:{engine.__name__}"


class Spins:
    """Burns the processor for ever, for seconds at a time inside C."""

    def improve(self, ask: Ask, report: Report) -> None:
        while True:
            pbkdf2_hmac("sha256", b"round", b"and round", 10_000_000)


class Sleeps:
    """Never says anything."""

    def improve(self, ask: Ask, report: Report) -> None:
        time.sleep(3600)


class Crashes:
    """Dies as a segmentation fault would make it."""

    def improve(self, ask: Ask, report: Report) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


class Exits:
    """Leaves with the code a shell gives a segmentation fault."""

    def improve(self, ask: Ask, report: Report) -> None:
        os._exit(139)


class Raises:
    """Fails with an exception."""

    def improve(self, ask: Ask, report: Report) -> None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # keeps its traceback out of the test's output
        raise RuntimeError("no good")


class Freezes:
    """Stops itself, so that not even a polite signal reaches it."""

    def improve(self, ask: Ask, report: Report) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)


class Lies:
    """Reports sequences that break every rule: everything on one vehicle, stops twice, backwards, nothing at all."""

    def improve(self, ask: Ask, report: Report) -> None:
        stops, vehicles = range(len(ask.problem.stops)), len(ask.problem.vehicles)
        report((tuple(stops), *[()] * (vehicles - 1)))
        report(tuple(tuple(stops)[:1] * 2 for _ in range(vehicles)))
        report(tuple(tuple(reversed(row)) for row in ask.warm))
        report(tuple(() for _ in range(vehicles)))


class Babbles:
    """Reports what no sequence looks like."""

    def improve(self, ask: Ask, report: Report) -> None:
        shapeless: list[Any] = [
            None, 7, "x", {}, [], [[]], [[1.5]], [["0"]], [[True]], [[-1]], [[10**30]], [[0] * 10**5],
            [[0]] * (len(ask.problem.vehicles) + 1), [None] * len(ask.problem.vehicles), float("nan"),
        ]  # fmt: skip
        for one in shapeless:
            report(cast(Any, one))


class Hoards:
    """Eats memory until the machine or somebody else ends it."""

    def improve(self, ask: Ask, report: Report) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))  # the test's machine is not what is on trial
        kept = [bytearray(2**26)]
        while True:
            kept.append(bytearray(2**26))


class Floods:
    """Reports as fast as it can, for ever."""

    def improve(self, ask: Ask, report: Report) -> None:
        while True:
            report(ask.warm)


MISCHIEF = (Spins, Sleeps, Crashes, Exits, Raises, Freezes, Lies, Babbles, Hoards, Floods)
