"""Speed and memory of the main line: planning the demo day, taking bookings, running the tests."""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import flask_migrate
from flask_jwt_extended import create_access_token
from rich.console import Console

from benchmarks.support.bare import make_table
from benchmarks.support.load import Outcome, Request, put_on
from benchmarks.table import ROOT, Row
from recycling.app import create_app
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.people import Resident, SignIn, phone_index
from recycling.models.transaction import atomic
from tests.builders import a_wish_body
from tests.conftest import ENGINES, fresh_postgres
from tests.servers import server_environment, server_settings, serving

PLAN_BUDGET_S, PLAN_SLACK_S = 30, 5
CHILD_MIB = 1024
LEAST_SHARE = 0.4  # of what the bare view stores in the same time
TEST_S = 300
CLIENTS, ROUNDS, REQUESTS = 8, 15, 300  # a round sends as many requests to the one server, then to the other
RESIDENTS = 50

console = Console(stderr=True)


def rows() -> Iterator[Row]:
    """Measure everything of the issue's speed table; ten minutes on two cores."""
    console.print("planning the demo day …")
    yield from _planning()
    for engine in ENGINES:
        console.print(f"taking bookings on {engine} …")
        yield _bookings(engine)
    console.print("running the tests …")
    yield _tests()


def _planning() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = os.environ | server_environment(
            f"sqlite:///{folder / 'demo.db'}", ENVIRONMENT="development", INSTANCE_DIR=name, PLAN_SECONDS="3"
        )
        problem, plan = folder / "problem.json", folder / "plan.json"
        _flask(environment, "demo", "prepare")
        day = _flask(environment, "demo", "day")
        _flask(environment, "plan", "export", day, "--problem", str(problem), "--plan", str(plan))
        command = [sys.executable, "-m", "recycling.routing", "solve", str(problem), "--seconds", str(PLAN_BUDGET_S)]
        started = time.perf_counter()
        subprocess.run([*command, "--out", str(plan)], cwd=ROOT, check=True, capture_output=True)
        wall_s = time.perf_counter() - started
        # The largest of all processes waited for so far, the planner's own children among them: an upper bound.
        child_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        stops = len(json.loads(problem.read_text())["stops"])
    limit_s = PLAN_BUDGET_S + PLAN_SLACK_S
    yield Row(
        name=f"{stops} bookings planned, start-up included", figure=wall_s, unit="s", target=f"<= {limit_s} s",
        ok=wall_s <= limit_s, peer="budget", peer_figure=float(PLAN_BUDGET_S),
    )  # fmt: skip
    yield Row(
        name="largest planner process", figure=child_mib, unit="MiB", target=f"<= {CHILD_MIB} MiB",
        ok=child_mib <= CHILD_MIB,
    )  # fmt: skip


def _flask(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *command], cwd=ROOT, env=environment, check=True,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def _bookings(engine: str) -> Row:
    with tempfile.TemporaryDirectory() as name, _database(engine, Path(name)) as url:
        requests = _requests(url, ROUNDS * REQUESTS + REQUESTS)
        bare_environment = {"BARE_SERVER": "1", "DATABASE_URL": url}
        os.environ["DATABASE_URL"] = url
        make_table()
        with (
            serving(url, log=Path(name) / "ours.log") as ours,
            serving(
                url, log=Path(name) / "bare.log", wsgi="benchmarks.support.bare:app", environment=bare_environment
            ) as bare,
        ):
            warm, counted = requests[:REQUESTS], requests[REQUESTS:]
            for server in (ours, bare):
                _all_stored(put_on(server.port, warm, clients=CLIENTS), server.log)
            pairs = []
            for number in range(ROUNDS):
                share = counted[number * REQUESTS : (number + 1) * REQUESTS]
                pairs.append([_all_stored(put_on(one.port, share, clients=CLIENTS), one.log) for one in (ours, bare)])
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    return Row(
        name=f"POST /bookings, {CLIENTS} clients, {engine}",
        figure=statistics.median(mine for mine, _ in pairs),
        unit="/s",
        target=f">= {LEAST_SHARE} x bare view",
        ok=ratio >= LEAST_SHARE,
        peer="bare Flask view, one row",
        peer_figure=statistics.median(theirs for _, theirs in pairs),
    )


def _all_stored(outcome: Outcome, log: Path) -> float:
    if set(outcome.statuses) != {201}:
        raise RuntimeError(f"answers {dict(outcome.statuses)}; log: {log.read_text()[-2000:]}")
    return outcome.per_second(201)


@contextmanager
def _database(engine: str, folder: Path) -> Iterator[str]:
    made = iter([f"sqlite:///{folder / 'load.db'}"]) if engine == "sqlite" else fresh_postgres()
    yield next(made)
    for _ in made:  # let the generator drop what it made
        pass


def _requests(url: str, count: int) -> list[Request]:
    """Bookings by signed-in residents, spread over the bookable days, the town and the windows."""
    app = create_app(server_settings(url))
    rng = random.Random(1)  # the same load every time
    with app.app_context():
        flask_migrate.upgrade()
        district, now = app.extensions["district"], utc_now()
        days = district.booking_rules.bookable_days(now=now, calendar=district.calendar)
        with atomic(db.session()) as session:
            tokens = [_signed_in(session, f"137{number:08d}") for number in range(RESIDENTS)]
        db.session.remove()
        db.engine.dispose()
    villages = list(district.network.villages)
    return [
        Request(
            method="POST",
            path="/bookings",
            headers={
                "Authorization": f"Bearer {tokens[number % RESIDENTS]}",
                "Content-Type": "application/json",
                "Idempotency-Key": str(uuid.uuid4()),
            },
            body=json.dumps(
                # A microwave takes six minutes at the door: 350 of them a day are far from filling any window.
                a_wish_body(
                    items=[{"item_type": "microwave", "quantity": 1}],
                    lat=34.78 + rng.randrange(45) / 1000,
                    lon=117.24 + rng.randrange(55) / 1000,
                    day=rng.choice(days).isoformat(),
                    village_code=rng.choice(villages),
                    pickup_window=rng.choice(list(district.network.pickup_windows)),
                )
            ).encode(),
        )
        for number in range(count)
    ]


def _signed_in(session: Any, phone: str) -> str:
    now = utc_now()
    resident = Resident(id=uuid.uuid4(), phone=phone, phone_index=phone_index(phone), created_at=now)
    session.add(resident)
    session.flush()
    row = SignIn(
        id=uuid.uuid4(), resident_id=resident.id, refresh_count=0, created_at=now, expires_at=now + timedelta(days=1)
    )
    session.add(row)
    session.flush()
    return str(create_access_token(str(row.id), expires_delta=timedelta(hours=2)))


def _tests() -> Row:
    started = time.perf_counter()
    done = subprocess.run(["make", "test"], cwd=ROOT, check=False, capture_output=True)
    wall_s = time.perf_counter() - started
    return Row(
        name=f"make test, exit status {done.returncode}", figure=wall_s, unit="s", target=f"<= {TEST_S} s",
        ok=wall_s <= TEST_S and done.returncode == 0,
    )  # fmt: skip
