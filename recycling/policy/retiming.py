"""When a route would come to its stops, kept in its sequence and timed with other seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedStep:
    """One step of a planned route, in seconds after midnight; ``key`` is ``None`` where it is no pickup."""

    key: str | None
    arrival_s: int
    start_s: int
    end_s: int


def retimed_arrivals(
    steps: Sequence[TimedStep], *, seconds: Mapping[str, int], travel_before: int, travel_after: int
) -> dict[str, int]:
    """When the route arrives at each pickup.

    Parameters
    ----------
    steps
        Of one route, in their sequence.
    seconds
        Of service, by pickup; one that is missing takes what was planned.
    travel_before, travel_after
        Factors on travel, in basis points: that of the plan, and the one to time it with.

    Notes
    -----
    Where the plan waits, it waits for something that opens at that second, and so does the route timed anew.
    """
    found: dict[str, int] = {}
    before_end_s = after_end_s = None
    for step in steps:
        if before_end_s is None or after_end_s is None:
            arrival_s, start_s = step.arrival_s, step.start_s
        else:
            driven_s = (step.arrival_s - before_end_s) * travel_after / travel_before
            arrival_s = after_end_s + round(driven_s)
            start_s = max(arrival_s, step.start_s) if step.start_s > step.arrival_s else arrival_s
        planned_s = step.end_s - step.start_s
        after_end_s = start_s + (planned_s if step.key is None else seconds.get(step.key, planned_s))
        before_end_s = step.end_s
        if step.key is not None:
            found[step.key] = arrival_s
    return found
