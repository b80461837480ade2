"""Clients who call a server of one truck at the same instant, and the database that it works on."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

import flask_jwt_extended
from flask import Flask
from sqlalchemy.orm import Session

from recycling.app import create_app
from recycling.clock import utc_now
from recycling.errors import DomainError, WindowFull
from recycling.extensions import db
from recycling.models import Base
from recycling.models.people import Resident, SignIn, phone_index
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing.check import violations
from recycling.routing.standing import standing_plan
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.bookings.promise import Wish
from recycling.usecases.bookings.tentative import boards
from recycling.usecases.people.sign_in import RESIDENT_LIFE
from tests.builders import a_wish, a_wish_body
from tests.conftest import empty
from tests.invariants import broken
from tests.planned_days import TRUCK, with_vehicles
from tests.servers import Server, server_settings

FIRST_PHONE = 13_500_000_000
TRIES, WAIT_S = 40, 0.1  # of a request that hears "busy": the contract says that a repeat works a moment later
KEPT = ("resident", "sign_in", "alembic_version")  # between rounds


_doors = itertools.count(1)  # a door takes each kind of item once a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one client sends; those of one race go off together."""

    method: str
    path: str
    token: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one client was told in the end; ``body`` is the JSON of the answer."""

    status: int
    code: str
    body: Any
    replayed: bool = False


class Clients:
    """So many signed-in residents, each with a principal and a token."""

    def __init__(self, app: Flask, *, size: int) -> None:
        self.app, self.size = app, size
        self.district: District = with_vehicles(app.extensions["district"], TRUCK)
        signed_in = [self._sign_in(number) for number in range(size)]
        self.people = [person for person, _ in signed_in]
        self.tokens = [token for _, token in signed_in]
        self.days = self.district.booking_rules.bookable_days(now=utc_now(), calendar=self.district.calendar)[1:]
        self.places = self._places_of_a_window()

    def _sign_in(self, number: int) -> tuple[Principal, str]:
        now, phone = utc_now(), str(FIRST_PHONE + number)
        with self.app.app_context(), atomic(db.session()) as session:
            resident = Resident(id=uuid4(), phone=phone, phone_index=phone_index(phone), created_at=now)
            session.add(resident)
            session.flush()
            sign_in = SignIn(id=uuid4(), resident_id=resident.id, created_at=now, expires_at=now + RESIDENT_LIFE)
            session.add(sign_in)
            token: str = flask_jwt_extended.create_access_token(str(sign_in.id))
            return Principal(id=resident.id, role="resident"), token

    def wish(self, day: date, **overrides: Any) -> Wish:
        """A fridge carried down five floors, from 8 to 10: few of these fit into a morning."""
        return a_wish(**({"day": day, "floor": 6, "address": f"清泉路 {next(_doors)} 号"} | overrides))

    def body(self, day: date, **overrides: Any) -> dict[str, Any]:
        """The same wish as JSON."""
        door = f"清泉路 {next(_doors)} 号"
        return a_wish_body(**({"day": day.isoformat(), "floor": 6, "address": door} | overrides))

    def _places_of_a_window(self) -> int:
        """How many such wishes the truck serves in one window."""
        places = 0
        with self.session() as session:
            try:
                while True:
                    self.book(session, self.days[-1])
                    places += 1
            except WindowFull:
                pass
        self.forget()
        return places

    def book(self, session: Session, day: date, **overrides: Any) -> Any:
        """A booking made beforehand by the first resident."""
        wish = self.wish(day, **overrides)
        return book_pickup(wish, by=self.people[0], district=self.district, session=session, now=utc_now())

    def leave_one_place(self, day: date) -> None:
        """Fill the window until one more fits."""
        with self.session() as session:
            for _ in range(self.places - 1):
                self.book(session, day)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session of this thread's own."""
        with self.app.app_context():
            try:
                yield db.session()
            finally:
                db.session.remove()

    def forget(self) -> None:
        """Empty the database but for the residents."""
        with self.session() as session, atomic(session):
            for table in reversed(Base.metadata.sorted_tables):
                if table.name not in KEPT:
                    session.execute(table.delete())

    def broken_rules(self, day: date) -> list[str]:
        """The invariants and rules of the checker that the day breaks."""
        with self.session() as session:
            found = [f"{rule}: {rows}" for rule, rows in broken(session).items()]
            board = boards(session, [day], district=self.district)[day]
            if board is not None:
                problem, plan = standing_plan(board.frame, board.routes)
                found += [one.text for one in violations(problem, plan)]
            return found


class Race:
    """Requests, and acts of this process beside them, let go at one instant."""

    def __init__(self, server: Server, pool: ThreadPoolExecutor) -> None:
        self.server, self.pool = server, pool

    def run(self, requests: Sequence[Request], *beside: Callable[[], Any]) -> tuple[list[Heard], list[Any]]:
        """Answers of the requests, and of the acts: what they returned, or the refusal they met."""
        start = threading.Barrier(len(requests) + len(beside))
        sent = [self.pool.submit(self._send, request, start) for request in requests]
        done = [self.pool.submit(_act, act, start) for act in beside]
        return [one.result() for one in sent], [one.result() for one in done]

    def _send(self, request: Request, start: threading.Barrier) -> Heard:
        heard = Heard(status=0, code="", body=None)
        for turn in range(TRIES):
            connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=60)
            with closing(connection):
                connection.connect()
                if turn == 0:
                    start.wait(timeout=120)
                else:
                    time.sleep(WAIT_S)
                heard = sent_over(connection, request)
            if heard.code != "busy":
                break
        return heard


def sent_over(connection: http.client.HTTPConnection, request: Request) -> Heard:
    """Send a request and read its answer."""
    headers = {"Authorization": f"Bearer {request.token}", "Content-Type": "application/json"}
    if request.key:
        headers["Idempotency-Key"] = request.key
    body = None if request.body is None else json.dumps(request.body).encode()
    connection.request(request.method, request.path, body=body, headers=headers | request.headers)
    response = connection.getresponse()
    told = json.loads(response.read() or b"null")
    code = str(told["code"]) if response.status >= http.client.BAD_REQUEST else ""
    replayed = response.getheader("Idempotent-Replayed") == "true"
    return Heard(status=response.status, code=code, body=told, replayed=replayed)


def _act(act: Callable[[], Any], start: threading.Barrier) -> Any:
    start.wait(timeout=120)
    try:
        return act()
    except DomainError as error:
        return error


@contextmanager
def clients_of(url: str, *, size: int) -> Iterator[Clients]:
    """Clients over an otherwise empty database, which is empty again afterwards."""
    app = create_app(server_settings(url))
    try:
        yield Clients(app, size=size)
    finally:
        with app.app_context():
            db.session.remove()
            empty(db.session())
            db.session.remove()
            db.engine.dispose()
