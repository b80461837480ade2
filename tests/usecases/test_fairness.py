"""A week in figures out of what crews recorded: their hours, what they carried and how high, prices they lowered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.base import table_of
from recycling.models.booking import Booking
from recycling.models.field import FieldEvent
from recycling.models.plan import RouteStop
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import instant_at, second_of_day
from recycling.usecases.queries.fairness import fairness, fairness_csv, my_figures
from tests.builders import TOMORROW
from tests.field_months import VEHICLES, Month, true_values

WEEK = "2026-W48"
LATER = instant_at(TOMORROW + timedelta(days=1), 8 * 3600)


def week(session: Session, district: District) -> dict[str, dict[str, Any]]:
    found = fairness(WEEK, district=district, session=session, now=LATER)
    session.rollback()
    return {row["collector_key"]: row for row in found["collectors"]}


def test_a_recorded_day_counts_as_recorded_and_not_as_planned(session: Session, district: District) -> None:
    # given a day of two trucks, driven 1.4 times as long as planned
    month = Month(session, district, true_values(district, off=1.4, travel=1.3, wild=0))
    plan = month.play_day(TOMORROW)
    rows = week(session, month.district)
    for route in plan.routes:
        crew = [rider.collector_key for rider in route.crew]
        events = session.scalars(select(FieldEvent).where(FieldEvent.vehicle_key == route.vehicle_key)).all()
        made = [event.made_at for event in events]
        ids = select(RouteStop.booking_id).where(RouteStop.route_id == route.id)
        bookings = session.scalars(select(Booking).where(Booking.id.in_(ids))).all()
        for key in crew:
            row = rows[key]
            # then the hours are from the first record to the last, the driving lies inside them and above the plan's
            assert (row["days"], row["days_recorded"]) == (1, 1)
            assert row["worked_s"] == round((max(made) - min(made)).total_seconds())
            assert route.travel_s < row["driven_s"] < row["worked_s"]
            # every pickup was collected as declared: half of its mass each
            assert row["stops"] == len(bookings)
            assert row["carried_g"] == round(sum(booking.declared_g for booking in bookings) / len(crew))
            # storeys: without a lift, floor - 1 for each load; a fridge and a washing machine are loads of their own,
            # what is lighter than 25 kg goes together, here never more than that
            climbed = sum(
                (booking.floor - 1) * _loads({item.item_type for item in booking.items})
                for booking in bookings
                if not booking.has_lift
            )
            assert row["storeys"] == round(climbed / len(crew))
            assert row["late_shifts"] == (second_of_day(max(made), day=TOMORROW) > 18 * 3600)


def _loads(kinds: set[str]) -> int:
    return len(kinds & {"fridge", "washer-top"}) + bool(kinds & {"tv-flat", "microwave"})


def test_a_vehicle_called_out_in_the_course_of_the_day_counts(session: Session, district: District) -> None:
    # given a day, and a vehicle that was on no route in the evening, whose crew recorded an hour of it
    month = Month(session, district, true_values(district, off=1.0, travel=1.0, wild=0))
    month.play_day(TOMORROW)
    assert "c21" not in week(session, district)
    started = session.scalars(select(FieldEvent).where(FieldEvent.kind == "shift_start").limit(1)).one()
    names = [column.name for column in table_of(FieldEvent).columns if column.name != "words"]
    facts = {name: getattr(started, name) for name in names} | {"vehicle_key": "shagou-1", "device_id": uuid4()}
    with atomic(session):
        for kind, minutes in (("shift_start", 0), ("shift_end", 60)):
            later = {"event_id": uuid4(), "kind": kind, "made_at": started.made_at + timedelta(minutes=minutes)}
            session.add(FieldEvent(**facts | later | {"device_seq": minutes + 1}))
    # then each of its crew of two has worked an hour
    rows = week(session, district)
    assert [(rows[key]["days_recorded"], rows[key]["worked_s"]) for key in ("c21", "c22")] == [(1, 3_600)] * 2


def test_a_price_below_the_estimate_counts_for_whoever_recorded_it(session: Session, district: District) -> None:
    # given a day, and two records of one collector that say another price: far below the estimate, and far above
    month = Month(session, district, true_values(district, off=1.0, travel=1.0, wild=0))
    month.play_day(TOMORROW)
    done = session.scalars(select(FieldEvent).where(FieldEvent.kind == "collected").limit(2)).all()
    names = [column.name for column in table_of(FieldEvent).columns if column.name != "words"]
    with atomic(session):
        for number, (event, fen) in enumerate(zip(done, (-10_000_000, 10_000_000), strict=True)):
            facts = {name: getattr(event, name) for name in names}
            change = {"reason": "condition_differs", "fen": fen, "agreed": True}
            session.add(
                FieldEvent(
                    **facts
                    | {"event_id": uuid4(), "device_seq": 2_000_000_000 + number, "payload": {"price_change": change}}
                )
            )
    # then only the one below counts, for that collector and not for the other of the crew
    by_key = {collector.id: key for key, collector in zip(VEHICLES.values(), month.crews.values(), strict=True)}
    lowered = {key: row["prices_down"] for key, row in week(session, month.district).items() if row["prices_down"]}
    assert lowered == {by_key[done[0].collector_id]: 1}


def test_a_collector_is_told_their_own_week_and_of_too_few_no_middle(session: Session, district: District) -> None:
    month = Month(session, district, true_values(district, off=1.0, travel=1.0, wild=0))
    month.play_day(TOMORROW)
    rows = week(session, month.district)
    (first, by), *_ = month.crews.items()
    own = my_figures(WEEK, by=by, district=month.district, session=session, now=LATER)
    assert own["own"]["worked_s"] == rows[VEHICLES[first]]["worked_s"]
    assert own["median"] is None  # of four people
    nobody = Principal(id=uuid4(), role="collector", collector_key="c99")
    idle = my_figures(None, by=nobody, district=month.district, session=session, now=LATER)
    assert (idle["week"], idle["own"]["days"]) == (WEEK, 0)
    session.rollback()


def test_the_table_for_a_spreadsheet_has_a_row_for_each_collector(session: Session, district: District) -> None:
    Month(session, district, true_values(district, off=1.0, travel=1.0, wild=0)).play_day(TOMORROW)
    report = fairness(WEEK, district=district, session=session, now=LATER)
    session.rollback()
    head, *lines = fairness_csv(report).removeprefix("\ufeff").splitlines()
    assert head == (
        "collector_key,name_zh,days,days_recorded,worked_s,driven_s,stops,carried_g,storeys,early_shifts,late_shifts,"
        "prices_down,far_off"
    )
    assert [line.split(",")[0] for line in lines] == [row["collector_key"] for row in report["collectors"]]
