"""Creating calls are safe to send twice: the answer is kept in the transaction of its effect and replayed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, make_response, request

from recycling.clock import utc_now
from recycling.errors import IdempotencyKeyRequired
from recycling.extensions import db
from recycling.routes.guard import needs_header, principal
from recycling.usecases.idempotency import Answer, answer_once, was_answered

View = TypeVar("View", bound=Callable[..., Any])

KEY_FORM = re.compile(r"[\x21-\x7e]{1,128}")
KEPT_HEADERS = ("Content-Type", "Location", "ETag")


def idempotent(view: View) -> View:
    """Run a creating view once per caller, endpoint and ``Idempotency-Key``.

    Stands below ``@bp.arguments`` and above ``@bp.response``: the body is judged before the transaction opens, the
    answer is made inside it.
    """

    @wraps(view)
    def once(*args: Any, **kwargs: Any) -> Response:
        key = _key()

        def effect() -> Answer:
            made = make_response(view(*args, **kwargs))
            headers = {name: made.headers[name] for name in KEPT_HEADERS if name in made.headers}
            return Answer(status=made.status_code, headers=headers, body=made.get_data(as_text=True))

        answer, replayed = answer_once(
            effect,
            caller_id=principal().id,
            endpoint=_endpoint(),
            key=key,
            fingerprint=hashlib.sha256(request.get_data()).digest(),
            session=db.session(),
            now=utc_now(),
        )
        response = Response(answer.body, answer.status, headers=answer.headers)
        if replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    return cast("View", needs_header(once, "Idempotency-Key"))


def repeats_a_request() -> bool:
    """Whether the running request's key has its answer already."""
    return was_answered(caller_id=principal().id, endpoint=_endpoint(), key=_key(), session=db.session())


def _endpoint() -> str:
    return f"{request.method} {request.path}"


def _key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not KEY_FORM.fullmatch(key):
        raise IdempotencyKeyRequired(
            "send an Idempotency-Key header of 1 to 128 visible ASCII characters, a new one for each new wish;"
            " repeat it when you repeat the request"
            " / 缺少有效的 Idempotency-Key 请求头：每次新操作用新值，重试用原值"
        )
    return key
