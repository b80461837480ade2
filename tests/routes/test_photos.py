"""Photos of booked items over HTTP."""

from __future__ import annotations

import io
import itertools
from datetime import UTC, datetime

import pytest
import time_machine
from PIL import Image
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.models.photo import Photo, PhotoCount
from recycling.policy.photos import LARGEST_PHOTO, MOST_PHOTOS
from recycling.usecases.bookings import photos as usecases
from tests.builders import a_wish_body
from tests.callers import Caller, Callers
from tests.photo_files import SVG, a_bomb, a_flood, a_phones_photo, a_photo, a_polyglot

AFTER_CUT_OFF = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)  # 20:30 of the evening before, in Shanghai
DAY_AFTER = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


_doors = itertools.count(1)


def booked(caller: Caller) -> str:
    """The path of a new booking's photos."""
    made = caller.post("/bookings", a_wish_body(address=f"清泉路 {next(_doors)} 号")).get_json()
    return f"/bookings/{made['id']}/photos"


def test_a_resident_adds_lists_fetches_and_deletes_a_photo(callers: Callers, session: Session) -> None:
    resident = callers.resident()
    path = booked(resident)
    # when a phone's photo is added
    made = resident.post(path, a_phones_photo())
    assert made.status_code == 201, made.text
    photo = made.get_json()
    assert (photo["width"], photo["height"]) == (200, 300)
    # then it is listed, and fetched as a picture that is never run
    assert resident.get(path).get_json() == {"photos": [photo], "most_photos": MOST_PHOTOS}
    got = resident.get(made.headers["Location"])
    assert (got.status_code, got.content_type, len(got.data)) == (200, "image/jpeg", photo["size_bytes"])
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert got.headers["ETag"] == f'"{photo["sha256"]}"'
    assert Image.open(io.BytesIO(got.data)).size == (200, 300)
    # and is encrypted where it is stored
    stored = bytes(session.execute(text("SELECT content FROM photo")).scalar_one())
    assert b"JFIF" in got.data
    assert b"JFIF" not in stored
    session.rollback()
    # when it is deleted
    assert resident.call("DELETE", made.headers["Location"]).status_code == 204
    # then it is gone for good, and its place is free
    assert resident.get(made.headers["Location"]).status_code == 404
    assert resident.call("DELETE", made.headers["Location"]).status_code == 404
    assert resident.get(path).get_json()["photos"] == []
    assert session.scalars(select(PhotoCount.used)).all() == [0]


def test_the_same_file_sent_again_is_one_photo(callers: Callers) -> None:
    resident = callers.resident()
    path = booked(resident)
    first, again = resident.post(path, a_photo()), resident.post(path, a_photo())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    # in another booking it is another photo
    assert resident.post(booked(resident), a_photo()).status_code == 201


def test_a_booking_takes_six_photos_and_a_deleted_one_makes_room(callers: Callers, session: Session) -> None:
    resident = callers.resident()
    path = booked(resident)
    made = [resident.post(path, a_photo(width=100 + number)) for number in range(MOST_PHOTOS)]
    assert {answer.status_code for answer in made} == {201}
    full = resident.post(path, a_photo("blue"))
    assert (full.status_code, full.get_json()["code"]) == (409, "conflict")
    assert "delete one" in full.get_json()["detail"]
    # the database itself takes no seventh
    with pytest.raises(IntegrityError):
        session.execute(text("UPDATE photo_count SET used = used + 1"))
    session.rollback()
    assert resident.call("DELETE", made[0].headers["Location"]).status_code == 204
    assert resident.post(path, a_photo("blue")).status_code == 201


@pytest.mark.parametrize(
    ("sent", "declared", "status", "says"),
    [
        pytest.param(b"", "image/jpeg", 422, "empty", id="empty"),
        pytest.param(a_photo(), "application/json", 415, "Content-Type", id="declared as JSON"),
        pytest.param(SVG, "image/svg+xml", 415, "Content-Type", id="svg"),
        pytest.param(SVG, "image/png", 415, "whatever its name says", id="svg as png"),
        pytest.param(b"GIF89a" + bytes(100), "image/jpeg", 415, "whatever its name says", id="renamed"),
        pytest.param(b"x" * (LARGEST_PHOTO + 1), "image/jpeg", 413, "send less", id="a byte too many"),
        pytest.param(a_photo()[:700], "image/jpeg", 422, "cut off", id="truncated"),
        pytest.param(a_flood(65_000, 65_000), "image/png", 422, "25 megapixels", id="pixel flood"),
        pytest.param(a_bomb(), "image/png", 422, "damaged", id="decompression bomb"),
    ],
)
def test_a_bad_file_is_a_problem_in_words_and_leaves_nothing(
    callers: Callers, session: Session, sent: bytes, declared: str, status: int, says: str
) -> None:
    resident = callers.resident()
    answer = resident.call("POST", booked(resident), sent, Content_Type=declared)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    assert says in answer.get_json()["detail"]
    assert session.scalar(select(func.count()).select_from(Photo)) == 0


def test_what_is_a_page_as_well_is_served_as_a_picture_only(callers: Callers) -> None:
    resident = callers.resident()
    made = resident.post(booked(resident), a_polyglot())
    assert b"<script>" not in resident.get(made.headers["Location"]).data


def test_a_photo_of_ten_megabytes_is_read_for_photos_alone(callers: Callers) -> None:
    resident = callers.resident()
    path = booked(resident)
    large = a_photo() + bytes(LARGEST_PHOTO - len(a_photo()))  # what follows the picture's end is not looked at
    assert resident.post(path, large).status_code == 201
    # every other body keeps its own limit
    assert resident.call("POST", "/bookings", large, Content_Type="application/json").status_code == 413


def test_photos_stand_still_from_the_cut_off_until_the_visit_is_over(callers: Callers) -> None:
    resident = callers.resident("13912345678")
    path = booked(resident)
    first = resident.post(path, a_photo()).headers["Location"]
    with time_machine.travel(AFTER_CUT_OFF):
        resident, dispatcher = callers.resident("13912345678"), callers.staff("dispatcher")
        # the resident changes nothing any more, the desk does
        for late in (resident.post(path, a_photo("blue")), resident.call("DELETE", first)):
            assert (late.status_code, late.get_json()["code"]) == (409, "window_closed")
        assert dispatcher.post(path, a_photo("green")).status_code == 201
        assert len(resident.get(path).get_json()["photos"]) == 2
    with time_machine.travel(DAY_AFTER):
        # when the day is over they are the resident's to delete again
        assert callers.resident("13912345678").call("DELETE", first).status_code == 204


def test_a_cancelled_booking_takes_no_photos_and_gives_its_own_back(callers: Callers) -> None:
    resident = callers.resident()
    path = booked(resident)
    first = resident.post(path, a_photo()).headers["Location"]
    assert resident.post(path.replace("photos", "cancellation"), If_Match='"1"').status_code == 200
    assert resident.post(path, a_photo("blue")).status_code == 409
    assert resident.call("DELETE", first).status_code == 204


def test_nobody_keeps_the_decoder_busy(callers: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    assert usecases.UPLOADS == ((60, 3600),)
    monkeypatch.setattr(usecases, "UPLOADS", ((3, 3600),))
    resident = callers.resident()
    path = booked(resident)
    answers = [resident.post(path, b"\xff\xd8\xff no photo %d" % number).status_code for number in range(4)]
    # so many tries in an hour, whatever came of them
    assert answers == [422] * 3 + [429]
