"""Pictures of what stood on the scale: taken from the keeper, kept with the ticket, shown to who sees it."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from recycling.errors import DomainError
from recycling.extensions import db
from recycling.gateways.photo_decoder import PlainPhoto
from recycling.models.ticket_photo import TicketPhoto
from recycling.policy.access import Principal
from recycling.policy.photos import LARGEST_PHOTO, MOST_PHOTOS
from recycling.usecases.intake import ticket_photos as usecases
from tests.callers import Callers
from tests.photo_files import SVG, a_flood, a_phones_photo, a_photo
from tests.routes.test_intake_tickets import a_ticket_body, made


def body(answer: TestResponse) -> dict[str, Any]:
    return cast("dict[str, Any]", answer.get_json())


def test_a_keepers_picture_is_kept_plain_and_shown_to_who_sees_the_ticket(callers: Callers, session: Session) -> None:
    keeper, other = (callers.staff("keeper", station_key=key) for key in ("lincheng", "shagou"))
    path = f"/intake-tickets/{made(keeper, a_ticket_body())['id']}/photos"
    # when a phone's photo is sent, and sent again
    added, again = keeper.post(path, a_phones_photo()), keeper.post(path, a_phones_photo())
    assert (added.status_code, again.status_code) == (201, 200), added.text
    assert body(again) == body(added)
    assert (body(added)["width"], body(added)["height"]) == (200, 300)  # upright
    # then it is listed and fetched, without what the phone wrote beside it
    assert body(keeper.get(path)) == {"photos": [body(added)], "most_photos": MOST_PHOTOS}
    for reader in (keeper, *(callers.staff(role) for role in ("clerk", "dispatcher", "admin"))):
        shown = reader.get(added.headers["Location"])
        assert (shown.status_code, shown.content_type) == (200, "image/jpeg")
        assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert b"SECRET" not in shown.data
        assert not Image.open(io.BytesIO(shown.data)).getexif()
    # and it lies encrypted
    (stored,) = session.execute(select(func.length(TicketPhoto.content)))
    assert stored[0] > len(shown.data)
    # while another station has never heard of it
    assert [other.get(where).status_code for where in (path, added.headers["Location"])] == [404, 404]
    assert other.post(path, a_photo()).status_code == 404
    assert callers.staff("clerk").post(path, a_photo()).status_code == 403


def test_what_is_no_photo_is_refused_and_nothing_is_kept(callers: Callers, session: Session) -> None:
    keeper = callers.staff("keeper")
    path = f"/intake-tickets/{made(keeper, a_ticket_body())['id']}/photos"
    answers = {
        "svg": keeper.post(path, SVG),
        "flood": keeper.post(path, a_flood(30_000, 30_000)),
        "type": keeper.post(path, a_photo(), Content_Type="text/html"),
        "size": keeper.post(path, b"\xff\xd8\xff" + bytes(LARGEST_PHOTO)),
        "empty": keeper.post(path, b""),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "svg": 415, "flood": 422, "type": 415, "size": 413, "empty": 422,
    }  # fmt: skip
    assert session.scalar(select(func.count()).select_from(TicketPhoto)) == 0


@pytest.mark.parametrize("guard", [True, False], ids=["counted", "control"])
def test_of_eight_pictures_at_once_six_are_kept(
    *, guard: bool, app: Flask, callers: Callers, session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not guard:  # no look at how many there are: then the database alone says stop
        monkeypatch.setattr(usecases, "MOST_PHOTOS", 99)
    keeper = callers.staff("keeper")
    by = Principal(id=keeper.id, role="keeper", station_key=next(iter(app.extensions["district"].network.stations)))
    ticket_id = UUID(made(keeper, a_ticket_body())["id"])
    together = threading.Barrier(MOST_PHOTOS + 2)

    def decode(content: bytes) -> PlainPhoto:
        together.wait(30)  # all have passed the first look before the first one is stored
        return PlainPhoto(content=content, width=1, height=1)

    def send(content: bytes) -> str:
        with app.app_context():
            try:
                usecases.add_ticket_photo(ticket_id, content, decode=decode, by=by, session=db.session(), now=now)
            except DomainError as error:
                return error.code
            except IntegrityError:
                return "refused by the database"
            finally:
                db.session.remove()
            return "new"

    with ThreadPoolExecutor(MOST_PHOTOS + 2) as pool:
        told = sorted(pool.map(send, [b"photo %d" % number for number in range(MOST_PHOTOS + 2)]))
    assert told == sorted(["new"] * MOST_PHOTOS + ["conflict" if guard else "refused by the database"] * 2)
    session.rollback()
    positions = select(TicketPhoto.position).order_by(TicketPhoto.position)
    assert session.scalars(positions).all() == list(range(1, MOST_PHOTOS + 1))
