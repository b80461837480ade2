"""Two providers: each text goes to one; weights leave who is slow or failing and come back when they are well again."""

from __future__ import annotations

import itertools
import random
import threading
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.errors import NotTaken, SmsRefused, Unavailable
from recycling.gateways.http_sms import HttpSms
from recycling.gateways.sms import Accepted
from recycling.gateways.sms_balance import FORGET_S, LEAST_SHARE, BalancedSms, Choice
from tests.gateways.test_http_sms import a_provider
from tests.providers.scripted import nobody_there, scripted_provider

PHONE, TEXT = "13812345678", "您好"


class Clock:
    """Seconds that pass when somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Read it."""
        return self.now


class Worker:
    """A provider that takes its time, and fails when told so."""

    def __init__(self, name: str, clock: Clock, *, seconds: float = 0.2) -> None:
        self.name, self.clock, self.seconds = name, clock, seconds
        self.failure: Exception | None = None
        self.asked: list[UUID] = []

    def send(self, phone: str, text: str, *, message_id: UUID) -> Accepted:
        """Take it after a while, or fail."""
        self.asked.append(message_id)
        self.clock.now += self.seconds
        if self.failure is not None:
            raise self.failure
        return Accepted(provider=self.name, reference=str(message_id))


class Pair:
    """Two providers of equal weight and a draw that repeats itself."""

    def __init__(self, *, weights: tuple[int, int] = (1, 1), seed: int = 1) -> None:
        self.clock = Clock()
        self.a, self.b = Worker("a", self.clock), Worker("b", self.clock)
        self.balanced = BalancedSms(
            [
                Choice(name=one.name, gateway=one, weight=weight)
                for one, weight in zip((self.a, self.b), weights, strict=True)
            ],
            draw=random.Random(seed).random,
            clock=self.clock,
        )

    def send(self, times: int) -> tuple[int, int]:
        """How many of so many texts each was asked for."""
        before = len(self.a.asked), len(self.b.asked)
        for _ in range(times):
            try:
                self.balanced.send(PHONE, TEXT, message_id=uuid4())
            except (Unavailable, SmsRefused):
                continue
        return len(self.a.asked) - before[0], len(self.b.asked) - before[1]


def test_equals_share_equally_and_weights_are_kept() -> None:
    assert Pair().balanced.shares() == {"a": 0.5, "b": 0.5}
    assert Pair(weights=(3, 1)).balanced.shares() == {"a": 0.75, "b": 0.25}
    # of 400 texts, 300 by weight; the seed makes it the same ones every time
    asked = Pair(weights=(3, 1)).send(400)
    assert sum(asked) == 400
    assert asked[0] == pytest.approx(300, abs=40)


def test_the_same_draw_gives_the_same_providers() -> None:
    assert Pair(seed=7).send(50) == Pair(seed=7).send(50)


def test_a_slow_provider_loses_its_share_and_gets_it_back() -> None:
    # given two that have shown that they are equally quick, when one takes ten times as long
    pair = Pair()
    pair.send(40)
    assert pair.balanced.shares()["a"] == pytest.approx(0.5)
    pair.a.seconds = 2.0
    pair.send(100)
    # then, at 1.5 x 0.2 s against 2 s, its good is 0.15 of the other's: 0.15 / 1.15 = 0.13
    assert pair.balanced.shares()["a"] < 0.2
    # and when it is quick again, it is an equal again
    pair.a.seconds = 0.2
    pair.send(400)
    assert pair.balanced.shares()["a"] == pytest.approx(0.5, abs=0.05)


def test_a_failing_provider_keeps_the_least_share_so_that_it_can_recover() -> None:
    pair = Pair()
    pair.a.failure = Unavailable("down")
    pair.send(200)
    assert pair.balanced.shares()["a"] == pytest.approx(LEAST_SHARE / (1 + LEAST_SHARE), abs=0.02)
    # when it is well and nobody sends for an hour, what was measured is forgotten
    pair.a.failure = None
    pair.clock.now += 12 * FORGET_S
    assert pair.balanced.shares()["a"] > 0.49


@given(
    st.lists(
        st.tuples(st.sampled_from(["well", "down", "refused", "not taken"]), st.floats(0.001, 30)),
        min_size=1, max_size=40,
    ),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_whatever_happens_shares_stay_shares_and_nobody_is_shut_out(script: list[tuple[str, float]], seed: int) -> None:
    pair = Pair(seed=seed)
    failures = {
        "well": None, "down": Unavailable("down"), "refused": SmsRefused("no"), "not taken": NotTaken("not now"),
    }  # fmt: skip
    for (failure, seconds), worker in zip(script, itertools.cycle((pair.a, pair.b))):
        worker.failure, worker.seconds = failures[failure], seconds
        pair.send(1)
        shares = pair.balanced.shares()
        assert sum(shares.values()) == pytest.approx(1)
        # 0.05 of one's weight beside the other's whole: 0.05 / 1.05
        assert min(shares.values()) >= LEAST_SHARE / (1 + LEAST_SHARE) - 1e-9


def test_a_text_that_may_have_been_taken_is_not_offered_to_the_second() -> None:
    for failure in (Unavailable("time-out"), RuntimeError("bug")):
        pair = Pair()
        pair.a.failure = pair.b.failure = failure
        with pytest.raises(type(failure)):
            pair.balanced.send(PHONE, TEXT, message_id=uuid4())
        assert len(pair.a.asked) + len(pair.b.asked) == 1


def test_a_refused_number_is_not_offered_to_the_second_and_is_nobodys_fault() -> None:
    pair = Pair()
    pair.a.failure = pair.b.failure = SmsRefused("no such number")
    assert sum(pair.send(100)) == 100
    assert pair.balanced.shares()["a"] == pytest.approx(0.5)


def test_a_text_that_was_certainly_not_taken_goes_to_the_second_at_once_under_the_same_id() -> None:
    pair = Pair()
    pair.a.failure = NotTaken("connection refused")
    for _ in range(20):
        message_id = uuid4()
        accepted = pair.balanced.send(PHONE, TEXT, message_id=message_id)
        assert accepted == Accepted(provider="b", reference=str(message_id))
    assert set(pair.a.asked) < set(pair.b.asked)


def test_when_nobody_takes_it_the_failure_says_try_later() -> None:
    pair = Pair()
    pair.a.failure, pair.b.failure = NotTaken("a"), NotTaken("b")
    with pytest.raises(NotTaken):
        pair.balanced.send(PHONE, TEXT, message_id=uuid4())
    assert (len(pair.a.asked), len(pair.b.asked)) == (1, 1)
    with pytest.raises(NotTaken, match="SMS_PROVIDERS"):
        BalancedSms([]).send(PHONE, TEXT, message_id=uuid4())


def test_threads_share_one_judgement() -> None:
    pair = Pair()
    threads = [threading.Thread(target=pair.send, args=(50,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pair.a.asked) + len(pair.b.asked) == 400
    assert sum(pair.balanced.shares().values()) == pytest.approx(1)


# --- on real connections ---


def over_http(*urls: str, draws: list[float], seconds: float = 0.6) -> BalancedSms:
    """Providers a, b … at addresses, and which of them is drawn."""
    return BalancedSms(
        [
            Choice(name=name, gateway=HttpSms(a_provider(url, name=name), seconds=seconds), weight=1)
            for name, url in zip("ab", urls, strict=False)
        ],
        draw=iter(draws).__next__,
    )


def test_a_provider_that_is_down_is_passed_over_within_one_attempt() -> None:
    with scripted_provider("well") as (url, script):
        accepted = over_http(nobody_there(), url, draws=[0.0]).send(PHONE, TEXT, message_id=uuid4())
    assert accepted is not None
    assert accepted.provider == "b"
    assert len(script.asked) == 1


def test_after_a_time_out_that_may_have_been_taken_the_second_is_not_asked() -> None:
    with scripted_provider("hang") as (slow, took), scripted_provider("well") as (well, asked):
        balanced = over_http(slow, well, draws=[0.0])
        with pytest.raises(Unavailable) as failure:
            balanced.send(PHONE, TEXT, message_id=uuid4())
    assert type(failure.value) is Unavailable
    assert (len(took.asked), len(asked.asked)) == (1, 0)


def test_a_really_slow_provider_gets_fewer_texts() -> None:
    draw = random.Random(3)
    with scripted_provider("slow") as (slow, _), scripted_provider("well") as (well, _):
        balanced = over_http(slow, well, draws=[draw.random() for _ in range(40)], seconds=5)
        for _ in range(20):
            balanced.send(PHONE, TEXT, message_id=uuid4())
        # it answers after 0.25 s, the other in milliseconds
        assert balanced.shares()["a"] < 0.25
