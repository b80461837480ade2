"""Moving a database with all that intake, stock and balances keep down to the release before, and up again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import select, text

from recycling.app import create_app
from recycling.extensions import db
from recycling.models.class_average import ClassAverage, ClassAverageVersion
from recycling.models.custody import CustodySeal
from recycling.models.recovery import close_month
from recycling.models.stock import StockLot
from recycling.models.ticket_photo import TicketPhoto
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.custody_tags import make_tag
from recycling.usecases.custody.count_stock import Counted, count_stock
from recycling.usecases.custody.hand_over import hand_over
from recycling.usecases.custody.re_weigh import re_weigh, resolve_difference
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.propose_correction import propose_correction
from recycling.usecases.intake.scale_keys import issue_scale_key
from recycling.usecases.intake.weigh_in import weigh_in
from tests.conftest import ENGINES, NOW, fresh_postgres, test_settings
from tests.loads import a_batch, a_keeper, a_line, a_read_weighing, a_reading, a_weighing

CLERK = Principal(id=uuid4(), role="clerk")
KEEPER = a_keeper()
TODAY = date(2026, 11, 23)  # of NOW, in Shanghai


@pytest.fixture(params=ENGINES)
def new_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The app over a database of today."""
    made = iter([f"sqlite:///{tmp_path / 'new.db'}"]) if request.param == "sqlite" else fresh_postgres()
    app = create_app(test_settings(next(made)))
    with app.app_context():
        flask_migrate.upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()
    for _ in made:  # let the generator drop what it made
        pass


def test_the_way_down_and_up_loses_no_ticket_whatever_was_kept_beside_it(new_app: Flask) -> None:
    session, district = db.session(), new_app.extensions["district"]
    given: dict[str, Any] = {"by": KEEPER, "district": district, "session": session, "now": NOW}
    tag = make_tag(1)
    # given a load that class averages share, from a bin: 41 and 11 kg of 52 kg
    with atomic(session):
        month = {"month": date(2026, 11, 1)}
        span = {"first_day": date(2025, 11, 1), "last_day": date(2026, 10, 31), "valid_from": date(2026, 11, 3)}
        session.add(ClassAverageVersion(**month, **span, lines=40, made_at=NOW))
        session.flush()
        for key, mean_g in (("fridge", 41_000), ("fan", 11_000)):
            of = {"station_key": "lincheng", "item_type": key, "mean_g": mean_g}
            session.add(ClassAverage(**month, **of, sd_g=9, units=20, lines=20))
    shared = weigh_in(a_weighing(a_line(), a_line("fan"), net_g=52_000, channel="bin"), scale_number="1", **given)
    assert {line.provenance for line in shared.lines} == {"station_class_average"}
    # a load whose lines the type table shares into the same figures
    weigh_in(a_weighing(a_line(), a_line("washer-top"), net_g=80_000), scale_number="1", **given)
    # a labelled unit off a reading, sealed afterwards, that was handed over and weighed again
    issue_scale_key("lincheng", "1", **given)
    reading = a_reading(session, district, now=NOW)
    read = weigh_in(a_read_weighing(reading.id, a_line(tags=[tag])), scale_number=None, **given)
    with atomic(session):
        session.add(CustodySeal(seal="S-0001", tag=tag, event_id=uuid4(), at=NOW))
        picture = {"sha256": "a" * 64, "sent_sha256": "b" * 64, "width": 1, "height": 1, "size_bytes": 1}
        kept = {"position": 1, "by_id": KEEPER.id, "created_at": NOW, "content": b"1"}
        session.add(TicketPhoto(ticket_id=read.id, **kept, **picture))
    batch = hand_over(a_batch(tags=[tag]), **given)
    re_weigh(batch.id, net_g=71_300, slip=None, **given)
    settled: dict[str, Any] = {"by": CLERK, "session": session, "now": NOW}
    resolve_difference(batch.id, code="their_scale", reason="对方误读", **settled)
    count_stock([Counted(item_type="fridge", units=1, reason="lost")], **given)
    propose_correction(shared.id, None, reason="重复过磅", **given)
    # and an adjustment of a closed month
    adjusted = weigh_in(a_weighing(net_g=40_000), scale_number="1", **given)
    with atomic(session):
        close_month(session, TODAY, by_id=CLERK.id, now=NOW)
    later = given | {"now": NOW + timedelta(days=12)}
    correct_ticket(adjusted.id, a_weighing(net_g=42_000), reason="读数有误", **later)
    session.rollback()
    # when the database moves down, then its figures are what its tickets say: 52 + 80 + 41.3 + 42 kg in 2 + 2 + 1 + 1
    flask_migrate.downgrade(revision="0015")
    figures = session.execute(text("SELECT sum(units), sum(recovered_g), count(distinct day) FROM daily_recovery"))
    assert tuple(map(int, figures.one())) == (6, 215_300, 1)
    assert session.scalars(text("SELECT count(*) FROM intake_ticket")).one() == 5
    session.rollback()
    # and up again everything it ever weighed in lies in stock, since nobody knows of the hand-over any more
    flask_migrate.upgrade()
    lots = session.scalars(select(StockLot)).all()
    assert (sum(lot.left_units for lot in lots), sum(lot.left_g for lot in lots)) == (6, 215_300)
    session.rollback()
