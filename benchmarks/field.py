"""The field: how fast a day's records come in after a time without a network, and how fast a day is mended."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import func, select

from benchmarks.support.enlarged_app import enlarged_app
from benchmarks.support.load import Outcome, Request, put_on
from benchmarks.support.mending import mending_rows
from benchmarks.support.written_day import WrittenRoute, written_day
from benchmarks.table import Row
from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.field import FieldEvent
from recycling.policy.field_events import route_state
from recycling.usecases.field.records import records_of_day
from tests.servers import Server, serving

COLLECTORS, STOPS, BATCH = 60, 25, 50
OFFLINE = timedelta(hours=2)
SYNC_S = 20.0
FOLD_MS = 5.0
ROUTES, LOOKS, LOOKERS, EVERY_S = 200, 1_000, 4, 10  # seconds from one look of a crew to its next
LIST_P99_MS = 80.0
ALONE = 10  # routes whose records are sent one by one, to see what batches are worth

console = Console(stderr=True)


def rows() -> Iterator[Row]:
    """Measure everything of the issue's speed table."""
    yield from _synchronised()
    yield from _route_lists()
    with enlarged_app(vehicles=0) as app, app.app_context():
        district = app.extensions["district"]
        day = district.booking_rules.bookable_days(now=utc_now(), calendar=district.calendar)[1]
        yield from mending_rows(db.session(), district=district, day=day)
        db.session.remove()


def _synchronised() -> Iterator[Row]:
    """Sixty phones come back after two hours and send what they recorded, fifty records at a time."""
    with enlarged_app(vehicles=COLLECTORS + ALONE) as app:
        url, config = app.config["SQLALCHEMY_DATABASE_URI"], str(app.config["CONFIG_DIR"])
        now = utc_now()
        with app.app_context():
            district, day = app.extensions["district"], service_day(now)
            routes = written_day(
                db.session(), district=district, day=day, routes=COLLECTORS + ALONE, stops=STOPS, now=now
            )
            db.session.remove()
            db.engine.dispose()
        recorded = [_records(route, now) for route in routes]
        with (
            tempfile.TemporaryDirectory() as name,
            serving(
                url, log=Path(name) / "server.log", threads=4, environment={"CONFIG_DIR": config},
                options=("--worker-connections", str(COLLECTORS // 2)),
            ) as server,
        ):  # fmt: skip
            alone = _by_turns(server, routes[COLLECTORS:], recorded[COLLECTORS:], size=1)
            singly = put_on(server.port, alone, clients=ALONE)
            batches = _by_turns(server, routes[:COLLECTORS], recorded[:COLLECTORS], size=BATCH)
            together = put_on(server.port, batches, clients=COLLECTORS)
        sent = sum(len(one) for one in recorded)
        mine = sum(len(one) for one in recorded[:COLLECTORS])
        with app.app_context():
            stored = db.session.scalar(select(func.count()).select_from(FieldEvent)) or 0
            fold_ms = _fold(day, routes[0].vehicle_key)
            db.session.remove()
    errors = _errors(singly, together)
    per_event_alone = singly.seconds / max(1, len(alone))
    yield Row(
        name=f"{COLLECTORS} collectors send {mine:,} records of two hours, batches of {BATCH}, 2 workers, PostgreSQL;"
        f" {errors} errors, {sent - stored} not stored",
        figure=together.seconds, unit="s", target=f"<= {SYNC_S:.0f} s, 0 errors",
        ok=together.seconds <= SYNC_S and errors == 0 and sent == stored,
        peer="one record a request, in proportion", peer_figure=per_event_alone * mine,
    )  # fmt: skip
    yield Row(
        name=f"fold of one route of {STOPS} stops, {len(recorded[0])} records", figure=fold_ms, unit="ms",
        target=f"<= {FOLD_MS:.0f} ms", ok=fold_ms <= FOLD_MS,
    )  # fmt: skip


def _fold(day: Any, vehicle_key: str) -> float:
    records = records_of_day(db.session(), day, vehicle_key=vehicle_key)
    took = []
    for _ in range(50):
        began = time.perf_counter()
        route_state(records)
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def _records(route: WrittenRoute, now: datetime) -> list[dict[str, Any]]:
    """On the way, there, begun, collected at each stop, in even steps over the time without a network."""
    device, found = str(uuid.uuid4()), []
    kinds = ("on_the_way", "arrive", "start", "collected")
    step = OFFLINE / (len(route.bookings) * len(kinds))
    for place, booking_id in enumerate(route.bookings):
        for turn, kind in enumerate(kinds):
            number = place * len(kinds) + turn
            at = now - OFFLINE + number * step
            found.append(
                {
                    "event_id": str(uuid.uuid4()), "device_id": device, "device_seq": number + 1, "plan_version": 1,
                    "booking_id": str(booking_id), "kind": kind,
                    "payload": {"items": [{"item_type": "fridge", "units": 1}]} if kind == "collected" else {},
                    "device_time": at.isoformat(), "monotonic_ms": number * 1000, "boot_id": "b",
                }
            )  # fmt: skip
    return found


def _by_turns(
    server: Server, routes: Sequence[WrittenRoute], recorded: Sequence[list[dict[str, Any]]], *, size: int
) -> list[Request]:
    """Requests in such a sequence that each client has the batches of one route, in theirs."""
    turns = range(0, len(recorded[0]), size)
    return [
        Request(
            method="POST", path="/field-events", body=json.dumps({"events": events[first : first + size]}).encode(),
            headers={
                **route.headers("POST", f"{server.address}/field-events"), "Content-Type": "application/json",
            },
        )
        for first in turns
        for route, events in zip(routes, recorded, strict=True)
    ]  # fmt: skip


def _errors(*outcomes: Outcome) -> int:
    return sum(count for one in outcomes for status, count in one.statuses.items() if status != 200)


def _route_lists() -> Iterator[Row]:
    """What a collector waits for when they open their list, on a day of two hundred routes."""
    with enlarged_app(vehicles=ROUTES) as app:
        url, config = app.config["SQLALCHEMY_DATABASE_URI"], str(app.config["CONFIG_DIR"])
        now = utc_now()
        with app.app_context():
            routes = written_day(
                db.session(), district=app.extensions["district"], day=service_day(now), routes=ROUTES, stops=STOPS,
                now=now,
            )  # fmt: skip
            db.session.remove()
            db.engine.dispose()
        with (
            tempfile.TemporaryDirectory() as name,
            serving(
                url, log=Path(name) / "server.log", threads=4, environment={"CONFIG_DIR": config},
                options=("--worker-connections", str(LOOKERS // 2)),
            ) as server,
        ):  # fmt: skip
            put_on(server.port, _looks(server, routes, "/my-route")[:LOOKERS], clients=LOOKERS)
            every_s = LOOKERS * EVERY_S / ROUTES
            lists = put_on(server.port, _looks(server, routes, "/my-route"), clients=LOOKERS, every_s=every_s)
            bare = put_on(server.port, _looks(server, routes, "/me"), clients=LOOKERS, every_s=every_s)
            most = put_on(server.port, _looks(server, routes, "/my-route"), clients=LOOKERS)
    p99 = 1000 * lists.percentile_s(0.99)
    yield Row(
        name=f"route list of {STOPS} stops, {ROUTES} crews looking every {EVERY_S} s each, 2 workers: 99th"
        f" percentile; {_errors(lists)} errors",
        figure=p99, unit="ms", target=f"<= {LIST_P99_MS:.0f} ms", ok=p99 <= LIST_P99_MS and not _errors(lists),
        peer="GET /me, no list in it", peer_figure=1000 * bare.percentile_s(0.99),
    )  # fmt: skip
    yield Row(
        name=f"the same as fast as {LOOKERS} clients can ask (99th percentile {1000 * most.percentile_s(0.99):.0f} ms)",
        figure=most.per_second(200), unit="/s", target=f">= {ROUTES / EVERY_S:.0f} /s",
        ok=most.per_second(200) >= ROUTES / EVERY_S and not _errors(most),
    )  # fmt: skip


def _looks(server: Server, routes: Sequence[WrittenRoute], path: str) -> list[Request]:
    """Requests of one phone after the other, each with a proof of its own."""
    return [
        Request(method="GET", path=path, headers=routes[n % ROUTES].headers("GET", server.address + path))
        for n in range(LOOKS)
    ]
