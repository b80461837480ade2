"""Moving a database with tickets and labels to one with stock, and back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import uuid4

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import Uuid, bindparam, inspect, select, text

from recycling.app import create_app
from recycling.extensions import db
from recycling.models.stock import StockLot
from recycling.usecases.queries.invariants import stock
from tests.conftest import ENGINES, NOW, fresh_postgres, test_settings

DAY = date(2026, 11, 20)
TICKET = text(
    "INSERT INTO intake_ticket (id, station_key, scale_number, number, channel, day, counts_on, gross_g, tare_g, net_g,"
    " refused_g, keeper_id, weighed_at, corrects_id, correction_reason, made_up, mac)"
    " VALUES (:id, 'lincheng', '1', :number, 'walk_in', '2026-11-20', '2026-11-20', :net_g, 0, :net_g, 0, :id,"
    " '2026-11-20 02:00:00+00:00', :corrects_id, :reason, false, '')"
).bindparams(bindparam("id", type_=Uuid), bindparam("corrects_id", type_=Uuid))
LINE = text(
    "INSERT INTO intake_line (ticket_id, position, item_type, units, net_g, provenance, missing_parts, town_key)"
    " VALUES (:id, 0, 'fridge', :units, :net_g, 'weighed', 0, 'lincheng')"
).bindparams(bindparam("id", type_=Uuid))


@pytest.fixture(params=ENGINES)
def old_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The app over a database that stands at the revision before stock was kept."""
    made = iter([f"sqlite:///{tmp_path / 'old.db'}"]) if request.param == "sqlite" else fresh_postgres()
    app = create_app(test_settings(next(made)))
    with app.app_context():
        flask_migrate.upgrade(revision="0016")
        yield app
        db.session.remove()
        db.engine.dispose()
    for _ in made:  # let the generator drop what it made
        pass


def test_what_standing_tickets_brought_lies_in_stock_and_the_way_back_loses_no_ticket(old_app: Flask) -> None:
    # given 3 fridges on a ticket, and 5 on one that was corrected to 4
    session, wrong = db.session(), uuid4()
    for number, (ticket_id, units, corrects_id) in enumerate(
        ((uuid4(), 3, None), (wrong, 5, None), (uuid4(), 4, wrong)), start=1
    ):
        values = {"id": ticket_id, "net_g": units * 41_000}
        reason = None if corrects_id is None else "读数有误"
        session.execute(TICKET, values | {"number": number, "corrects_id": corrects_id, "reason": reason})
        session.execute(LINE, values | {"units": units})
    session.commit()
    # when the database moves up, then 3 + 4 fridges lie there
    flask_migrate.upgrade(revision="0018")
    lot = session.scalars(select(StockLot)).one()
    assert (lot.item_type, lot.day, lot.in_units, lot.left_units, lot.left_g) == ("fridge", DAY, 7, 7, 287_000)
    assert stock.lots_are_their_movements.breaches(session, NOW) == []
    session.rollback()
    # and down again, the tickets are as they were
    flask_migrate.downgrade(revision="0016")
    assert "stock_lot" not in inspect(db.engine).get_table_names()
    assert session.scalars(text("SELECT count(*) FROM intake_line")).one() == 3
    session.rollback()
