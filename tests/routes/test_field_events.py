"""Field records over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.units import instant_at
from tests.builders import TOMORROW, a_booking
from tests.callers import Caller, Callers
from tests.field_events import an_event
from tests.planned_days import a_published_plan, driver_of


@pytest.fixture
def booking_id(session: Session, district: District, now: datetime) -> UUID:
    """A fridge on a published route of tomorrow."""
    found = a_booking(session, district=district, now=now).id
    a_published_plan(session, district=district, now=now)
    return found


@pytest.fixture
def collector(session: Session, callers: Callers, booking_id: UUID) -> Iterator[Caller]:
    """Who drives it, at nine on its day."""
    key = driver_of(session, booking_id)
    session.rollback()
    with time_machine.travel(instant_at(TOMORROW, 9 * 3600), tick=True):
        yield callers.staff("collector", collector_key=key)


def collected(booking_id: UUID, **overrides: Any) -> dict[str, Any]:
    """The fridge collected at five past nine."""
    items = [{"item_type": "fridge", "units": 1, "estimated_g": 41_000, "condition": "working"}]
    return an_event(booking_id, payload={"items": items}, device_time="2026-11-24T09:05:00+08:00") | overrides


def send(caller: Caller, *events: Any) -> list[dict[str, Any]]:
    """Send records, and return what became of each."""
    answer = caller.post("/field-events", {"events": list(events)})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["events"]
    return found


def test_a_batch_is_answered_record_by_record_in_its_sequence(
    callers: Callers, collector: Caller, booking_id: UUID
) -> None:
    done = collected(booking_id)
    altered = done | {"device_time": "2026-11-24T09:06:00+08:00"}
    unknown = collected(uuid4())
    answers = send(collector, unknown, done, done, altered)
    assert [(one["event_id"], one["answer"], one["code"]) for one in answers] == [
        (unknown["event_id"], "refused", "not_found"),
        (done["event_id"], "accepted", None),
        (done["event_id"], "duplicate", None),
        (done["event_id"], "conflict", "event_id_reused"),
    ]
    # the whole batch again changes nothing more
    assert [one["answer"] for one in send(collector, unknown, done)] == ["refused", "duplicate"]
    booking = callers.staff("dispatcher").get(f"/bookings/{booking_id}").get_json()
    assert (booking["state"], booking["version"]) == ("collected", 2)
    assert [(item["item_type"], item["collected_units"]) for item in booking["items"]] == [("fridge", 1)]


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"event_id": "1"}, "event_id"),
        ({"kind": "stolen"}, "kind"),
        ({"device_time": "2026-11-24T09:05:00"}, "device_time"),
        ({"device_time": 1_790_000_000}, "device_time"),
        ({"device_seq": 0}, "device_seq"),
        ({"payload": {"items": [{"item_type": "fridge", "units": 0}]}}, "payload.items.0.units"),
        ({"payload": {"items": [{"item_type": "fridge", "units": "1"}]}}, "payload.items.0.units"),
        ({"payload": {"items": [{"item_type": "fridge", "units": 1, "weighed_g": 4}]}}, "payload.items.0.weighed_g"),
        ({"state": "collected"}, "state"),
    ],
)
def test_a_record_of_the_wrong_form_is_refused_by_field_and_takes_nothing_from_the_others(
    callers: Callers, collector: Caller, booking_id: UUID, overrides: dict[str, Any], field: str
) -> None:
    wrong = collected(booking_id, **overrides)
    (answer, other) = send(collector, wrong, collected(booking_id))
    assert (answer["answer"], answer["status"], answer["code"]) == ("refused", 422, "invalid_input")
    assert answer["detail"].startswith(f"{field}: ")
    # a record is named in its answer as far as its name can be read
    assert answer["event_id"] == (None if "event_id" in overrides else wrong["event_id"])
    assert (other["answer"], other["status"]) == ("accepted", 201)
    booking = callers.staff("dispatcher").get(f"/bookings/{booking_id}").get_json()
    assert booking["state"] == "collected"


@pytest.mark.parametrize("wrong", [None, 7, "record", [], {}])
def test_what_is_no_record_at_all_is_refused_alone(collector: Caller, booking_id: UUID, wrong: Any) -> None:
    answers = send(collector, wrong, collected(booking_id))
    assert [(one["event_id"] is None, one["answer"]) for one in answers] == [(True, "refused"), (False, "accepted")]


def test_a_batch_holds_one_to_a_hundred_records(collector: Caller, booking_id: UUID) -> None:
    assert collector.post("/field-events", {"events": []}).status_code == 422
    many = [collected(booking_id) for _ in range(101)]
    assert collector.post("/field-events", {"events": many}).status_code == 422


def test_only_collectors_record_and_only_on_their_own_route(
    callers: Callers, district: District, collector: Caller, booking_id: UUID
) -> None:
    for caller in (callers.resident(), callers.staff("dispatcher"), callers.staff("keeper")):
        assert caller.post("/field-events", {"events": [collected(booking_id)]}).status_code == 403
    stranger = callers.staff("collector", collector_key="c03")  # a van that no fridge is given to
    (answer,) = send(stranger, collected(booking_id))
    assert (answer["answer"], answer["code"]) == ("refused", "not_found")


def test_everybody_can_read_why_visits_fail(callers: Callers) -> None:
    answer = callers.app.test_client().get("/failed-visit-codes")
    codes = {row["code"]: row for row in answer.get_json()["failed_visit_codes"]}
    assert (codes["nobody_home"]["name_zh"], codes["nobody_home"]["name_en"]) == ("无人应答", "Nobody home")
    assert codes["nobody_home"]["for_partly"] is False


def test_everybody_may_read_what_proves_a_visit_today(callers: Callers) -> None:
    # when an app asks without a sign-in
    rules = {row["key"]: row for row in callers.app.test_client().get("/proof-rules").get_json()["proof_rules"]}

    # then it learns what config/policy/proof.toml asks for: a code or a signature, and a photo from 500 yuan
    assert rules["handed-over"]["any_of"] == ["code", "signature"]
    assert rules["high-value"]["least_value_fen"] == 50_000
    assert rules["called"]["reasons"] == ["nobody_home"]
