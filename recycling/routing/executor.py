"""The default executor: each worker is a process of its own; one that crashes or hangs takes nothing with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class ProcessExecutor(Executor):
    """Spawned processes, one per worker, each behind a process pool of one.

    A single pool of many would fail every unit in work when one process dies.

    Parameters
    ----------
    workers
        Processes at once, >= 1. They start when first needed.
    """

    def __init__(self, workers: int) -> None:
        self._slots = [_Slot() for _ in range(workers)]

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call in an idle process, or in the one with the fewest calls waiting."""
        return min(self._slots, key=lambda slot: slot.waiting).submit(fn, *args, **kwargs)

    def abandon(self, future: Future[Any]) -> None:
        """Kill the process that works on this call, whatever it is doing; its worker gets a new one."""
        for slot in self._slots:
            if future in slot.futures:
                slot.kill()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # as its base
        """Kill all processes: what they are still doing is wanted by nobody."""
        for slot in self._slots:
            slot.kill()


class _Slot:
    """One worker: a pool of one process, replaced when that process dies."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []
        self._pool: ProcessPoolExecutor | None = None
        self._context = _Recording()

    @property
    def waiting(self) -> int:
        """Calls not answered yet."""
        self.futures = [future for future in self.futures if not future.done()]
        return len(self.futures)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        if self._pool is None:
            self._start()
        try:
            future = self._running.submit(fn, *args, **kwargs)
        except RuntimeError:  # the process died since; BrokenProcessPool is one
            self.kill()
            self._start()
            future = self._running.submit(fn, *args, **kwargs)
        self.futures.append(future)
        return future

    @property
    def _running(self) -> ProcessPoolExecutor:
        assert self._pool is not None  # noqa: S101  # for the type checker: both callers have started it
        return self._pool

    def _start(self) -> None:
        self._context = _Recording()
        self._pool = ProcessPoolExecutor(1, mp_context=self._context, initializer=settle)

    def kill(self) -> None:
        """End the process, if there is one, also while it is still starting."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in self._context.processes:
                process.kill()


class _Recording(SpawnContext):
    """Spawns processes and remembers them: a pool tells nobody which are its own."""

    def __init__(self) -> None:
        self.processes: list[SpawnProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802  # as its base
        """A process as the base makes it."""
        process = SpawnProcess(*args, **kwargs)
        self.processes.append(process)
        return process


def settle() -> None:
    """A worker process: one thread each, for workers are as many as the caller wants cores used; no heed to ctrl-C."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
