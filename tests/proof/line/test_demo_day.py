"""The demo day: its exported plan passes the checker's own command, and no booking of it is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from recycling.app import create_app
from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.booking import Booking
from tests.conftest import empty
from tests.proof.harness import Proof, Size
from tests.servers import ROOT, server_environment, server_settings

PLAN_SECONDS = {"small": "3", "full": "30", "release": "30"}


def test_every_booking_of_the_demo_day_is_on_a_route_once_or_listed(
    engine_url: str, tmp_path: Path, size: Size, proof: Proof
) -> None:
    environment = os.environ | server_environment(
        engine_url, ENVIRONMENT="development", PLAN_SECONDS=PLAN_SECONDS[size], INSTANCE_DIR=str(tmp_path)
    )
    app = create_app(server_settings(engine_url))
    try:
        # given the demo day, planned and exported by the commands of the README
        _run(environment, "flask", "demo", "prepare")
        for verify in (("audit", "verify"), ("custody", "verify"), ("report", "verify", "--all"), ("check-data",)):
            _run(environment, "flask", *verify)
        with app.app_context():
            bookings = db.session.execute(
                select(Booking.id, Booking.day).where(Booking.day > service_day(utc_now()), Booking.state == "booked")
            ).all()
            db.session.rollback()
        problem, plan = tmp_path / "problem.json", tmp_path / "plan.json"
        _run(
            environment, "flask", "plan", "export", str(bookings[0].day), "--problem", str(problem), "--plan", str(plan)
        )
        # when the checker's own command judges it, and once more with one arrival moved by an hour
        judged = _check(environment, problem, plan)
        damaged = _check(environment, problem, _damaged(plan))
    finally:
        with app.app_context():
            empty(db.session())
            db.session.remove()
            db.engine.dispose()
    # then it passes, the damaged one does not, and each booking stands in it once
    answer = json.loads(plan.read_text())
    placed = Counter(
        [step["stop"] for route in answer["routes"] for step in route["steps"] if step["kind"] == "pickup"]
        + [left["stop"] for left in answer["unassigned"]]
    )
    lost = {str(booking.id) for booking in bookings} ^ set(placed)
    twice = sum(count > 1 for count in placed.values())
    proof.record(
        figure=f"{len(bookings)} bookings: {len(lost)} lost, {twice} twice, {len(answer['unassigned'])} left out;"
        f" check exit {judged}",
        target="0 lost, 0 twice; check exit 0",
        control=f"a pickup an hour early: check exit {damaged}",
        ok=len(bookings) == 240 and not lost and twice == 0 and judged == 0 and damaged == 1,
    )


def _run(environment: dict[str, str], *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment | {"FLASK_APP": "wsgi"}, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _check(environment: dict[str, str], problem: Path, plan: Path) -> int:
    command = [sys.executable, "-m", "recycling.routing", "check", str(problem), str(plan)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False).returncode


def _damaged(plan: Path) -> Path:
    answer = json.loads(plan.read_text())
    step = next(step for step in answer["routes"][0]["steps"] if step["kind"] == "pickup")
    for name in ("arrival_s", "start_s", "end_s"):
        step[name] -= 3600
    copy = plan.with_name("damaged.json")
    copy.write_text(json.dumps(answer))
    return copy
