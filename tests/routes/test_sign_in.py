"""Signing in over HTTP: tokens that work, end, and cannot be made by anybody else."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.policy.access import SYSTEM
from recycling.usecases.people.staff import close_staff
from tests.callers import PASSWORD, Callers
from tests.conftest import NOW


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def me(client: FlaskClient, token: str) -> TestResponse:
    return client.get("/me", headers={"Authorization": f"Bearer {token}"})


def refresh(client: FlaskClient, token: str) -> TestResponse:
    return client.post("/sign-in/refresh", headers={"Authorization": f"Bearer {token}"})


def refused(answer: TestResponse) -> bool:
    """Whether the caller is told to sign in, in the one form there is for that."""
    return (answer.status_code, answer.get_json()["code"], answer.headers["WWW-Authenticate"]) == (
        401,
        "not_signed_in",
        "Bearer",
    )


def test_a_resident_signs_in_by_code_and_is_themselves(callers: Callers) -> None:
    resident = callers.resident("13812345678")
    assert resident.get("/me").get_json() == {
        "id": str(resident.id), "role": "resident", "station_key": None, "collector_key": None,
    }  # fmt: skip
    # and the same person again from another device, a minute later
    with time_machine.travel(NOW + timedelta(minutes=1), tick=True):
        assert callers.resident("13812345678").id == resident.id


def test_staff_sign_in_with_role_and_place(callers: Callers) -> None:
    keeper = callers.staff("keeper", station_key="xingren")
    assert keeper.get("/me").get_json()["station_key"] == "xingren"
    assert callers.staff("collector", collector_key="c01").get("/me").get_json()["collector_key"] == "c01"


def test_an_unknown_login_a_wrong_password_and_a_closed_account_answer_alike(
    app: Flask, client: FlaskClient, callers: Callers
) -> None:
    callers.staff("clerk")
    callers.staff("admin")
    with app.app_context():
        close_staff("admin-2", by=SYSTEM, session=db.session(), now=utc_now())
    answers = []
    for login, password in (("clerk-1", "wrong password"), ("nobody-1", PASSWORD), ("admin-2", PASSWORD)):
        answer = client.post("/sign-in/staff", json={"login": login, "password": password})
        said = answer.get_json()
        del said["request_id"]
        answers.append((answer.status_code, said))
    assert answers[0] == answers[1] == answers[2]
    assert (answers[0][0], answers[0][1]["code"]) == (401, "wrong_credentials")


def test_a_wrong_code_an_unknown_one_and_a_used_one_answer_alike(client: FlaskClient, callers: Callers) -> None:
    sent = client.post("/sign-in/codes", json={"phone": "13812345678"}).get_json()
    assert sent["expires_in_s"] == 300
    code = callers.sms.last_code("13812345678")
    wrong = "000000" if code != "000000" else "000001"
    absent = "6f1c9f50-0000-4000-8000-000000000000"
    told = []
    for body in (
        {"code_id": sent["code_id"], "code": wrong},
        {"code_id": absent, "code": code},
        {"code_id": sent["code_id"], "code": code},  # this one opens
        {"code_id": sent["code_id"], "code": code},
    ):
        answer = client.post("/sign-in/tokens", json=body)
        told.append((answer.status_code, answer.get_json().get("detail")))
    assert told.pop(2)[0] == 201
    assert told[0] == told[1] == told[2]
    assert told[0][0] == 401


def test_a_code_too_many_says_when_to_come_back(client: FlaskClient, callers: Callers) -> None:
    client.post("/sign-in/codes", json={"phone": "13812345678"})
    answer = client.post("/sign-in/codes", json={"phone": "13812345678"})
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many_requests")
    # 10:00:00 and a little: the minute is nearly whole
    assert 50 <= int(answer.headers["Retry-After"]) <= 60


def test_tokens_are_renewed_once_and_a_copy_ends_the_sign_in(client: FlaskClient, callers: Callers) -> None:
    first = callers.resident().tokens
    renewed = refresh(client, first["refresh_token"])
    assert renewed.status_code == 201
    second = renewed.get_json()
    assert me(client, second["access_token"]).status_code == 200
    # the old refresh token comes again: all tokens of the sign-in are dead
    assert refused(refresh(client, first["refresh_token"]))
    assert refused(me(client, second["access_token"]))
    assert refused(refresh(client, second["refresh_token"]))


def test_signed_out_means_dead_at_the_next_request(client: FlaskClient, callers: Callers) -> None:
    resident = callers.resident()
    assert resident.call("DELETE", "/me/sign-in").status_code == 204
    assert refused(resident.get("/me"))
    assert refused(resident.get("/bookings"))
    assert refused(refresh(client, resident.tokens["refresh_token"]))


def test_a_closed_account_is_dead_at_the_next_request(app: Flask, client: FlaskClient, callers: Callers) -> None:
    clerk = callers.staff("clerk")
    with app.app_context():
        close_staff("clerk-1", by=SYSTEM, session=db.session(), now=utc_now())
    assert refused(clerk.get("/me"))
    assert refused(refresh(client, clerk.tokens["refresh_token"]))


def test_an_access_token_ends_after_a_quarter_of_an_hour(client: FlaskClient, callers: Callers) -> None:
    resident = callers.resident()
    assert resident.tokens["expires_in_s"] == 900
    with time_machine.travel(NOW + timedelta(seconds=890), tick=True):
        assert resident.get("/me").status_code == 200
    with time_machine.travel(NOW + timedelta(seconds=910), tick=True):
        assert refused(resident.get("/me"))
        assert refresh(client, resident.tokens["refresh_token"]).status_code == 201


def test_each_token_does_its_own_work_only(client: FlaskClient, callers: Callers) -> None:
    resident = callers.resident()
    assert refused(me(client, resident.tokens["refresh_token"]))
    assert refused(refresh(client, resident.tokens["access_token"]))


def signed(app: Flask, claims: dict[str, Any], *, key: str | None = None, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, app.config["JWT_SECRET_KEY"] if key is None else key, algorithm=algorithm)


def test_nobody_else_can_make_a_token(app: Flask, client: FlaskClient, callers: Callers) -> None:
    # given the claims of a token that works
    token = callers.resident().tokens["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert me(client, signed(app, claims)).status_code == 200

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    header, payload, signature = token.split(".")
    admin_claims = claims | {"role": "admin"}
    forged = {
        "another key": signed(app, claims, key="7" * 64),
        "another algorithm": signed(app, claims, algorithm="HS512"),
        "no algorithm": f"{part({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "another payload": f"{header}.{part(admin_claims)}.{signature}",
        "cut": token[:-2],
        "no signature": f"{header}.{payload}.",
        "a key of its own": f"{part({'alg': 'HS256', 'jwk': {'kty': 'oct', 'k': 'AAAA'}})}.{payload}.{signature}",
        "another audience": signed(app, claims | {"aud": "elsewhere"}),
        "no audience": signed(app, {name: value for name, value in claims.items() if name != "aud"}),
        "expired": signed(app, claims | {"exp": 1}),
        "not yet": signed(app, claims | {"nbf": claims["nbf"] + 3600}),
        "no such sign-in": signed(app, claims | {"sub": "6f1c9f50-0000-4000-8000-000000000000"}),
    }
    for name, one in forged.items():
        assert refused(me(client, one)), name
    # a role written into a token of ours says nothing: rights are read from the database
    assert me(client, signed(app, admin_claims)).get_json()["role"] == "resident"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer a.b.c", "Bearer ....", "Bearer \xff\xfe", "bearer x"],
)
def test_a_header_that_is_no_token_is_a_sign_in_asked_for(client: FlaskClient, header: str) -> None:
    assert refused(client.get("/me", headers={"Authorization": header}))


def test_a_token_of_the_api_is_no_sign_in_in_a_cookie(app: Flask, client: FlaskClient, callers: Callers) -> None:
    client.set_cookie(app.config["JWT_ACCESS_COOKIE_NAME"], callers.resident().tokens["access_token"])
    assert refused(client.get("/me"))
