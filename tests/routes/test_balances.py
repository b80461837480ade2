"""Mass balances, stripped units and class averages over HTTP."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from sqlalchemy.orm import Session

from recycling.models.balance import MissingPartsFlag
from recycling.models.class_average import ClassAverage, ClassAverageVersion
from tests.callers import Caller, Callers
from tests.trips import a_held_trip

YESTERDAY = date(2026, 11, 22)
SAID = {"version": 1, "reason": "goods_missing", "note": "已报站长追查"}


def read(caller: Caller, path: str) -> dict[str, Any]:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    return cast("dict[str, Any]", answer.json)


def test_a_held_trip_says_what_to_do_next_and_is_resolved_once(
    session: Session, callers: Callers, now: datetime
) -> None:
    trip_id = a_held_trip(session, now=now)
    clerk = callers.staff("clerk")
    (trip,) = read(clerk, "/trip-balances?state=held&from=2026-11-01&to=2026-11-30")["trip_balances"]
    assert (trip["id"], trip["difference_g"], trip["causes"]) == (str(trip_id), -40_800, ["not_weighed"])
    assert trip["next_steps"][0]["text_zh"].startswith("本趟未过磅")
    # when the clerk resolves it, twice with one key
    path = f"/trip-balances/{trip_id}/resolution"
    answers = [clerk.call("POST", path, SAID, Idempotency_Key="one") for _ in range(2)]
    assert [(answer.status_code, answer.get_json()["state"]) for answer in answers] == [(201, "resolved")] * 2
    # then it is held no more, and shows who said what
    assert read(clerk, "/trip-balances?state=held")["trip_balances"] == []
    shown = read(clerk, f"/trip-balances/{trip_id}")
    assert (shown["next_steps"], shown["resolutions"][0]["note"]) == ([], "已报站长追查")
    assert shown["resolutions"][0]["by_role"] == "clerk"
    # and nobody does so again
    again = clerk.post(path, SAID)
    assert (again.status_code, "nothing is left" in again.get_json()["detail"]) == (409, True)


def test_bad_resolutions_are_refused_and_change_nothing(session: Session, callers: Callers, now: datetime) -> None:
    trip_id = a_held_trip(session, now=now)
    keeper = callers.staff("keeper", station_key="lincheng")
    path = f"/trip-balances/{trip_id}/resolution"
    for wrong, status in (
        ({"reason": "because"}, 422), ({"note": "短"}, 422), ({"version": 0}, 422), ({"version": 2**31}, 422),
        ({"version": 2}, 409), ({"note": "x" * 201}, 422), ({"more": 1}, 422), ({"version": "1"}, 422),
    ):  # fmt: skip
        assert keeper.post(path, SAID | wrong).status_code == status, wrong
    assert read(keeper, f"/trip-balances/{trip_id}")["state"] == "held"
    assert callers.staff("dispatcher").post(path, SAID).status_code == 403


def test_keepers_see_trips_of_their_station_and_pages_go_on_where_the_last_ended(
    session: Session, callers: Callers, now: datetime
) -> None:
    for days in range(3):
        for station_key in ("lincheng", "xingren"):
            a_held_trip(session, now=now - timedelta(days=days), station_key=station_key)
    keeper, clerk = callers.staff("keeper", station_key="xingren"), callers.staff("clerk")
    assert {row["station_key"] for row in read(keeper, "/trip-balances")["trip_balances"]} == {"xingren"}
    # newest day first, vehicles in sequence
    path, seen = "/trip-balances?limit=2", []
    page = read(clerk, path)
    while True:
        seen += [(row["day"], row["vehicle_key"]) for row in page["trip_balances"]]
        if page["next_cursor"] is None:
            break
        page = read(clerk, f"{path}&cursor={page['next_cursor']}")
    newest_first = ["2026-11-22", "2026-11-21", "2026-11-20"]
    assert seen == [(day, vehicle) for day in newest_first for vehicle in ("lincheng-1", "xingren-1")]
    assert len(read(clerk, "/trip-balances?vehicle_key=xingren-1")["trip_balances"]) == 3
    assert clerk.get("/trip-balances?from=2026-11-02&to=2026-11-01").status_code == 422
    assert clerk.get("/trip-balances?state=lost").status_code == 422
    assert clerk.get("/trip-balances?cursor=none-of-ours").status_code == 422


def test_stripped_units_are_listed_by_station_collector_and_agreement(session: Session, callers: Callers) -> None:
    for station_key, collector_key, agreement in (
        ("lincheng", "c01", "both"), ("lincheng", "c02", "station_only"), ("xingren", None, "no_door"),
    ):  # fmt: skip
        session.add(
            MissingPartsFlag(
                id=uuid4(), day=YESTERDAY, station_key=station_key, collector_key=collector_key, booking_id=None,
                ticket_id=None, item_type="fridge", units=2, door_units=None, station_units=1, agreement=agreement,
            )
        )  # fmt: skip
    session.commit()
    clerk, keeper = callers.staff("clerk"), callers.staff("keeper", station_key="lincheng")
    assert len(read(clerk, "/missing-parts")["missing_parts"]) == 3
    assert [row["agreement"] for row in read(keeper, "/missing-parts?collector_key=c02")["missing_parts"]] == [
        "station_only"
    ]
    assert read(keeper, "/missing-parts?station_key=xingren")["missing_parts"] == []
    assert len(read(clerk, "/missing-parts?agreement=both&from=2026-11-22&to=2026-11-22")["missing_parts"]) == 1
    first = read(clerk, "/missing-parts?limit=2")
    second = read(clerk, f"/missing-parts?limit=2&cursor={first['next_cursor']}")
    ids = {row["id"] for page in (first, second) for row in page["missing_parts"]}
    assert (len(ids), second["next_cursor"]) == (3, None)


def test_class_averages_stand_beside_the_type_table(session: Session, callers: Callers, now: datetime) -> None:
    for month, before in ((date(2026, 10, 1), date(2026, 9, 30)), (date(2026, 11, 1), date(2026, 10, 31))):
        session.add(
            ClassAverageVersion(
                month=month, first_day=month.replace(year=2025), last_day=before,
                valid_from=month + timedelta(days=2), lines=99, made_at=now,
            )
        )  # fmt: skip
        session.flush()
        for station_key in ("lincheng", "xingren"):
            session.add(
                ClassAverage(
                    month=month, station_key=station_key, item_type="fridge", mean_g=46_000, sd_g=9_000, units=31,
                    lines=30,
                )
            )  # fmt: skip
    session.commit()
    keeper, clerk = callers.staff("keeper", station_key="xingren"), callers.staff("clerk")
    (row,) = read(keeper, "/class-averages?month=2026-11")["class_averages"]
    assert (row["station_key"], row["month"], row["mean_g"], row["type_table_g"]) == (
        "xingren", "2026-11", 46_000, 40_800,
    )  # fmt: skip
    assert (row["sd_g"], row["units"], row["lines"], row["valid_from"]) == (9_000, 31, 30, "2026-11-03")
    first = read(clerk, "/class-averages?limit=3&item_type=fridge")
    second = read(clerk, f"/class-averages?limit=3&cursor={first['next_cursor']}")
    rows = [*first["class_averages"], *second["class_averages"]]
    assert [(row["month"], row["station_key"]) for row in rows] == [
        ("2026-11", "lincheng"), ("2026-11", "xingren"), ("2026-10", "lincheng"), ("2026-10", "xingren"),
    ]  # fmt: skip
    assert clerk.get("/class-averages?month=2026-1").status_code == 422


def test_goal_progress_tells_interval_and_what_is_under_review(
    session: Session, callers: Callers, now: datetime
) -> None:
    a_held_trip(session, now=now)
    clerk = callers.staff("clerk")
    report = read(clerk, "/goal-progress")
    assert report["held"] == {"trips": 1, "station_g": 0, "mass_text": "0 kg"}
    scope = report["scopes"][0]
    assert (scope["mass_low_g"], scope["mass_high_g"]) == (0, 0)
    assert scope["mass_interval_text"].startswith("95 % 区间 0 kg 至 0 kg")
    text = clerk.get("/goal-progress.csv").text
    assert "待核趟次 1 趟，已计入 / 1 trips under review, counted" in text
    assert text.count("95 % interval, low") == len(report["scopes"])
