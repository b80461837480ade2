"""Photos are counted by the database, whoever sends them at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import Conflict
from recycling.extensions import db
from recycling.gateways.photo_decoder import PlainPhoto
from recycling.models import photo as model
from recycling.models.photo import Photo, PhotoCount
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.photos import MOST_PHOTOS
from recycling.usecases.bookings import photos as usecases
from tests.builders import a_booking, a_resident

SENDERS = MOST_PHOTOS + 2


def race(app: Flask, booking_id: UUID, contents: list[bytes], *, by: Principal, now: datetime) -> list[str]:
    """Send photos of one booking at the same moment; what came of each."""
    together = threading.Barrier(len(contents))

    def decode(content: bytes) -> PlainPhoto:
        together.wait(30)  # all have passed the first look before the first one is stored
        return PlainPhoto(content=content, width=1, height=1)

    def send(content: bytes) -> str:
        with app.app_context():
            try:
                _, is_new = usecases.add_photo(
                    booking_id, content, decode=decode, by=by, district=app.extensions["district"],
                    session=db.session(), now=now,
                )  # fmt: skip
                return "new" if is_new else "same"
            except Conflict as error:
                return error.code
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(contents)) as pool:
        return list(pool.map(send, contents))


def test_of_eight_photos_at_once_six_are_kept_and_two_are_told_why(
    app: Flask, session: Session, district: District, now: datetime
) -> None:
    by = a_resident(session, now=now)
    booking_id = a_booking(session, district=district, now=now, by=by).id
    session.rollback()
    told = race(app, booking_id, [b"photo %d" % number for number in range(SENDERS)], by=by, now=now)
    assert sorted(told) == ["conflict"] * (SENDERS - MOST_PHOTOS) + ["new"] * MOST_PHOTOS
    assert session.scalar(select(func.count()).select_from(Photo)) == MOST_PHOTOS
    assert session.scalars(select(PhotoCount.used)).all() == [MOST_PHOTOS]


def test_without_the_counter_all_eight_would_be_kept(
    app: Flask, session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the same race with the counter off: the control of the test above
    monkeypatch.setattr(usecases, "add_photo_row", lambda session, photo: session.add(photo))
    by = a_resident(session, now=now)
    booking_id = a_booking(session, district=district, now=now, by=by).id
    session.rollback()
    assert race(app, booking_id, [b"photo %d" % number for number in range(SENDERS)], by=by, now=now) == (
        ["new"] * SENDERS
    )


def test_one_file_sent_six_times_at_once_is_one_photo(
    app: Flask, session: Session, district: District, now: datetime
) -> None:
    by = a_resident(session, now=now)
    booking_id = a_booking(session, district=district, now=now, by=by).id
    session.rollback()
    told = race(app, booking_id, [b"the same"] * 6, by=by, now=now)
    assert sorted(told) == ["new"] + ["same"] * 5
    assert session.scalars(select(PhotoCount.used)).all() == [1]


def test_a_photo_deleted_twice_gives_its_place_back_once(session: Session, district: District, now: datetime) -> None:
    by = a_resident(session, now=now)
    booking_id = a_booking(session, district=district, now=now, by=by).id
    for content in (b"one", b"two"):
        photo, _ = usecases.add_photo(
            booking_id, content, decode=lambda sent: PlainPhoto(content=sent, width=1, height=1), by=by,
            district=district, session=session, now=now,
        )  # fmt: skip
    for _ in range(2):
        model.delete_photo_row(session, photo)
    assert session.scalars(select(PhotoCount.used)).all() == [1]
