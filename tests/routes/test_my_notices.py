"""A resident's own say on reminders, over HTTP."""

from __future__ import annotations

import pytest

from tests.callers import Callers


def test_a_resident_declines_reminders_and_takes_them_again(callers: Callers) -> None:
    resident, other = callers.resident(), callers.resident()
    first = resident.get("/my-notices").get_json()
    assert (first["reminders"], first["declined_at"]) == (True, None)
    # what may be declined and what may not stands beside it, and no kind in both
    assert "booking.reminder" in first["optional_kinds"]
    assert {"booking.confirmed", "booking.cancelled", "visit.missed"} <= set(first["always_kinds"])
    assert not set(first["optional_kinds"]) & set(first["always_kinds"])
    # when reminders are declined, by one of two
    answer = resident.call("PATCH", "/my-notices", {"reminders": False})
    assert answer.status_code == 200
    assert answer.get_json()["declined_at"].startswith("2026-11-23T02:00:")
    assert resident.get("/my-notices").get_json()["reminders"] is False
    assert other.get("/my-notices").get_json()["reminders"] is True
    assert resident.call("PATCH", "/my-notices", {"reminders": True}).get_json()["declined_at"] is None


@pytest.mark.parametrize(
    "body", [{}, {"reminders": "no"}, {"reminders": 0}, {"reminders": None}, {"reminders": True, "codes": False}]
)
def test_another_form_is_refused(callers: Callers, body: dict[str, object]) -> None:
    assert callers.resident().call("PATCH", "/my-notices", body).status_code == 422
