"""One confirmation is one booking, however often and however simultaneously it is sent under its key."""

from __future__ import annotations

import http.client
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import func, select

from recycling.clock import utc_now
from recycling.models.booking import BookingChange
from recycling.models.outbox import OutboxMessage
from recycling.usecases.bookings.book_pickup import hold_pickup
from tests.proof.bookings.clients import Clients, Race, Request, clients_of
from tests.proof.harness import Proof, Size
from tests.servers import Server, serving

SENDERS = 50
KEYS = {"small": 2, "full": 100, "release": 2000}
CREATED, CONFLICT, NOT_FOUND, UNPROCESSABLE = 201, 409, 404, http.client.UNPROCESSABLE_ENTITY


@dataclass(slots=True)
class Told:
    """What all senders of all keys were told."""

    heard: Counter[tuple[int, str]] = field(default_factory=Counter)
    wrong: int = 0  # keys with another number than one: bookings, messages, answers that are no repeat
    other_body: Counter[int] = field(default_factory=Counter)
    other_caller: Counter[int] = field(default_factory=Counter)


def test_fifty_identical_confirmations_make_one_booking(
    engine_url: str, one_truck: Server, size: Size, proof: Proof, tmp_path: Path
) -> None:
    # given a hold, and its confirmation under one key sent fifty times at once; so many holds one after another
    keys = KEYS[size]
    # when the application serves them, and when the same application serves them without looking at the key
    kept = _confirm_all(engine_url, one_truck, keys)
    off_log, without = tmp_path / "off.log", {"TEST_UNGUARDED": "keys"}
    with serving(engine_url, wsgi="tests.proof.bookings.one_truck:app", log=off_log, environment=without) as unguarded:
        off = _confirm_all(engine_url, unguarded, min(keys, 5))
    # then all fifty hear the same 201; another body under the key and another caller are refused
    repeats = kept.heard[CREATED, ""]
    proof.record(
        name="identical confirmations at once",
        figure=f"{keys - kept.wrong} of {keys} keys: one booking, one message; {repeats} × 201",
        target=f"{keys}",
        control=f"keys off: {off.heard[CREATED, '']} of {min(keys, 5) * SENDERS} heard 201",
        ok=kept.wrong == 0 and off.heard[CREATED, ""] < min(keys, 5) * SENDERS,
    )
    assert set(kept.heard) <= {(CREATED, ""), (CONFLICT, "conflict"), (CONFLICT, "busy")}, kept.heard
    assert set(kept.other_body) == {int(UNPROCESSABLE)}
    assert set(kept.other_caller) == {NOT_FOUND}


def _confirm_all(url: str, server: Server, keys: int) -> Told:
    told = Told()
    with clients_of(url, size=2) as clients, ThreadPoolExecutor(SENDERS) as pool:
        race = Race(server, pool)
        for number in range(keys):
            day = clients.days[number % len(clients.days)]
            with clients.session() as session:
                hold_id = hold_pickup(
                    clients.wish(day), by=clients.people[0], district=clients.district, session=session, now=utc_now()
                ).id
            mine = Request(
                method="POST", path=f"/holds/{hold_id}/confirmation", token=clients.tokens[0], key=str(uuid4())
            )
            heard, _ = race.run([mine] * SENDERS)
            told.heard.update((one.status, one.code) for one in heard)
            same = {str(one.body) for one in heard if one.status == CREATED}
            told.wrong += len(same) != 1 or _effects(clients, hold_id) != (1, 1) or any(
                clients.broken_rules(day)
            )  # fmt: skip
            (other_body,), _ = race.run([replace(mine, body={"another": "body"})])
            (other_caller,), _ = race.run([replace(mine, token=clients.tokens[1])])
            told.other_body[other_body.status] += 1
            told.other_caller[other_caller.status] += 1
            clients.forget()
    return told


def _effects(clients: Clients, hold_id: UUID) -> tuple[int, int]:
    """Lines of history and messages of one booking."""
    with clients.session() as session:
        changes = select(func.count()).where(BookingChange.booking_id == hold_id)
        messages = select(func.count()).where(OutboxMessage.dedupe_key.like(f"booking.confirmed:{hold_id}:%"))
        return session.scalar(changes) or 0, session.scalar(messages) or 0
