"""Whoever is erased is in no cell of any table any more, while the ledger still counts what was fetched."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import BookingsOutstanding, InvalidInput, NotFound
from recycling.gateways.photo_decoder import PlainPhoto
from recycling.models.booking import Booking, BookingChange
from recycling.models.outbox import OutboxMessage
from recycling.models.people import Resident, SignIn, phone_index
from recycling.models.plan import Plan
from recycling.models.privacy import Erasure
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.proof_photos import Part
from recycling.units import instant_at
from recycling.usecases.bookings.photos import add_photo
from recycling.usecases.bookings.rate_visit import Verdict, rate_visit
from recycling.usecases.field.door_code import door_code_of
from recycling.usecases.field.proof_photos import take_part
from recycling.usecases.messages.deliver import deliver_next
from recycling.usecases.people import traces
from recycling.usecases.people.erase_person import erase_person
from tests.builders import TOMORROW, a_booking, a_resident, a_waiting_wish, a_wish_body, an_address_body
from tests.callers import Caller, Callers, KeptSms
from tests.field_events import an_event
from tests.invariants import assert_invariants
from tests.personal_data import cells, found
from tests.planned_days import a_published_plan, driver_of

PHONE = "13912345678"
STREET = "南临城路 77 号 3 单元 502"
NOTE = "门禁 4321"
LABEL = "外婆家"
# A point to a tenth of a metre, so that no other number of the tables is taken for it.
LAT, LON = 34.812345, 117.254321
# Places whose rows name the account by a foreign key.
NAMING_ROWS = {"bookings", "saved_addresses", "sign_ins", "consents", "limits", "waiting"}
SECRETS = (PHONE, STREET, NOTE, LABEL, str(LAT), str(LON))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """A resident with everything that is kept of somebody, and when their last pickup was over."""

    caller: Caller
    desk: Caller
    booking_ids: tuple[UUID, ...]
    after: datetime


@pytest.fixture
def lived(session: Session, callers: Callers, district: District, now: datetime) -> Lived:
    """A pickup fetched, one cancelled, one booked by the desk, addresses saved by both, looked up, signed in twice."""
    desk = callers.staff("dispatcher")
    looked_up = desk.post("/resident-lookups", {"phone": PHONE, "create": True, "how": "phone"})
    caller = callers.resident(PHONE)
    assert looked_up.get_json()["resident_id"] == str(caller.id)
    place: dict[str, Any] = {"address": STREET, "note": NOTE, "lat": LAT, "lon": LON}
    wish = a_wish_body(**place, pickup_window="all-day")
    fetched = caller.post("/bookings", wish).get_json()["id"]
    microwave = {"items": [{"item_type": "microwave", "quantity": 1}]}
    cancelled = caller.post("/bookings", wish | microwave).get_json()["id"]
    by_desk = desk.post(
        "/bookings",
        wish | {"resident_id": str(caller.id), "consent": "phone", "items": [{"item_type": "desk", "quantity": 1}]},
    ).get_json()["id"]
    gone = caller.call("POST", f"/bookings/{cancelled}/cancellation", If_Match='"1"')
    assert gone.status_code == 200, gone.text
    assert caller.post("/my-addresses", an_address_body(label=LABEL, **place)).status_code == 201
    other_door = an_address_body(label=LABEL, **(place | {"address": f"{STREET} 后门"}), resident_id=str(caller.id))
    assert desk.post("/my-addresses", other_door).status_code == 201
    me = Principal(id=caller.id, role="resident")
    add_photo(
        UUID(fetched), b"as sent", decode=lambda _: PlainPhoto(content=LABEL.encode(), width=1, height=1), by=me,
        district=district, session=session, now=now,
    )  # fmt: skip
    a_waiting_wish(session, me, now=now)
    a_published_plan(session, district=district, now=now)
    session.rollback()
    with time_machine.travel(instant_at(TOMORROW, 10 * 3600), tick=True):
        collector = callers.staff("collector", collector_key=driver_of(session, UUID(fetched)))
        session.rollback()
        driver = Principal(id=collector.id, role="collector", collector_key=driver_of(session, UUID(fetched)))
        take_part(
            sha256(b"as sent").hexdigest(), Part(first=0, last=6, total=7), b"as sent", booking_id=UUID(fetched),
            decode=lambda _: PlainPhoto(content=LABEL.encode(), width=1, height=1), by=driver, session=session, now=now,
        )  # fmt: skip
        with atomic(session):
            door_code_of(UUID(fetched), session=session, now=now)
        for booking_id in (fetched, by_desk):
            reason = {"reason": "nobody_home", "note": f"敲门无人，{NOTE}"}
            event = an_event(booking_id, "failed", payload=reason, device_time="2026-11-24T09:30:00+08:00")
            answer = collector.post("/field-events", {"events": [event]}).get_json()
            assert answer["events"][0]["answer"] == "accepted", answer
    said = Verdict(stars=1, reasons=("late",), words=NOTE)
    noon = instant_at(TOMORROW, 12 * 3600)
    rate_visit(UUID(fetched), said, by=me, district=district, session=session, now=noon)
    ids = tuple(UUID(one) for one in (fetched, cancelled, by_desk))
    return Lived(caller=caller, desk=desk, booking_ids=ids, after=instant_at(TOMORROW, 12 * 3600))


def erased(lived: Lived, session: Session) -> Erasure:
    """The erasure, by the resident."""
    by = Principal(id=lived.caller.id, role="resident")
    return erase_person("删除", by=by, session=session, now=lived.after)


def test_after_an_erasure_no_cell_holds_the_person(session: Session, lived: Lived) -> None:
    # given that the scan finds them where they are kept: accounts, codes, places, plans, addresses, kept answers
    old_id = lived.caller.id
    assert found(session, *SECRETS) >= {
        "resident.phone", "one_time_code.phone", "booking.place", "plan.problem", "saved_address.place",
        "saved_address.label", "idempotency_key.answer", "field_event.words", "rating.words",
    }  # fmt: skip
    assert found(session, str(old_id)) >= {"resident.id", "booking.resident_id", "sign_in.resident_id"}
    # when they are erased
    erased(lived, session)
    # then neither phone, address, note, label nor point is anywhere, nor the digest of the phone, nor their old id
    assert found(session, *SECRETS) == set()
    assert found(session, phone_index(PHONE)) == set()
    assert found(session, str(old_id)) == set()
    assert_invariants(session)


@pytest.mark.parametrize("skipped", traces.TRACES)
def test_control_an_erasure_that_skips_one_place_is_found_out(
    skipped: str, session: Session, lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an erasure that forgets one of the places
    monkeypatch.setitem(traces.TRACES, skipped, lambda _session, _person: 0)
    # when somebody is erased, the database refuses to let go of an account that a row still names
    if skipped in NAMING_ROWS:
        with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
            erased(lived, session)
        return
    erased(lived, session)
    # or else the scan still finds them there
    assert found(session, *SECRETS, str(lived.caller.id)) != set()


def test_what_was_fetched_still_counts_and_leads_to_one_pseudonym(session: Session, lived: Lived) -> None:
    before = session.execute(_counts()).one()
    erasure = erased(lived, session)
    session.expire_all()
    assert session.execute(_counts()).one() == before
    owners = set(session.scalars(select(Booking.resident_id)))
    assert len(owners) == 1
    assert lived.caller.id not in owners
    nobody = session.get_one(Resident, owners.pop())
    assert (nobody.phone, nobody.erased_at) == ("", lived.after)
    assert (erasure.bookings_kept, erasure.addresses_removed) == (3, 2)
    assert (erasure.by_role, erasure.by_id) == ("resident", None)
    # the routes of the day still stand, the door in the planner's file is its neighbourhood
    assert session.scalar(select(func.count()).select_from(Plan)) == 1
    problem = session.scalars(select(Plan.problem)).one()
    stops = [problem["locations"][stop["location"]] for stop in problem["stops"]]
    assert {tuple(place) for place in stops} == {(34.81, 117.25)}
    # what they themselves did stands under the pseudonym too
    assert set(session.scalars(select(BookingChange.by_id).where(BookingChange.by_role == "resident"))) == {nobody.id}


def _counts() -> Any:
    return select(func.count(), func.sum(Booking.declared_g), func.sum(Booking.service_s)).select_from(Booking)


def test_their_devices_are_signed_out_and_nothing_more_is_sent(
    session: Session, lived: Lived, district: District
) -> None:
    erased(lived, session)
    session.expire_all()
    with time_machine.travel(lived.after + timedelta(minutes=1), tick=True):
        assert lived.caller.get("/my-data").status_code == 401
    assert session.scalars(select(SignIn.ended_at).where(SignIn.resident_id.is_not(None))).all() == [lived.after]
    session.rollback()
    sms = KeptSms()
    while deliver_next(sms=sms, district=district, session=session, now=lived.after + timedelta(hours=1)):
        pass
    assert [phone for phone, _ in sms.sent if phone in ("", PHONE)] == []
    ends = session.scalars(select(OutboxMessage.last_error).where(OutboxMessage.recipient_kind == "resident")).all()
    assert set(ends) == {"obsolete: the resident was erased"}


def test_the_same_phone_later_is_a_new_resident(app: Flask, session: Session, lived: Lived, callers: Callers) -> None:
    erased(lived, session)
    session.rollback()
    with time_machine.travel(lived.after + timedelta(hours=1), tick=True):
        again = callers.resident(PHONE)
        assert again.id != lived.caller.id
        held = again.get("/my-data").get_json()
        assert (held["bookings"], held["addresses"], held["messages"]) == ([], [], [])


def test_whoever_is_awaited_is_not_erased_and_hears_by_whom(
    session: Session, district: District, now: datetime
) -> None:
    resident = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, by=resident)
    booking_id = booking.id
    with pytest.raises(BookingsOutstanding, match=str(booking_id)):
        erase_person("ERASE", by=resident, session=session, now=now)
    assert session.get_one(Booking, booking_id).place["address"] != ""
    session.rollback()
    # on the day itself still, the day after no more
    with pytest.raises(BookingsOutstanding):
        erase_person("ERASE", by=resident, session=session, now=instant_at(TOMORROW, 23 * 3600))
    erase_person("ERASE", by=resident, session=session, now=instant_at(TOMORROW, 25 * 3600))
    assert session.get_one(Booking, booking_id, populate_existing=True).place["address"] == ""


def test_others_keep_everything(session: Session, lived: Lived, district: District, now: datetime) -> None:
    # given a neighbour with a booking and an address of their own, and a plan both are in
    neighbour = a_resident(session, now=now)
    later = TOMORROW + timedelta(days=2)
    a_booking(session, district=district, now=now, by=neighbour, day=later, address="别家 5 号", lat=34.801111)
    a_published_plan(session, district=district, now=now, day=later)
    theirs = sum("别家 5 号" in str(value) or "34.801111" in str(value) for _, value in cells(session))
    assert theirs == 3  # booking, plan and tentative route
    erased(lived, session)
    assert sum("别家 5 号" in str(value) or "34.801111" in str(value) for _, value in cells(session)) == theirs


def test_a_matrix_by_road_loses_the_ways_to_the_door(session: Session, lived: Lived) -> None:
    # given that the day's plan has a matrix of its own
    problem = session.scalars(select(Plan.problem)).one()
    at = {stop["location"] for stop in problem["stops"]}
    size = len(problem["locations"])
    session.execute(update(Plan).values(travel=a_matrix_file(size, 987_654)))
    session.commit()
    assert "plan.travel" in found(session, "987654")
    # when the person behind its only doors is erased
    erased(lived, session)
    # then nothing leads there, and the ways between stations stay
    session.expire_all()
    text = str(matrix_of(session))
    assert text.count("987654") == (size - len(at)) ** 2


def a_matrix_file(size: int, seconds: int) -> bytes:
    """A plan's matrix with one figure in every cell."""
    file = io.BytesIO()
    cells_ = np.full((size, size), seconds, dtype=np.int32)
    np.savez_compressed(file, travel_s=cells_, distance_m=np.zeros_like(cells_))
    return file.getvalue()


def matrix_of(session: Session) -> list[list[int]]:
    """The seconds of the plan's matrix."""
    stored = session.scalars(select(Plan.travel)).one()
    assert stored is not None
    with np.load(io.BytesIO(stored), allow_pickle=False) as arrays:
        rows: list[list[int]] = arrays["travel_s"].tolist()
    return rows


def test_the_desk_erases_whom_it_names_and_nobody_twice(session: Session, lived: Lived) -> None:
    by = Principal(id=lived.desk.id, role="dispatcher")
    with pytest.raises(InvalidInput, match="name the resident"):
        erase_person("ERASE", by=by, session=session, now=lived.after)
    erasure = erase_person("ERASE", by=by, session=session, now=lived.after, resident_id=lived.caller.id)
    assert (erasure.by_role, erasure.by_id) == ("dispatcher", lived.desk.id)
    assert found(session, *SECRETS) == set()
    with pytest.raises(NotFound):
        erase_person("ERASE", by=by, session=session, now=lived.after, resident_id=lived.caller.id)
    # nor is the pseudonym anybody
    nobody = session.scalars(select(Booking.resident_id).limit(1)).one()
    with pytest.raises(NotFound):
        erase_person("ERASE", by=by, session=session, now=lived.after, resident_id=nobody)


def test_nobody_is_erased_by_a_slip_or_by_another_resident(session: Session, now: datetime) -> None:
    resident, other = a_resident(session, now=now), a_resident(session, now=now)
    for word in ("", "yes", "erase", "删 除"):
        with pytest.raises(InvalidInput, match="confirmation"):
            erase_person(word, by=resident, session=session, now=now)
    with pytest.raises(InvalidInput, match="not you"):
        erase_person("ERASE", by=resident, session=session, now=now, resident_id=other.id)
    assert session.scalar(select(func.count()).select_from(Resident)) == 2
