"""Photos of visits over HTTP: in parts, again and again, and only what they were announced as."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from recycling.models.base import Base
from recycling.models.proof import ProofCount, ProofPart, ProofPhoto, ProofUpload
from recycling.policy.district import District
from recycling.policy.proof_photos import LARGEST_PART, LARGEST_PROOF, MOST_PROOFS
from recycling.usecases.field import proof_photos as usecases
from tests.builders import a_booking, a_wish_body
from tests.callers import Caller, Callers
from tests.invariants import assert_invariants
from tests.photo_files import SVG, a_bomb, a_flood, a_phones_photo, a_photo, a_polyglot, written
from tests.planned_days import TRUCK, TRUCK_CREW, VAN_CREW, a_published_plan, with_vehicles

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tour:
    """A published route with one booking: its resident, a collector on it, and one who is not."""

    resident: Caller
    collector: Caller
    stranger: Caller
    booking_id: UUID


@pytest.fixture
def tour(session: Session, callers: Callers, district: District, now: datetime) -> Tour:
    """One truck's published day of tomorrow."""
    resident = callers.resident()
    made = resident.post("/bookings", a_wish_body(address="清泉路 77 号", pickup_window="all-day"))
    a_published_plan(session, district=with_vehicles(district, TRUCK), now=now)
    session.rollback()
    collector, stranger = (callers.staff("collector", collector_key=key) for key in (TRUCK_CREW[0], VAN_CREW))
    return Tour(
        resident=resident, collector=collector, stranger=stranger, booking_id=UUID(made.get_json()["id"])
    )  # fmt: skip


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def path(content: bytes, booking_id: object, more: str = "") -> str:
    """Where a file goes."""
    return f"/proof-photos/{sha256(content)}{more}?booking_id={booking_id}"


def put(
    tour: Tour, content: bytes, first: int = 0, last: int | None = None, *, by: Caller | None = None, total: int = 0
) -> TestResponse:
    """Send a part of a file, the whole by default, with its range."""
    end = len(content) - 1 if last is None else last
    return (by or tour.collector).call(
        "PUT", path(content, tour.booking_id), content[first : end + 1],
        Content_Range=f"bytes {first}-{end}/{total or len(content)}",
    )  # fmt: skip


def count(session: Session, *tables: type[Base]) -> list[int]:
    """Rows of tables."""
    session.rollback()
    return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def used(session: Session) -> int:
    """Places taken by photos, over all bookings."""
    session.rollback()
    return session.scalar(select(func.sum(ProofCount.used))) or 0


def test_a_photo_comes_whole_and_is_seen_by_its_resident_and_the_dispatcher(
    tour: Tour, callers: Callers, session: Session
) -> None:
    content = a_phones_photo()
    made = tour.collector.call("PUT", path(content, tour.booking_id), content)
    assert made.status_code == 201, made.text
    told = made.get_json()
    assert (told["complete"], told["stored_bytes"], told["total_bytes"]) == (True, len(content), len(content))
    assert (told["photo"]["width"], told["photo"]["height"]) == (200, 300)
    # then resident and dispatcher list and fetch it, as a picture that is never run and says nothing of where it was
    dispatcher = callers.staff("dispatcher")
    for caller, others in ((tour.resident, None), (dispatcher, 0)):
        (listed,) = caller.get(f"/bookings/{tour.booking_id}/proof-photos").get_json()["proof_photos"]
        assert listed == told["photo"] | {"on_other_bookings": others}
        got = caller.get(path(content, tour.booking_id))
        assert (got.status_code, got.content_type) == (200, "image/jpeg")
        assert "sandbox" in got.headers["Content-Security-Policy"]
        picture = Image.open(io.BytesIO(got.data))
        assert (picture.size, dict(picture.getexif())) == ((200, 300), {})
        assert b"SECRET" not in got.data
    # and is encrypted where it is stored
    stored = bytes(session.execute(text("SELECT content FROM proof_photo")).scalar_one())
    assert b"JFIF" in got.data
    assert b"JFIF" not in stored
    # nobody else sees it: neither the collector, nor another resident, nor the same file under another booking
    assert tour.collector.get(path(content, tour.booking_id)).status_code == 403
    assert callers.resident().get(path(content, tour.booking_id)).status_code == 404
    assert dispatcher.get(path(content, uuid4())).status_code == 404


def test_an_upload_that_broke_off_goes_on_where_it_stopped(tour: Tour, session: Session) -> None:
    content = a_photo()
    progress = path(content, tour.booking_id, "/progress")
    before = tour.collector.get(progress)
    assert (before.get_json()["stored_bytes"], before.get_json()["complete"]) == (0, False)
    # given the first 300 bytes, and a phone that forgot how far it had come
    sent = put(tour, content, 0, 299)
    assert (sent.status_code, sent.headers["Upload-Offset"]) == (202, "300")
    # when it asks, by GET or by HEAD
    asked = tour.collector.get(progress)
    assert asked.get_json() == {
        "booking_id": str(tour.booking_id), "sha256": sha256(content), "stored_bytes": 300,
        "total_bytes": len(content), "complete": False, "photo": None,
    }  # fmt: skip
    assert tour.collector.call("HEAD", progress).headers["Upload-Offset"] == "300"
    # and goes on there, then the photo is whole
    assert put(tour, content, 300).status_code == 201
    assert count(session, ProofPhoto, ProofUpload, ProofPart) == [1, 0, 0]
    assert tour.collector.call("HEAD", progress).headers["Upload-Offset"] == str(len(content))
    assert_invariants(session)


def test_parts_on_their_way_are_encrypted_and_counted(tour: Tour, session: Session) -> None:
    content = a_photo()
    put(tour, content, 0, 299)
    stored = bytes(session.execute(text("SELECT content FROM proof_part")).scalar_one())
    assert b"JFIF" in content[:300]
    assert b"JFIF" not in stored
    assert used(session) == 1
    assert_invariants(session)


def test_parts_may_come_again_and_a_gap_is_told_with_the_byte_to_go_on_at(tour: Tour, session: Session) -> None:
    content = a_photo()
    for _ in range(2):
        assert put(tour, content, 0, 299).headers["Upload-Offset"] == "300"
    for first, last in ((301, 400), (200, 400)):  # a gap; and an overlap that goes beyond what is stored
        answer = put(tour, content, first, last)
        assert (answer.status_code, answer.get_json()["code"]) == (409, "wrong_offset")
        assert (answer.get_json()["stored_bytes"], answer.get_json()["retryable"]) == (300, True)
        assert "go on at byte 300" in answer.get_json()["detail"]
    # one that nobody has begun begins at 0
    other = a_photo("blue")
    assert put(tour, other, 100, 200).get_json()["stored_bytes"] == 0
    assert count(session, ProofUpload, ProofPart) == [1, 1]
    # the last one may come again, too, after the photo is whole
    assert put(tour, content, 300).status_code == 201
    assert put(tour, content, 300).status_code == 200
    assert count(session, ProofPhoto, ProofUpload) == [1, 0]


def test_the_same_file_twice_is_one_photo(tour: Tour, session: Session) -> None:
    content = a_photo()
    first, again = put(tour, content), put(tour, content)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    assert count(session, ProofPhoto) == [1]
    assert used(session) == 1


def test_parts_that_are_not_the_announced_file_are_dropped_and_it_can_be_sent_again(
    tour: Tour, session: Session
) -> None:
    content, wrong = a_photo(), bytearray(a_photo())
    wrong[-20] ^= 1
    # given a file of which one bit was turned on its way
    put(tour, content, 0, 299)
    broken = tour.collector.call(
        "PUT", path(content, tour.booking_id), bytes(wrong[300:]),
        Content_Range=f"bytes 300-{len(content) - 1}/{len(content)}",
    )  # fmt: skip
    # then it is refused by its digest, nothing of it is left, and its place is free
    assert (broken.status_code, broken.get_json()["code"]) == (422, "wrong_hash")
    assert "send the photo again from its first byte" in broken.get_json()["detail"]
    assert count(session, ProofPhoto, ProofUpload, ProofPart) == [0, 0, 0]
    assert used(session) == 0
    # and the right one is taken
    assert put(tour, content).status_code == 201
    assert_invariants(session)


def test_control_without_the_digest_the_broken_file_would_be_kept(
    tour: Tour, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecases, "check_content", lambda content, sha256: None)
    content, other = a_photo(), a_photo("blue")
    answer = tour.collector.call("PUT", path(content, tour.booking_id), other)
    assert answer.status_code == 201
    assert count(session, ProofPhoto) == [1]


def test_a_file_announced_with_another_size_begins_anew(tour: Tour, session: Session) -> None:
    content = a_photo()
    put(tour, content, 0, 299, total=10**6)
    # a later part of another size fits nothing
    assert put(tour, content, 300).status_code == 422
    # from its first byte it is believed
    assert put(tour, content).status_code == 201
    assert used(session) == 1
    assert_invariants(session)


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        pytest.param(b"", 422, "empty", id="empty"),
        pytest.param(SVG, 415, "whatever its name says", id="svg"),
        pytest.param(HEIC, 415, "as JPEG", id="heic"),
        pytest.param(b"SIMPLE  =                    T" + bytes(2880), 415, "whatever its name says", id="fits"),
        pytest.param(bytes(range(256)), 415, "whatever its name says", id="garbage"),
        pytest.param(b"\xff\xd8\xff" + bytes(range(256)), 422, "damaged", id="garbage as jpeg"),
        pytest.param(b"\xff", 415, "whatever its name says", id="one byte"),
        pytest.param(a_photo()[:700], 422, "cut off", id="truncated where it was taken"),
        pytest.param(a_flood(65_000, 65_000), 422, "25 megapixels", id="pixel flood"),
        pytest.param(a_bomb(), 422, "damaged", id="decompression bomb"),
    ],
)
def test_a_bad_file_is_a_problem_in_words_and_leaves_nothing(
    tour: Tour, session: Session, sent: bytes, status: int, says: str
) -> None:
    answer = tour.collector.call("PUT", path(sent, tour.booking_id), sent)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    assert says in answer.get_json()["detail"]
    assert count(session, ProofPhoto, ProofUpload, ProofPart) == [0, 0, 0]
    assert used(session) == 0


def test_what_is_a_page_as_well_is_kept_as_a_picture_only(tour: Tour) -> None:
    content = a_polyglot()
    assert put(tour, content).status_code == 201
    assert b"<script>" not in tour.resident.get(path(content, tour.booking_id)).data


def test_a_file_beyond_20_megabytes_is_refused_at_its_first_part(tour: Tour, session: Session) -> None:
    content = a_photo()
    answer = put(tour, content, 0, 299, total=LARGEST_PROOF + 1)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")
    assert "send it smaller" in answer.get_json()["detail"]
    # one of exactly so much may begin
    assert put(tour, content, 0, 299, total=LARGEST_PROOF).status_code == 202
    # a part has a limit of its own, and says how to do better
    large = tour.collector.call("PUT", path(content, tour.booking_id), a_photo("blue") + bytes(LARGEST_PART))
    assert large.status_code == 413
    assert "parts of at most" in large.get_json()["detail"]
    assert count(session, ProofPart) == [1]


def test_a_file_of_20_megabytes_comes_in_four_parts_of_the_largest(tour: Tour, session: Session) -> None:
    content = a_photo() + bytes(LARGEST_PROOF - len(a_photo()))  # what follows the picture's end is not looked at
    statuses = [
        put(tour, content, first, first + LARGEST_PART - 1).status_code
        for first in range(0, LARGEST_PROOF, LARGEST_PART)
    ]
    assert statuses == [202, 202, 202, 201]
    # kept is the picture alone
    assert session.scalars(select(ProofPhoto.size_bytes)).one() < 10_000


@pytest.mark.parametrize(
    ("content_range", "says"),
    [
        ("bytes=0-9/10", "send e.g."),
        ("bytes */10", "send e.g."),
        ("bytes 0-9/*", "send e.g."),
        ("bytes 5-4/10", "count both ends"),
        ("bytes 0-8/10", "count both ends"),
        ("bytes 1-10/10", "count both ends"),
        ("bytes -1-8/10", "send e.g."),
        ("bytes 0-9/" + "9" * 40, "send e.g."),
    ],
)
def test_a_range_that_is_none_is_refused(tour: Tour, content_range: str, says: str) -> None:
    content = a_photo()[:10]
    answer = tour.collector.call("PUT", path(content, tour.booking_id), content, Content_Range=content_range)
    assert answer.status_code == 422
    assert says in answer.get_json()["detail"]


@pytest.mark.parametrize("name", ["A" * 64, "0" * 63, "../../etc", "g" * 64])
def test_a_name_that_is_no_digest_is_refused(tour: Tour, name: str) -> None:
    answer = tour.collector.call("PUT", f"/proof-photos/{name}?booking_id={tour.booking_id}", a_photo())
    assert answer.status_code in (404, 422)


def test_a_foreign_booking_is_answered_like_an_absent_one(tour: Tour, session: Session) -> None:
    content = a_photo()
    put(tour, content, 0, 299)
    for method, more, body in (("PUT", "", content), ("GET", "/progress", None)):
        foreign = tour.stranger.call(method, path(content, tour.booking_id, more), body)
        absent = tour.stranger.call(method, path(content, uuid4(), more), body)
        assert (foreign.status_code, absent.status_code) == (404, 404)
        assert foreign.get_json()["code"] == absent.get_json()["code"] == "not_found"
    # it needs to be named at all
    assert tour.collector.call("PUT", f"/proof-photos/{sha256(content)}", content).status_code == 422
    assert count(session, ProofUpload) == [1]


def test_a_visit_takes_twelve_photos_those_under_way_included(tour: Tour, session: Session) -> None:
    # given eleven kept and one begun
    made = [put(tour, a_photo(width=100 + number)).status_code for number in range(MOST_PROOFS - 1)]
    assert set(made) == {201}
    begun = a_photo("green")
    assert put(tour, begun, 0, 299).status_code == 202
    # then there is room for no other, and the one that is begun can be completed
    full = put(tour, a_photo("blue"))
    assert (full.status_code, full.get_json()["code"]) == (409, "conflict")
    assert put(tour, begun, 300).status_code == 201
    with pytest.raises(IntegrityError):
        session.execute(text("UPDATE proof_count SET used = used + 1"))
    session.rollback()
    assert_invariants(session)


def test_nobody_begins_uploads_without_end(tour: Tour, monkeypatch: pytest.MonkeyPatch) -> None:
    assert usecases.UPLOADS == ((300, 3600),)
    monkeypatch.setattr(usecases, "UPLOADS", ((2, 3600),))
    # as many as were begun in an hour, whatever came of them
    bad = [b"\xff\xd8\xff no photo at all %d" % number for number in range(3)]
    assert [put(tour, content).status_code for content in bad] == [422, 422, 429]


def test_a_photo_without_its_metadata_is_still_the_same_picture(
    session: Session, callers: Callers, district: District, now: datetime
) -> None:
    # given two bookings on one published route
    first, second = (a_booking(session, district=district, now=now, pickup_window="all-day").id for _ in range(2))
    a_published_plan(session, district=with_vehicles(district, TRUCK), now=now)
    session.rollback()
    collector = callers.staff("collector", collector_key=TRUCK_CREW[0])
    # when one picture is sent for both, once with a comment written into the file
    one = a_photo()
    disguised = written(Image.open(io.BytesIO(one)), quality="keep", comment=b"another one")
    assert sha256(one) != sha256(disguised)
    for content, booking_id in ((one, first), (disguised, second)):
        assert collector.call("PUT", path(content, booking_id), content).status_code == 201
    # then both are kept, and the dispatcher sees at each that it stands for another booking too
    dispatcher = callers.staff("dispatcher")
    for booking_id in (first, second):
        (listed,) = dispatcher.get(f"/bookings/{booking_id}/proof-photos").get_json()["proof_photos"]
        assert listed["on_other_bookings"] == 1
