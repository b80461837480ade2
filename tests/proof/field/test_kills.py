"""Web workers killed while thirty crews send what they recorded: no record is lost, none is there twice."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import select

from benchmarks.support.fleet import enlarged
from benchmarks.support.written_day import WrittenRoute, written_day
from recycling.app import create_app
from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.field import FieldEvent
from recycling.usecases.queries.invariants import bookings as invariants
from tests.conftest import empty
from tests.proof.bookings.test_kills import ANSWERS_AFTER_S, BETWEEN_S, RETRIED, _kill_one
from tests.proof.harness import Proof, Size
from tests.servers import Server, server_settings, serving

KILLS = {"small": 2, "full": 30, "release": 300}
ROUTES, STOPS = 30, 12
CONTROL_KILLS = 15  # at most: the first that doubles a record ends the control
STEP = timedelta(seconds=15)  # between two records of one crew: all of them lie in the hours before
RECORDED = STOPS * 6 * STEP  # how long ago the first record was made
MOST_IN_A_BATCH = 4


@dataclass(slots=True)
class Told:
    """What the crews were told, and what the database holds in the end."""

    kills: int = 0
    made: int = 0
    acknowledged: set[str] = field(default_factory=set)
    unanswered: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    broken: list[Any] = field(default_factory=list)


def test_killed_workers_lose_and_double_no_record(engine_url: str, size: Size, proof: Proof, tmp_path: Path) -> None:
    # given thirty crews who send each batch again until it is answered, workers killed under them; and crews whose
    # phones give a record a new id whenever they send it again
    kept = _under_kills(engine_url, KILLS[size], tmp_path / "on", anew=False)
    off = _under_kills(engine_url, CONTROL_KILLS, tmp_path / "off", anew=True)
    # then every record stands once, and every booking is what its records come to
    proof.record(
        name="workers killed under a day's records",
        figure=f"{kept.lost} of {len(kept.acknowledged)} answered lost, {kept.doubled} of {kept.made} doubled,"
        f" {len(kept.broken)} rows break an invariant, {kept.kills} kills, {kept.unanswered} batches unanswered",
        target="0, 0, 0",
        control=f"a new id each time: {off.doubled} doubled after {off.kills} kills",
        ok=kept.lost == kept.doubled == len(kept.broken) == 0 < off.doubled
        and kept.kills == KILLS[size]
        and kept.unanswered > 0,
    )
    assert not kept.failed, kept.failed
    assert kept.broken == []


def _under_kills(url: str, kills: int, folder: Path, *, anew: bool) -> Told:
    folder.mkdir()
    told = Told()
    with _day(url, folder) as (app, routes):
        config = str(app.config["CONFIG_DIR"])
        faults = {"TEST_ANSWERS_AFTER_S": ANSWERS_AFTER_S, "CONFIG_DIR": config}
        done = threading.Event()
        with (
            serving(url, wsgi="tests.proof.field.slow_answers:app", log=folder / "log", environment=faults) as server,
            ThreadPoolExecutor(ROUTES) as pool,
        ):
            crews = [
                pool.submit(_send_all, server, route, _records(route, number), told, done, anew=anew)
                for number, route in enumerate(routes)
            ]
            for _ in range(kills):
                time.sleep(random.uniform(*BETWEEN_S))
                told.kills += _kill_one(server)
                if anew and told.unanswered:
                    break
            done.set()
            for crew in crews:
                crew.result()
        with app.app_context():
            _look(told)
    return told


@contextmanager
def _day(url: str, folder: Path) -> Iterator[tuple[Flask, Sequence[WrittenRoute]]]:
    """An app over the emptied database with a day of thirty routes under way."""
    app = create_app(server_settings(url, CONFIG_DIR=str(enlarged(folder, vehicles=ROUTES))))
    with app.app_context():
        empty(db.session())
        now = utc_now()
        routes = written_day(
            db.session(), district=app.extensions["district"], day=service_day(now - RECORDED), routes=ROUTES,
            stops=STOPS, now=now,
        )  # fmt: skip
        db.session.remove()
        db.engine.dispose()
    yield app, routes
    with app.app_context():
        db.session.remove()
        empty(db.session())
        db.engine.dispose()


def _records(route: WrittenRoute, number: int) -> list[dict[str, Any]]:
    """Every stop reached and left, a tenth of them failed, and now and then a failure taken back."""
    rng, device = random.Random(number), str(route.phone.id)
    found: list[dict[str, Any]] = []
    at = utc_now() - RECORDED

    def record(kind: str, booking: Any, payload: dict[str, Any] | None = None) -> str:
        nonlocal at
        at += STEP
        event_id = str(uuid4())
        found.append(
            {
                "event_id": event_id, "device_id": device, "device_seq": len(found) + 1, "plan_version": 1,
                "booking_id": str(booking), "kind": kind, "payload": payload or {}, "device_time": at.isoformat(),
            }
        )  # fmt: skip
        return event_id

    taken = {"items": [{"item_type": "fridge", "units": 1}]}
    for booking in route.bookings:
        for kind in ("on_the_way", "arrive", "start"):
            record(kind, booking)
        if rng.random() < 0.1:
            wrong = record("failed", booking, {"reason": "nobody_home"})
            if rng.random() < 0.5:
                record("undo", booking, {"undoes": wrong})
                record("collected", booking, taken)
        else:
            record("collected", booking, taken)
    return found


def _send_all(
    server: Server,
    route: WrittenRoute,
    records: Sequence[dict[str, Any]],
    told: Told,
    done: threading.Event,
    *,
    anew: bool,
) -> None:
    """Send a crew's records in small batches, each until it is answered; slowly while workers are still killed."""
    rng, at = random.Random(str(route.phone.id)), 0
    while at < len(records):
        batch = list(records[at : at + rng.randint(1, MOST_IN_A_BATCH)])
        at += len(batch)
        told.made += len(batch)
        answers = _insist(server, route, batch, told, anew=anew)
        for answer in answers:
            if answer["answer"] in ("accepted", "duplicate"):
                told.acknowledged.add(answer["event_id"])
            else:
                told.failed[answer["code"]] += 1
        if not done.is_set():
            time.sleep(rng.uniform(0.2, 2.5))


def _insist(
    server: Server, route: WrittenRoute, batch: list[dict[str, Any]], told: Told, *, anew: bool
) -> list[dict[str, Any]]:
    patience = time.monotonic() + 90
    while time.monotonic() < patience:
        status, body = _sent(server, route, batch)
        if status == http.client.OK:
            answers: list[dict[str, Any]] = body["events"]
            if not any(one["retryable"] for one in answers):
                return answers
        elif status not in RETRIED:
            raise AssertionError(f"{status}: {body}")
        told.unanswered += status == 0
        if anew:
            batch = [one | {"event_id": str(uuid4())} for one in batch]
        time.sleep(0.05)
    raise AssertionError("no answer within 90 s")


def _sent(server: Server, route: WrittenRoute, batch: Sequence[dict[str, Any]]) -> tuple[int, Any]:
    """One try, with a proof of its own: a phone signs again whatever it sends again."""
    headers = route.headers("POST", f"{server.address}/field-events") | {"Content-Type": "application/json"}
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request("POST", "/field-events", body=json.dumps({"events": batch}).encode(), headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    return 0, None


def _look(told: Told) -> None:
    """Compare what was answered with what is stored."""
    session = db.session()
    rows = session.execute(select(FieldEvent.event_id, FieldEvent.device_id, FieldEvent.device_seq)).all()
    stored = {str(row.event_id) for row in rows}
    numbers = Counter((row.device_id, row.device_seq) for row in rows)
    told.lost = len(told.acknowledged - stored)
    told.doubled = sum(count - 1 for count in numbers.values()) + abs(len(numbers) - told.made)
    now: datetime = utc_now()
    for invariant in (invariants.bookings_are_what_was_recorded, invariants.versions_count_changes):
        told.broken += invariant.breaches(session, now)
