"""Goal reports over HTTP: made, compared, signed, published, handed out, and every figure down to its tickets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.audit import AuditRow
from recycling.policy.district import District
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting.report_figures import figures_of
from tests.callers import Caller, Callers
from tests.loads import a_keeper, a_line, a_weighing


@pytest.fixture
def tickets(session: Session, district: District, now: datetime) -> list[Any]:
    """Loads of two months, stations and kinds; one corrected, one withdrawn."""
    loads = [
        ("lincheng", -30, a_weighing(a_line("fridge", 1, 41_300), a_line("fan"), a_line("rice-cooker"), net_g=46_300)),
        ("shagou", 0, a_weighing(a_line("stove"), net_g=12_000)),
        ("shagou", 0, a_weighing(a_line("desk"), net_g=30_000)),
        ("lincheng", 0, a_weighing(a_line("washer-top", 2), net_g=56_000)),
        ("lincheng", 0, a_weighing(a_line("fan"), net_g=4_000)),
    ]
    made = [
        weigh_in(load, scale_number="1", by=a_keeper(station), district=district, session=session,
                 now=now + timedelta(days=days))
        for station, days, load in loads
    ]  # fmt: skip
    for old, new in ((made[3], a_weighing(a_line("washer-top", 2), net_g=57_000)), (made[4], None)):
        correct_ticket(
            old.id, new, reason="读数有误", by=a_keeper(), district=district, session=session, now=now
        )  # fmt: skip
    session.rollback()
    return made


@pytest.fixture
def december(now: datetime) -> Iterator[datetime]:
    """The clock shows 3 December."""
    later = now + timedelta(days=10)
    with time_machine.travel(later, tick=True):
        yield later


def read(caller: Caller, path: str) -> dict[str, Any]:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    return cast("dict[str, Any]", answer.json)


def make(caller: Caller, period: str) -> dict[str, Any]:
    answer = caller.post("/goal-reports", {"period": period})
    assert answer.status_code == 201, answer.text
    made = cast("dict[str, Any]", answer.json)
    assert answer.headers["Location"] == f"/goal-reports/{made['id']}"
    return made


@pytest.mark.usefixtures("tickets", "december")
def test_a_report_goes_from_draft_to_publication_by_two_people(callers: Callers, session: Session) -> None:
    clerk, admin, dispatcher = (callers.staff(role) for role in ("clerk", "admin", "dispatcher"))
    make(clerk, "2026-10")
    october = read(clerk, "/goal-reports?period=2026-10")["goal_reports"][0]
    for report in (october, make(clerk, "2026-11")):
        here = f"/goal-reports/{report['id']}"
        # a draft can be had as a file that says what it is
        assert report["state"] == "draft"
        draft = clerk.get(f"{here}/files/csv")
        assert "DRAFT" in draft.text
        assert draft.headers["Content-Disposition"].endswith('-v1-draft.csv"')
        # the same person cannot do both, a dispatcher neither
        assert dispatcher.post(f"{here}/signatures").status_code == 403
        assert clerk.call("PUT", f"{here}/publication").status_code == 409
        signed = clerk.post(f"{here}/signatures")
        assert (signed.status_code, signed.get_json()["sha256"]) == (201, report["sha256"])
        assert clerk.call("PUT", f"{here}/publication").status_code == 409
        published = admin.call("PUT", f"{here}/publication")
        assert published.status_code == 200, published.text
        assert admin.call("PUT", f"{here}/publication").status_code == 200
        assert dispatcher.call("PUT", f"{here}/publication").status_code == 403
    # then each form is handed out as it was signed
    shown = read(dispatcher, here)
    assert [row["place"] for row in shown["signatures"]] == [1, 2]
    for row in shown["files"]:
        answer = dispatcher.get(row["href"])
        assert (hashlib.sha256(answer.data).hexdigest(), len(answer.data)) == (row["sha256"], row["bytes"])
        assert "draft" not in answer.headers["Content-Disposition"]
    # and it stands when it is worked out again
    verdict = read(dispatcher, f"{here}/verification")
    assert (verdict["state"], verdict["differences"]) == ("published", [])
    # and each download is a row of the audit log
    session.rollback()
    log = session.scalars(
        select(AuditRow).where(AuditRow.action == "report.downloaded").order_by(AuditRow.number)
    ).all()
    assert [(row.actor_role, row.facts["draft"]) for row in log] == [("clerk", True)] * 2 + [("dispatcher", False)] * 4
    assert clerk.get(f"{here}/files/docx").status_code == 404


@pytest.mark.usefixtures("december")
@pytest.mark.parametrize("period", ["2026-11", "2026-Q4", "2026", "2026-10-24..2026-11-23"])
def test_every_figure_of_a_report_lists_tickets_that_add_up_to_it(
    period: str, tickets: list[Any], callers: Callers, session: Session, district: District, december: datetime
) -> None:
    clerk = callers.staff("clerk")
    report = make(clerk, period)
    # given that a ticket was corrected after the report was made
    correct_ticket(
        tickets[1].id, a_weighing(a_line("stove"), net_g=13_000), reason="更正", by=a_keeper("shagou"),
        district=district, session=session, now=december,
    )  # fmt: skip
    session.rollback()
    figures = list(figures_of(report["body"]))
    # then each of the figures, in all and by town, type, station, day and provenance, is the sum of its lines
    assert len(figures) > 100
    for figure in figures:
        if figure.of.key == "national_mean":  # no ticket can say so
            assert figure.recovered_g == 0
            continue
        query = "&".join(f"{name}={value}" for name, value in figure.of.asked().items())
        found = read(clerk, f"/goal-reports/{report['id']}/tickets?limit=500&{query}")
        assert found["sum"]["recovered_g"] == figure.recovered_g, figure
        assert figure.units in (None, found["sum"]["units"]), figure
        assert sum(line["net_g"] for line in found["lines"]) == figure.recovered_g
        assert sum(line["units"] for line in found["lines"]) == found["sum"]["units"]
    assert any(figure.recovered_g for figure in figures)


@pytest.mark.usefixtures("tickets", "december")
def test_the_tickets_of_a_figure_come_page_by_page(callers: Callers) -> None:
    clerk = callers.staff("clerk")
    here = f"/goal-reports/{make(clerk, '2026-Q4')['id']}/tickets"
    whole = read(clerk, here)
    seen: list[Any] = []
    cursor = ""
    while True:
        page = read(clerk, f"{here}?limit=2{cursor}")
        seen += page["lines"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    # fridge, fan, rice cooker, stove, desk, washers: the withdrawn fan and the replaced washers are not there
    assert (seen, len(seen)) == (whole["lines"], 6)
    for wrong in ("scope=cars/1", "span=week", "cursor=x", "day=2026-13-01", "provenance=guess", "colour=red"):
        assert clerk.get(f"{here}?{wrong}").status_code == 422, wrong


@pytest.mark.usefixtures("december")
def test_a_new_version_tells_figure_by_figure_what_changed_and_by_which_tickets(
    tickets: list[Any], callers: Callers, session: Session, district: District, december: datetime
) -> None:
    clerk = callers.staff("clerk")
    first = make(clerk, "2026-11")
    assert read(clerk, f"/goal-reports/{first['id']}/differences")["against_version"] is None
    # when nothing changed, the standing version is answered
    assert make(clerk, "2026-11")["id"] == first["id"]
    # when the stove of 12 kg turns out to be 13 kg
    stove_id = tickets[1].id
    newer = correct_ticket(
        stove_id, a_weighing(a_line("stove"), net_g=13_000), reason="更正", by=a_keeper("shagou"),
        district=district, session=session, now=december,
    )  # fmt: skip
    newer_id = str(newer.id)
    session.rollback()
    second = make(clerk, "2026-11")
    assert (second["version"], second["reason"]) == (2, "changed since version 1: tickets")
    found = read(clerk, f"/goal-reports/{second['id']}/differences")
    assert found["against_version"] == 1
    assert found["inputs"] == ["tickets: count", "tickets: sha256"]
    assert [(one["id"], one["corrects_id"]) for one in found["tickets"]] == [(newer_id, str(stove_id))]
    # then every changed figure is a kilogram more, and names the new ticket; among them the district's own
    assert {(row["measure"], row["change"]) for row in found["figures"]} == {("recovered_g", 1_000)}
    assert all(row["tickets"] == [newer_id] for row in found["figures"])
    changed = {(row["span"], row["scope"], row["by"], row["key"]): (row["old"], row["new"]) for row in found["figures"]}
    # 12 + 57 kg in November; 46.3 kg more since new year
    assert changed["period", "household-appliances/2", "", ""] == (69_000, 70_000)
    assert changed["year", "household-appliances/2", "", ""] == (115_300, 116_300)
    assert changed["period", "household-appliances/2", "town_key", "shagou"] == (12_000, 13_000)
    assert ("period", "furniture/2", "", "") not in changed
    # and the first version is as it was
    again = read(clerk, f"/goal-reports/{first['id']}")
    text = json.dumps(again["body"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == first["sha256"]


@pytest.mark.usefixtures("december")
def test_what_is_no_period_is_refused_in_words_and_leaves_nothing(callers: Callers) -> None:
    clerk = callers.staff("clerk")
    for period in ("2026-13", "2027-01", "2022", "=1+1", "2026-04-17..2026-03-05", "", "x" * 100):
        refused = clerk.post("/goal-reports", {"period": period})
        assert refused.status_code == 422, period
    assert callers.staff("dispatcher").post("/goal-reports", {"period": "2026-11"}).status_code == 403
    assert read(clerk, "/goal-reports")["goal_reports"] == []
