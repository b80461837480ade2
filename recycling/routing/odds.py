"""Which engine gets the next part: mostly the one that earned most lately, now and then another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

TRY_OTHERS = 0.08  # share of units given to any engine that works
STRIKES = 2  # units in a row an engine may fail before it gets no more
MEMORY = 0.7  # weight of what an engine earned before its latest unit


class Odds:
    """Keeps the engines' earnings.

    Parameters
    ----------
    engines
        Names, the most trusted first: it goes first, and the others once each after it.
    """

    def __init__(self, engines: Sequence[str], rng: Random) -> None:
        self._rng = rng
        self._earned = {name: math.inf if n == 0 else 0.0 for n, name in enumerate(engines)}
        self._strikes = dict.fromkeys(engines, 0)

    def pick(self) -> str | None:
        """An engine's name, or ``None`` when all have failed."""
        able = [name for name, strikes in self._strikes.items() if strikes < STRIKES]
        if not able:
            return None
        if len(able) > 1 and self._rng.random() < TRY_OTHERS:
            return self._rng.choice(able)
        return max(able, key=lambda name: self._earned[name])

    def credit(self, name: str, gain: int) -> None:
        """A unit of this engine was answered and lowered the cost by so much."""
        old = self._earned.get(name)
        if old is not None:
            self._earned[name] = float(gain) if math.isinf(old) else MEMORY * old + (1 - MEMORY) * gain
            self._strikes[name] = 0

    def strike(self, name: str) -> None:
        """An engine crashed, hung or answered nonsense."""
        if name in self._strikes:
            self._strikes[name] += 1
