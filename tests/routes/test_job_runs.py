"""Job runs over HTTP."""

from __future__ import annotations

import json
import threading
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy.orm import Session

from recycling.clock import utc_now
from recycling.models.job_run import claim, enqueue, finish
from recycling.models.run_progress import tell
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.routes import streams
from recycling.usecases.planning.day_problem import vehicles_out_at
from tests.callers import Callers

WISH = {"job": "plan_day", "day": "2026-11-24"}


def test_a_dispatcher_asks_for_a_plan_and_looks_at_its_run(callers: Callers) -> None:
    dispatcher = callers.staff("dispatcher")
    made = dispatcher.post("/job-runs", WISH)
    assert made.status_code == 202, made.text
    run = made.json
    assert run is not None
    assert (run["job"], run["scope"], run["state"], run["attempts"]) == ("plan_day", "2026-11-24", "queued", 0)
    assert run["asked_by_id"] == str(dispatcher.id)
    shown = dispatcher.get(f"/job-runs/{run['id']}")
    assert (shown.status_code, shown.json) == (200, run)


def test_a_repeated_wish_is_one_run(callers: Callers) -> None:
    dispatcher = callers.staff("dispatcher")
    # the same request again gets the same answer
    first = dispatcher.post("/job-runs", WISH, Idempotency_Key="k1")
    again = dispatcher.post("/job-runs", WISH, Idempotency_Key="k1")
    assert (first.status_code, again.status_code, first.data) == (202, 202, again.data)
    # a new wish for the same day, before anybody has begun, gets the run that waits
    other = callers.staff("admin").post("/job-runs", WISH)
    assert other.json["id"] == first.json["id"]  # type: ignore[index]  # both are JSON
    assert len(dispatcher.get("/job-runs").json["job_runs"]) == 1  # type: ignore[index]  # both are JSON


def test_a_run_under_way_does_not_swallow_a_new_wish(callers: Callers, session: Session) -> None:
    dispatcher = callers.staff("dispatcher")
    first = dispatcher.post("/job-runs", WISH).json
    with atomic(session):
        assert claim(session, now=utc_now(), lease=timedelta(minutes=2)) is not None
    second = dispatcher.post("/job-runs", WISH).json
    assert first is not None
    assert second is not None
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"job": "plan_day", "day": "2026-11-22"}, "choose one from 2026-11-23"),  # yesterday
        ({"job": "plan_day", "day": "2027-11-24"}, "choose one from 2026-11-23"),  # beyond the booking horizon
        ({"job": "roll_up", "day": "2026-11-24"}, "job"),  # the clock's own
        ({"job": "plan_day", "day": "24.11.2026"}, "day"),
        ({"job": "plan_day"}, "day"),
        ({"job": "plan_day", "day": "2026-11-24", "scope": "x"}, "scope"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_words(callers: Callers, body: dict[str, Any], word: str) -> None:
    refused = callers.staff("admin").post("/job-runs", body)
    assert refused.status_code == 422
    assert word in refused.json["detail"]  # type: ignore[index]  # a problem document


def test_a_day_whose_vehicles_are_out_is_refused_at_once_instead_of_failing_later(
    callers: Callers, district: District
) -> None:
    out_at = vehicles_out_at(date(2026, 11, 24), district)
    # a moment before it is queued
    with time_machine.travel(out_at - timedelta(seconds=1), tick=False):
        assert callers.staff("dispatcher").post("/job-runs", WISH).status_code == 202
    with time_machine.travel(out_at, tick=False):
        dispatcher = callers.staff("dispatcher")
        refused = dispatcher.post("/job-runs", WISH)
        assert (refused.status_code, refused.get_json()["code"]) == (409, "conflict")
        assert "2026-11-24 的车辆已出车，请电话联系回收员" in refused.get_json()["detail"]
        assert len(dispatcher.get("/job-runs").get_json()["job_runs"]) == 1


@pytest.mark.parametrize("role", ["resident", "collector", "keeper"])
def test_only_dispatchers_and_admins_see_or_ask(callers: Callers, role: Any) -> None:
    caller = callers.resident() if role == "resident" else callers.staff(role)
    assert caller.get("/job-runs").status_code == 403
    assert caller.post("/job-runs", WISH).status_code == 403


def test_runs_are_listed_last_due_first_page_by_page(callers: Callers, session: Session) -> None:
    # given five nights, the last of them done
    now = utc_now()
    with atomic(session):
        for night in range(5):
            enqueue(session, job="roll_up", due_at=now + timedelta(days=night), scope=f"2026-11-{20 + night}", now=now)
    with atomic(session):
        held = claim(session, now=now, lease=timedelta(minutes=2))
        assert held is not None
        assert finish(session, held, figures={"rows": 7}, now=now)
    # when they are read two at a time
    admin = callers.staff("admin")
    found: list[str] = []
    cursor = ""
    while True:
        page = admin.get(f"/job-runs?limit=2{cursor}").json
        assert page is not None
        found += [run["scope"] for run in page["job_runs"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    # then each comes once, the last due first
    assert found == [f"2026-11-{20 + night}" for night in (4, 3, 2, 1, 0)]
    # and they can be chosen by state and job
    done = admin.get("/job-runs?state=done&job=roll_up").json
    assert done is not None
    assert [run["figures"] for run in done["job_runs"]] == [{"rows": 7}]
    assert admin.get("/job-runs?job=remind").json["job_runs"] == []  # type: ignore[index]  # a page
    assert admin.get("/job-runs?cursor=nonsense").status_code == 422


def test_an_unknown_run_is_not_found(callers: Callers) -> None:
    assert callers.staff("admin").get(f"/job-runs/{uuid4()}").status_code == 404


def test_the_bureau_reads_runs_and_asks_for_none(callers: Callers) -> None:
    run_id = callers.staff("dispatcher").post("/job-runs", WISH).get_json()["id"]
    clerk = callers.staff("clerk")
    assert [run["id"] for run in clerk.get("/job-runs").get_json()["job_runs"]] == [run_id]
    assert clerk.get(f"/job-runs/{run_id}").status_code == 200
    assert clerk.post("/job-runs", WISH).status_code == 403


def events(answer: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream: name and data."""
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/event-stream"
    found = []
    for block in answer.text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in lines:
            found.append((lines.get("event", "message"), json.loads(lines["data"])))
    return found


def test_a_run_is_followed_to_its_end(callers: Callers, session: Session) -> None:
    dispatcher = callers.staff("dispatcher")
    run = dispatcher.post("/job-runs", WISH).json
    assert run is not None
    # given a run that is taken, tells something and ends
    now = utc_now()
    with atomic(session):
        held = claim(session, now=now, lease=timedelta(minutes=2))
        assert held is not None
        tell(session, held.run_id, elapsed_ms=1500, best_cost=70_310, stops_planned=9, stops_total=10, now=now)
        finish(session, held, figures={"plan_id": "p"}, now=now)
    # when it is followed
    told = events(dispatcher.get(f"/job-runs/{run['id']}/progress"))
    # then the state is told and the stream ends
    assert [name for name, _ in told] == ["message", "over"]
    far = told[0][1]
    assert (far["state"], far["over"], far["best_cost"], far["stops_planned"], far["stops_total"]) == (
        "done", True, 70_310, 9, 10,
    )  # fmt: skip
    assert far["figures"] == {"plan_id": "p"}


def test_what_changes_is_sent_and_nothing_else(
    callers: Callers, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher = callers.staff("dispatcher")
    run = dispatcher.post("/job-runs", WISH).json
    assert run is not None
    # given a run that is taken at the third look, and a stream that ends after the fifth
    looks = []

    def between(_seconds: float) -> None:
        looks.append(1)
        if len(looks) == 2:
            with atomic(session):
                assert claim(session, now=utc_now(), lease=timedelta(minutes=2)) is not None
        if len(looks) == 4:
            monkeypatch.setattr(streams, "time", SimpleNamespace(monotonic=lambda: 1e12, sleep=between))

    monkeypatch.setattr(streams, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=between))
    told = events(dispatcher.get(f"/job-runs/{run['id']}/progress"))
    # then two states were sent in five looks, and the browser will ask again
    assert [far["state"] for _, far in told] == ["queued", "running"]


def test_whoever_finds_no_place_gets_one_look(callers: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    dispatcher = callers.staff("dispatcher")
    run = dispatcher.post("/job-runs", WISH).json
    assert run is not None
    monkeypatch.setattr(streams, "_places", threading.BoundedSemaphore(1))
    with streams._places:
        told = events(dispatcher.get(f"/job-runs/{run['id']}/progress"))
    assert [far["state"] for _, far in told] == ["queued"]


def test_a_run_that_waits_is_cancelled(callers: Callers) -> None:
    dispatcher = callers.staff("dispatcher")
    run = dispatcher.post("/job-runs", WISH).json
    assert run is not None
    answer = dispatcher.post(f"/job-runs/{run['id']}/cancellation")
    assert (answer.status_code, answer.json["state"]) == (202, "skipped")  # type: ignore[index]  # it is JSON
    # a new wish is a new run
    again = dispatcher.post("/job-runs", WISH).json
    assert again is not None
    assert again["id"] != run["id"]
