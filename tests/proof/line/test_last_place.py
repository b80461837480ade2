"""The last place of a window goes to one resident, however many ask for it at the same instant."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from uuid import uuid4

from tests.proof.harness import Proof, Size
from tests.proof.line.crowd import a_crowd
from tests.servers import Server, serving

# (clients, rounds) by size and engine. With 0 failures in n rounds the true rate is below 3/n with 95 % confidence.
CROWDS = {
    "small": {"postgresql": (12, 6), "sqlite": (6, 6)},
    "full": {"postgresql": (50, 100), "sqlite": (16, 100)},
    "release": {"postgresql": (50, 500), "sqlite": (16, 500)},
}
LEAST_OVERSOLD = 0.1  # share of rounds in which the control must fail, or the race was no race
CONTROL_ROUNDS = 30  # it fails in nearly all of them


@dataclass(slots=True)
class Rounds:
    """What happened in all rounds of one server."""

    oversold: int = 0
    worst: int = 0
    miscounted: int = 0
    heard: Counter[tuple[int, str]] = field(default_factory=Counter)


def test_the_last_place_goes_to_one_client(
    engine_url: str, server: Server, size: Size, proof: Proof, tmp_path: Path
) -> None:
    # given a window with one place left, and a crowd that asks for it at once, in each of so many rounds
    engine = "postgresql" if engine_url.startswith("postgresql") else "sqlite"
    clients, rounds = CROWDS[size][engine]
    off_rounds = min(rounds, CONTROL_ROUNDS)
    # when the application serves them, and when the same application serves them with its counter taken out
    kept = _race(engine_url, server, clients, rounds)
    with serving(engine_url, wsgi="tests.proof.line.without_counter:app", log=tmp_path / "off.log") as unguarded:
        off = _race(engine_url, unguarded, clients, off_rounds)
    # then with the counter one wins each round and all others hear that the window is full; without it many win
    proof.record(
        name="last place of a window",
        figure=f"{kept.oversold} of {rounds} rounds oversold, {clients} clients",
        target="0 oversold",
        control=f"counter off: {off.oversold} of {off_rounds} oversold, up to {off.worst} in one place",
        ok=kept.oversold == 0 and off.oversold >= LEAST_OVERSOLD * off_rounds,
    )
    # one 201 a round, 409 window_full for the others: never a server error, never a "busy" that stays
    assert kept.heard == {(201, ""): rounds, (409, "window_full"): rounds * (clients - 1)}
    assert {status for status, _ in off.heard} <= {201, 409}
    # the counter stands at its limit, which is the number of live bookings
    assert kept.miscounted == 0


def _race(url: str, server: Server, clients: int, rounds: int) -> Rounds:
    found = Rounds()
    with a_crowd(url, size=clients) as crowd, ThreadPoolExecutor(clients) as pool:
        windows = list(islice(crowd.windows(), rounds))
        assert len(windows) == rounds, "the calendar has too few windows for so many rounds"
        for window in windows:
            crowd.leave_one_place(window)
            body = json.dumps(window.body()).encode()
            heard = crowd.rush(pool, server, [(token, str(uuid4()), body) for token in crowd.tokens])
            found.heard.update((one.status, one.code) for one in heard)
            _count(found, crowd.places(window))
    return found


def _count(found: Rounds, places: tuple[int, int, int]) -> None:
    used, cap, live = places
    found.oversold += live > cap
    found.worst = max(found.worst, live)
    found.miscounted += not (used == cap == live)
