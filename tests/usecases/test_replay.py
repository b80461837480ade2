"""A past day answers the same bytes for the same instant, whatever is recorded after it, and names nobody."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.models.booking import Booking
from recycling.models.field import FieldEvent
from recycling.models.plan import Plan
from recycling.models.transaction import atomic, rows_met
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.field.rule_on_event import rule_on_event
from recycling.usecases.housekeeping import clean_up
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.people.erase_person import erase_person
from recycling.usecases.queries.replay import replay
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.report_body import canonical
from tests.builders import DISPATCHER, TOMORROW, a_booking, a_resident
from tests.callers import Callers
from tests.loads import a_keeper, a_line, a_weighing, collect
from tests.signers import a_published_report

MUCH_LATER = timedelta(days=400)


def shown(day: date, as_of: datetime, session: Session) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(replay(day, session=session, now=as_of + MUCH_LATER, as_of=as_of))["replay"]
    return found


def states(known: dict[str, Any]) -> dict[str, str]:
    return {row["id"]: row["state"] for row in known["bookings"]}


def test_a_booking_is_where_it_was_and_as_it_was(session: Session, district: District, now: datetime) -> None:
    resident = a_resident(session, now=now)
    given: dict[str, Any] = {"by": resident, "district": district, "session": session}
    moved = a_booking(**given, now=now)
    stays = a_booking(**given, now=now, items=wished("fan", 2))
    minutes = [now + timedelta(minutes=number) for number in range(1, 4)]
    other_day = TOMORROW + timedelta(days=1)
    amend_pickup(moved.id, {"day": other_day, "items": wished("fridge", 2)}, version=1, **given, now=minutes[0])
    cancel_pickup(stays.id, version=1, **given, now=minutes[1])
    # before: both stand on the day, as they were wished for
    first = shown(TOMORROW, now, session)
    assert states(first) == {str(moved.id): "booked", str(stays.id): "booked"}
    asked = {row["id"]: (row["items"], row["area"], row["pickup_window"]) for row in first["bookings"]}
    assert asked[str(moved.id)] == ({"fridge": 1}, "lincheng", "08-10")
    assert asked[str(stays.id)] == ({"fan": 2}, "lincheng", "08-10")
    # then one is on another day, with other items, and at last the other is cancelled
    assert states(shown(TOMORROW, minutes[0], session)) == {str(stays.id): "booked"}
    (row,) = shown(other_day, minutes[0], session)["bookings"]
    assert (row["id"], row["items"], row["version"]) == (str(moved.id), {"fridge": 2}, 2)
    assert states(shown(TOMORROW, minutes[1], session)) == {str(stays.id): "cancelled"}
    assert shown(TOMORROW, now - timedelta(seconds=1), session)["bookings"] == []


def wished(item_type: str, quantity: int) -> list[Any]:
    return [WishedItem(item_type=item_type, quantity=quantity)]


@pytest.fixture
def lived(session: Session, district: District, now: datetime) -> datetime:
    """A pickup of tomorrow that was fetched and weighed, and a report; the instant after all that."""
    booking = a_booking(session, district=district, now=now, address="南临城路 77 号 3 单元")
    collect(session, booking, district=district, now=now)
    noon = instant_at(TOMORROW, 12 * 3600)
    load = a_weighing(a_line(booking_id=booking.id))
    weigh_in(load, scale_number="1", by=a_keeper(), district=district, session=session, now=noon)
    make_goal_report("2026-11", district=district, session=session, now=noon + timedelta(hours=1))
    return noon + timedelta(hours=2)


def test_a_day_tells_what_was_planned_what_happened_and_what_came_out(session: Session, lived: datetime) -> None:
    known = shown(TOMORROW, lived, session)
    (booking,), (plan,), (event,) = known["bookings"], known["plans"], known["field_events"]
    (ticket,), (report,) = known["tickets"], known["reports"]
    assert booking["state"] == "collected"
    assert (plan["version"], plan["routes"][0]["stops"][0]["booking_id"]) == (1, booking["id"])
    assert plan["published_at"] is not None
    assert (event["kind"], event["booking_id"], event["items"]) == (
        "collected", booking["id"], [{"item_type": "fridge", "units": 1}],
    )  # fmt: skip
    assert (ticket["net_g"], ticket["lines"][0]["town_key"], ticket["replaced_by_id"]) == (41_300, "lincheng", None)
    assert (report["period"], report["version"]) == ("2026-11", 1)


def test_what_comes_later_changes_no_byte_of_an_earlier_instant(
    session: Session, district: District, now: datetime, lived: datetime
) -> None:
    given: dict[str, Any] = {"session": session, "now": lived + MUCH_LATER}
    before = replay(TOMORROW, **given, as_of=lived)
    assert replay(TOMORROW, **given, as_of=lived) == before
    # when a ticket is corrected, a record ruled on, a report made anew, the resident erased, and a year goes by
    known = json.loads(before)["replay"]
    later: dict[str, Any] = {"district": district, "session": session, "now": lived + timedelta(hours=1)}
    event_id = session.scalars(select(FieldEvent.event_id)).one()
    heavier = a_weighing(a_line(booking_id=UUID(known["bookings"][0]["id"])), net_g=45_000)
    correct_ticket(UUID(known["tickets"][0]["id"]), heavier, reason="复核", by=a_keeper(), **later)
    rule_on_event(event_id, counts=True, note="已核实", by=DISPATCHER, **later)
    make_goal_report("2026-11", **later)
    resident_id = session.scalars(select(Booking.resident_id)).one()
    session.rollback()
    with atomic(session):  # a plan written by hand has no places to be coarsened
        rows_met(session, update(Plan).values(blanked_at=lived))
    next_week = lived + timedelta(days=7)
    erase_person("删除", by=Principal(id=resident_id, role="resident"), session=session, now=next_week)
    clean_up(district.privacy, session=session, now=lived + timedelta(days=399))
    # then the instant answers as before, and a later one otherwise
    assert replay(TOMORROW, **given, as_of=lived) == before
    known = shown(TOMORROW, lived + timedelta(hours=1), session)
    assert [ticket["net_g"] for ticket in known["tickets"]] == [41_300, 45_000]
    assert known["tickets"][0]["replaced_by_id"] == known["tickets"][1]["id"]
    assert known["field_events"][0]["rulings"][0]["counts"] is True
    assert [report["version"] for report in known["reports"]] == [1, 2]


def test_reports_of_every_kind_that_tell_of_the_day_came_out_and_were_published_when_they_were(
    session: Session, district: District, now: datetime
) -> None:
    weigh_in(a_weighing(), scale_number="1", by=a_keeper(), district=district, session=session, now=now)
    december = now + timedelta(days=10)
    a_published_report(session, district=district, now=december)
    for period in ("2026-11-01..2026-11-20", "2026-11-20..2026-12-02", "2026-Q4", "2026-12"):
        make_goal_report(period, district=district, session=session, now=december)
    day = now.date()
    told = [(one["period"], one["published_at"]) for one in shown(day, december, session)["reports"]]
    at = december.astimezone(UTC).isoformat(timespec="microseconds")
    assert told == [("2026-11", at), ("2026-11-20..2026-12-02", None), ("2026-Q4", None)]
    assert shown(day, december - timedelta(seconds=1), session)["reports"] == []


def test_the_digest_is_that_of_the_canonical_form_and_nothing_of_it_is_about_people(
    session: Session, lived: datetime
) -> None:
    answer = replay(TOMORROW, session=session, now=lived)
    found = json.loads(answer)
    assert found["sha256"] == hashlib.sha256(canonical(found["replay"])).hexdigest()
    assert canonical(found) == answer
    text = answer.decode()
    for word in ("南临城", "117.26", "34.8", "resident", "1370000", "address", "lat"):
        assert word not in text.replace("plate", "").replace("late", ""), word
    assert found["replay"]["as_of"] == lived.isoformat(timespec="microseconds")


def test_an_instant_ahead_is_refused(session: Session, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="lies ahead"):
        replay(TOMORROW, session=session, now=now, as_of=now + timedelta(seconds=1))


def test_the_endpoint_and_the_command_give_the_same_bytes(
    app: Flask, session: Session, district: District, now: datetime, callers: Callers
) -> None:
    booking = a_booking(session, district=district, now=now)
    session.rollback()
    clerk = callers.staff("clerk")
    address = f"/replays/{TOMORROW}?as_of={now.isoformat().replace('+00:00', 'Z')}"
    answer = clerk.get(address)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.data == clerk.get(address).data == replay(TOMORROW, session=session, now=now, as_of=now)
    assert str(booking.id) in answer.text
    # local time where no offset is given: ten in the morning
    said = app.test_cli_runner().invoke(args=["replay", str(TOMORROW), "--as-of", "2026-11-23T10:00:00"])
    assert said.output.strip().encode() == answer.data
    assert clerk.get("/replays/tomorrow").status_code == 404
    assert clerk.get(f"/replays/{TOMORROW}?as_of=2030-01-01T00:00:00Z").status_code == 422
    assert clerk.get(f"/replays/{TOMORROW}?as_of=2026-11-23").status_code == 422
    assert json.loads(clerk.get(f"/replays/{TOMORROW}").data)["replay"]["bookings"] != []
