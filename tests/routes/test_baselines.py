"""Baselines and the forecast over HTTP: two people, words for a zero, and a page that always answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.callers import Callers

A_BASELINE: dict[str, Any] = {
    "scope": "household-appliances/2", "year": 2023, "units": 1000, "mass_g": 20_000_000,
    "source_document": "薛商字 1 号", "document_sha256": "AB" * 32,
}  # fmt: skip


def test_one_clerk_states_it_and_another_confirms_it(callers: Callers) -> None:
    first, second = callers.staff("clerk"), callers.staff("clerk")
    stated = first.post("/baselines", A_BASELINE)
    assert stated.status_code == 201, stated.text
    assert (stated.get_json()["state"], stated.get_json()["sha256"]) == ("proposed", None)
    where = f"/baselines/{stated.get_json()['id']}/confirmation"
    own = first.post(where)
    assert (own.status_code, own.get_json()["code"]) == (403, "forbidden")
    confirmed = second.post(where)
    assert confirmed.status_code == 201
    assert confirmed.get_json()["confirmed_by_id"] == str(second.id)
    assert second.post(where).status_code == 409
    (listed,) = second.get("/baselines").get_json()["baselines"]
    assert listed == confirmed.get_json()
    assert len(listed["sha256"]) == 64
    # and goals are measured against it at once
    (scope,) = [
        one for one in second.get("/goal-progress").get_json()["scopes"] if one["scope"]["label"] == listed["scope"]
    ]
    assert scope["baseline_state"] == "confirmed"
    assert scope["units_progress"]["target"] == 1_225


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"units": 0}, "above zero"),
        ({"mass_g": -1}, "above zero"),
        ({"scope": "toys/1"}, "unknown"),
        ({"year": 2026}, "not over"),
        ({"document_sha256": "abc"}, "SHA-256"),
        ({"units": 1.5}, "integer"),
        ({"source_document": ""}, "Length"),
    ],
)
def test_what_cannot_be_a_baseline_is_refused_in_words(wrong: dict[str, Any], says: str, callers: Callers) -> None:
    clerk = callers.staff("clerk")
    answer = clerk.post("/baselines", A_BASELINE | wrong)
    assert answer.status_code == 422
    assert says in answer.text
    assert clerk.get("/baselines").get_json()["baselines"] == []


def test_the_forecast_page_answers_before_any_night_has_passed(callers: Callers) -> None:
    page = callers.staff("clerk").get("/goal-forecast")
    assert page.status_code == 200, page.text
    assert page.get_json()["forecast_of"] is None
    assert {scope["scope"] for scope in page.get_json()["scopes"]} >= {"household-appliances/2", "furniture/2"}
    assert callers.staff("clerk").get("/goal-forecast?on=2031-01-01").status_code == 422
