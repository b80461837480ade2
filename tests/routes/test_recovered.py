"""Daily figures over HTTP, and the way from each of them to its tickets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from tests.callers import Caller, Callers
from tests.loads import a_keeper, a_line, a_weighing


def read(caller: Caller, path: str) -> dict[str, Any]:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    return cast("dict[str, Any]", answer.json)


def test_every_figure_leads_to_the_tickets_it_is_made_of(
    callers: Callers, session: Session, district: District, now: datetime
) -> None:
    # given tickets at two stations on two days, one of them corrected
    def weigh(station_key: str, *lines: Any, net_g: int, days: int = 0) -> Any:
        return weigh_in(
            a_weighing(*lines, net_g=net_g), scale_number="1", by=a_keeper(station_key), district=district,
            session=session, now=now + timedelta(days=days),
        )  # fmt: skip

    weigh("lincheng", a_line("fridge", 1, 41_300), a_line("fan"), a_line("stove"), net_g=57_300)
    wrong = weigh("lincheng", a_line("fridge"), net_g=49_000)
    correct_ticket(
        wrong.id, a_weighing(a_line("fridge"), net_g=40_000), reason="毛重读数有误", by=a_keeper(),
        district=district, session=session, now=now,
    )  # fmt: skip
    weigh("shagou", a_line("fridge"), net_g=42_000)
    weigh("shagou", a_line("fridge"), net_g=43_000, days=-1)
    clerk = callers.staff("clerk")
    # when the clerk reads the figures of the day
    figures = read(clerk, "/recovered?from=2026-11-23&to=2026-11-23")["recovered"]
    # then 16,000 g are shared by table 4,000 : 12,000, and the corrected fridge counts with 40,000 g
    seen = [
        (row["station_key"], row["item_type"], row["provenance"], row["units"], row["recovered_g"]) for row in figures
    ]
    assert seen == [
        ("lincheng", "fan", "type_table", 1, 4_000),
        ("lincheng", "fridge", "weighed", 2, 81_300),
        ("lincheng", "stove", "type_table", 1, 12_000),
        ("shagou", "fridge", "weighed", 1, 42_000),
    ]
    # and following each figure to its tickets, those that count add up to it
    for row in figures:
        lines = [
            line
            for ticket in read(clerk, row["tickets"])["tickets"]
            for line in ticket["lines"]
            if ticket["replaced_by_id"] is None and line["item_type"] == row["item_type"]
        ]
        sums = (sum(line["units"] for line in lines), sum(line["net_g"] for line in lines), len(lines))
        assert sums == (row["units"], row["recovered_g"], row["ticket_lines"])
    # and the pages of all days together hold each figure once, in sequence
    paged: list[tuple[str, str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = read(clerk, f"/recovered?limit=2{cursor and f'&cursor={cursor}'}")
        paged += [(row["day"], row["station_key"], row["item_type"]) for row in page["recovered"]]
        cursor = page["next_cursor"]
    assert paged == [("2026-11-22", "shagou", "fridge"), *(("2026-11-23", row[0], row[1]) for row in seen)]
    assert len(read(clerk, "/recovered?station_key=shagou&item_type=fridge")["recovered"]) == 2
    assert len(read(clerk, "/recovered?town_key=shagou&item_type=fridge")["recovered"]) == 2


def test_a_scopes_figures_add_up_to_what_the_goal_page_says_and_lead_to_its_tickets(
    callers: Callers, session: Session, district: District, now: datetime
) -> None:
    # given a fridge of 41.3 kg and a desk of 30 kg on one ticket, and another desk on one of its own
    for lines, net_g in (([a_line("fridge", 1, 41_300), a_line("desk")], 71_300), ([a_line("desk")], 30_000)):
        weigh_in(
            a_weighing(*lines, net_g=net_g), scale_number="1", by=a_keeper("lincheng"), district=district,
            session=session, now=now,
        )  # fmt: skip
    clerk = callers.staff("clerk")
    scopes = {one["scope"]["label"]: one["recovered"] for one in read(clerk, "/goal-progress")["scopes"]}
    for label in ("household-appliances/2", "furniture/2"):
        # when the days of a scope are asked for, one to a page
        page = read(clerk, f"/recovered?from=2026-01-01&scope={label}&limit=1")
        # then their sum is the scope's figure, whatever the page holds
        assert page["sum"]["units"] == scopes[label]["units"]
        assert page["sum"]["recovered_g"] == scopes[label]["recovered_g"]
    # and tickets are those with a line in the scope
    assert len(read(clerk, "/intake-tickets?scope=household-appliances/2")["tickets"]) == 1
    assert len(read(clerk, "/intake-tickets?scope=furniture/2")["tickets"]) == 2
    assert len(read(clerk, "/intake-tickets?scope=furniture/2&provenance=weighed")["tickets"]) == 2
    # and no figure has a scope that does not exist
    for path in ("/recovered", "/intake-tickets"):
        assert "口径不存在" in clerk.get(f"{path}?scope=furniture/9").get_json()["detail"]


def test_figures_are_for_the_desk_and_for_spans_that_can_be(callers: Callers) -> None:
    clerk = callers.staff("clerk")
    backwards = clerk.get("/recovered?from=2026-11-23&to=2026-11-22")
    assert backwards.status_code == 422
    assert "to = 2026-11-22 lies before from = 2026-11-23" in backwards.get_json()["detail"]
    for wrong in ("from=23.11.2026", "cursor=x", "limit=501", "town=lincheng"):
        assert clerk.get(f"/recovered?{wrong}").status_code == 422, wrong
    for outsider in (callers.resident(), callers.staff("collector"), callers.staff("keeper")):
        assert outsider.get("/recovered").status_code == 403
