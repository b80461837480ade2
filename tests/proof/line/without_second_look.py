"""The application that decides on the routes it saw when the request came in. A control, never served.

A promise is made from the routes as they stand once the day's row is locked. Here the lock is still taken, but what is
behind it was read before, the way booking code does that checks first and writes after. Inside the transaction SQLite,
whose writers begin IMMEDIATE, would already make them queue and hide what the second look is for.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import g, has_request_context, request
from sqlalchemy.orm import Session

from config.settings import from_environment
from recycling.app import create_app
from recycling.extensions import db
from recycling.models.ledger import DayState
from recycling.routing.board import Board
from recycling.usecases.bookings import tentative

look = tentative._up_to_date


def as_first_seen(session: Session, day: date, state: DayState, memory: Any) -> Board:
    """The routes of the request's day as they were when it came in."""
    seen: dict[date, Board] = g.get("seen", {}) if has_request_context() else {}
    return seen[day] if day in seen else look(session, day, state, memory)


tentative._up_to_date = as_first_seen

app = create_app(from_environment())


@app.before_request
def look_once() -> None:
    """See what a booking would find."""
    if request.path != "/bookings":
        return
    day = date.fromisoformat(request.get_json()["day"])
    board = tentative.boards(db.session(), [day], district=app.extensions["district"])[day]
    db.session.rollback()
    assert board is not None
    g.seen = {day: board}
