"""Every failure as RFC 9457 problem+json: the one table from domain errors to HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, g, render_template, request
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from recycling import errors
from recycling.logs import logger
from recycling.models.transaction import DATABASE_ERRORS, is_outage
from recycling.policy.device_proof import ALGORITHM

log = logger(__name__)

MEDIA_TYPE = "application/problem+json"
DPOP = f'DPoP error="invalid_dpop_proof", algs="{ALGORITHM}"'  # RFC 9449, section 7.1
TOLD = (
    "errors",
    "error_count",
    "server_time",
    "stored_bytes",
    "bookings",
    "can_stand",
)  # facts of an error that its answer has as members
RETRY_AFTER_S = 5  # what a caller is told when the database is away
MOST_LINES = 10  # refused fields named in one answer: a body of 10,000 wrong items gets a short one
SHOWN_OF_VALUE = 40  # characters of a refused value that the answer repeats
# Secrets and personal data: named, never repeated.
UNSPOKEN = {"password", "code", "phone", "address", "note", "label", "text"}

STATUS: dict[type[errors.DomainError], int] = {
    errors.InvalidInput: 422,
    errors.UnsupportedMedia: 415,
    errors.TooLarge: 413,
    errors.NotFound: 404,
    errors.NotSignedIn: 401,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.StaleVersion: 412,
    errors.VersionRequired: 428,
    errors.IdempotencyKeyRequired: 400,
    errors.IdempotencyKeyMismatch: 422,
    errors.TooManyRequests: 429,
    errors.WrongCode: 401,
    errors.Unavailable: 503,
    errors.NotInstalled: 501,
}


def status_of(error: errors.DomainError) -> int:
    """The HTTP status of a domain error: its own row in the table, or that of its nearest base."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(
    status: int,
    detail: str,
    *,
    code: str,
    retryable: bool = False,
    fields: Any = None,
    more: Mapping[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem document; for the pages, the same in words a person reads."""
    title = HTTPStatus(status).phrase
    body: dict[str, Any] = {
        "type": f"urn:recycling:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "retryable": retryable,
        "request_id": g.get("request_id", ""),
    }
    if fields is not None:
        body["fields"] = fields
    body |= more or {}
    if wants_page():
        response = Response(render_template("problem.html", problem=body), status, mimetype="text/html")
    else:
        # The name of an unknown field may hold half of a surrogate pair, which UTF-8 cannot write.
        text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        response = Response(text, status, mimetype=MEDIA_TYPE)
    response.headers.update(headers or {})
    return response


def wants_page() -> bool:
    """Whether the failing request was for a screen rather than for the API."""
    return request.path == "/" or request.path.startswith("/pages/")


def install(app: Flask) -> None:
    """Give every request an id, and every failure this form."""

    @app.before_request
    def name_request() -> None:
        offered = request.headers.get("X-Request-Id", "")
        g.request_id = offered if re.fullmatch(r"[A-Za-z0-9-]{8,64}", offered) else str(uuid4())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def show_request_id(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        return response

    app.register_error_handler(errors.DomainError, answer_domain_error)
    app.register_error_handler(HTTPException, answer_http_exception)
    for kind in DATABASE_ERRORS:
        app.register_error_handler(kind, answer_database_error)
    app.register_error_handler(Exception, answer_bug)


def answer_domain_error(error: errors.DomainError) -> Response:
    """A refusal of the domain, by the table."""
    status = status_of(error)
    headers = {}
    if isinstance(error, errors.TooManyRequests):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == 401:
        headers["WWW-Authenticate"] = DPOP if isinstance(error, errors.DeviceProofRefused) else "Bearer"
    more: dict[str, Any] = {name: error.facts[name] for name in TOLD if name in error.facts}
    return problem(
        status, error.message, code=error.code, retryable=error.retryable, fields=error.facts.get("fields"), more=more,
        headers=headers,
    )  # fmt: skip


def answer_http_exception(error: HTTPException) -> Response:
    """A refusal of the framework: unknown address, wrong method, unreadable or invalid body."""
    status = error.code or 500
    found = getattr(error, "data", None) or {}  # webargs puts the fields' messages here
    fields, detail = None, error.description or HTTPStatus(status).phrase
    if found.get("messages"):
        lines = _refused(found["messages"])
        shown = list(islice(lines, MOST_LINES))
        more = sum(1 for _ in lines)
        fields = {path: texts for path, _, texts in shown}
        said = [f"{path}{value}: {' '.join(texts).rstrip('.')}" for path, value, texts in shown]
        detail = (
            f"{'; '.join(said)}{f'; and {more} more' if more else ''}. Correct it and send again"
            f" / 内容有误：{'、'.join(fields)}{'等' if more else ''}，请更正后重新提交"
        )
    if status == 404 and error.description == NotFound.description:  # the framework's own: no such address
        where = "start from the home page" if wants_page() else "read /api/docs for what there is"
        detail = f"there is nothing at {request.path[:100]}; {where} / 地址不存在"
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        detail = f"{request.method} is not for {request.path[:100]}; send one of {allowed} / 不支持该请求方法"
    if isinstance(error, RequestEntityTooLarge):
        detail = "the body is larger than this server takes; send less at once / 提交内容过大"
    # Everything but the content type: a 405 keeps its Allow.
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    if isinstance(error, RateLimitExceeded) and error.limit is not None:
        wait_s = error.limit.limit.get_expiry()
        detail = (
            f"more than {error.limit.limit} from your address; try again in {wait_s} s"
            f" / 请求过于频繁，请 {wait_s} 秒后再试"
        )
        headers["Retry-After"] = str(wait_s)
    # A value refused by the form of a field and one refused by a rule of the domain are one thing to a client.
    code = errors.InvalidInput.code if status == 422 else HTTPStatus(status).name.lower()
    return problem(status, detail, code=code, retryable=status in (429, 503), fields=fields, headers=headers)


def _refused(messages: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Each refused field: its path such as ``items.0.quantity``, the value it came with, and what is wrong with it."""
    for location, inner in messages.items():
        sent = request.get_json(silent=True) if location == "json" else request.args if location == "query" else None
        for path, value, texts in _walk(inner, sent, ()):
            yield ".".join(path) or {"json": "body"}.get(location, location), value, texts


def _walk(messages: Any, sent: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, list[str]]]:
    if not isinstance(messages, dict):
        texts = [str(text) for text in (messages if isinstance(messages, list) else [messages])]
        yield path, "" if path and path[-1] in UNSPOKEN else _shown(sent), texts
        return
    for key, inner in messages.items():
        if key == "_schema":
            yield from _walk(inner, sent, path)
        else:
            yield from _walk(inner, _under(sent, key), (*path, str(key)[:SHOWN_OF_VALUE]))


class _Absent:
    """No value was sent there."""


def _under(sent: Any, key: Any) -> Any:
    try:
        return sent[key]
    except (KeyError, IndexError, TypeError):
        return _Absent


def _shown(value: Any) -> str:
    """A refused value in a few characters."""
    if value is _Absent or value is None:
        return "" if value is _Absent else " is null"
    if isinstance(value, list):
        return f" is a list of {len(value)}"
    if isinstance(value, dict):
        return " is an object"
    if isinstance(value, int) and value.bit_length() > SHOWN_OF_VALUE:
        return " is a number of too many digits"
    text = json.dumps(value, ensure_ascii=False)
    return f" is {text if len(text) <= SHOWN_OF_VALUE else text[:SHOWN_OF_VALUE] + '…'}"


def answer_database_error(error: Exception) -> Response:
    """The database is away, or busy for too long. Whether it still wrote is not known; the key or version tells."""
    if not is_outage(error):
        return answer_bug(error)
    log.error("database.unavailable", error=type(error).__name__)
    return answer_domain_error(
        errors.Unavailable("the database does not answer; repeat the same request in a moment / 系统繁忙，请稍后再试")
    )


def answer_bug(error: Exception) -> Response:
    """Something we did not foresee: logged whole, told without detail."""
    log.error("request.failed", path=request.path, method=request.method, exc_info=error)
    return problem(
        500,
        "this is our fault and has been logged; give the request_id when you report it / 系统出错，请提供请求编号",
        code="internal_error",
    )
