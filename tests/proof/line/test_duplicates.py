"""One wish is one booking, however often and however simultaneously it is sent under its key."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select

from recycling.extensions import db
from recycling.models.booking import Booking
from tests.proof.harness import Proof, Size
from tests.proof.line.crowd import Crowd, a_crowd
from tests.servers import Server, serving

SENDERS = 50
KEYS = {"small": 3, "full": 100, "release": 500}


@dataclass(slots=True)
class Told:
    """What all senders of all keys were told, and what the database holds."""

    repeats_differ: int = 0
    heard: Counter[tuple[int, str]] = field(default_factory=Counter)
    bookings: int = 0


def test_fifty_identical_requests_make_one_booking(
    engine_url: str, server: Server, size: Size, proof: Proof, tmp_path: Path
) -> None:
    # given one wish under one key, sent fifty times at once by its resident; so many keys one after another
    keys = KEYS[size]
    # when the application serves them, and when the same application serves them without looking at the key
    kept = _send_all(engine_url, server, keys)
    with serving(engine_url, wsgi="tests.proof.line.without_keys:app", log=tmp_path / "off.log") as unguarded:
        off = _send_all(engine_url, unguarded, min(keys, 10))
    # then each key has one booking and all its senders the same answer; without keys there are more
    proof.record(
        name="identical requests at once",
        figure=f"{kept.bookings} bookings of {keys} keys × {SENDERS} requests",
        target=f"{keys}",
        control=f"keys off: {off.bookings} of {min(keys, 10)}",
        ok=kept.bookings == keys and off.bookings > min(keys, 10),
    )
    assert kept.heard == {(201, ""): keys * SENDERS}
    assert kept.repeats_differ == 0


def _send_all(url: str, server: Server, keys: int) -> Told:
    told = Told()
    with a_crowd(url, size=SENDERS) as crowd, ThreadPoolExecutor(SENDERS) as pool:
        for token, window in islice(zip(cycle(crowd.tokens), crowd.windows(), strict=False), keys):
            request = (token, str(uuid4()), json.dumps(window.body()).encode())
            heard = crowd.rush(pool, server, [request] * SENDERS)
            told.heard.update((one.status, one.code) for one in heard)
            told.repeats_differ += len({one.body for one in heard}) - 1
        told.bookings = _bookings(crowd)
    return told


def _bookings(crowd: Crowd) -> int:
    with crowd.app.app_context():
        return db.session.scalars(select(func.count()).select_from(Booking)).one()
