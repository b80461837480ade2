"""What the tentative routes of a day hold, read row by row from the database, past everything a process remembers."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.booking import Booking
from recycling.models.ledger import DayLedger, TentativeRoute
from recycling.policy.district import District
from recycling.routing.standing import Visit, route_from_json
from tests.builders import TOMORROW, a_booking
from tests.planned_days import TRUCK, with_vehicles
from tests.servers import ROOT

# One truck that stands where the fridges are: each takes 1020 s, the eighth begins 7 x 1020 = 7140 s after eight, the
# ninth would begin 8160 s after, and the window is 7200 s long. 8 x 800 l are far from the truck's 16,000.
ROOM_OF_TRUCK = 8

WINDOWS = {
    (28_800, 36_000): "08-10", (36_000, 43_200): "10-12", (46_800, 54_000): "13-15", (54_000, 61_200): "15-17",
    (28_800, 61_200): "all-day",
}  # fmt: skip


def one_truck(district: District) -> District:
    """The district with one truck, so that a window is soon full."""
    return with_vehicles(district, TRUCK)


def one_truck_config(folder: Path) -> Path:
    """The district's files with one truck and its crew, for servers."""
    config = folder / "config"
    shutil.copytree(ROOT / "config", config)
    network = config / "district" / "network.toml"
    others = re.compile(r"\[\[(?:vehicles|collectors)\]\]\n")
    tables = re.split(r"\n(?=\[\[)", network.read_text(encoding="utf-8"))
    kept = [one for one in tables if not others.match(one) or f'key = "{TRUCK}"' in one]
    network.write_text("\n".join(kept), encoding="utf-8")
    return config


def fill(session: Session, *, district: District, now: datetime, count: int, **wish: Any) -> list[Booking]:
    """So many fridges in one window, each booked by its own resident."""
    return [a_booking(session, district=district, now=now, **wish) for _ in range(count)]


def visits(session: Session, day: date = TOMORROW) -> dict[str, Visit]:
    """The visits of a day by booking; one that stands twice fails the test."""
    session.expire_all()
    routes = session.scalars(select(TentativeRoute.route).where(TentativeRoute.day == day))
    found = [visit for route in routes for visit in route_from_json("", route).visits if not visit.gone]
    by_key = {visit.key: visit for visit in found}
    assert len(by_key) == len(found), "a visit stands in two places"
    return by_key


def places(session: Session) -> dict[tuple[str, str], int]:
    """Places in routes, by day and window, where there are any."""
    days = session.scalars(select(DayLedger.day)).all()
    return dict(
        Counter(
            (day.isoformat(), WINDOWS[visit.windows_s[0]]) for day in days for visit in visits(session, day).values()
        )
    )


def sums(session: Session) -> dict[str, tuple[int, ...]]:
    """Seconds at doors, grams and litres in routes, by day that was ever promised anything."""
    found = {}
    for day in session.scalars(select(DayLedger.day)).all():
        rows = [(visit.service_s, *visit.load) for visit in visits(session, day).values()]
        found[day.isoformat()] = tuple(map(sum, zip(*rows, strict=True))) if rows else (0, 0, 0)
    return found
