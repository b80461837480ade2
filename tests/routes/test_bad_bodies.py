"""Bad bodies and queries over HTTP: each a 4xx in words with the next step, and nothing is written."""

from __future__ import annotations

import json
from io import BytesIO
from uuid import uuid4

from tests.builders import a_wish_body
from tests.routes.bad_requests import JSON_TYPE, Bad, Counter, check, raw, with_text


def test_a_body_that_is_no_json_object_is_refused(resident: Counter) -> None:
    resident.refuse(
        [
            raw("", "the body is empty", "send a JSON object"),
            raw("{", "no JSON", "line 1, column 2"),
            raw('{"floor": 1,}', "no JSON"),
            raw("{'floor': 1}", "no JSON"),
            raw(with_text("34.8", "NaN"), "NaN is no JSON number", "send a finite one"),
            raw(with_text("34.8", "Infinity"), "Infinity is no JSON number"),
            raw(with_text("34.8", "-Infinity"), "-Infinity is no JSON number"),
            raw(with_text("34.8", "1" * 5000), "too many digits"),
            raw('{"floor": 1, "floor": 2}', "names 'floor' twice"),
            raw('{"items": [{"quantity": 1, "quantity": 2}]}', "names 'quantity' twice"),
            raw("[" * 100_000 + "]" * 100_000, "nested too deeply"),
            raw('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
            raw(b'{"note": "\xff"}', "not UTF-8"),
            raw(b'{"note": "\xc0\xaf"}', "not UTF-8"),
            raw(json.dumps(a_wish_body()).encode("utf-16"), "not UTF-8"),
            raw(json.dumps(a_wish_body()).encode("utf-32"), "not UTF-8"),
            raw(b"\xef\xbb\xbf" + json.dumps(a_wish_body()).encode(), "no JSON"),
            raw("[]", "body is a list of 0", status=422, code="invalid_input"),
            raw("null", "body is null", status=422, code="invalid_input"),
            raw("7", "body is 7", status=422, code="invalid_input"),
            raw('"fridge"', 'body is "fridge"', status=422, code="invalid_input"),
        ]
    )


def test_a_body_of_ten_megabytes_is_refused_unread(resident: Counter) -> None:
    too_large = {"status": 413, "code": "request_entity_too_large"}
    resident.refuse(
        [
            raw(b'{"note": "' + b"x" * 10_000_000 + b'"}', "larger than this server takes", **too_large),  # type: ignore[arg-type]  # status and code as the constructor takes them
            raw(b"\x00" * ((1 << 20) + 1), "send less at once", **too_large),  # type: ignore[arg-type]  # as above
        ]
    )


def test_a_body_without_its_length_is_refused_unread(resident: Counter) -> None:
    # It would be cut off at the largest size without a word: what stands behind that was judged by nobody.
    case = raw(json.dumps(a_wish_body()), "send the body with its Content-Length", status=411, code="length_required")
    before = resident.rows()
    headers = {"Authorization": f"Bearer {resident.caller.tokens['access_token']}", "Idempotency-Key": str(uuid4())}
    answer = resident.caller.client.post(
        case.path, headers=headers | {"Transfer-Encoding": "chunked"}, input_stream=BytesIO(case.body),
        content_type=JSON_TYPE, environ_overrides={"wsgi.input_terminated": True},
    )  # fmt: skip
    check(case, answer)
    assert answer.headers["Connection"] == "close"
    assert resident.rows() == before


def test_a_query_is_read_to_the_letter(resident: Counter) -> None:
    for query, said in (
        ("day=2026-11-24&day=2026-11-25", "day is"), ("limit=1_0", 'limit is "1_0"'), ("limit=５", "limit is"),
        ("limit=+5", "limit is"), ("limit=", "limit is"),
    ):  # fmt: skip
        resident.refuse([Bad(method="GET", path=f"/bookings?{query}", says=(said,))])


def test_a_body_of_another_type_is_refused(resident: Counter) -> None:
    good = json.dumps(a_wish_body()).encode()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", ""):
        case = Bad(
            body=good, content_type=content_type, status=415, code="unsupported_media_type",
            says=("send the body as Content-Type: application/json",),
        )  # fmt: skip
        answer = resident.send(case)
        assert (answer.status_code, answer.get_json()["code"]) == (415, "unsupported_media_type"), content_type
        assert case.says[0] in answer.get_json()["detail"]
