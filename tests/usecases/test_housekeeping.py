"""What has served its time is deleted or blanked, and nothing before; the time is the one the privacy notice tells."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from recycling.clock import service_day
from recycling.errors import NotFound
from recycling.gateways.photo_decoder import PlainPhoto
from recycling.models.base import Base
from recycling.models.booking import BLANK_PLACE, Booking
from recycling.models.counters import AttemptCounter
from recycling.models.day_change import DayChangeRow
from recycling.models.idempotency import IdempotencyKey
from recycling.models.people import OneTimeCode, SignIn, UsedDeviceProof
from recycling.models.photo import Photo, PhotoCount
from recycling.models.plan import Plan
from recycling.models.privacy import Erasure, ResidentLookup
from recycling.models.proof import DoorCode, ProofCount, ProofPart, ProofPhoto, ProofUpload
from recycling.models.receipt import SmsReceipt
from recycling.models.ticket_photo import TicketPhoto
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.policy.privacy import LEAST_DAYS
from recycling.policy.proof_photos import Part
from recycling.usecases.bookings.photos import add_photo
from recycling.usecases.field.door_code import door_code_of
from recycling.usecases.field.proof_photos import take_part
from recycling.usecases.housekeeping import clean_up
from recycling.usecases.intake.ticket_photos import add_ticket_photo
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.queries.bookings import booking_in_full
from recycling.usecases.queries.plans import plan_in_full, planner_file
from recycling.usecases.queries.ticket_photos import list_ticket_photos
from recycling.usecases.reporting.taken_in import broken_chains, read_heads
from tests.builders import TOMORROW, a_booking, a_resident
from tests.loads import a_keeper, a_weighing
from tests.planned_days import TRUCK, TRUCK_CREW, a_collector, a_published_plan, with_vehicles

SECOND = timedelta(seconds=1)
BY_AGE = (OneTimeCode, IdempotencyKey, AttemptCounter, SignIn, ResidentLookup, Erasure)


def test_each_kind_goes_a_second_after_the_time_that_the_notice_tells(
    session: Session, district: District, now: datetime
) -> None:
    # given of each kind one row that is exactly as old as the notice says it may become, and one a second older
    resident, staff = a_resident(session, now=now), a_collector(session, "c01", now=now)
    days = {key: timedelta(days=district.privacy.data[key].kept_days or 0) for key in LEAST_DAYS}
    for older in (timedelta(0), SECOND):
        before = {key: now - kept - older for key, kept in days.items()}
        session.add_all([
            OneTimeCode(
                phone="13800138000", code_digest=b"0" * 32, tries_left=0, expires_at=before["one-time-codes"]
            ),
            IdempotencyKey(
                caller_id=uuid4(), endpoint="POST /bookings", key="k", fingerprint=b"0" * 32, answer={"status": 201},
                created_at=before["idempotency-keys"],
            ),
            AttemptCounter(
                kind="code_phone", subject=b"0" * 32, period_s=60, starts_at=before["attempt-counters"], used=1
            ),
            SignIn(
                resident_id=resident.id, created_at=now - timedelta(days=2000), expires_at=now,
                ended_at=before["sign-ins"],
            ),
            SmsReceipt(
                provider="one", receipt_id=f"r{older}", reference="x", state="delivered", reported_at=now,
                received_at=now - timedelta(days=190) - older,
            ),
            SignIn(
                resident_id=resident.id, created_at=now - timedelta(days=2000), expires_at=before["sign-ins"] - SECOND,
            ),
            ResidentLookup(at=before["resident-lookups"], by_id=staff.id, resident_id=None, created=False),
            Erasure(at=before["erasures"], by_role="resident", bookings_kept=0, addresses_removed=0),
        ])  # fmt: skip
    session.commit()
    # when the house is kept, twice
    gone = clean_up(district.privacy, session=session, now=now)
    # then the older ones are gone, the others stay, and nothing is left to do; of the sign-ins the two that only ran
    # out are both older
    assert gone == {
        "idempotency_keys": 1,
        "one_time_codes": 1,
        "attempt_counters": 1,
        "sign_ins": 3,
        "sms_receipts": 1,
        "tentative_routes": 0,
        "waiting_wishes": 0,
        "resident_lookups": 1,
        "erasures": 1,
        "places": 0,
        "plans": 0,
        "field_words": 0,
        "rating_words": 0,
        "absence_reasons": 0,
        "field_clashes": 0,
        "field_rulings": 0,
        "disruption_notes": 0,
        "positions": 0,
        "cached_travel": 0,
        "run_progress": 0,
        "used_device_proofs": 0,
        "photos": 0,
        "proof_photos": 0,
        "ticket_photos": 0,
        "door_codes": 0,
        "abandoned_uploads": 0,
        "unused_counters": 0,
        "stale_limits": 0,
    }
    assert [count(session, table) for table in BY_AGE] == [1, 1, 1, 1, 1, 1]
    assert sum(clean_up(district.privacy, session=session, now=now).values()) == 0


def test_every_time_of_the_notice_is_one_that_housekeeping_keeps_and_the_other_way_round(
    session: Session, district: District, now: datetime
) -> None:
    told = {key.replace("-", "_") for key, datum in district.privacy.data.items() if datum.kept_days is not None}
    done = set(clean_up(district.privacy, session=session, now=now)) - {
        "positions",  # of minutes, not days
        "cached_travel",
        "run_progress",
        "used_device_proofs",
        "unused_counters",
        "abandoned_uploads",
        "stale_limits",
        "field_rulings",
        "field_clashes",  # what came under the id of a record goes with its words
        "disruption_notes",  # and so do a dispatcher's about the day
    }
    assert told == done


def test_sign_ins_are_kept_as_long_as_the_network_log_must_be(district: District) -> None:
    # six months are 184 days at the most
    assert (district.privacy.data["sign-ins"].kept_days or 0) >= 190


def test_places_of_bookings_and_plans_are_blank_the_day_after_their_last(
    session: Session, district: District, now: datetime
) -> None:
    # given a planned day with one booking
    booking = a_booking(session, district=district, now=now, pickup_window="all-day", note="门禁 4321")
    booking_id, plan_id = booking.id, a_published_plan(session, district=district, now=now).id
    days = district.privacy.data["places"].kept_days
    assert days == district.privacy.data["plans"].kept_days
    # when the house is kept on the last day, all stays
    last = now + (TOMORROW - now.date()) + district.privacy.kept("places")
    kept = clean_up(district.privacy, session=session, now=last)
    assert (kept["places"], kept["plans"]) == (0, 0)
    # and the day after, the door is gone, the ledger and the routes are there
    gone = clean_up(district.privacy, session=session, now=last + timedelta(days=1))
    assert (gone["places"], gone["plans"]) == (1, 1)
    session.expire_all()
    row = session.get_one(Booking, booking_id)
    assert row.place == BLANK_PLACE
    assert (booking_in_full(row)["lat"], row.declared_g) == (None, 40_800)
    assert [len(route["steps"]) for route in plan_in_full(plan_id, session=session)["routes"]] == [3]
    assert planner_file(plan_id, "answer", session=session)["routes"]
    with pytest.raises(NotFound, match="blanked"):
        planner_file(plan_id, "problem", session=session)
    plan = session.scalars(select(Plan).options(undefer(Plan.problem), undefer(Plan.travel))).one()
    assert (plan.problem, plan.travel) == ({}, None)
    # a second time there is nothing to do
    again = clean_up(district.privacy, session=session, now=last + timedelta(days=1))
    assert (again["places"], again["plans"]) == (0, 0)


def test_why_a_collector_was_away_is_forgotten_a_year_after_and_why_a_van_was_stays(
    session: Session, district: District, now: datetime
) -> None:
    last = service_day(now) - district.privacy.kept("absence-reasons")
    before = last - timedelta(days=1)
    changes = (("collector_away", last), ("collector_away", before), ("vehicle_out", before))
    for number, (kind, last_day) in enumerate(changes, start=1):
        session.add(
            DayChangeRow(
                kind=kind, first_day=last_day, last_day=last_day, reason=f"事由 {number}", number=number, mark=uuid4(),
                made_at=now, made_by_id=uuid4(),
            )
        )  # fmt: skip
    session.commit()
    assert clean_up(district.privacy, session=session, now=now)["absence_reasons"] == 1
    assert session.scalars(select(DayChangeRow.reason).order_by(DayChangeRow.number)).all() == ["事由 1", "", "事由 3"]


def test_a_used_device_proof_goes_when_no_clock_of_ours_would_take_it_again(
    session: Session, district: District, now: datetime
) -> None:
    # given two that ran out an hour ago, one of them a second more
    for number, older in enumerate((timedelta(0), SECOND)):
        session.add(UsedDeviceProof(mark=bytes([number]) * 32, expires_at=now - timedelta(hours=1) - older))
    session.commit()
    assert clean_up(district.privacy, session=session, now=now)["used_device_proofs"] == 1
    assert session.scalars(select(UsedDeviceProof.mark)).one() == bytes(32)


def test_a_live_sign_in_stays(session: Session, district: District, now: datetime) -> None:
    resident = a_resident(session, now=now)
    session.add(SignIn(resident_id=resident.id, created_at=now - timedelta(days=400), expires_at=now + SECOND))
    session.commit()
    assert clean_up(district.privacy, session=session, now=now)["sign_ins"] == 0


def test_photos_go_with_their_counter_180_days_after_the_visit(
    session: Session, district: District, now: datetime
) -> None:
    # given a photo of a booking for 24 November
    by = a_resident(session, now=now)
    booking = a_booking(session, district=district, now=now, by=by)
    add_photo(
        booking.id, b"as sent", decode=lambda _: PlainPhoto(content=b"kept", width=1, height=1), by=by,
        district=district, session=session, now=now,
    )  # fmt: skip
    # 180 days after it is 23 May; the day after that, the photo is gone
    still, over = (datetime(2027, 5, day, 4, 0, tzinfo=UTC) for day in (23, 24))
    assert clean_up(district.privacy, session=session, now=still)["photos"] == 0
    assert clean_up(district.privacy, session=session, now=over)["photos"] == 1
    assert [count(session, table) for table in (Photo, PhotoCount)] == [0, 0]


def test_photos_of_the_visit_go_after_180_days_and_the_code_for_the_door_after_90(
    session: Session, district: District, now: datetime
) -> None:
    # given a visit of 24 November with a photo kept, one begun, and a code
    booking_id = a_booking(session, district=district, now=now, pickup_window="all-day").id
    a_published_plan(session, district=with_vehicles(district, TRUCK), now=now)
    collector = a_collector(session, TRUCK_CREW[0], now=now)
    for content, last in ((b"\xff\xd8\xffwhole photo", 13), (b"\xff\xd8\xffbegun photo", 11)):
        take_part(
            hashlib.sha256(content).hexdigest(), Part(first=0, last=last, total=14), content[: last + 1],
            booking_id=booking_id, decode=lambda sent: PlainPhoto(content=sent, width=1, height=1), by=collector,
            session=session, now=datetime(2027, 5, 1, tzinfo=UTC),
        )  # fmt: skip
    with atomic(session):
        door_code_of(booking_id, session=session, now=now)
    proofs = (ProofPhoto, ProofUpload, ProofPart, ProofCount)
    # 90 days after it is 22 February; the day after that, the code is gone
    still, over = (datetime(2027, 2, day, 4, 0, tzinfo=UTC) for day in (22, 23))
    assert clean_up(district.privacy, session=session, now=still)["door_codes"] == 0
    assert clean_up(district.privacy, session=session, now=over)["door_codes"] == 1
    assert [count(session, table) for table in (*proofs, DoorCode)] == [1, 1, 1, 1, 0]
    # 180 days after it is 23 May; the day after that, the photos are gone, and nothing is counted for them
    still, over = (datetime(2027, 5, day, 4, 0, tzinfo=UTC) for day in (23, 24))
    assert clean_up(district.privacy, session=session, now=still)["proof_photos"] == 0
    assert clean_up(district.privacy, session=session, now=over)["proof_photos"] == 1
    assert [count(session, table) for table in proofs] == [0, 0, 0, 0]


def test_photos_of_a_ticket_go_three_years_after_the_weighing_and_the_ticket_stays(
    session: Session, district: District, now: datetime
) -> None:
    # given a ticket of 23 November and one of the day after, each with a picture
    keeper, tickets = a_keeper(), []
    for at in (now, now + timedelta(days=1)):
        ticket = weigh_in(a_weighing(), scale_number="1", by=keeper, district=district, session=session, now=at)
        add_ticket_photo(
            ticket.id, b"as sent", decode=lambda _: PlainPhoto(content=b"kept", width=1, height=1), by=keeper,
            session=session, now=at,
        )  # fmt: skip
        tickets.append(ticket.id)
    # 1,096 days after it, with a leap day among them, is 23 November; the day after that, its picture is gone
    still, over = (datetime(2029, 11, day, 4, 0, tzinfo=UTC) for day in (23, 24))
    assert clean_up(district.privacy, session=session, now=still)["ticket_photos"] == 0
    assert clean_up(district.privacy, session=session, now=over)["ticket_photos"] == 1
    assert session.scalars(select(TicketPhoto.ticket_id)).all() == tickets[1:]
    # and both tickets are what was written
    assert list_ticket_photos(tickets[0], by=keeper, session=session) == []
    assert list(broken_chains(read_heads(session), now.date(), TOMORROW, session=session)) == []
    assert clean_up(district.privacy, session=session, now=over)["ticket_photos"] == 0


def count(session: Session, table: type[Base]) -> int:
    """Rows of a table."""
    return session.scalar(select(func.count()).select_from(table)) or 0
