"""A crowd of signed-in residents who all send a booking at the same instant, over HTTP, to a real server."""

from __future__ import annotations

import http.client
import itertools
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
from sqlalchemy import delete, select

from recycling.app import create_app
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.booking import BookedItem, Booking, BookingChange
from recycling.models.ledger import DayLedger, TentativeRoute
from recycling.models.people import Resident, SignIn, phone_index
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing.check import violations
from recycling.routing.standing import route_from_json, standing_plan
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.people.sign_in import RESIDENT_LIFE
from recycling.usecases.planning.day_problem import day_problem
from tests.builders import a_wish, a_wish_body
from tests.conftest import empty
from tests.places import ROOM_OF_TRUCK
from tests.servers import Server, server_settings

FIRST_PHONE = 13_600_000_000
TRIES = 20  # of a request that hears "busy": the contract says that a repeat works a moment later
WAIT_S = 0.2


_doors = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """One pickup window of one day, and a village."""

    day: date
    pickup_window: str
    village_code: str

    def body(self) -> dict[str, Any]:
        """A wish for a fridge to be fetched in it, each time at another door: a door has limits of its own."""
        return a_wish_body(
            day=self.day.isoformat(), pickup_window=self.pickup_window, village_code=self.village_code,
            address=f"清泉路 {next(_doors)} 号",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one resident was told in the end."""

    status: int
    code: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A day after a rush.

    Parameters
    ----------
    live
        Its bookings.
    misplaced
        Bookings that no route holds, visits of no booking, and visits that stand twice.
    violations
        Rules that the planner's checker finds broken in the routes.
    """

    live: int
    misplaced: int
    violations: int


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
        """Windows that can be booked, once for each area; not of tomorrow, whose cut-off might pass meanwhile."""
        network = self.district.network
        days = self.district.booking_rules.bookable_days(now=utc_now(), calendar=self.district.calendar)[1:]
        for pickup_window in network.pickup_windows:
            for area in network.stations:
                for day in days:
                    village = network.villages_of(area)[0]
                    yield Window(day=day, pickup_window=pickup_window, village_code=village.code)

    def leave_one_place(self, window: Window) -> None:
        """Empty the day, then book in the window until one more booking fits; of a district with one truck."""
        on_day = select(Booking.id).where(Booking.day == window.day)
        with self.app.app_context():
            with atomic(db.session()) as session:
                for of_booking in (BookedItem, BookingChange):
                    session.execute(delete(of_booking).where(of_booking.booking_id.in_(on_day)))
                for of_day in (Booking, TentativeRoute, DayLedger):
                    session.execute(delete(of_day).where(of_day.day == window.day))
            now = utc_now()
            by = Principal(id=db.session.scalars(select(Resident.id).limit(1)).one(), role="resident")
            wish = a_wish(day=window.day, pickup_window=window.pickup_window, village_code=window.village_code)
            for _ in range(ROOM_OF_TRUCK - 1):
                book_pickup(wish, by=by, district=self.district, session=db.session(), now=now, made_up=True)

    def stand(self, window: Window) -> Stand:
        """What the day came to."""
        with self.app.app_context():
            session = db.session()
            wanted = select(Booking.id).where(Booking.day == window.day, Booking.state == "booked")
            live = {str(booking_id) for booking_id in session.scalars(wanted)}
            rows = session.scalars(select(TentativeRoute).where(TentativeRoute.day == window.day))
            routes = [route_from_json(row.vehicle_key, row.route) for row in rows]
            keys = [visit.key for route in routes for visit in route.visits]
            problem, plan = standing_plan(day_problem(window.day, [], district=self.district), routes)
            return Stand(
                live=len(live),
                misplaced=len(live.symmetric_difference(keys)) + len(keys) - len(set(keys)),
                violations=len(violations(problem, plan)),
            )

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
def a_crowd(url: str, *, size: int, **settings: str) -> Iterator[Crowd]:
    """A crowd over an otherwise empty database, which is empty again afterwards."""
    app = create_app(server_settings(url, **settings))
    try:
        yield Crowd(app, size=size)
    finally:
        with app.app_context():
            db.session.remove()
            empty(db.session())
            db.session.remove()
            db.engine.dispose()
