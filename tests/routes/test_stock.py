"""Stock, counts, hand-overs and the balance over HTTP: who may what, what a body must be, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from sqlalchemy.orm import Session

from recycling.policy.custody_tags import make_tag
from tests.callers import Caller, Callers
from tests.invariants import assert_invariants
from tests.papers import Page

TAG = make_tag(7)


def made(caller: Caller, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = caller.post(path, body, **headers)
    assert answer.status_code == 201, answer.text
    return cast("dict[str, Any]", answer.json)


def weighed(keeper: Caller, **line: Any) -> dict[str, Any]:
    lines = [{"item_type": "fridge", "units": 1} | line]
    body = {"scale_number": "1", "channel": "walk_in", "gross_g": 51_300, "tare_g": 10_000, "lines": lines}
    return made(keeper, "/intake-tickets", body)


A_BATCH: dict[str, Any] = {"processor_key": "dismantler-demo", "net_g": 41_000, "plate": "鲁D12345"}


def test_a_fridge_goes_from_the_scale_through_the_stock_to_the_processor(callers: Callers, session: Session) -> None:
    keeper, clerk = callers.staff("keeper", station_key="lincheng"), callers.staff("clerk")
    # given a labelled fridge on a ticket
    ticket = weighed(keeper, tags=[TAG.lower()])
    assert ticket["lines"][0]["tags"] == [TAG]
    (lincheng,) = keeper.get("/stock").get_json()["stations"]
    assert (lincheng["station_key"], lincheng["stored_units"], lincheng["state"]) == ("lincheng", 1, "within")
    (lot,) = keeper.get("/stock/lots").get_json()["lots"]
    assert (lot["item_type"], lot["day"], lot["left_units"], lot["days"]) == ("fridge", "2026-11-23", 1, 0)
    # when it is handed over, twice by the same key
    batch = made(keeper, "/hand-overs", A_BATCH | {"tags": [TAG]}, Idempotency_Key="k1")
    assert made(keeper, "/hand-overs", A_BATCH | {"tags": [TAG]}, Idempotency_Key="k1") == batch
    assert (batch["number"], batch["units"], batch["booked_g"], batch["tags"]) == (1, 1, 41_300, [TAG])
    # and the processor's scale shows 30 kg less
    path = f"/hand-overs/{batch['id']}"
    held = made(keeper, f"{path}/re-weighs", {"net_g": 11_000, "slip": "A-17"})
    # then 30,000 of 41,000 g are 732 thousandths, which a second person settles
    assert (held["state"], held["re_weighs"][0]["difference_per_mille"]) == ("held", -732)
    assert [row["id"] for row in clerk.get("/hand-overs?state=held").get_json()["hand_overs"]] == [batch["id"]]
    settling = {"code": "their_scale", "reason": "对方地磅故障，已附照片"}
    assert keeper.post(f"{path}/resolution", settling).status_code == 403
    settled = made(clerk, f"{path}/resolution", settling)
    assert (settled["state"], settled["re_weighs"][0]["resolution"]["code"]) == ("settled", "their_scale")
    assert clerk.get(path).get_json() == settled
    # and the label's trail leads there
    trace = keeper.get(f"/custody-tags/{TAG}").get_json()
    assert [step["kind"] for step in trace["steps"]] == ["station", "lot", "outlet", "reweighed"]
    assert trace["verified"]
    # and the balance is even
    balance = clerk.get("/mass-balance/stations?from=2026-11-01&to=2026-11-23").get_json()
    (row,) = balance["stations"][0]["item_types"]
    assert (row["in_units"], row["out_units"], row["closing_units"], row["difference_g"]) == (1, 1, 0, 0)
    # and the progress page tells the recovery apart, with its note
    outflow = clerk.get("/goal-progress").get_json()["outflow"]
    assert [(one["kind"], one["units"]) for one in outflow["kinds"]] == [
        ("reuse", 0), ("refurbish", 0), ("recovery", 1),
    ]  # fmt: skip
    assert "每件只在入库过磅时计一次" in outflow["note_zh"]
    assert_invariants(session)


def test_a_count_is_taken_held_and_approved(callers: Callers, session: Session) -> None:
    keeper, clerk = callers.staff("keeper", station_key="lincheng"), callers.staff("clerk")
    weighed(keeper)
    body = {"lines": [{"item_type": "fridge", "units": 5, "reason": "found"}]}
    count = made(keeper, "/stock-counts", body)
    assert (count["state"], count["lines"][0]["booked_units"], count["lines"][0]["units"]) == ("held", 1, 4)
    path = f"/stock-counts/{count['id']}"
    assert [row["id"] for row in clerk.get("/stock-counts?state=held").get_json()["stock_counts"]] == [count["id"]]
    assert keeper.post(f"{path}/decision", {"approved": True, "note": "已到场复核"}).status_code == 403
    decided = made(clerk, f"{path}/decision", {"approved": True, "note": "已到场复核"})
    assert (decided["state"], decided["decision"]["by_id"]) == ("done", str(clerk.id))
    assert keeper.get(path).get_json() == decided
    assert keeper.get("/stock").get_json()["stations"][0]["stored_units"] == 5
    assert_invariants(session)


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("/hand-overs", A_BATCH | {"lines": [{"item_type": "fridge", "units": 2}]}, 409, "1 fridge are in stock"),
    ("/hand-overs", A_BATCH | {"lines": [{"item_type": "fridge", "units": 0}]}, 422, "lines.0.units"),
    ("/hand-overs", A_BATCH | {"lines": [{"item_type": "fridge", "units": 1.0}]}, 422, "lines.0.units"),
    ("/hand-overs", A_BATCH, 422, "both empty"),
    ("/hand-overs", A_BATCH | {"tags": ["x"]}, 422, "is no label"),
    ("/hand-overs", A_BATCH | {"tags": [TAG], "net_g": -1}, 422, "net_g"),
    ("/hand-overs", A_BATCH | {"tags": [TAG], "day": "2026-11-22"}, 422, "day"),
    ("/hand-overs", A_BATCH | {"tags": [TAG], "plate": ""}, 422, "plate"),
    ("/stock-counts", {"lines": []}, 422, "lines"),
    ("/stock-counts", {"lines": [{"item_type": "fridge", "units": 0}]}, 422, "say why"),
    ("/stock-counts", {"lines": [{"item_type": "fridge", "units": -1}]}, 422, "lines.0.units"),
    ("/stock-counts", {"lines": [{"item_type": "fridge", "units": 0, "reason": "eaten"}]}, 422, "lines.0.reason"),
    ("/stock-counts", {"lines": [{"item_type": "冰箱", "units": 1}]}, 422, "not in the catalogue"),
]


@pytest.mark.parametrize(("path", "body", "status", "says"), REFUSED)
def test_a_bad_body_is_refused_in_words_and_loses_nothing(
    callers: Callers, session: Session, path: str, body: dict[str, Any], status: int, says: str
) -> None:
    keeper = callers.staff("keeper", station_key="lincheng")
    weighed(keeper)
    answer = keeper.post(path, body)
    assert answer.status_code == status, answer.text
    assert says in answer.text
    assert keeper.get("/stock").get_json()["stations"][0]["stored_g"] == 41_300
    assert_invariants(session)


@pytest.mark.parametrize(
    "path",
    [
        "/mass-balance/stations", "/mass-balance/stations?from=2026-11-02&to=2026-11-01",
        "/mass-balance/stations?from=2026-11-02&to=2099-01-01", "/stock/lots?limit=0", "/stock/lots?cursor=x",
        "/stock/lots?least_days=-1", "/hand-overs?state=gone", "/hand-overs?from=2026-11-02&to=2026-11-01",
        "/stock-counts?cursor=x",
    ],
)  # fmt: skip
def test_a_bad_question_is_refused(callers: Callers, path: str) -> None:
    assert callers.staff("clerk").get(path).status_code == 422


def test_processors_are_listed_as_the_placeholders_they_are(callers: Callers) -> None:
    rows = callers.staff("keeper").get("/processors").get_json()["processors"]
    assert {row["kind"] for row in rows} == {"reuse", "refurbish", "recovery"}
    assert all(row["made_up"] and row["in_force"] for row in rows)


def test_lists_come_page_by_page_newest_first_and_a_keeper_sees_the_own(callers: Callers) -> None:
    keepers = [callers.staff("keeper", station_key=key) for key in ("lincheng", "shagou")]
    batch = A_BATCH | {"lines": [{"item_type": "fridge", "units": 1}]}
    for keeper in keepers:
        for _ in range(2):
            weighed(keeper)
            made(keeper, "/hand-overs", batch)
            made(keeper, "/stock-counts", {"lines": [{"item_type": "fridge", "units": 0}]})
    clerk = callers.staff("clerk")
    for path, name in (("/hand-overs", "hand_overs"), ("/stock-counts", "stock_counts")):
        own = [row["station_key"] for row in keepers[0].get(path).get_json()[name]]
        assert own == ["lincheng", "lincheng"]
        page = clerk.get(f"{path}?limit=3").get_json()
        rest = clerk.get(f"{path}?limit=3&cursor={page['next_cursor']}").get_json()
        assert (len(page[name]), len(rest[name]), rest["next_cursor"]) == (3, 1, None)
        one = clerk.get(f"{path}?station_key=shagou").get_json()[name]
        assert [row["number"] for row in one] == [2, 1]


def test_the_transfer_note_is_printed_with_licence_lines_and_labels(
    callers: Callers, read_pdf: Callable[[bytes], list[Page]]
) -> None:
    keeper = callers.staff("keeper", station_key="lincheng")
    weighed(keeper, tags=[TAG])
    batch = made(keeper, "/hand-overs", A_BATCH | {"tags": [TAG], "seal": "ab 1234"})
    answer = keeper.get(f"/hand-overs/{batch['id']}/note.pdf")
    assert (answer.status_code, answer.content_type) == (200, "application/pdf"), answer.text
    (page,) = read_pdf(answer.data)
    assert (page.size_mm, page.codes) == ((210, 297), (batch["id"],))
    for word in ("占位-0001", "2027-12-31", "AB1234", "鲁D12345", "电冰箱", "41.3 kg", "41 kg", TAG, "虚构占位"):
        assert word in page.text, word
