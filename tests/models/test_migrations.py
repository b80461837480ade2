"""Moving a database that holds bookings from counters to routes, and back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import DateTime, Uuid, bindparam, insert, inspect, select, text
from sqlalchemy.orm import Session

from recycling.app import create_app
from recycling.extensions import db
from recycling.models.booking import Booking, BookingChange
from recycling.models.ledger import DayLedger
from recycling.models.people import Resident, phone_index
from recycling.routing.solve import solve
from recycling.usecases.audit.verify_records import verify_records
from recycling.usecases.bookings.book_pickup import hold_pickup
from recycling.usecases.bookings.rebuild_limits import rebuild_limits
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.planning.improve_day import days_in_need, improve_day
from tests.builders import TOMORROW, VILLAGE, a_resident, a_wish
from tests.conftest import ENGINES, NOW, fresh_postgres, test_settings
from tests.invariants import assert_invariants, broken
from tests.loads import a_keeper, a_weighing
from tests.places import places

PLANNED = date(2026, 11, 23)  # a day whose plan is published
OLD_LEDGER = """
    INSERT INTO day_ledger (day, area, closed, service_used_s, service_cap_s, load_used_g, load_cap_g, load_used_l,
    load_cap_l) VALUES (:day, :area, :closed, 0, 9, 0, 9, 0, 9)
"""


@pytest.fixture(params=ENGINES)
def old_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The app over a database that stands at the revision with counters."""
    made = iter([f"sqlite:///{tmp_path / 'old.db'}"]) if request.param == "sqlite" else fresh_postgres()
    app = create_app(test_settings(next(made)))
    with app.app_context():
        flask_migrate.upgrade(revision="0002")
        yield app
        db.session.remove()
        db.engine.dispose()
    for _ in made:  # let the generator drop what it made
        pass


# In text: the model's columns are those of today.
OLD_ITEM = text(
    "INSERT INTO booked_item (booking_id, item_type, declared_units, dismantle, collected_units, weighed_units)"
    " VALUES (:booking_id, 'fridge', 1, false, 0, 0)"
).bindparams(bindparam("booking_id", type_=Uuid))


def an_old_booking(session: Session, *, window: str) -> UUID:
    """A fridge booked for tomorrow, column by column as the old state has them."""
    resident_id, booking_id, phone = uuid4(), uuid4(), f"136{uuid4().int % 10**8:08d}"
    session.execute(
        insert(Resident).values(id=resident_id, phone=phone, phone_index=phone_index(phone), created_at=NOW)
    )
    session.execute(
        insert(Booking.__table__).values(  # type: ignore[arg-type]  # a Table, by SQLAlchemy's wider word
            id=booking_id, resident_id=resident_id, day=TOMORROW, area="lincheng", pickup_window=window,
            village_code=VILLAGE, place={"address": "清泉路 1 号", "lat": 34.8, "lon": 117.26, "note": ""}, floor=1,
            has_lift=False, state="booked", service_s=1020, declared_g=40_800, declared_l=800, made_up=False,
            version=1, created_at=NOW, changed_at=NOW,
        )
    )  # fmt: skip
    session.execute(OLD_ITEM, {"booking_id": booking_id})
    session.execute(
        insert(BookingChange).values(
            id=uuid4(), booking_id=booking_id, at=NOW, by_id=resident_id, by_role="resident", kind="booked",
            state="booked", version=1,
        )
    )  # fmt: skip
    return booking_id


def test_days_with_counters_keep_their_bookings_and_the_planner_gives_each_its_place(old_app: Flask) -> None:
    session, district = db.session(), old_app.extensions["district"]
    # given two bookings for tomorrow, counted in two areas, and a day that is planned
    ids = {an_old_booking(session, window=window) for window in ("08-10", "13-15")}
    for day, area, closed in ((TOMORROW, "lincheng", False), (TOMORROW, "xingren", False), (PLANNED, "lincheng", True)):
        session.execute(text(OLD_LEDGER), {"day": day, "area": area, "closed": closed})
    session.commit()
    # when the database goes up
    flask_migrate.upgrade()
    # then each day has one row, the planned one is closed, and tomorrow waits for the planner
    rows = {row.day: (row.version, row.improved_version, row.closed) for row in session.scalars(select(DayLedger))}
    assert rows == {TOMORROW: (1, 0, False), PLANNED: (1, 0, True)}
    days = [TOMORROW + timedelta(days=n) for n in range(3)]
    assert days_in_need(days, session=session) == [TOMORROW]
    assert [key.split()[0] for key in broken(session)] == ["I-1"]  # bookings without a place, until
    # when it has worked on the day
    done = improve_day(TOMORROW, district=district, session=session, now=NOW, seconds=2, workers=1, seed=1, solve=solve)
    # then each booking has its place
    assert done.outcome == "improved"
    assert places(session) == {("2026-11-24", "08-10"): 1, ("2026-11-24", "13-15"): 1}
    assert set(session.scalars(select(Booking.id))) == ids
    assert days_in_need(days, session=session) == []
    # the limits of old bookings are counted by a command, `flask limits rebuild`
    rebuild_limits(district=district, session=session, now=NOW)
    assert_invariants(session)


def test_going_back_keeps_bookings_and_drops_holds(old_app: Flask) -> None:
    session, district = db.session(), old_app.extensions["district"]
    kept = an_old_booking(session, window="08-10")
    session.commit()
    flask_migrate.upgrade()
    hold_pickup(a_wish(), by=a_resident(session, now=NOW), district=district, session=session, now=NOW)
    session.rollback()
    # when the database goes back
    flask_migrate.downgrade(revision="0002")
    # then the booking is there and the hold is not, and so are the counters, empty
    assert session.execute(text("SELECT state FROM booking")).scalars().all() == ["booked"]
    assert session.execute(text("SELECT count(*) FROM booked_item")).scalar_one() == 1
    for table in ("day_ledger", "window_ledger"):
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
    assert "tentative_route" not in inspect(session.connection()).get_table_names()
    session.rollback()
    # and forward again
    flask_migrate.upgrade()
    assert session.scalars(select(Booking.id)).all() == [kept]


OLD_TICKET = text(
    "INSERT INTO intake_ticket (id, station_key, scale_number, number, channel, day, gross_g, tare_g, net_g, refused_g,"
    " keeper_id, weighed_at, made_up) VALUES (:id, 'lincheng', '1', 1, 'walk_in', '2026-11-23', 51300, 10000, 41300, 0,"
    " :id, :at, false)"
).bindparams(bindparam("id", type_=Uuid), bindparam("at", type_=DateTime(timezone=True)))


def test_a_scale_from_before_macs_weighs_on_and_its_old_tickets_pass(old_app: Flask) -> None:
    session, district = db.session(), old_app.extensions["district"]
    flask_migrate.upgrade(revision="0015")
    session.execute(text("INSERT INTO scale (station_key, scale_number, last_number) VALUES ('lincheng', '1', 1)"))
    session.execute(OLD_TICKET, {"id": uuid4(), "at": NOW})
    session.commit()
    flask_migrate.upgrade()
    weigh_in(a_weighing(), scale_number="1", by=a_keeper(), district=district, session=session, now=NOW)
    found = verify_records(session=session, now=NOW).findings
    assert [one for one in found if one.kind in ("ticket", "scale")] == []
