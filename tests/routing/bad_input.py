"""One small good day with every part of the contract as JSON, and ways to spoil it."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from random import Random
from typing import Any

Path_ = tuple[str | int, ...]

HOSTILE: tuple[Any, ...] = (
    math.nan, math.inf, -math.inf, -1, 2**63, 10**300, 1e308, 0.5, True, "5", "", None, [], [[0]], {}, {"a": {}},
)  # fmt: skip
"""What no field of a whole number takes; ``None`` is taken where a rule may be absent."""

LEGAL: tuple[Any, ...] = (0, 1, 10**12, 86_400)
"""Numbers that are legal nearly everywhere and sensible nearly nowhere."""


NULLABLE = ("intake_limit", "max_duration_s", "break", "start", "skip_cost", "prefer")
"""Fields that may be null."""


def a_good_day() -> dict[str, Any]:
    """Two stations, three vehicles, six stops: all are served."""
    stop = {"windows_s": [[28_800, 64_800]], "service_s": 300, "load": [1000, 10], "skills": [], "skip_cost": 180_000}
    van = {
        "start_station": "north", "end_station": "north", "capacity": [5000, 60], "skills": ["lift"],
        "shift_s": [28_800, 64_800], "max_duration_s": 36_000, "max_overtime_s": 600, "overtime_cost_per_s": 3,
        "break": {"window_s": [41_400, 46_800], "duration_s": 1800}, "fixed_cost": 3600, "cost_per_travel_s": 1,
        "cost_per_m": 1, "start": None, "locked": [],
    }  # fmt: skip
    under_way = {"location": 2, "time_s": 30_000, "load": [500, 5]}
    day = {
        "format": "recycling.problem/1",
        "day": "2026-11-24",
        "load_units": ["g", "l"],
        "locations": [[34.80, 117.25], [34.82, 117.30], *([34.80 + n / 200, 117.27] for n in range(6))],
        "travel": {"kind": "great_circle", "factor": 1.3, "speed_kmh": 30},
        "stations": [
            {
                "key": key, "location": n, "open_s": [25_200, 68_400], "unload_s": 600, "can_unload": True,
                "intake_limit": limit,
            }
            for n, (key, limit) in enumerate((("north", None), ("south", [50_000, 500])))
        ],
        "vehicles": [
            {**van, "key": "v1", "locked": ["b2", "b3"]},
            {**van, "key": "v2", "start": under_way},
            {**van, "key": "v3", "start_station": "south", "break": None, "max_duration_s": None},
        ],
        "stops": [
            {
                **stop, "key": f"b{n}", "location": n, "skills": ["lift"] if n == 4 else [],
                "prefer": {"vehicle": "v3", "cost": 600} if n == 5 else None,
            }
            for n in range(2, 8)
        ],
    }  # fmt: skip
    return json.loads(json.dumps(day))  # type: ignore[no-any-return]  # no list twice: each can be spoilt alone


def a_matrix_day() -> dict[str, Any]:
    """The same with ten minutes and five kilometres between any two places."""
    day = a_good_day()
    ways: dict[str, Any] = {"kind": "matrix"}
    for name, way in (("travel_s", 600), ("distance_m", 5000)):
        ways[name] = [[0 if a == b else way for b in range(8)] for a in range(8)]
    return day | {"travel": ways}


def fields(value: Any, at: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every value inside, with the way to it."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in pairs:
        yield (*at, key), one
        yield from fields(one, (*at, key))


def spelled(at: Path_) -> str:
    """The way to a field as messages write it."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in at).removeprefix(".")


def put(day: dict[str, Any], at: Path_, value: Any) -> dict[str, Any]:
    """A copy of the day with one value exchanged or added."""
    changed: Any = copy.deepcopy(day)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return changed  # type: ignore[no-any-return]  # as deep copies are


def mutant(seed: int) -> str:
    """The good day as text, spoilt in one to three places; about every second one still has a reading."""
    rng = Random(seed)
    day = a_matrix_day() if rng.random() < 0.3 else a_good_day()
    legal = rng.random() < 0.8
    for _ in range(rng.randint(1, 3)):
        at, value = rng.choice([pair for pair in fields(day) if not legal or not isinstance(pair[1], str)])
        inner: Any = day
        for key in at[:-1]:
            inner = inner[key]
        if not legal:
            _spoil(rng, day, inner, at[-1], value)
        elif isinstance(value, list):
            # fewer or more stops, vehicles, windows; ragged loads and matrices
            if value and rng.random() < 0.5:
                value.pop(rng.randrange(len(value)))
            elif value:
                value.append(copy.deepcopy(rng.choice(value)))
        elif at[-1] in NULLABLE:
            inner[at[-1]] = None
        elif not isinstance(value, dict):
            inner[at[-1]] = not value if isinstance(value, bool) else rng.choice((*LEGAL, value // 2, value * 2))
    return json.dumps(day).replace('!":', '":')


def _spoil(rng: Random, day: dict[str, Any], inner: Any, key: str | int, value: Any) -> None:
    """Exchange a value, take it away, double it, or add one too many."""
    match rng.randrange(6):
        case 0:
            inner[key] = rng.choice(HOSTILE)
        case 1:
            del inner[key]
        case 2:
            inner[key] = copy.deepcopy(rng.choice([other for _, other in fields(day)]))
        case 3:
            inner[key] = rng.choice(("b2", "b3", "v1", "south", "\ud800", "a\nb", "x" * 10_000))
        case _ if isinstance(inner, list):
            inner.insert(rng.randrange(len(inner) + 1), copy.deepcopy(value))
        case 4:
            inner[f"{key}!"] = value  # the same key, once the text is written
        case _:
            inner[f"{key}\n"] = value
