"""The demo day served as it stands at half past ten: planned, published, and two and a half hours of it driven."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from recycling.app import create_app
from recycling.cli.demo import FIRST_PHONE, PASSWORD
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.booking import Booking
from recycling.models.intake import IntakeTicket
from recycling.models.people import Staff, resident_of
from recycling.models.plan import Plan, PublishedPlan, Route
from recycling.models.transaction import atomic
from recycling.policy.access import Principal, Role
from recycling.policy.device_clock import DeviceClock
from recycling.policy.district import District
from recycling.routing.problem import problem_from_json
from recycling.units import instant_at
from recycling.usecases.field.record_events import record_events
from recycling.usecases.field.reports import FieldReport
from recycling.usecases.live.links import tracking_path
from recycling.usecases.planning.road_travel import unpacked
from recycling.usecases.queries.my_route import my_route
from tests.pages import walks
from tests.pages.screens import DESK, Cookie, Visit, a_visit
from tests.proof.field.played_day import Phone, PlayedDay, Van, at_second
from tests.servers import ROOT, Server, server_environment, server_settings, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

# Moves a browser's calendar without touching its timers.
SHIFTED_DATE = """(() => {
  const [Real, off] = [Date, OFF_MS];
  window.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(Real.now() + off); }
    static now() { return Real.now() + off; }
  };
})();"""
SHOWN_S = 10 * 3600 + 1800
PLAN_SECONDS = "10"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMorning:
    """The served day, the accounts worth signing in with, and what addresses of screens are made of."""

    server: Server
    now: datetime
    logins: dict[Role, str]
    places: dict[str, str]
    kept: dict[Role, Sequence[Cookie]] = field(default_factory=dict)  # cookies of who has signed in

    def visit(self, browser: Browser, role: Role | None, *, size: tuple[int, int], lang: str = "zh") -> Visit:
        """Open a browser of somebody of a role, on the day's own clock; each signs in once, the way a person does."""
        if role is not None and role not in self.kept:
            first = a_visit(browser, self.server.address, size=DESK)
            if role == "resident":
                walks.sign_in_resident(first.page, first.address, self.logins[role], log=self.server.log)
            else:
                walks.sign_in_staff(first.page, first.address, self.logins[role], PASSWORD)
            self.kept[role] = cast("list[Cookie]", first.context.cookies())
            first.context.close()
        visit = a_visit(browser, self.server.address, self.kept[role] if role else (), size=size, lang=lang)
        set_clock(visit.context, self.now)
        visit.context.grant_permissions(["geolocation"])
        visit.context.set_geolocation(walks.DOOR)
        return visit


def set_clock(context: BrowserContext, now: datetime) -> None:
    """Have a browser's pages believe that it is another time, which goes on from there."""
    off_ms = round((now - utc_now()).total_seconds() * 1000)
    context.add_init_script(SHIFTED_DATE.replace("OFF_MS", str(off_ms)))


def prepared_demo(folder: Path) -> str:
    """Prepare the demo day on SQLite in a folder of its own; returns the address of the database.

    Raises
    ------
    CalledProcessError
        When it cannot be made; what was printed stands in ``prepare.log``.
    """
    url = f"sqlite:///{folder / 'demo.db'}"
    rules = {"INSTANCE_DIR": str(folder), "PLAN_SECONDS": PLAN_SECONDS, "ENVIRONMENT": "development"}
    with (folder / "prepare.log").open("wb") as log:
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "prepare"], cwd=ROOT, check=True, stdout=log,
            stderr=subprocess.STDOUT, env=os.environ | server_environment(url) | rules,
        )  # fmt: skip
    return url


@contextmanager
def demo_morning(folder: Path) -> Iterator[DemoMorning]:
    """Prepare the demo day, drive it until half past ten, and serve it on a clock that stands there."""
    url = prepared_demo(folder)
    app = create_app(server_settings(url))
    with app.app_context():
        day = db.session.scalars(select(func.max(PublishedPlan.day))).one()
        assert day is not None, "the demo day was not published"
        _Morning(app, day).drive()
        logins, places = _worth_showing(day, app.extensions["district"])
        db.session.remove()
    now = instant_at(day, SHOWN_S)
    clock = folder / "clock"
    clock.write_text(now.isoformat(), encoding="utf-8")
    with serving(
        url, log=folder / "server.log", wsgi="tests.proof.line.shifted_clock:app",
        environment={"TEST_CLOCK_FILE": str(clock), "SMS_GATEWAY": "log", "LOG_LEVEL": "INFO"},
    ) as server:  # fmt: skip
        yield DemoMorning(server=server, now=now, logins=logins, places=places)
    with app.app_context():
        db.engine.dispose()


def _worth_showing(day: date, district: District) -> tuple[dict[Role, str], dict[str, str]]:
    """The fullest route's collector, its station's keeper, a resident who waits for it, and the ids of theirs."""
    session = db.session()
    routes = session.scalars(
        select(Route).join(PublishedPlan, PublishedPlan.plan_id == Route.plan_id).where(PublishedPlan.day == day)
    ).all()
    route = max(routes, key=lambda one: len(one.stops))
    collector = session.scalars(select(Staff).where(Staff.collector_key == route.collector_key)).one()
    station_key = district.network.vehicles[route.vehicle_key].station_key
    keeper = session.scalars(select(Staff).where(Staff.role == "keeper", Staff.station_key == station_key)).one()
    weighed = select(IntakeTicket.id).where(IntakeTicket.station_key == station_key)
    phone, booking_id = _waiting_resident({stop.booking_id for stop in route.stops if stop.booking_id})
    logins: dict[Role, str] = {
        "resident": phone, "collector": collector.login, "keeper": keeper.login, "dispatcher": "dispatcher",
        "clerk": "clerk", "admin": "admin",
    }  # fmt: skip
    places = {"day": str(day), "booking": str(booking_id), "tracking": tracking_path(booking_id, day)}
    places["ticket"] = str(session.scalars(weighed.order_by(IntakeTicket.number.desc())).first())
    return logins, places


def _waiting_resident(on_route: set[UUID]) -> tuple[str, UUID]:
    """The first made-up resident to whom this route still comes, and their booking."""
    session = db.session()
    for number in range(1000):
        phone = str(FIRST_PHONE + number)
        with atomic(session):
            resident_id = resident_of(session, phone, now=utc_now())
        found = session.scalars(
            select(Booking.id).where(
                Booking.resident_id == resident_id, Booking.id.in_(on_route), Booking.state == "booked"
            )
        ).first()
        session.rollback()
        if found is not None:
            return phone, found
    raise LookupError("no resident of the demo day waits for the fullest route; drive less of it")


class _Morning:
    """Every published van driving, without breakdowns, by the crews' own accounts."""

    def __init__(self, app: Flask, day: date) -> None:
        self.session, self.district, self.day = db.session(), app.extensions["district"], day
        published = select(Plan).join(PublishedPlan, PublishedPlan.plan_id == Plan.id).where(PublishedPlan.day == day)
        plan = self.session.scalars(published.options(undefer(Plan.problem), undefer(Plan.travel))).one()
        self.plan_id = plan.id
        self.played = PlayedDay(
            problem_from_json(unpacked(plan)), day, seed=370403, look=self._look, send=self._send
        )  # fmt: skip
        self.session.rollback()

    def drive(self) -> None:
        """Let everybody leave when planned, and go on until the hour that is shown."""
        crews = {one.collector_key: one.id for one in self.session.scalars(select(Staff)) if one.collector_key}
        for route in self.session.scalars(select(Route).where(Route.plan_id == self.plan_id)).all():
            by = Principal(id=crews[route.collector_key], role="collector", collector_key=route.collector_key)
            self.played.add(route.vehicle_key, by, leaves_s=route.stops[0].start_s)
        self.session.rollback()
        self.played.run(SHOWN_S)

    def _look(self, van: Van, second: float) -> tuple[int, Sequence[Any]]:
        now = at_second(self.day, second)
        shown = my_route(van.phone.by, self.day, district=self.district, session=self.session, now=now)
        self.session.rollback()
        return (shown["plan"]["version"], shown["steps"]) if shown["plan"] else (van.version, ())

    def _send(self, phone: Phone, batch: Sequence[FieldReport], sent: DeviceClock, second: float) -> None:
        now = at_second(self.day, second)
        record_events(batch, by=phone.by, district=self.district, session=self.session, now=now, sent=sent)
