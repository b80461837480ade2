"""Engines improve the sequences of a day. One engine is one file here and one row in `ENGINES`.

An engine may be wrong, late or dead: it runs in a child process, and whatever it reports is timed exactly and checked
before it counts. So it may leave out what its model cannot say, and need not repair anything itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from recycling.errors import InvalidInput
from recycling.routing.day import Sequences
from recycling.routing.problem import Problem

ENGINES: Mapping[str, str] = {
    "ortools": "recycling.routing.engines.ortools_engine:OrTools",
    "pyvrp": "recycling.routing.engines.pyvrp_engine:PyVrp",
    "ruin": "recycling.routing.engines.ruin_engine:Ruin",
}
"""Where each engine's class is, as ``module:name``; imported in the child only."""

DEFAULT_ENGINES = ("pyvrp", "ortools")
"""Dealt out to the workers in turn: the strongest on whole days first, then the one whose model says most."""

Report = Callable[[Sequences], None]
Memory = tuple[float, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What an engine is asked to do.

    Parameters
    ----------
    problem
        The day, or a part of one: an engine does not see the difference.
    warm
        A valid plan's sequences to start from, locked stops included.
    seconds
        Wall time it may use from now; it is killed a little later.
    seed
        Makes two runs of one engine differ; the same seed gives the same run.
    iterations
        Stop after so many steps of the engine's own kind, so that a run can be repeated; ``None`` = only by time.
    memory
        What the engine answered to remember on another part of the same day; ``None`` the first time.
    """

    problem: Problem
    warm: Sequences
    seconds: float
    seed: int
    iterations: int | None = None
    memory: Memory = None


class Engine(Protocol):
    """Something that improves sequences."""

    def improve(self, ask: Ask, report: Report) -> Memory:
        """Report better sequences as they are found; return when done or out of time, with what to remember."""


def engine_address(name: str) -> str:
    """Where the engine of that name is; a full ``module:name`` is taken as it stands.

    Raises
    ------
    InvalidInput
        When no engine has that name.
    """
    if ":" in name:
        return name
    if name not in ENGINES:
        raise InvalidInput(f"no engine is called {name!r}; choose from {', '.join(sorted(ENGINES))}")
    return ENGINES[name]


def load_engine(address: str) -> Engine:
    """Import and build the engine at ``module:name``."""
    module, _, name = address.partition(":")
    return cast(Engine, getattr(importlib.import_module(module), name)())
