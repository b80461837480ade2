"""A day of a thousand booked pickups, planned and served: what the dispatcher's board is measured on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from flask import Flask
from rich.console import Console

from benchmarks.support.enlarged_app import enlarged_app
from recycling.cli.demo_day import made_up_wishes
from recycling.clock import service_day, utc_now
from recycling.errors import DomainError
from recycling.extensions import db
from recycling.policy.access import SYSTEM, Role
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.planning.plan_day import plan_day
from tests.builders import a_resident
from tests.callers import KeptSms
from tests.pages.browsers import Browsers
from tests.pages.screens import Cookie, cookies_of
from tests.servers import Server, serving

VANS_A_THOUSAND = 60  # added to the district's own
SECONDS = 20.0

console = Console(stderr=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeDay:
    """The served application and the day that is planned in it."""

    app: Flask
    server: Server
    day: date
    now: datetime

    def cookies_of(self, role: Role) -> list[Cookie]:
        """The cookies of somebody of a role who has signed in."""
        client = Browsers(self.app, self.app.extensions["sms"]).of(role).client
        return cookies_of(client, self.server.address)


@contextmanager
def large_day(stops: int) -> Iterator[LargeDay]:
    """Book and plan the next service day, and serve it on PostgreSQL."""
    with enlarged_app(vehicles=stops * VANS_A_THOUSAND // 1000) as app, tempfile.TemporaryDirectory() as folder:
        app.extensions["sms"] = KeptSms()
        district: District = app.extensions["district"]
        now = utc_now()
        day = district.calendar.next_service_days(service_day(now) + timedelta(days=1), count=1)[0]
        with app.app_context():
            _plan(district, day, stops=stops)
            db.session.remove()
        config = {"CONFIG_DIR": str(app.config["CONFIG_DIR"])}
        url = str(app.config["SQLALCHEMY_DATABASE_URI"])
        with serving(url, log=Path(folder) / "server.log", environment=config) as server:
            yield LargeDay(app=app, server=server, day=day, now=now)


def _plan(district: District, day: date, *, stops: int) -> None:
    session, then = db.session(), min(utc_now(), instant_at(day - timedelta(days=1), 12 * 3600))
    console.print(f"booking {stops:,} pickups on {day}")
    booked = 0
    for number, wish in enumerate(made_up_wishes(district, day, count=3 * stops)):
        by = a_resident(session, now=then)
        try:
            book_pickup(
                replace(wish, address=f"测速路 {number} 号"), by=by, district=district, session=session, now=then
            )  # fmt: skip
        except DomainError:
            session.rollback()
            continue
        booked += 1
        if booked == stops:
            break
    plan_day(
        day, by=SYSTEM, district=district, session=session, now=max(utc_now(), then), seconds=SECONDS, workers=2, seed=1
    )  # fmt: skip
