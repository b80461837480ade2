"""Several providers as one: each text goes to one of them, more often to those that are quick and well.

A text is offered to the next provider only when the first has certainly not taken it. After a time-out or a broken
answer it may have been, and a second provider cannot know of that: the resident would read it twice. Such a text waits
for its next attempt like any other failed one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from recycling.errors import NotTaken, SmsRefused
from recycling.gateways.sms import Accepted, SmsGateway
from recycling.logs import logger

log = logger(__name__)

SMOOTHING = 0.2  # of each new measure: some ten texts tell a new state from a stray one
FORGET_S = 300.0  # half of what was measured is forgotten in that time without a new text
SLACK = 1.5  # times the quickest provider's time: not slow yet
LEAST_SHARE = 0.05  # of its weight, however bad: who is never asked cannot show that they are well again


@dataclass(slots=True)
class _Health:
    """What was measured of one provider: smoothed seconds of an exchange and share of failures."""

    latency_s: float = 0.0
    errors: float = 0.0
    at: float | None = None  # of the last measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One provider among several."""

    name: str
    gateway: SmsGateway
    weight: int


class BalancedSms:
    """Sends each text through one of several providers. For any number of threads.

    Parameters
    ----------
    draw
        Numbers of [0, 1); tests hand down their own.
    clock
        Seconds that only go up.
    """

    def __init__(
        self,
        choices: Sequence[Choice],
        *,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._choices, self._draw, self._clock = tuple(choices), draw, clock
        self._health = {choice.name: _Health() for choice in choices}
        self._lock = Lock()

    def send(self, phone: str, text: str, *, message_id: UUID) -> Accepted | None:
        """Hand a text to one provider, and to the next while none has taken it; see `SmsGateway.send`."""
        failure = NotTaken("no provider of text messages is configured; look at SMS_PROVIDERS")
        for choice in self._drawn():
            try:
                return self._measured(choice, phone, text, message_id)
            except NotTaken as error:
                log.warning("sms.not_taken", provider=choice.name, message_id=str(message_id), error=error.message)
                failure = error
        raise failure

    def shares(self) -> dict[str, float]:
        """The present share of each provider; together 1."""
        with self._lock:
            goods = self._goods()
        whole = sum(goods.values())
        return {name: good / whole for name, good in goods.items()}

    def _measured(self, choice: Choice, phone: str, text: str, message_id: UUID) -> Accepted | None:
        began, failed = self._clock(), True
        try:
            accepted = choice.gateway.send(phone, text, message_id=message_id)
            failed = False
            return accepted
        except SmsRefused:
            failed = False  # the number's fault: the provider is well
            raise
        finally:
            self._note(choice.name, seconds=self._clock() - began, failed=failed)

    def _note(self, name: str, *, seconds: float, failed: bool) -> None:
        with self._lock:
            now, health = self._clock(), self._health[name]
            first = health.at is None
            health.errors = self._faded(health, now) * (1 - SMOOTHING) + SMOOTHING * failed
            # A refused connection is quick, and says nothing about how long a text takes.
            if first or not failed or seconds > health.latency_s:
                health.latency_s = seconds if first else health.latency_s * (1 - SMOOTHING) + SMOOTHING * seconds
            health.at = now

    def _drawn(self) -> list[Choice]:
        """The provider whose turn it is by the draw, then the others, the best first."""
        if not self._choices:
            return []
        with self._lock:
            goods, left = self._goods(), self._draw()
        left *= sum(goods.values())
        first = self._choices[-1]
        for choice in self._choices:
            left -= goods[choice.name]
            if left < 0:
                first = choice
                break
        others = sorted((one for one in self._choices if one is not first), key=lambda one: -goods[one.name])
        return [first, *others]

    def _goods(self) -> dict[str, float]:
        """Weight times how well and how quick each provider is just now."""
        now = self._clock()
        quickest = min((one.latency_s for one in self._health.values() if one.at is not None), default=0.0)
        goods = {}
        for choice in self._choices:
            health = self._health[choice.name]
            age = self._age(health, now)
            quick = 1.0
            if health.at is not None and health.latency_s > SLACK * quickest:
                # What was slow long ago counts less and less, as errors do.
                quick = 1 - (1 - SLACK * quickest / health.latency_s) * age
            well = 1 - self._faded(health, now)
            goods[choice.name] = choice.weight * max(LEAST_SHARE, quick * well * well)
        return goods

    def _faded(self, health: _Health, now: float) -> float:
        return health.errors * self._age(health, now)

    @staticmethod
    def _age(health: _Health, now: float) -> float:
        """What is left of a measure: 1 at once, a half after `FORGET_S`."""
        return 0.5 ** ((now - health.at) / FORGET_S) if health.at is not None else 0.0
