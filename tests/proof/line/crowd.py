"""A crowd of signed-in residents who all send a booking at the same instant, over HTTP, to a real server."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import flask_jwt_extended
from flask import Flask
from sqlalchemy import func, select, update

from recycling.app import create_app
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.booking import Booking
from recycling.models.ledger import WindowLedger, open_ledger
from recycling.models.people import Resident, SignIn, phone_index
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.people.sign_in import RESIDENT_LIFE
from tests.builders import a_wish_body
from tests.conftest import empty
from tests.servers import Server, server_settings

FIRST_PHONE = 13_600_000_000
TRIES = 20  # of a request that hears "busy": the contract says that a repeat works a moment later
WAIT_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """One pickup window of one day and area, and a village there."""

    day: date
    area: str
    pickup_window: str
    village_code: str

    def body(self) -> dict[str, Any]:
        """A wish for a fridge to be fetched in it."""
        return a_wish_body(day=self.day.isoformat(), pickup_window=self.pickup_window, village_code=self.village_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one resident was told in the end."""

    status: int
    code: str
    body: bytes


class Crowd:
    """So many residents with tokens of their own, and the database that their server works on."""

    def __init__(self, app: Flask, *, size: int) -> None:
        self.app = app
        self.district: District = app.extensions["district"]
        self.tokens = [self._sign_in(number) for number in range(size)]
        self._start = threading.Barrier(size)

    def _sign_in(self, number: int) -> str:
        """A resident with a sign-in, made in the database and signed with the server's own key."""
        now, phone = utc_now(), str(FIRST_PHONE + number)
        with self.app.app_context(), atomic(db.session()) as session:
            resident = Resident(id=uuid4(), phone=phone, phone_index=phone_index(phone), created_at=now)
            session.add(resident)
            session.flush()
            sign_in = SignIn(id=uuid4(), resident_id=resident.id, created_at=now, expires_at=now + RESIDENT_LIFE)
            session.add(sign_in)
            token: str = flask_jwt_extended.create_access_token(str(sign_in.id))
        return token

    def windows(self) -> Iterator[Window]:
        """Windows that can be booked, each once; not the next day's, whose cut-off might pass while we work."""
        network = self.district.network
        days = self.district.booking_rules.bookable_days(now=utc_now(), calendar=self.district.calendar)[1:]
        for pickup_window in network.pickup_windows:
            for area in network.stations:
                for day in days:
                    village = network.villages_of(area)[0]
                    yield Window(day=day, area=area, pickup_window=pickup_window, village_code=village.code)

    def leave_one_place(self, window: Window) -> None:
        """Lower the window's limit until one more booking fits."""
        where = (
            WindowLedger.day == window.day,
            WindowLedger.area == window.area,
            WindowLedger.pickup_window == window.pickup_window,
        )
        with self.app.app_context(), atomic(db.session()) as session:
            open_ledger(session, day=window.day, capacity=self.district.capacities[window.area])
            session.execute(update(WindowLedger).where(*where).values(places_cap=WindowLedger.places_used + 1))

    def places(self, window: Window) -> tuple[int, int, int]:
        """The window's places used and allowed by its counter, and its live bookings."""
        with self.app.app_context():
            row = db.session.get_one(WindowLedger, (window.day, window.area, window.pickup_window))
            where = (
                Booking.day == window.day,
                Booking.area == window.area,
                Booking.pickup_window == window.pickup_window,
                Booking.state != "cancelled",
            )
            live = db.session.scalars(select(func.count()).select_from(Booking).where(*where)).one()
            return row.places_used, row.places_cap, live

    def rush(self, pool: ThreadPoolExecutor, server: Server, requests: Sequence[tuple[str, str, bytes]]) -> list[Heard]:
        """Send all requests (token, idempotency key, body) at once; each client repeats while it hears "busy"."""
        return list(pool.map(lambda request: self._send(server, *request), requests))

    def _send(self, server: Server, token: str, key: str, body: bytes) -> Heard:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Type": "application/json"}
        for turn in range(TRIES):
            connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
            with closing(connection):
                connection.connect()
                if turn == 0:
                    self._start.wait(timeout=60)
                else:
                    time.sleep(WAIT_S)
                connection.request("POST", "/bookings", body=body, headers=headers)
                response = connection.getresponse()
                answer = response.read()
            code = "" if response.status == http.client.CREATED else str(json.loads(answer)["code"])
            if code != "busy":
                break
        return Heard(status=response.status, code=code, body=answer)


@contextmanager
def a_crowd(url: str, *, size: int) -> Iterator[Crowd]:
    """A crowd over an otherwise empty database, which is empty again afterwards."""
    app = create_app(server_settings(url))
    try:
        yield Crowd(app, size=size)
    finally:
        with app.app_context():
            db.session.remove()
            empty(db.session())
            db.session.remove()
            db.engine.dispose()
