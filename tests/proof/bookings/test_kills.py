"""Web workers killed while bookings are under way: what was answered stays, what was not is whole or absent."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from recycling.models.booking import Booking
from recycling.models.idempotency import IdempotencyKey
from recycling.models.outbox import OutboxMessage
from tests.proof.bookings.clients import Clients, Heard, Request, clients_of, sent_over
from tests.proof.harness import Proof, Size
from tests.servers import Server, serving

KILLS = {"small": 3, "full": 30, "release": 500}
CONTROL_KILLS = 30  # at most: the first that doubles a booking ends the control
CLIENTS = 6
BETWEEN_S = (0.5, 1.5)
ANSWERS_AFTER_S = "0.15"  # a kill must find requests that are committed and not answered
CREATED, CONFLICT = http.client.CREATED, http.client.CONFLICT
RETRIED = {0, http.client.BAD_GATEWAY, http.client.SERVICE_UNAVAILABLE}  # 0: no answer came


@dataclass(slots=True)
class Told:
    """What the clients were told, and what the database holds when the load has ended."""

    kills: int = 0
    wishes: int = 0
    acknowledged: dict[str, str] = field(default_factory=dict)  # wish by booking
    unanswered: int = 0
    failed: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    duplicates: int = 0
    orphans: list[str] = field(default_factory=list)


def test_killed_workers_lose_and_double_nothing(engine_url: str, size: Size, proof: Proof, tmp_path: Path) -> None:
    # given residents who book at once or by a hold, repeating under its key whatever was not answered
    kills = KILLS[size]
    # when workers are killed under them, and when they are killed while keys are not looked at
    kept = _under_kills(engine_url, kills, tmp_path / "on.log", guard="")
    off = _under_kills(engine_url, CONTROL_KILLS, tmp_path / "off.log", guard="keys")
    # then every answer is true, nothing is twice, and nothing is half there
    proof.record(
        name="workers killed under bookings",
        figure=f"{kept.lost} of {len(kept.acknowledged)} answered lost, {kept.duplicates} doubled,"
        f" {len(kept.orphans)} orphans, {kept.kills} kills, {kept.unanswered} unanswered",
        target="0, 0, 0",
        control=f"keys off: {off.duplicates} doubled after {off.kills} kills",
        ok=kept.lost == kept.duplicates == len(kept.orphans) == 0 < off.duplicates
        and kept.kills == kills
        and kept.unanswered > 0,
    )
    assert kept.orphans == []
    assert not kept.failed, kept.failed


def _under_kills(url: str, kills: int, log: Path, *, guard: str) -> Told:
    told, stop = Told(), threading.Event()
    faults = {"TEST_UNGUARDED": guard, "TEST_ANSWERS_AFTER_S": ANSWERS_AFTER_S}
    with (
        clients_of(url, size=CLIENTS) as clients,
        serving(url, wsgi="tests.proof.bookings.one_truck:app", log=log, environment=faults) as server,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        loads = [pool.submit(_book_until, stop, clients, number, server, told) for number in range(CLIENTS)]
        for _ in range(kills):
            time.sleep(random.uniform(*BETWEEN_S))
            told.kills += _kill_one(server)
            if guard and _doubled(clients):
                break
        stop.set()
        for load in loads:
            load.result()
        _look(clients, told)
    return told


def _kill_one(server: Server) -> int:
    """Kill one of gunicorn's workers; its master starts another."""
    patience = time.monotonic() + 30
    while time.monotonic() < patience:
        master = server.process.pid
        workers = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii").split()
        with contextlib.suppress(ProcessLookupError):
            if workers:
                os.kill(int(random.choice(workers)), signal.SIGKILL)
                return 1
        time.sleep(0.05)
    return 0


def _book_until(stop: threading.Event, clients: Clients, number: int, server: Server, told: Told) -> None:
    """One resident's wishes, one after the other, each for a window and day at random; some through a hold."""
    rng, token = random.Random(number), clients.tokens[number]
    while not stop.is_set():
        told.wishes += 1
        wish = uuid4().hex
        body = clients.body(
            rng.choice(clients.days), floor=1, pickup_window=rng.choice(("08-10", "10-12", "13-15", "15-17")), note=wish
        )
        heard = _hold_and_confirm(server, token, body, told) if rng.random() < 0.5 else None
        heard = heard or _insist(server, token, "/bookings", body, told)
        if heard.status == CREATED:
            told.acknowledged[heard.body["id"]] = wish
        elif heard.status != CONFLICT:
            told.failed[heard.status] += 1


def _hold_and_confirm(server: Server, token: str, body: dict[str, Any], told: Told) -> Heard | None:
    """Ask for windows, hold the wished one and confirm it; ``None`` when it is not offered."""
    wish = {name: value for name, value in body.items() if name not in ("day", "pickup_window")}
    offers = _insist(server, token, "/slot-offers", wish | {"explain": False}, told)
    tokens = [
        window["hold_token"]
        for day in offers.body["days"]
        for window in day["windows"]
        if (day["day"], window["pickup_window"]) == (body["day"], body["pickup_window"])
    ]
    if not tokens or tokens[0] is None:
        return None
    held = _insist(server, token, "/holds", body | {"hold_token": tokens[0]}, told)
    if held.status != CREATED:
        return held
    return _insist(server, token, f"/holds/{held.body['id']}/confirmation", None, told)


def _insist(server: Server, token: str, path: str, body: Any, told: Told) -> Heard:
    """Send a request under one key until it is answered."""
    request = Request(method="POST", path=path, token=token, body=body, key=str(uuid4()))
    patience = time.monotonic() + 60
    while True:
        heard = Heard(status=0, code="", body=None)
        connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            heard = sent_over(connection, request)
        if heard.status not in RETRIED and heard.code != "busy":
            return heard
        told.unanswered += heard.status == 0
        if time.monotonic() > patience:
            return heard
        time.sleep(0.05)


def _look(clients: Clients, told: Told) -> None:
    """Compare what was answered with what is stored."""
    days: set[date] = set()
    with clients.session() as session:
        rows = session.scalars(select(Booking)).all()
        booked = {str(row.id): row.place["note"] for row in rows if row.state == "booked"}
        there = {str(row.id) for row in rows}
        days = {row.day for row in rows}
        told.lost = sum(booked.get(booking_id) != wish for booking_id, wish in told.acknowledged.items())
        for key in session.scalars(select(IdempotencyKey)):
            if key.answer is None or key.answer["status"] != CREATED:
                told.orphans.append(f"key of {key.endpoint} without effect")
            elif key.answer["headers"]["Location"].rsplit("/", 1)[1] not in there:
                told.orphans.append(f"key of {key.endpoint} whose effect is gone")
        for message in session.scalars(select(OutboxMessage)):
            if message.facts["booking_id"] not in booked:
                told.orphans.append(f"message {message.kind} without booking")
    told.duplicates = _doubled(clients)
    for day in sorted(days):
        told.orphans += clients.broken_rules(day)


def _doubled(clients: Clients) -> int:
    """Bookings and holds beyond the first of a wish."""
    with clients.session() as session:
        per_wish = Counter(place["note"] for place in session.scalars(select(Booking.place)))
    return sum(count - 1 for count in per_wish.values())
