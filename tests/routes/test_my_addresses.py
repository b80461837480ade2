"""Saved addresses over HTTP: one's own, in the district, no door twice, twenty at the most."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.extensions import db
from recycling.models.addresses import MOST_ADDRESSES, AddressBook, SavedAddress
from recycling.policy.district import District
from recycling.units import wgs84_to_gcj02
from tests.builders import an_address_body
from tests.callers import Callers
from tests.models.test_encrypted import stored_bytes


def test_an_address_is_saved_listed_changed_and_deleted(callers: Callers) -> None:
    resident = callers.resident()
    saved = resident.post("/my-addresses", an_address_body())
    assert (saved.status_code, saved.headers["ETag"]) == (201, '"1"'), saved.text
    path = saved.headers["Location"]
    assert resident.get(path).get_json() == saved.get_json()
    assert resident.get("/my-addresses").get_json() == {"addresses": [saved.get_json()]}
    # when its floor changes, all else stays
    changed = resident.patch(path, {"floor": 5, "label": "父母家"}, version=1)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"'), changed.text
    want = saved.get_json() | {"floor": 5, "label": "父母家", "version": 2}
    assert changed.get_json() == want | {"changed_at": changed.get_json()["changed_at"]}
    # and an edit of the version before is refused
    assert resident.patch(path, {"floor": 6}, version=1).status_code == 412
    assert resident.call("PATCH", path, {"floor": 6}).status_code == 428
    # when it is deleted, it is gone
    assert resident.call("DELETE", path).status_code == 204
    assert resident.call("DELETE", path).status_code == 404
    assert resident.get("/my-addresses").get_json() == {"addresses": []}


def test_a_repeated_request_saves_once(callers: Callers) -> None:
    resident, key = callers.resident(), str(uuid4())
    first, second = (resident.post("/my-addresses", an_address_body(), Idempotency_Key=key) for _ in range(2))
    assert (second.status_code, second.data) == (201, first.data)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(resident.get("/my-addresses").get_json()["addresses"]) == 1
    without = resident.call("POST", "/my-addresses", an_address_body(label="b"), Idempotency_Key="")
    assert without.status_code == 400


def test_the_same_door_is_refused_by_name_however_it_is_spaced(callers: Callers) -> None:
    resident = callers.resident()
    assert resident.post("/my-addresses", an_address_body()).status_code == 201
    twice = resident.post("/my-addresses", an_address_body(label="老家", address=" 清泉路1号 2单元301 "))
    assert twice.status_code == 409
    assert "家" in twice.get_json()["detail"]
    # and another address cannot be changed into it
    other = resident.post("/my-addresses", an_address_body(address="清泉路 2 号 1 单元 101"))
    assert resident.patch(other.headers["Location"], {"address": "清泉路1号2单元301"}, version=1).status_code == 409
    # what was refused took no place, and the same door is free for somebody else
    assert len(resident.get("/my-addresses").get_json()["addresses"]) == 2
    assert callers.resident().post("/my-addresses", an_address_body()).status_code == 201


def test_the_point_must_lie_in_the_district_and_a_phone_map_is_brought_to_ours(callers: Callers) -> None:
    resident = callers.resident()
    for wrong, says in (
        ({"lat": 117.26, "lon": 34.8}, "look exchanged"), ({"lat": 36.0}, "outside"),
        ({"village_code": "370403999999"}, "choose one"),
    ):  # fmt: skip
        answer = resident.post("/my-addresses", an_address_body(**wrong))
        assert answer.status_code == 422
        assert says in answer.get_json()["detail"], answer.text
    assert resident.get("/my-addresses").get_json() == {"addresses": []}
    lat, lon = wgs84_to_gcj02(34.8, 117.26)
    saved = resident.post("/my-addresses", an_address_body(lat=lat, lon=lon, coordinate_system="gcj02"))
    # six decimals are 0.1 m; the way there and back differs by less
    assert (saved.get_json()["lat"], saved.get_json()["lon"]) == pytest.approx((34.8, 117.26), abs=2e-6)
    # half a point is none
    half = resident.patch(saved.headers["Location"], {"lat": 34.81}, version=1)
    assert (half.status_code, "together" in half.text) == (422, True)
    empty = resident.patch(saved.headers["Location"], {}, version=1)
    assert empty.status_code == 422


def test_twenty_are_kept_and_a_deleted_one_makes_room(callers: Callers) -> None:
    resident = callers.resident()
    bodies = [an_address_body(address=f"清泉路 {number} 号") for number in range(MOST_ADDRESSES)]
    saved = [resident.post("/my-addresses", body) for body in bodies]
    assert {answer.status_code for answer in saved} == {201}
    full = resident.post("/my-addresses", an_address_body(address="清泉路 99 号"))
    assert (full.status_code, "delete one" in full.get_json()["detail"]) == (409, True)
    assert resident.call("DELETE", saved[0].headers["Location"]).status_code == 204
    assert resident.post("/my-addresses", an_address_body(address="清泉路 99 号")).status_code == 201


def test_two_who_save_the_last_address_at_once_do_not_both_get_it(app: Flask, callers: Callers) -> None:
    resident = callers.resident()
    for number in range(MOST_ADDRESSES - 1):
        assert resident.post("/my-addresses", an_address_body(address=f"清泉路 {number} 号")).status_code == 201

    def save(number: int) -> int:
        client = app.test_client()
        headers = {"Authorization": f"Bearer {resident.tokens['access_token']}", "Idempotency-Key": str(uuid4())}
        body = an_address_body(address=f"湘江路 {number} 号")
        return client.post("/my-addresses", json=body, headers=headers).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(save, range(4))) == [201, 409, 409, 409]


def test_the_limit_is_the_databases_word(session: Session, callers: Callers) -> None:
    # control: past the counting, the constraint itself refuses a twenty-first
    session.add(AddressBook(resident_id=callers.resident().id, used=MOST_ADDRESSES + 1))
    with pytest.raises(IntegrityError, match="ck_address_book_used"):
        session.commit()
    session.rollback()


def test_the_desk_sees_and_saves_for_a_resident_it_names(callers: Callers) -> None:
    resident, desk = callers.resident(), callers.staff("dispatcher")
    named = str(resident.id)
    assert desk.post("/my-addresses", an_address_body()).status_code == 422
    assert desk.post("/my-addresses", an_address_body(resident_id=str(uuid4()))).status_code == 422
    saved = desk.post("/my-addresses", an_address_body(resident_id=named))
    assert saved.status_code == 201, saved.text
    assert desk.get(f"/my-addresses?resident_id={named}").get_json() == resident.get("/my-addresses").get_json()
    assert desk.get("/my-addresses").status_code == 422
    # changing stays with the resident
    assert desk.patch(saved.headers["Location"], {"floor": 1}, version=1).status_code == 403
    assert resident.patch(saved.headers["Location"], {"floor": 1}, version=1).status_code == 200
    # and no resident names another
    other = callers.resident()
    assert other.get(f"/my-addresses?resident_id={named}").status_code == 422
    assert other.post("/my-addresses", an_address_body(resident_id=named)).status_code == 422


def test_nothing_of_it_can_be_read_in_the_table(session: Session, callers: Callers, district: District) -> None:
    callers.resident().post("/my-addresses", an_address_body(label="外婆家"))
    raw = stored_bytes(session, "saved_address")
    for secret in ("清泉路", "外婆家", "4321", "117.26"):
        assert secret.encode() not in raw
    assert session.scalar(select(func.count()).select_from(SavedAddress)) == 1
    db.session.rollback()
