"""The audit log over HTTP: found by action, thing, person and span, page by page, by clerks and administrators."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from recycling.models.audit import audit
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM, Principal
from tests.callers import Caller, Callers

RESIDENT = Principal(id=UUID(int=5), role="resident")


@pytest.fixture
def clerk(session: Session, now: datetime, callers: Callers) -> Caller:
    """A clerk, and five actions on as many days from 23 November on: by nobody but one by a resident."""
    clerk = callers.staff("clerk")
    for number in range(5):
        with atomic(session):
            audit(
                session, action="ticket.corrected" if number % 2 else "report.made", subject=UUID(int=number),
                by=RESIDENT if number == 4 else SYSTEM, now=now + timedelta(days=number), facts={"net_g": number},
            )  # fmt: skip
    return clerk


def listed(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    answer = caller.get(f"/audit-rows{query}")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.get_json()["audit_rows"]
    return rows


def test_rows_come_newest_first_with_what_was_done(clerk: Caller) -> None:
    rows = listed(clerk)
    # the clerk's own account was opened before
    assert [row["action"] for row in rows] == ["report.made", "ticket.corrected"] * 2 + ["report.made", "staff.added"]
    assert rows[1] == {
        "number": 5, "at": "2026-11-26T02:00:00+00:00", "actor_id": str(SYSTEM.id), "actor_role": "admin",
        "action": "ticket.corrected", "subject": str(UUID(int=3)), "facts": {"net_g": 3},
    }  # fmt: skip


def test_rows_are_found_by_action_thing_person_and_span(clerk: Caller) -> None:
    def numbers(query: str) -> list[int]:
        return [row["number"] for row in listed(clerk, query)]

    assert numbers("?action=ticket.corrected") == [5, 3]
    assert numbers(f"?subject={UUID(int=2)}") == [4]
    assert numbers(f"?actor_id={RESIDENT.id}") == [6]  # under another id in the row itself
    assert listed(clerk, f"?actor_id={RESIDENT.id}")[0]["actor_id"] != str(RESIDENT.id)
    # days are local and both included
    assert numbers("?from=2026-11-24&to=2026-11-25") == [4, 3]
    for query in (
        "?from=2026-11-25&to=2026-11-24",
        "?cursor=x",
        "?limit=0",
        "?from=0001-01-01",
        "?to=9999-12-31",
        "?actor_id=x",
        "?colour=red",
    ):
        assert clerk.get(f"/audit-rows{query}").status_code == 422, query


def test_pages_follow_each_other_without_gap(clerk: Caller) -> None:
    found, query = [], "?limit=4"
    while True:
        page = clerk.get(f"/audit-rows{query}").get_json()
        found += [row["number"] for row in page["audit_rows"]]
        if page["next_cursor"] is None:
            break
        query = f"?limit=4&cursor={page['next_cursor']}"
    assert found == [6, 5, 4, 3, 2, 1]
