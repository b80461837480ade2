"""A collector's token works on their own device only, until its shift ends or somebody ends it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from recycling.clock import utc_now
from recycling.models.people import SignIn, UsedDeviceProof
from recycling.policy.device_proof import DeviceProof
from recycling.usecases.people import sign_in
from recycling.usecases.people.sign_in import find_principal
from tests.callers import PASSWORD, Caller, Callers
from tests.conftest import NOW
from tests.devices import HERE, Phone

ME, SIGN_IN, REFRESH = f"{HERE}/me", f"{HERE}/sign-in/staff", f"{HERE}/sign-in/refresh"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def collector(callers: Callers) -> Caller:
    return callers.staff("collector", collector_key="c01")


def phone_of(caller: Caller) -> Phone:
    assert caller.phone is not None
    return caller.phone


def access(caller: Caller) -> str:
    return str(caller.tokens["access_token"])


def me(client: FlaskClient, token: str, proof: str | None, *, scheme: str = "DPoP") -> TestResponse:
    headers = {"Authorization": f"{scheme} {token}"} | ({} if proof is None else {"DPoP": proof})
    return client.get("/me", headers=headers)


def refused(answer: TestResponse, code: str = "device_proof_refused") -> bool:
    """Whether a proof is asked for in the words of RFC 9449."""
    told = answer.headers.get("WWW-Authenticate", "")
    return (answer.status_code, answer.get_json()["code"], told) == (
        401, code, 'DPoP error="invalid_dpop_proof", algs="ES256"',
    )  # fmt: skip


def signed_out(answer: TestResponse) -> bool:
    return (answer.status_code, answer.get_json()["code"]) == (401, "not_signed_in")


# --- signing in ---


def test_a_collector_without_a_device_is_told_what_to_send(client: FlaskClient, collector: Caller) -> None:
    body: dict[str, Any] = {"login": "collector-1", "password": PASSWORD}
    phone = Phone()
    proof = {"DPoP": phone.proof("POST", SIGN_IN)}
    for sent, headers in ((body, {}), (body | {"device_id": str(phone.id)}, {}), (body, proof)):
        answer = client.post("/sign-in/staff", json=sent, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "device_proof_required")
        assert "device_id" in answer.get_json()["detail"]
        assert "DPoP" in answer.get_json()["detail"]
    # and whoever does not know the password is not told that the login is a collector's
    answer = client.post("/sign-in/staff", json=body | {"password": "wrong password"})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "wrong_credentials")


def test_the_token_names_the_key_and_the_caller_their_device(session: Session, collector: Caller) -> None:
    claims = jwt.decode(access(collector), options={"verify_signature": False})
    row = session.scalars(select(SignIn).where(SignIn.staff_id == collector.id)).one()
    assert collector.tokens["token_type"] == "DPoP"
    assert len(claims["cnf"]["jkt"]) == 43  # 32 bytes in base64url
    found = find_principal(row.id, session=session, now=utc_now())
    assert found is not None
    assert found.device_id == phone_of(collector).id


def test_a_sign_in_proof_opens_one_sign_in(client: FlaskClient, collector: Caller) -> None:
    phone = Phone()
    body = {"login": "collector-1", "password": PASSWORD, "device_id": str(phone.id)}
    headers = {"DPoP": phone.proof("POST", SIGN_IN)}
    assert client.post("/sign-in/staff", json=body, headers=headers).status_code == 201
    assert refused(client.post("/sign-in/staff", json=body, headers=headers))


def test_others_need_no_device_and_are_bound_when_they_show_one(client: FlaskClient, callers: Callers) -> None:
    keeper = callers.staff("keeper")
    assert keeper.tokens["token_type"] == "Bearer"
    assert keeper.get("/me").status_code == 200
    bound = callers.again("keeper-1", Phone())
    assert bound.tokens["token_type"] == "DPoP"
    assert refused(me(client, access(bound), None, scheme="Bearer"))


# --- stolen, copied, changed ---


def test_a_stolen_token_is_worth_nothing_on_another_device(
    client: FlaskClient, callers: Callers, collector: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the token of one phone, and a thief who has a phone of their own, even one that is signed in
    thief, token = callers.staff("collector", collector_key="c02"), access(collector)

    def with_theirs() -> TestResponse:
        return me(client, token, phone_of(thief).proof("GET", ME, token))

    # then it is refused bare, as Bearer, in a cookie, and with a proof of the thief's
    assert refused(me(client, token, None))
    assert refused(me(client, token, None, scheme="Bearer"))
    assert refused(me(client, token, phone_of(collector).proof("GET", ME, token), scheme="Bearer"))
    client.set_cookie("access_token_cookie", token)
    assert signed_out(client.get("/me"))
    client.delete_cookie("access_token_cookie")
    assert refused(with_theirs())

    # and with the comparison of keys taken out it works: nothing else keeps the thief out
    monkeypatch.setattr(DeviceProof, "is_of", lambda _self, _thumbprint: True)
    assert with_theirs().status_code == 200


def test_a_copied_proof_is_refused_the_second_time(client: FlaskClient, session: Session, collector: Caller) -> None:
    token, phone = access(collector), phone_of(collector)
    proof = phone.proof("GET", ME, token)
    assert me(client, token, proof).status_code == 200
    assert refused(me(client, token, proof))
    # without the memory of used ones it would be good again
    session.execute(delete(UsedDeviceProof))
    session.commit()
    assert me(client, token, proof).status_code == 200


def test_of_many_requests_with_one_proof_at_once_one_gets_in(app: Flask, collector: Caller) -> None:
    token = access(collector)
    proof = phone_of(collector).proof("GET", ME, token)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: me(app.test_client(), token, proof).status_code, range(8)))
    assert sorted(answers) == [200] + [401] * 7


def test_a_proof_is_good_for_its_own_method_address_and_token_only(
    client: FlaskClient, callers: Callers, collector: Caller
) -> None:
    token, phone = access(collector), phone_of(collector)
    for other in (
        phone.proof("POST", ME, token),
        phone.proof("GET", f"{HERE}/my-route", token),
        phone.proof("GET", "http://elsewhere/me", token),
        phone.proof("GET", ME, token + "x"),
        phone.proof("GET", ME),
    ):
        assert refused(me(client, token, other))
    # a query is no part of what is signed
    headers = phone.headers("GET", f"{HERE}/my-route", token)
    assert client.get("/my-route?day=2026-11-23", headers=headers).status_code == 200


def test_algorithms_other_than_es256_are_refused(client: FlaskClient, collector: Caller) -> None:
    token, phone = access(collector), phone_of(collector)
    claims = phone.claims("GET", ME, token)
    head = {"typ": "dpop+jwt", "jwk": phone.jwk()}
    assert refused(me(client, token, jwt.encode(claims, "k" * 32, algorithm="HS256", headers=head)))
    assert refused(me(client, token, jwt.encode(claims, "", algorithm="none", headers=head)))
    assert me(client, token, phone.sign(claims)).status_code == 200


def test_a_phone_with_a_wrong_clock_corrects_itself_by_the_answer(callers: Callers, collector: Caller) -> None:
    # given a phone whose clock has gone back to 1970 after its battery was flat, and another two hours ahead
    for off_s in (-NOW.timestamp(), 7200.0):
        phone_of(collector).clock_off_s = off_s
        answer = collector.get("/me")
        assert refused(answer, "device_proof_out_of_time")
        # when it puts its clock right by the difference, then it is let in
        ours = datetime.fromisoformat(answer.get_json()["server_time"])
        phones = utc_now() + timedelta(seconds=off_s)
        phone_of(collector).clock_off_s += (ours - phones).total_seconds()
        assert collector.get("/me").status_code == 200
    # and so is a sign-in
    phone = Phone(clock_off_s=-3600)
    body = {"login": "collector-1", "password": PASSWORD, "device_id": str(phone.id)}
    answer = collector.client.post("/sign-in/staff", json=body, headers={"DPoP": phone.proof("POST", SIGN_IN)})
    assert refused(answer, "device_proof_out_of_time")


def test_a_token_that_is_bound_stays_bound_when_it_is_written_anew(
    app: Flask, client: FlaskClient, collector: Caller
) -> None:
    # given a token of the same sign-in without the key's name, signed with our own secret
    claims = jwt.decode(access(collector), options={"verify_signature": False})
    del claims["cnf"]
    bare = jwt.encode(claims, app.config["JWT_SECRET_KEY"], algorithm="HS256")
    assert refused(me(client, bare, None, scheme="Bearer"))


def test_a_collectors_sign_in_from_before_devices_is_over(
    client: FlaskClient, session: Session, collector: Caller
) -> None:
    session.execute(update(SignIn).values(key_thumbprint=None))
    session.commit()
    assert signed_out(me(client, access(collector), None, scheme="Bearer"))


# --- renewing ---


def test_a_refresh_token_renews_on_its_own_device_only(client: FlaskClient, collector: Caller) -> None:
    phone, token = phone_of(collector), collector.tokens["refresh_token"]

    def renew(proof: str | None, scheme: str = "DPoP") -> TestResponse:
        headers = {"Authorization": f"{scheme} {token}"} | ({} if proof is None else {"DPoP": proof})
        return client.post("/sign-in/refresh", headers=headers)

    assert refused(renew(None, "Bearer"))
    assert refused(renew(Phone().proof("POST", REFRESH, token)))
    assert refused(renew(phone.proof("POST", REFRESH)))
    # none of these has used it up
    renewed = renew(phone.proof("POST", REFRESH, token))
    assert renewed.status_code == 201
    assert me(client, renewed.get_json()["access_token"], None).status_code == 401
    new = renewed.get_json()["access_token"]
    assert me(client, new, phone.proof("GET", ME, new)).status_code == 200
    # whoever comes with the used one and no key ends nothing; with the key it is a copy, and ends the sign-in
    assert refused(renew(None))
    assert me(client, new, phone.proof("GET", ME, new)).status_code == 200
    assert signed_out(renew(phone.proof("POST", REFRESH, token)))
    assert signed_out(me(client, new, phone.proof("GET", ME, new)))


# --- the shift ---


def test_a_collector_is_signed_out_four_hours_after_the_shift(client: FlaskClient, callers: Callers) -> None:
    # given a collector who signs in on Monday at 10:00; the shift ends at 18:00, so that is 22:00, 14:00 UTC
    collector = callers.staff("collector", collector_key="c01")
    ends_at, refresh = datetime(2026, 11, 23, 14, tzinfo=UTC), collector.tokens["refresh_token"]

    def renew() -> TestResponse:
        return client.post("/sign-in/refresh", headers=phone_of(collector).headers("POST", REFRESH, refresh))

    # when they renew a minute before, and once more a minute after
    with time_machine.travel(ends_at - timedelta(minutes=1)):
        renewed = renew()
        assert renewed.status_code == 201
        collector.tokens = renewed.get_json()
        assert collector.get("/me").status_code == 200
    with time_machine.travel(ends_at + timedelta(seconds=1)):
        # then neither the token of a minute ago nor its renewal is good any more
        assert signed_out(collector.get("/me"))
        assert signed_out(renew())
        # and the phone signs in again, for the four hours in which it may send what it still holds
        again = callers.again("collector-1", phone_of(collector))
        assert again.get("/me").status_code == 200
    with time_machine.travel(ends_at + timedelta(hours=4, seconds=2)):
        assert signed_out(again.get("/me"))


# --- devices ---


def test_the_desk_sees_who_is_signed_in_and_where(callers: Callers, collector: Caller) -> None:
    desk = callers.staff("dispatcher")
    (shown,) = desk.get("/devices").get_json()["devices"]
    assert (shown["collector_key"], shown["device_id"], shown["kind"], shown["current"]) == (
        "c01", str(phone_of(collector).id), "app", False,
    )  # fmt: skip
    # 14:00 UTC is 22:00 in Xuecheng
    assert datetime.fromisoformat(shown["expires_at"]) == datetime(2026, 11, 23, 14, tzinfo=UTC)
    # last seen moves when ten minutes have passed, not with every request
    with time_machine.travel(NOW + timedelta(minutes=8)):
        collector.get("/me")
        assert desk.get("/devices").get_json()["devices"][0]["seen_at"] == shown["seen_at"]
    with time_machine.travel(NOW + timedelta(minutes=12), tick=False):
        collector.get("/me")
        seen = desk.get("/devices").get_json()["devices"][0]["seen_at"]
        assert datetime.fromisoformat(seen) == NOW + timedelta(minutes=12)


def test_a_lost_phone_is_dead_at_the_next_request(client: FlaskClient, callers: Callers, collector: Caller) -> None:
    desk, other = callers.staff("admin"), callers.staff("collector", collector_key="c02")
    assert collector.get("/my-route").status_code == 200
    rows = {row["collector_key"]: row["id"] for row in desk.get("/devices").get_json()["devices"]}
    assert desk.call("DELETE", f"/devices/{rows['c01']}").status_code == 204
    assert signed_out(collector.get("/my-route"))
    token = collector.tokens["refresh_token"]
    answer = client.post("/sign-in/refresh", headers=phone_of(collector).headers("POST", REFRESH, token))
    assert signed_out(answer)
    # the others go on, the row is in no list any more, and there is nothing left to end
    assert other.get("/my-route").status_code == 200
    assert [row["collector_key"] for row in desk.get("/devices").get_json()["devices"]] == ["c02"]
    assert desk.call("DELETE", f"/devices/{rows['c01']}").status_code == 404


def test_nobody_elses_sign_in_is_ended_as_a_device(session: Session, callers: Callers) -> None:
    desk, resident = callers.staff("dispatcher"), callers.resident()
    for row_id in session.scalars(select(SignIn.id)).all():
        assert desk.call("DELETE", f"/devices/{row_id}").status_code == 404
    assert (desk.get("/me").status_code, resident.get("/me").status_code) == (200, 200)


def test_a_collector_sees_and_ends_their_own(callers: Callers, collector: Caller) -> None:
    second = callers.again("collector-1")
    callers.staff("collector", collector_key="c02")
    mine = {row["current"]: row for row in second.get("/my-devices").get_json()["devices"]}
    assert {here: row["device_id"] for here, row in mine.items()} == {
        True: str(phone_of(second).id), False: str(phone_of(collector).id),
    }  # fmt: skip
    assert second.call("DELETE", f"/my-devices/{mine[False]['id']}").status_code == 204
    assert signed_out(collector.get("/me"))
    assert second.call("DELETE", f"/my-devices/{mine[True]['id']}").status_code == 204
    assert signed_out(second.get("/me"))


def test_a_third_device_takes_the_place_of_the_first(callers: Callers, collector: Caller) -> None:
    with time_machine.travel(NOW + timedelta(minutes=1), tick=True):
        second = callers.again("collector-1")
    with time_machine.travel(NOW + timedelta(minutes=2), tick=True):
        third = callers.again("collector-1")
        assert signed_out(collector.get("/me"))
        assert (second.get("/me").status_code, third.get("/me").status_code) == (200, 200)
    # the same phone once more takes its own place only
    with time_machine.travel(NOW + timedelta(minutes=3), tick=True):
        again = callers.again("collector-1", phone_of(third))
        assert signed_out(third.get("/me"))
        assert (second.get("/me").status_code, again.get("/me").status_code) == (200, 200)


@pytest.mark.parametrize("locked", [True, False])
def test_sign_ins_at_the_same_moment_leave_two_devices_by_the_lock_on_the_account(
    app: Flask, session: Session, collector: Caller, monkeypatch: pytest.MonkeyPatch, *, locked: bool
) -> None:
    # given a collector on one device, and two more sign-ins that meet between looking for room and taking it, if they
    # can; without the lock they wait for each other as long as it takes
    postgres = session.get_bind().dialect.name == "postgresql"
    session.rollback()
    meeting, opened = threading.Barrier(2, timeout=30 if postgres and not locked else 1), sign_in._open
    if not locked:
        monkeypatch.setattr(Select, "with_for_update", lambda self, **_: self)

    def meet(*given: Any, **named: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            meeting.wait()
        return opened(*given, **named)

    monkeypatch.setattr(sign_in, "_open", meet)

    def open_one(phone: Phone) -> int:
        body = {"login": "collector-1", "password": PASSWORD, "device_id": str(phone.id)}
        headers = {"DPoP": phone.proof("POST", SIGN_IN)}
        return app.test_client().post("/sign-in/staff", json=body, headers=headers).status_code

    # when both come
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(open_one, (Phone(), Phone()))) == [201, 201]

    # then two devices are left; without the lock on PostgreSQL each sees room beside the first, and there are three.
    # SQLite has one writer at a time, whatever is locked.
    left = session.scalar(select(func.count()).where(SignIn.ended_at.is_(None)))
    assert left == (3 if postgres and not locked else 2)


@pytest.mark.parametrize("path", ["/devices", "/my-devices"])
def test_an_unknown_device_is_not_found(callers: Callers, path: str) -> None:
    caller = callers.staff("dispatcher") if path == "/devices" else callers.staff("collector")
    answer = caller.call("DELETE", f"{path}/{uuid4()}")
    assert answer.status_code == 404
    assert f"GET {path}" in answer.get_json()["detail"]


# --- what is written down ---


def test_the_document_tells_where_a_proof_goes(app: Flask) -> None:
    document = app.test_client().get("/api/openapi.json").get_json()

    def takes(operation: dict[str, Any]) -> bool:
        return {"$ref": "#/components/parameters/DPoP"} in operation.get("parameters", [])

    for path, method in (("/my-route", "get"), ("/my-devices", "get"), ("/sign-in/staff", "post"), ("/me", "get")):
        assert takes(document["paths"][path][method]), path
    assert not takes(document["paths"]["/bookings"]["post"])
    assert {"dpop": []} in document["paths"]["/my-route"]["get"]["security"]
    assert document["components"]["parameters"]["DPoP"]["in"] == "header"
