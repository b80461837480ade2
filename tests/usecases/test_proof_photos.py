"""Photos of visits sent at once, awaited, repeated, forgotten."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import Conflict, DomainError, NotFound, Unavailable
from recycling.extensions import db
from recycling.gateways.photo_decoder import PlainPhoto
from recycling.models import proof as model
from recycling.models.booking import Booking
from recycling.models.people import Resident, phone_index
from recycling.models.proof import ProofCount, ProofPart, ProofPhoto, ProofUpload
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.proof_photos import MOST_PROOFS, Part
from recycling.usecases.field import proof_photos as usecases
from recycling.usecases.field.proof_photos import take_part
from recycling.usecases.housekeeping import drop_abandoned
from recycling.usecases.queries.proofs import ProofProgress, pending_photos, repeated_photos
from tests.builders import TOMORROW, a_booking
from tests.invariants import assert_invariants
from tests.planned_days import TRUCK, TRUCK_CREW, a_collector, a_published_plan, with_vehicles

JPEG = b"\xff\xd8\xff\xe0"
SENDERS = 6


def a_file(name: str, *, size: int = 400) -> bytes:
    """Bytes that begin like a photo."""
    return (JPEG + name.encode()).ljust(size, b".")


def as_it_is(content: bytes) -> PlainPhoto:
    """A decoder for use cases: whatever came is kept."""
    return PlainPhoto(content=content, width=1, height=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Van:
    """A published route and a collector on it."""

    app: Flask
    session: Session
    now: datetime
    booking_ids: tuple[UUID, ...]
    collector: Principal

    def send(
        self,
        content: bytes,
        *,
        first: int = 0,
        last: int | None = None,
        booking: int = 0,
        announced: bytes | None = None,
        session: Session | None = None,
    ) -> ProofProgress:
        """Send a part of a file, the whole by default."""
        end = len(content) - 1 if last is None else last
        return take_part(
            hashlib.sha256(announced or content).hexdigest(), Part(first=first, last=end, total=len(content)),
            content[first : end + 1], booking_id=self.booking_ids[booking], decode=as_it_is, by=self.collector,
            session=session or self.session, now=self.now,
        )  # fmt: skip

    def at_once(self, *sent: tuple[bytes, int, int | None]) -> list[str]:
        """Send parts at the same moment, each by a connection of its own; what came of each."""
        together = threading.Barrier(len(sent))

        def send(content: bytes, first: int, last: int | None) -> str:
            with self.app.app_context():
                try:
                    together.wait(30)
                    found = self.send(content, first=first, last=last, session=db.session())
                    return "new" if found.is_new else "known" if found.complete else "stored"
                except DomainError as error:
                    return error.code
                finally:
                    db.session.remove()

        with ThreadPoolExecutor(len(sent)) as pool:
            return list(pool.map(lambda one: send(*one), sent))


@pytest.fixture
def van(app: Flask, session: Session, district: District, now: datetime) -> Van:
    """A truck with two bookings."""
    ids = tuple(a_booking(session, district=district, now=now, pickup_window="all-day").id for _ in range(2))
    a_published_plan(session, district=with_vehicles(district, TRUCK), now=now)
    collector = a_collector(session, TRUCK_CREW[0], now=now)
    session.rollback()
    return Van(app=app, session=session, now=now, booking_ids=ids, collector=collector)


def rows(session: Session) -> tuple[int, int, int, int]:
    """Photos, uploads, parts and places taken."""
    session.rollback()
    counts = [
        session.scalar(select(func.count()).select_from(one)) or 0 for one in (ProofPhoto, ProofUpload, ProofPart)
    ]
    return counts[0], counts[1], counts[2], session.scalar(select(func.sum(ProofCount.used))) or 0


def test_one_part_sent_six_times_at_once_is_stored_once(van: Van) -> None:
    content = a_file("one")
    told = van.at_once(*[(content, 0, 199)] * SENDERS)
    assert set(told) == {"stored"}
    assert rows(van.session) == (0, 1, 1, 1)
    assert van.session.scalars(select(ProofUpload.stored_bytes)).all() == [200]
    assert van.send(content, first=200).is_new
    assert_invariants(van.session)


def test_control_without_the_lock_two_would_store_the_same_bytes_and_only_their_key_stops_them(
    van: Van, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given both looks at what is stored made before either part is: what the row locks prevent
    content = a_file("one")
    van.send(content, last=99)
    stale = van.session.scalars(select(ProofUpload)).one()
    van.session.expunge(stale)
    van.session.rollback()
    van.send(content, first=100, last=199)
    monkeypatch.setattr(usecases, "_upload", lambda *_args, **_named: van.session.merge(stale, load=False))
    # then the second stores what the first has stored already, and the database says no
    with pytest.raises(IntegrityError, match=r"(?i)unique|duplicate"):
        van.send(content, first=100, last=199)


def test_the_last_part_sent_six_times_at_once_makes_one_photo(van: Van) -> None:
    content = a_file("one")
    van.send(content, last=199)
    told = van.at_once(*[(content, 200, None)] * SENDERS)
    assert told.count("new") == 1
    assert set(told) <= {"new", "known"}
    assert rows(van.session) == (1, 0, 0, 1)
    assert_invariants(van.session)


def test_two_parts_at_once_are_stored_in_their_sequence(van: Van) -> None:
    # whichever comes first: the second part is stored behind the first, or told where to go on
    content = a_file("two")
    told = van.at_once((content, 0, 199), (content, 200, None))
    assert told[0] == "stored"
    assert told[1] in ("new", "wrong_offset")
    if told[1] == "wrong_offset":
        assert van.send(content, first=200).is_new
    assert rows(van.session) == (1, 0, 0, 1)
    photo = van.session.scalars(select(ProofPhoto.sent_sha256)).one()
    assert photo == hashlib.sha256(content).hexdigest()


def test_of_fourteen_photos_at_once_twelve_are_kept(van: Van) -> None:
    told = van.at_once(*((a_file(f"photo {number}"), 0, None) for number in range(MOST_PROOFS + 2)))
    assert sorted(told) == ["conflict"] * 2 + ["new"] * MOST_PROOFS
    assert rows(van.session) == (MOST_PROOFS, 0, 0, MOST_PROOFS)


def test_control_without_the_counter_all_fourteen_would_be_kept(van: Van, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecases, "count_proof", lambda session, booking_id: None)
    told = van.at_once(*((a_file(f"photo {number}"), 0, None) for number in range(MOST_PROOFS + 2)))
    assert told == ["new"] * (MOST_PROOFS + 2)


def test_when_the_decoder_is_busy_the_parts_wait_and_the_last_one_is_enough(van: Van) -> None:
    content = a_file("one")
    sha256 = hashlib.sha256(content).hexdigest()
    van.send(content, last=199)

    def busy(_content: bytes) -> PlainPhoto:
        raise Unavailable("many photos are arriving / 上传繁忙")

    part = Part(first=200, last=399, total=400)
    with pytest.raises(Unavailable):
        take_part(
            sha256, part, content[200:], booking_id=van.booking_ids[0], decode=busy, by=van.collector,
            session=van.session, now=van.now,
        )  # fmt: skip
    assert rows(van.session) == (0, 1, 2, 1)
    # any stored part, sent again, completes it
    assert van.send(content, last=199).is_new


def test_named_photos_are_awaited_until_they_are_whole(van: Van) -> None:
    come, begun, absent = a_file("come"), a_file("begun"), a_file("absent")
    van.send(come)
    van.send(begun, last=99)
    digest = {content: hashlib.sha256(content).hexdigest() for content in (come, begun, absent)}
    first, second = van.booking_ids
    # given records that name them all, one of them twice, and the arrived one for another booking as well
    named = {first: [digest[come], digest[begun], digest[absent], digest[absent]], second: [digest[come]]}
    pending = pending_photos(named, session=van.session)
    assert {(one.booking_id, one.sha256): (one.stored_bytes, one.total_bytes) for one in pending} == {
        (first, digest[begun]): (100, 400),
        (first, digest[absent]): (0, None),
        (second, digest[come]): (0, None),
    }
    assert len(pending) == 3
    # when they arrive, nothing is awaited any more
    van.send(begun, first=100)
    van.send(absent)
    van.send(come, booking=1)
    assert pending_photos(named, session=van.session) == []
    assert pending_photos({}, session=van.session) == []
    # many bookings are asked for in several statements
    many = {uuid4(): [digest[come]] for _ in range(1100)} | named
    assert len(pending_photos(many, session=van.session)) == 1100


def test_one_picture_for_two_bookings_is_found_and_for_two_visits_of_one_is_not(van: Van) -> None:
    van.send(a_file("mine"))
    van.send(a_file("shared"))
    van.send(a_file("shared"), booking=1)
    (found,) = repeated_photos(TOMORROW, session=van.session)
    assert found.booking_ids == tuple(sorted(van.booking_ids))
    assert found.sha256 == hashlib.sha256(a_file("shared")).hexdigest()
    # of another day nothing is found, unless its visit repeats one
    assert repeated_photos(TOMORROW + timedelta(days=1), session=van.session) == []
    moved = update(Booking).where(Booking.id == van.booking_ids[1])
    van.session.execute(moved.values(day=TOMORROW + timedelta(days=1)))
    for day in (TOMORROW, TOMORROW + timedelta(days=1)):
        assert repeated_photos(day, session=van.session) == [found]
    # given that the second is a further visit of the first, it is the same door
    van.session.execute(moved.values(part_of=van.booking_ids[0], day=TOMORROW))
    assert repeated_photos(TOMORROW, session=van.session) == []
    van.session.rollback()


def test_what_nobody_went_on_with_for_a_month_gives_its_place_back(van: Van) -> None:
    van.send(a_file("whole"))
    van.send(a_file("begun"), last=99)
    still, over = van.now + timedelta(days=30), van.now + timedelta(days=30, seconds=1)
    assert drop_abandoned(session=van.session, now=still) == 0
    assert drop_abandoned(session=van.session, now=over) == 1
    assert rows(van.session) == (1, 0, 0, 1)
    assert_invariants(van.session)


def test_nothing_of_a_person_comes_back_after_it_was_taken_away(van: Van) -> None:
    van.session.execute(update(Booking).values(place_blanked_at=van.now))
    van.session.commit()
    with pytest.raises(Conflict, match="delete the photo from the phone"):
        van.send(a_file("late"))
    assert rows(van.session) == (0, 0, 0, 0)


def test_a_resident_does_not_send_photos_of_visits(van: Van) -> None:
    # the endpoint is the collectors'; below it, a booking of somebody else is none either
    phone = "13600000001"
    other = Resident(id=uuid4(), phone=phone, phone_index=phone_index(phone), created_at=van.now)
    van.session.add(other)
    van.session.commit()
    by = Principal(id=other.id, role="resident")
    with pytest.raises(NotFound):
        take_part(
            "0" * 64, Part(first=0, last=0, total=1), b"x", booking_id=van.booking_ids[0], decode=as_it_is, by=by,
            session=van.session, now=van.now,
        )  # fmt: skip


def test_a_discarded_upload_gives_its_place_back_once(van: Van) -> None:
    van.send(a_file("begun"), last=99)
    upload_id = van.session.scalars(select(ProofUpload.id)).one()
    for _ in range(2):
        model.discard_upload(van.session, upload_id)
    van.session.commit()
    assert rows(van.session) == (0, 0, 0, 0)
