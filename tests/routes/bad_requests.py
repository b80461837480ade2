"""Bad requests: what is wrong with each, what is to be said about it, and eyes on the tables meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from recycling.models import Base
from tests.builders import a_wish_body
from tests.callers import Caller

MEMBERS = {"type", "title", "status", "detail", "code", "retryable", "request_id"}
NEXT_STEP = re.compile(
    r"\b(?:send|choose|correct|book|place|take|give|name|make|read|declare|encode|set)\b", re.IGNORECASE
)
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """One bad request, and what is to be said about it."""

    body: Any = None
    method: str = "POST"
    path: str = "/bookings"
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE
    status: int = 422
    code: str = "invalid_input"
    says: tuple[str, ...] = ()


def wish(*says: str, **overrides: Any) -> Bad:
    """A wish with something wrong in it."""
    return Bad(body=a_wish_body(**overrides), says=says)


def raw(text: str | bytes, *says: str, status: int = 400, code: str = "bad_request", **options: Any) -> Bad:
    """A body that is no good JSON object."""
    return Bad(body=text.encode() if isinstance(text, str) else text, status=status, code=code, says=says, **options)


def with_text(old: str, new: str) -> str:
    """A good wish as text, with a part of it exchanged."""
    good = json.dumps(a_wish_body(), ensure_ascii=False)
    assert old in good
    return good.replace(old, new)


class Counter:
    """Sends bad requests and looks at every table's rows before and after."""

    def __init__(self, session: Session, caller: Caller) -> None:
        self.session, self.caller = session, caller

    def rows(self) -> dict[str, int]:
        """Rows of every table."""
        self.session.rollback()
        tables = Base.metadata.sorted_tables
        return {one.name: self.session.scalars(select(func.count()).select_from(one)).one() for one in tables}

    def refuse(self, cases: Sequence[Bad]) -> None:
        """Each case is refused as it says, and nothing is written."""
        before = self.rows()
        self.session.rollback()
        for case in cases:
            check(case, self.send(case))
        assert self.rows() == before

    def send(self, case: Bad) -> TestResponse:
        """Send one case as the caller."""
        headers = {"Authorization": f"Bearer {self.caller.tokens['access_token']}", "Idempotency-Key": str(uuid4())}
        content: dict[str, Any] = {}
        if case.body is not None:
            content["data"] = case.body if isinstance(case.body, bytes) else json.dumps(case.body)
            content["content_type"] = case.content_type
        headers = {name: value for name, value in (headers | case.headers).items() if value != "leave out"}
        return self.caller.client.open(case.path, method=case.method, headers=headers, **content)


def check(case: Bad, answer: TestResponse) -> None:
    """The answer is the problem that the case asks for."""
    shown = f"{case.method} {case.path} {str(case.body)[:200]!r} {case.headers} -> {answer.status} {answer.text[:600]}"
    assert answer.status_code == case.status, shown
    assert answer.content_type == "application/problem+json", shown
    said = answer.get_json()
    assert said.keys() - {"fields"} == MEMBERS, shown
    assert (said["status"], said["code"]) == (case.status, case.code), shown
    assert said["type"] == f"urn:recycling:problem:{case.code}", shown
    assert answer.headers["X-Request-Id"] == said["request_id"] != "", shown
    for words in case.says:
        assert words in said["detail"], f"{words!r} is not in: {shown}"
    # a sentence with a next step, and short however long the input was
    assert NEXT_STEP.search(said["detail"]), shown
    assert len(answer.data) < 6000, f"{len(answer.data)} bytes: {shown}"
