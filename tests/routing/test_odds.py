"""Which engine works next: the one that earns most, now and then another, none that keeps failing."""

from __future__ import annotations

from collections import Counter
from random import Random

from recycling.routing.odds import STRIKES, TRY_OTHERS, Odds


def _picked(odds: Odds, times: int = 2000) -> Counter[str | None]:
    return Counter(odds.pick() for _ in range(times))


def test_the_most_trusted_engine_goes_first() -> None:
    picked = _picked(Odds(["a", "b", "c"], Random(1)))
    # nothing is earned yet: "a" by trust, each other only by the share that anybody gets
    assert picked["a"] > 2000 * (1 - TRY_OTHERS)
    assert picked["b"] > 0
    assert picked["c"] > 0


def test_the_engine_that_earns_most_gets_most_of_the_work() -> None:
    odds = Odds(["a", "b"], Random(1))
    odds.credit("a", 10)
    odds.credit("b", 500)
    assert _picked(odds)["b"] > 2000 * (1 - TRY_OTHERS)
    # and loses it when it earns nothing any more: 150, 105, 73.5, … falls below 10 within 8 units
    for _ in range(8):
        odds.credit("b", 0)
    assert _picked(odds)["a"] > 2000 * (1 - TRY_OTHERS)


def test_an_engine_that_fails_twice_in_a_row_gets_no_more_work() -> None:
    odds = Odds(["a", "b"], Random(1))
    for _ in range(STRIKES):
        odds.strike("a")
    assert set(_picked(odds)) == {"b"}
    for _ in range(STRIKES):
        odds.strike("b")
    assert odds.pick() is None


def test_an_answer_between_two_failures_makes_good() -> None:
    odds = Odds(["a"], Random(1))
    for _ in range(5):
        odds.strike("a")
        odds.credit("a", 0)
    assert odds.pick() == "a"


def test_what_is_no_engine_is_passed_over() -> None:
    odds = Odds(["a"], Random(1))
    odds.credit("recombine", 10**9)
    odds.strike("recombine")
    assert set(_picked(odds, 50)) == {"a"}
    assert Odds([], Random(1)).pick() is None


def test_the_same_seed_picks_the_same() -> None:
    one, other = (Odds(["a", "b", "c"], Random(5)) for _ in range(2))
    assert [one.pick() for _ in range(50)] == [other.pick() for _ in range(50)]
