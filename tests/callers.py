"""Callers of every role: each signs in over HTTP the way a person does, and calls with their token."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.policy.access import SYSTEM, Role
from recycling.usecases.people.staff import AddStaff, add_staff
from tests.devices import HERE, Phone

PASSWORD = "correct horse battery"


class KeptSms:
    """A gateway that keeps what it was given, so that a test can read the code off the phone."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, phone: str, text: str, *, message_id: uuid.UUID) -> None:
        """Keep the text."""
        self.sent.append((phone, text))

    def last_code(self, phone: str) -> str:
        """The newest code sent to a phone."""
        text = next(text for to, text in reversed(self.sent) if to == phone)
        return next(word for word in text.replace("，", " ").split() if word.isdigit() and len(word) == 6)


@dataclass
class Caller:
    """One signed-in person."""

    client: FlaskClient
    id: uuid.UUID
    role: Role
    tokens: dict[str, Any] = field(repr=False)
    phone: Phone | None = None  # a collector's, which their token is bound to

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send a request with this caller's token; creating calls get a fresh idempotency key."""
        sent = self.credentials(method, path)
        if method == "POST":
            sent["Idempotency-Key"] = str(uuid.uuid4())
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content: dict[str, Any] = {}
        if isinstance(body, bytes):  # a photo
            content = {"data": body, "content_type": sent.pop("Content-Type", "image/jpeg")}
        elif body is not None:
            content = {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.open(path, method=method, headers=sent, **content)

    def credentials(self, method: str, path: str) -> dict[str, str]:
        """The headers that say who calls, good for this one request."""
        token = self.tokens["access_token"]
        if self.phone is None:
            return {"Authorization": f"Bearer {token}"}
        return self.phone.headers(method, HERE + path, token)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Read."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Create."""
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: Any, *, version: int) -> TestResponse:
        """Edit the named version."""
        return self.call("PATCH", path, body, If_Match=f'"{version}"')


class Callers:
    """Signs people in."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.sms = KeptSms()
        app.extensions["sms"] = self.sms
        self._count = 0

    def resident(self, phone: str | None = None) -> Caller:
        """A resident, by the code sent to the phone."""
        self._count += 1
        phone = phone or f"139{self._count:08d}"
        client = self.app.test_client()
        sent = client.post("/sign-in/codes", json={"phone": phone}).get_json()
        answer = {"code_id": sent["code_id"], "code": self.sms.last_code(phone)}
        return self._caller(client, client.post("/sign-in/tokens", json=answer))

    def staff(self, role: Role, *, station_key: str | None = None, collector_key: str | None = None) -> Caller:
        """A staff member with an account of their own."""
        self._count += 1
        network = self.app.extensions["district"].network
        if role == "keeper":
            station_key = station_key or next(iter(network.stations))
        if role == "collector":
            collector_key = collector_key or next(iter(network.collectors))
        command = AddStaff(
            login=f"{role}-{self._count}", name=f"{role} {self._count}", role=role, password=PASSWORD,
            station_key=station_key, collector_key=collector_key,
        )  # fmt: skip
        with self.app.app_context():
            add_staff(command, by=SYSTEM, district=self.app.extensions["district"], session=db.session(), now=utc_now())
            db.session.remove()
        return self.again(command.login)

    def again(self, login: str, phone: Phone | None = None) -> Caller:
        """A staff member who has an account, signed in on one more device: a collector on a phone, new or given."""
        client = self.app.test_client()
        body: dict[str, Any] = {"login": login, "password": PASSWORD}
        headers: dict[str, str] = {}
        if phone is None and login.startswith("collector"):
            phone = Phone()
        if phone is not None:
            body["device_id"], headers["DPoP"] = str(phone.id), phone.proof("POST", f"{HERE}/sign-in/staff")
        return self._caller(client, client.post("/sign-in/staff", json=body, headers=headers), phone)

    def _caller(self, client: FlaskClient, answer: TestResponse, phone: Phone | None = None) -> Caller:
        assert answer.status_code == 201, answer.text
        tokens = answer.json
        assert tokens is not None
        caller = Caller(client=client, id=uuid.UUID(int=0), role=tokens["role"], tokens=tokens, phone=phone)
        me = caller.get("/me").json
        assert me is not None
        caller.id = uuid.UUID(me["id"])
        return caller
