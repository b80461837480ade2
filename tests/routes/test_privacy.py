"""The notice, one's own copy, erasing oneself and looking residents up, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.models.people import Resident, Staff, phone_index
from recycling.models.privacy import Consent, Erasure, ResidentLookup
from recycling.usecases.people.look_up_resident import LOOKUPS_PER_STAFF
from tests.builders import a_wish_body, an_address_body
from tests.callers import Caller, Callers
from tests.conftest import NOW

PHONE = "13912345678"


def test_the_notice_is_open_to_all_in_both_languages(app: Flask) -> None:
    answer = app.test_client().get("/privacy-notice")
    assert answer.status_code == 200
    notice = answer.get_json()
    assert (notice["version"], notice["valid_from"]) == (4, "2026-11-27")
    data = {row["key"]: row for row in notice["data"]}
    assert data["places"]["kept_days"] == 365
    assert data["phone"]["kept_days"] is None
    for row in (notice, *notice["data"]):
        for name, text in row.items():
            if name.endswith("_zh"):
                assert any("\u4e00" <= character <= "\u9fff" for character in text), name
                assert row[name.removesuffix("_zh") + "_en"].isascii(), name


def test_the_notice_is_a_page_before_one_signs_in(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/privacy")
    assert page.status_code == 200
    assert "自服务日起 365 天" in page.text
    assert "回收员仅当前一站和下一站可见完整号码" in page.text
    # the way there stands where the phone is asked for, and below every page
    assert client.get("/pages/sign-in").text.count('href="/privacy"') == 2
    assert 'href="/privacy"' in client.get("/").text


def test_the_copy_holds_what_is_held_of_the_caller_and_of_nobody_else(callers: Callers) -> None:
    # given a resident whom the desk made, who booked, cancelled and saved an address, beside another one
    desk = callers.staff("dispatcher")
    desk.post("/resident-lookups", {"phone": PHONE, "create": True, "how": "shop"})
    resident, other = callers.resident(PHONE), callers.resident()
    other.post("/bookings", a_wish_body(address="别家 5 号"))
    other.post("/my-addresses", an_address_body(address="别家 5 号"))
    booking = resident.post("/bookings", a_wish_body(note="门禁 4321")).get_json()
    resident.call("POST", f"/bookings/{booking['id']}/cancellation", If_Match='"1"')
    saved = resident.post("/my-addresses", an_address_body()).get_json()
    # when they take their copy away
    answer = resident.get("/my-data")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data-2026-11-23.json"'
    held = answer.get_json()
    # then everything is in it
    assert held["resident"]["phone"] == PHONE
    assert held["resident"]["id"] == str(resident.id)
    (one,) = held["bookings"]
    assert (one["id"], one["note"], one["state"]) == (booking["id"], "门禁 4321", "cancelled")
    assert [line["kind"] for line in one["history"]] == ["booked", "cancelled"]
    assert held["addresses"] == [saved]
    assert [row["kind"] for row in held["messages"]] == ["booking.confirmed", "booking.cancelled"]
    assert len(held["sign_ins"]) == 1
    assert [(row["how"], row["notice_version"]) for row in held["consents"]] == [("shop", 4)]
    assert [row["created"] for row in held["lookups"]] == [True]
    # and nothing of the neighbour or of the staff
    assert "别家" not in answer.text
    assert str(desk.id) not in answer.text


def test_only_residents_take_a_copy(callers: Callers) -> None:
    for role in ("dispatcher", "collector", "keeper", "clerk", "admin"):
        assert callers.staff(role).get("/my-data").status_code == 403


def test_who_erases_themselves_hears_what_was_kept_and_is_signed_out(session: Session, callers: Callers) -> None:
    resident = callers.resident(PHONE)
    resident.post("/my-addresses", an_address_body())
    booking = resident.post("/bookings", a_wish_body()).get_json()
    refused = resident.post("/my-data/erasures", {"confirmation": "删除"})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "bookings_outstanding")
    assert booking["id"] in refused.get_json()["detail"]
    resident.call("POST", f"/bookings/{booking['id']}/cancellation", If_Match='"1"')
    for body in ({}, {"confirmation": "yes"}, {"confirmation": "删除", "resident_id": str(uuid4())}):
        assert resident.post("/my-data/erasures", body).status_code == 422
    assert resident.call("POST", "/my-data/erasures", {"confirmation": "删除"}, Idempotency_Key="").status_code == 400
    done = resident.post("/my-data/erasures", {"confirmation": "删除"})
    assert done.status_code == 201, done.text
    assert (done.get_json()["bookings_kept"], done.get_json()["addresses_removed"]) == (1, 1)
    assert resident.get("/me").status_code == 401
    assert session.scalar(select(func.count()).where(Resident.phone_index == phone_index(PHONE))) == 0
    assert session.scalars(select(Erasure.by_role)).one() == "resident"


def test_the_desk_erases_for_who_calls_and_a_repeated_request_once(session: Session, callers: Callers) -> None:
    resident, desk, key = callers.resident(), callers.staff("dispatcher"), str(uuid4())
    body = {"confirmation": "ERASE", "resident_id": str(resident.id)}
    first, second = (desk.post("/my-data/erasures", body, Idempotency_Key=key) for _ in range(2))
    assert (first.status_code, second.data) == (201, first.data)
    assert desk.post("/my-data/erasures", body).status_code == 404
    assert session.scalars(select(Erasure.by_id)).one() == desk.id
    for role in ("collector", "keeper", "clerk"):
        assert callers.staff(role).post("/my-data/erasures", body).status_code == 403


# --- looking residents up ---


def look_up(caller: Caller, **body: Any) -> Any:
    """The answer to a look-up that must succeed."""
    answer = caller.post("/resident-lookups", {"phone": PHONE} | body)
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def test_the_desk_finds_who_is_there_and_makes_who_is_not_on_their_word(session: Session, callers: Callers) -> None:
    desk = callers.staff("dispatcher")
    # nobody has the number yet
    nobody = look_up(desk)
    assert (nobody["resident_id"], nobody["created"], nobody["phone_masked"]) == (None, False, "139****5678")
    # an account is made on their word alone
    assert desk.post("/resident-lookups", {"phone": PHONE, "create": True}).status_code == 422
    made = look_up(desk, create=True, how="phone")
    assert made["created"] is True
    consent = session.scalars(select(Consent)).one()
    assert (str(consent.resident_id), consent.how, consent.by_id) == (made["resident_id"], "phone", desk.id)
    session.rollback()
    # a second time it is found, and no second consent is noted
    again = look_up(desk, create=True, how="phone")
    assert (again["resident_id"], again["created"]) == (made["resident_id"], False)
    assert session.scalar(select(func.count()).select_from(Consent)) == 1
    # the same person signs in later, and sees what the desk booked for them
    session.rollback()
    booked = desk.post("/bookings", a_wish_body(resident_id=made["resident_id"], consent="phone"))
    assert booked.status_code == 201, booked.text
    resident = callers.resident(PHONE)
    assert str(resident.id) == made["resident_id"]
    assert [row["id"] for row in resident.get("/bookings").get_json()["bookings"]] == [booked.get_json()["id"]]


def test_every_look_up_is_written_down_without_the_number(session: Session, callers: Callers) -> None:
    desk, admin = callers.staff("dispatcher"), callers.staff("admin")
    look_up(desk)
    made = look_up(admin, create=True, how="shop")
    rows = {row.by_id: row for row in session.scalars(select(ResidentLookup))}
    assert (rows[desk.id].resident_id, rows[desk.id].created) == (None, False)
    assert (rows[admin.id].resident_id, rows[admin.id].created) == (UUID(made["resident_id"]), True)


def test_the_number_stands_in_no_log_line(callers: Callers, capsys: pytest.CaptureFixture[str]) -> None:
    look_up(callers.staff("dispatcher"), create=True, how="phone")
    said = capsys.readouterr()
    assert PHONE not in said.out + said.err


def test_a_phone_that_is_none_is_refused_unrepeated(callers: Callers) -> None:
    answer = callers.staff("dispatcher").post("/resident-lookups", {"phone": "139123456789"})
    assert answer.status_code == 422
    assert "139123456789" not in answer.text


def test_look_ups_are_counted_for_each_of_the_staff_and_hour(session: Session, callers: Callers) -> None:
    desk, other = callers.staff("dispatcher"), callers.staff("dispatcher")
    ((most, period_s),) = LOOKUPS_PER_STAFF
    for _ in range(most):
        look_up(desk)
    refused = desk.post("/resident-lookups", {"phone": PHONE})
    assert refused.status_code == 429
    # the test's clock stands at a full hour, so that the period ends within it
    assert 0 < int(refused.headers["Retry-After"]) <= period_s
    # nothing was written for it, and others are not held up by it
    assert session.scalar(select(func.count()).where(ResidentLookup.by_id == desk.id)) == most
    login = session.get_one(Staff, desk.id).login
    session.rollback()
    look_up(other)
    # in the next hour they may again; their tokens have run out by then
    with time_machine.travel(NOW + timedelta(seconds=period_s), tick=True):
        again = callers.again(login)
        assert again.id == desk.id
        look_up(again)


def test_nobody_but_the_desk_looks_residents_up(callers: Callers) -> None:
    for caller in (callers.resident(), callers.staff("collector"), callers.staff("keeper"), callers.staff("clerk")):
        assert caller.post("/resident-lookups", {"phone": PHONE}).status_code == 403
