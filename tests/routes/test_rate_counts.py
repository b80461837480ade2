"""The rate limit's counters: exact under threads, gone when their window ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import time_machine

from recycling.extensions import COUNTS_SWEEP_S, ProcessCounters

THREADS, HITS = 8, 2000


def test_no_hit_is_lost_between_threads() -> None:
    # given one address whose requests are answered by eight threads
    counters = ProcessCounters()

    def hit(_: int) -> list[int]:
        return [counters.incr("address", 60) for _ in range(HITS)]

    # when each counts 2000
    with ThreadPoolExecutor(THREADS) as pool:
        told = [count for counts in pool.map(hit, range(THREADS)) for count in counts]
    # then every number from 1 to 16,000 was given once
    assert sorted(told) == list(range(1, THREADS * HITS + 1))


def test_a_window_ends_and_the_next_begins_at_nothing() -> None:
    with time_machine.travel(1_000_000, tick=False) as clock:
        counters = ProcessCounters()
        # given two hits in a window of 60 s
        assert [counters.incr("a", 60), counters.incr("a", 60)] == [1, 2]
        assert (counters.get("a"), counters.get_expiry("a")) == (2, 1_000_060)
        # when its last instant has passed
        clock.shift(59)
        assert counters.get("a") == 2
        clock.shift(1)
        # then there is nothing, and the next hit is the first of a window of its own
        assert counters.get("a") == 0
        assert counters.incr("a", 60) == 1
        assert counters.get_expiry("a") == 1_000_120


def test_counts_of_ended_windows_are_forgotten() -> None:
    with time_machine.travel(1_000_000, tick=False) as clock:
        # given counts of two addresses, one of them with a longer window
        counters = ProcessCounters()
        counters.incr("short", 10)
        counters.incr("long", 10 * COUNTS_SWEEP_S)
        # when a third comes after the next sweep is due
        clock.shift(COUNTS_SWEEP_S)
        counters.incr("third", 10)
        # then only the long one and the third are held
        assert counters.reset() == 2


def test_one_count_can_be_cleared() -> None:
    counters = ProcessCounters()
    counters.incr("a", 60)
    counters.incr("b", 60)
    counters.clear("a")
    assert (counters.get("a"), counters.get("b"), counters.check()) == (0, 1, True)
