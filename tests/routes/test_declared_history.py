"""Declared history over HTTP: whole or not at all, safe to send twice, bounded, and listed with its provenance."""

from __future__ import annotations

from typing import Any

import pytest

from tests.callers import Caller, Callers
from tests.workbooks import a_workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WHERE = "/declared-history?source_document=商促局月报"
A_TABLE = b"month,item_group,units,mass_kg\n2023-01,furniture,120,4300.5\n2023-02,furniture,,10\n"


@pytest.fixture
def clerk(callers: Callers) -> Caller:
    return callers.staff("clerk")


def send(clerk: Caller, raw: bytes = A_TABLE, kind: str = "text/csv", where: str = WHERE, **headers: str) -> Any:
    return clerk.call("POST", where, raw, Content_Type=kind, **headers)


def test_a_table_is_kept_and_listed_with_its_provenance(clerk: Caller) -> None:
    answer = send(clerk)
    assert answer.status_code == 201, answer.text
    upload = answer.get_json()
    assert (upload["number"], upload["form"], upload["figures"]) == (1, "csv-utf-8", 2)
    assert upload["uploaded_by_id"] == str(clerk.id)
    listed = clerk.get("/declared-history?from=2023-02-01").get_json()["figures"]
    assert listed == [
        {
            "month": "2023-02-01", "item_group": "furniture", "item_type": "", "town_key": "", "units": None,
            "mass_g": 10_000, "provenance": "declared", "upload_number": 1, "line": 3, "source_document": "商促局月报",
        }
    ]  # fmt: skip
    assert clerk.get("/declared-history/uploads").get_json()["uploads"] == [upload]


def test_a_table_sent_twice_with_one_key_is_one_upload(clerk: Caller) -> None:
    first = send(clerk, Idempotency_Key="history-1")
    again = send(clerk, Idempotency_Key="history-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.get_json() == first.get_json()
    # and under a new key it is told that it is there
    assert send(clerk).status_code == 409


def test_a_dry_run_names_what_a_file_would_supersede_and_keeps_nothing(clerk: Caller) -> None:
    # given January 2023 declared
    assert send(clerk, A_TABLE.splitlines(keepends=True)[0] + b"2023-01,furniture,1,2\n").status_code == 201
    # when a file with January and February is tried
    answer = send(clerk, where=f"{WHERE}&dry_run=true")
    # then it says what it would do
    assert answer.status_code == 200, answer.text
    assert answer.get_json() == {
        "form": "csv-utf-8", "figures": 2, "first_month": "2023-01-01", "last_month": "2023-02-01",
        "supersedes": ["2023-01-01"],
    }  # fmt: skip
    # and the first upload is still the only one
    assert [one["number"] for one in clerk.get("/declared-history/uploads").get_json()["uploads"]] == [1]
    # and a file with faults is refused as it would be in earnest
    assert send(clerk, A_TABLE + b"23-03,furniture,1,\n", where=f"{WHERE}&dry_run=true").status_code == 422


def test_excel_is_taken(clerk: Caller) -> None:
    answer = send(clerk, a_workbook(("2023-01", "furniture", 120, 4300.5)), XLSX)
    assert (answer.status_code, answer.get_json()["form"]) == (201, "xlsx")


def test_every_fault_is_named_and_nothing_is_kept(clerk: Caller) -> None:
    answer = send(clerk, A_TABLE + b"23-03,furniture,1,\n")
    assert answer.status_code == 422
    problem = answer.get_json()
    assert problem["code"] == "rows_refused"
    assert [(one["line"], one["column"]) for one in problem["errors"]] == [(4, "month")]
    assert clerk.get("/declared-history").get_json() == {"figures": [], "next_cursor": None}


def test_a_million_rows_are_too_large(clerk: Caller) -> None:
    raw = b"month,item_group,units\n" + b"2023-01,furniture,1\n" * 1_000_000
    answer = send(clerk, raw)
    assert answer.status_code == 413
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("raw", "kind", "where", "status"),
    [
        (b"{}", "application/json", WHERE, 415),
        (A_TABLE, "text/csv", "/declared-history", 422),  # from which document?
        (A_TABLE, "text/csv; charset=latin-1", WHERE, 422),
        (b"PK\x03\x04", XLSX, WHERE, 422),
        (b"", "text/csv", WHERE, 422),
    ],
)
def test_what_is_no_table_is_refused_in_words(clerk: Caller, raw: bytes, kind: str, where: str, status: int) -> None:
    answer = send(clerk, raw, kind, where)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"


def test_the_template_comes_with_a_byte_order_mark_and_can_be_sent_back(clerk: Caller) -> None:
    answer = clerk.get("/declared-history/template.csv")
    assert answer.data.startswith(b"\xef\xbb\xbfmonth,")
    assert "declared-history.csv" in answer.headers["Content-Disposition"]
    assert send(clerk, answer.data).status_code == 201
