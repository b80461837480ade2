"""Workers are processes of their own: what happens to one does not happen to another."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest

from recycling.routing.executor import ProcessExecutor


def test_calls_are_answered_from_other_processes() -> None:
    with ProcessExecutor(2) as workers:
        pids = {workers.submit(os.getpid).result(timeout=30) for _ in range(4)}
    assert os.getpid() not in pids


def test_a_worker_that_dies_fails_its_own_call_and_is_replaced() -> None:
    with ProcessExecutor(2) as workers:
        dying, living = workers.submit(os._exit, 139), workers.submit(abs, -7)
        assert living.result(timeout=30) == 7
        assert dying.exception(timeout=30) is not None
        assert [workers.submit(abs, -n).result(timeout=30) for n in range(4)] == [0, 1, 2, 3]


def test_an_abandoned_call_frees_its_worker() -> None:
    with ProcessExecutor(1) as workers:
        workers.submit(abs, -1).result(timeout=30)
        stuck: Future[None] = workers.submit(time.sleep, 3600)
        time.sleep(0.3)
        workers.abandon(stuck)
        assert workers.submit(abs, -7).result(timeout=30) == 7


def test_shutting_down_ends_what_is_still_at_work() -> None:
    workers = ProcessExecutor(1)
    workers.submit(abs, -1).result(timeout=30)
    stuck: Future[None] = workers.submit(time.sleep, 3600)
    time.sleep(0.3)
    workers.shutdown()
    with pytest.raises(BrokenProcessPool):
        stuck.result(timeout=10)
