"""Three months of made work on two stations: tickets, corrections, a closed month, trails, anchors at night."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from recycling.models.audit import audit
from recycling.models.base import table_of
from recycling.models.custody import CustodyTag, Step, record_steps
from recycling.models.recovery import close_month
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.custody_tags import make_tag
from recycling.policy.district import District
from recycling.usecases.audit.make_anchor import make_anchor
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from tests.loads import a_keeper, a_line, a_weighing

STATIONS = ("lincheng", "xingren")
# Grams that one of each may weigh: two of them so little that one person may correct it, whatever it becomes.
TYPES = {"fridge": 31_300, "fan": 4_000, "stove": 12_000, "microwave": 13_000}
CLOSED_AFTER = 31  # days: the first month is signed then


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was made: how many days of it, and when it ended."""

    tickets: int
    ends_at: datetime


def make_months(
    session: Session, *, district: District, begin: datetime, days: int, a_day: int, folder: Path, seed: int
) -> Work:
    """Weigh ``a_day`` loads in at each station on each of so many days, spread over ninety; an anchor after each."""
    chance = random.Random(seed)
    keepers = [a_keeper(station) for station in STATIONS]
    given: dict[str, Any] = {"district": district, "session": session}
    made, closed = 0, False
    first: list[tuple[UUID, Principal]] = []
    for number in range(days):
        now = begin + timedelta(days=number * 90 // days)
        if not closed and (now - begin).days >= CLOSED_AFTER:
            closed = True
            with atomic(session):
                close_month(session, begin.date(), by_id=SYSTEM.id, now=now)
                audit(session, action="month.closed", subject=f"{begin:%Y-%m}", by=SYSTEM, now=now, facts={})
        of_day = []
        for keeper in keepers:
            for load in range(a_day):
                at = now + timedelta(minutes=load)
                kinds = chance.sample(sorted(TYPES), 2)
                lines = [a_line(kind, 1, TYPES[kind] + chance.randrange(200)) for kind in kinds]
                net_g = sum(line.net_g or 0 for line in lines)
                ticket = weigh_in(a_weighing(*lines, net_g=net_g), scale_number="1", by=keeper, **given, now=at)
                of_day.append((ticket.id, keeper))
                made += 1
        _follow(session, number, by=keepers[0], now=now)
        ticket_id, keeper = chance.choice(of_day)
        later = now + timedelta(hours=1)
        wanted = a_weighing(a_line("fan", 1, 4_100), net_g=4_100) if chance.random() < 0.8 else None
        correct_ticket(ticket_id, wanted, reason="复核", by=keeper, **given, now=later)
        if closed and first and number % 3 == 0:  # something of the first month as well: a dated adjustment
            first_id, first_keeper = first.pop()
            lighter = a_weighing(a_line("fan", 1, 3_900), net_g=3_900)
            correct_ticket(first_id, lighter, reason="补正", by=first_keeper, **given, now=later)
            made += 1
        if number == 0:
            first = [one for one in of_day if one[0] != ticket_id]
        made += 1
        make_anchor(folder=folder, session=session, now=now + timedelta(hours=12))
    return Work(tickets=made, ends_at=now + timedelta(hours=13))


def _follow(session: Session, number: int, *, by: Principal, now: datetime) -> None:
    """A label of three steps, on no ticket: so whatever is done to tickets leaves it alone."""
    tag = make_tag(number)
    label = {"tag": tag, "booking_id": None, "item_type": "fridge", "collector_id": None, "event_id": None, "at": now}
    with atomic(session):
        session.execute(insert(table_of(CustodyTag)).values(label | {"last_number": 0, "last_mac": b""}))
        record_steps(session, [Step(tag, kind, {}) for kind in ("station", "lot", "adjusted")], by=by, now=now)
