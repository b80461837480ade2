"""The running system: server and scheduler as processes of their own, on a clock that a test sets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from recycling.app import create_app
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.people import Staff
from recycling.models.transaction import atomic
from recycling.policy.access import Role
from recycling.policy.network import Network
from recycling.units import instant_at
from recycling.usecases.people import sign_in
from tests.callers import PASSWORD
from tests.conftest import empty
from tests.devices import Phone
from tests.servers import ROOT, Server, server_environment, server_settings, serving

HOUR_S = 3600
PATIENCE_S = 90  # for the scheduler to plan a day of two stops within its 2 s budget, on a busy machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The running system: its server, its clock, and where a text message can be read."""

    server: Server
    clock: Path
    network: Network
    phones: dict[str, Phone] = field(default_factory=dict)  # of collectors, by the token that is bound to them

    def at(self, instant: datetime) -> None:
        """Set the clock of server and scheduler."""
        self.clock.write_text(instant.isoformat(), encoding="utf-8")

    def call(self, method: str, path: str, token: str | None = None, body: Any = None, **headers: str) -> Any:
        """Send a request; the answer's JSON, which must be a success."""
        sent = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        if token in self.phones:
            sent |= self._by_our_clock(self.phones[token]).headers(method, self.server.address + path, token)
        elif token is not None:
            sent["Authorization"] = f"Bearer {token}"
        answer = requests.request(
            method, self.server.address + path, json=body, headers=sent | headers, timeout=30, allow_redirects=False
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def staff(self, login: str) -> str:
        """Sign a staff member in."""
        body = {"login": login, "password": PASSWORD}
        if login not in self.network.collectors:
            return str(self.call("POST", "/sign-in/staff", body=body)["access_token"])
        phone, path = self._by_our_clock(Phone()), "/sign-in/staff"
        proof = phone.proof("POST", self.server.address + path)
        signed = self.call("POST", path, body=body | {"device_id": str(phone.id)}, DPoP=proof)
        self.phones[signed["access_token"]] = phone
        return str(signed["access_token"])

    def _by_our_clock(self, phone: Phone) -> Phone:
        """Set a phone's clock to that of the server."""
        told = datetime.fromisoformat(self.clock.read_text(encoding="utf-8"))
        phone.clock_off_s = (told - utc_now()).total_seconds()
        return phone

    def resident(self, phone: str) -> str:
        """Sign a resident in with the code that the default gateway wrote to the log."""
        code_id = self.call("POST", "/sign-in/codes", body={"phone": phone})["code_id"]
        log = self.server.log.read_text(encoding="utf-8")
        assert phone not in log, "the log names a phone"
        code = re.findall(r"验证码 (\d{6})", log)[-1]
        return str(self.call("POST", "/sign-in/tokens", body={"code_id": code_id, "code": code})["access_token"])


@contextmanager
def running(url: str, folder: Path, day: date) -> Iterator[Line]:
    """Server and scheduler as processes of their own on one database, with the accounts a day needs."""
    clock = folder / "clock"
    clock.write_text(instant_at(day - timedelta(days=1), 9 * HOUR_S).isoformat(), encoding="utf-8")
    rules = {
        "TEST_CLOCK_FILE": str(clock), "SMS_GATEWAY": "log", "LOG_LEVEL": "INFO", "PLAN_SECONDS": "2",
        "PLAN_WORKERS": "1",
    }  # fmt: skip
    app = create_app(server_settings(url))
    network: Network = app.extensions["district"].network
    with app.app_context():
        _open_accounts(network)
        db.session.remove()
        db.engine.dispose()
    scheduler_log = folder / "scheduler.log"
    try:
        with (
            scheduler_log.open("wb") as output,
            serving(
                url, log=folder / "server.log", wsgi="tests.proof.line.shifted_clock:app", environment=rules
            ) as server,
        ):
            scheduler = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "tests.proof.line.shifted_clock", "scheduler", "run"],
                cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                env=os.environ | server_environment(url) | rules,
            )  # fmt: skip
            try:
                yield Line(server=server, clock=clock, network=network)
            finally:
                os.killpg(scheduler.pid, signal.SIGTERM)
                scheduler.wait(timeout=30)
    finally:
        with app.app_context():
            empty(db.session())
            db.session.remove()
            db.engine.dispose()


def _open_accounts(network: Network) -> None:
    """A clerk, a dispatcher, a keeper per station, a collector per vehicle; one password, hashed once."""
    shared = sign_in.hasher.hash(PASSWORD)

    def account(login: str, role: Role, *, station_key: str | None = None, collector_key: str | None = None) -> Staff:
        return Staff(
            id=uuid.uuid4(), login=login, name=login, role=role, password_hash=shared, station_key=station_key,
            collector_key=collector_key, active=True, created_at=utc_now(),
        )  # fmt: skip

    riders = {network.crew_of(vehicle)[0].key for vehicle in network.vehicles}
    with atomic(db.session()) as session:
        session.add_all([account("clerk", "clerk"), account("dispatcher", "dispatcher")])
        session.add_all([account(f"keeper-{key}", "keeper", station_key=key) for key in network.stations])
        session.add_all([account(key, "collector", collector_key=key) for key in sorted(riders)])


def published(line: Line, day: date) -> dict[str, Any]:
    """The plan that the scheduler makes and publishes, once it stands."""
    dispatcher, patience = line.staff("dispatcher"), time.monotonic() + PATIENCE_S
    while time.monotonic() < patience:
        plans = line.call("GET", f"/plans?day={day}", dispatcher)["plans"]
        if plans and plans[0]["published_at"] is not None:
            found: dict[str, Any] = line.call("GET", f"/plans/{plans[0]['id']}", dispatcher)
            assert found["unassigned"] == []
            return found
        time.sleep(0.5)
    raise AssertionError(f"nothing was published in {PATIENCE_S} s; runs: {line.call('GET', '/job-runs', dispatcher)}")


def goal(line: Line) -> tuple[int, int]:
    """Units and grams of household appliances, as the bureau sees them."""
    scopes = line.call("GET", "/goal-progress", line.staff("clerk"))["scopes"]
    recovered = next(scope for scope in scopes if scope["scope"]["key"] == "household-appliances")["recovered"]
    return recovered["units"], recovered["recovered_g"]
