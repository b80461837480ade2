"""Receipts: printed with a code that leads a stranger to the truth of the ticket, and to nothing of people."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from recycling.models.intake import IntakeTicket
from recycling.policy.district import District
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.live.links import public_address
from tests.callers import Caller, Callers
from tests.loads import a_keeper, a_line, a_weighing
from tests.papers import Page
from tests.routes.test_intake_tickets import a_ticket_body, made

ReadPdf = Callable[[bytes], list[Page]]
TWO_LINES = [{"item_type": "washer-top", "units": 2}, {"item_type": "microwave", "units": 1, "missing_parts": 1}]


@pytest.fixture
def keeper(callers: Callers) -> Caller:
    return callers.staff("keeper", station_key="lincheng")


def printed(caller: Caller, ticket_id: Any) -> bytes:
    answer = caller.get(f"/intake-tickets/{ticket_id}/receipt.pdf")
    assert (answer.status_code, answer.content_type) == (200, "application/pdf"), answer.text[:500]
    return bytes(answer.data)


def text_of(pages: list[Page]) -> str:
    return " ".join(" ".join(page.text for page in pages).split())


def code_of(pages: list[Page]) -> str:
    (code,) = [code for page in pages for code in page.codes]
    return code


def seen(app: Flask, link: str) -> tuple[int, str]:
    """What a stranger's phone shows at a link."""
    answer = app.test_client().get(urlsplit(link).path)
    return answer.status_code, " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_a_receipt_says_what_the_ticket_says(keeper: Caller, read_pdf: ReadPdf) -> None:
    body = a_ticket_body(
        gross_g=85_000, refused_g=1_000, refused_reason="wet", lines=TWO_LINES, vehicle_key="lincheng-1", trip=2
    )
    ticket = made(keeper, body)
    answer = keeper.get(f"/intake-tickets/{ticket['id']}/receipt.pdf")
    assert answer.headers["Content-Disposition"] == 'inline; filename="receipt-lincheng-1-1.pdf"'
    pages = read_pdf(answer.data)
    text = text_of(pages)
    # A5; 85 - 10 = 75 kg net, of which 1 kg is water: 74 kg are shared as 2 x 30 : 14
    assert [page.size_mm for page in pages] == [(148, 210)]
    for words in (
        "磅单回执", "Weigh-in receipt", "临城街道", "Lincheng Subdistrict", "85 kg", "10 kg", "75 kg", "1 kg", "含水",
        "74 kg", "自送", "lincheng-1", "2026-11-23", "10:00", "波轮洗衣机", "Top-loading washing machine", "60 kg",
        "微波炉", "14 kg", "stripped 1", "品类表", "type table", ticket["id"],
    ):  # fmt: skip
        assert words.replace(" ", "") in text.replace(" ", ""), words
    # nothing of people, and nothing that is not so
    for words in (str(keeper.id), "MADE UP", "更正", "作废"):
        assert words not in text
    assert code_of(pages).startswith(f"http://localhost/pages/receipts/{ticket['id']}/")


def test_the_code_leads_a_stranger_to_station_day_number_net_and_items_alone(
    app: Flask, keeper: Caller, read_pdf: ReadPdf
) -> None:
    ticket = made(keeper, a_ticket_body(vehicle_key="lincheng-1", trip=2))
    link = code_of(read_pdf(printed(keeper, ticket["id"])))
    status, text = seen(app, link)
    assert status == 200
    for words in (
        "本回执真实有效",
        "The receipt is genuine",
        "临城街道",
        "2026-11-23",
        "1-1",
        "41.3 kg",
        "电冰箱",
        "Refrigerator",
    ):
        assert words in text
    for words in ("51.3 kg", "10 kg", "lincheng-1", str(keeper.id), ticket["id"]):
        assert words not in text


def test_a_link_is_good_for_its_own_ticket_and_in_its_own_spelling_alone(
    app: Flask, keeper: Caller, read_pdf: ReadPdf
) -> None:
    mine, other = (made(keeper, a_ticket_body()) for _ in range(2))
    *_, ticket_id, proof = code_of(read_pdf(printed(keeper, mine["id"]))).split("/")
    assert (ticket_id, len(proof)) == (mine["id"], 16)
    first = "A" if proof[0] != "A" else "B"
    answers = [
        seen(app, f"/pages/receipts/{named}/{said}")
        for named, said in (
            (other["id"], proof), (uuid4(), proof), ("x", proof), (mine["id"], first + proof[1:]),
            (mine["id"], proof[:-1]), (mine["id"], proof + "A"), (mine["id"], "-"), (mine["id"], "密"), (uuid4(), "-"),
        )
    ]  # fmt: skip
    assert {status for status, _ in answers} == {404}
    assert len({re.sub(r"[0-9a-f-]{36}", "", text) for _, text in answers}) == 1
    # the control: the link itself
    assert seen(app, f"/pages/receipts/{mine['id']}/{proof}")[0] == 200


def test_an_old_receipt_shows_what_counts_today(app: Flask, keeper: Caller, read_pdf: ReadPdf) -> None:
    first = made(keeper, a_ticket_body())
    link = code_of(read_pdf(printed(keeper, first["id"])))
    # when the ticket is corrected
    whole = {"channel": "walk_in", "gross_g": 50_000, "tare_g": 10_000, "lines": [{"item_type": "fridge", "units": 1}]}
    second = keeper.post(f"/intake-tickets/{first['id']}/corrections", whole | {"reason": "毛重读数有误"}).get_json()
    status, text = seen(app, link)
    assert (status, "ticket 1 was corrected" in text, "40 kg" in text, "41.3 kg" in text) == (200, True, True, False)
    assert "以更正单为准" in text_of(read_pdf(printed(keeper, first["id"])))
    assert "毛重读数有误" in text_of(read_pdf(printed(keeper, second["id"])))
    # and when it is withdrawn
    withdrawal = {"reason": "重复录入", "lines": []}
    gone = keeper.post(f"/intake-tickets/{second['id']}/corrections", withdrawal).get_json()
    status, text = seen(app, link)
    assert (status, "its ticket was withdrawn" in text) == (200, True)
    assert "作废单" in text_of(read_pdf(printed(keeper, gone["id"])))


def test_a_made_up_ticket_says_so_on_paper_and_on_the_page(
    app: Flask, session: Session, district: District, now: datetime, keeper: Caller, read_pdf: ReadPdf
) -> None:
    ticket_id = weigh_in(
        a_weighing(), scale_number="1", by=a_keeper(), district=district, session=session, now=now, made_up=True
    ).id
    session.rollback()
    pages = read_pdf(printed(keeper, ticket_id))
    assert "MADE UP" in text_of(pages)
    assert "made up, nothing was weighed" in seen(app, code_of(pages))[1]


def test_a_ticket_from_before_the_codes_is_printed_without_one(
    app: Flask, session: Session, keeper: Caller, read_pdf: ReadPdf
) -> None:
    ticket_id = made(keeper, a_ticket_body())["id"]
    session.execute(update(IntakeTicket).where(IntakeTicket.id == UUID(ticket_id)).values(mac=b""))
    session.commit()
    pages = read_pdf(printed(keeper, ticket_id))
    assert [page.codes for page in pages] == [()]
    assert "无二维码" in text_of(pages)
    # and no proof opens it, the empty one least of all
    for proof in ("-", "AAAAAAAAAAAAAAAA"):
        assert seen(app, f"/pages/receipts/{ticket_id}/{proof}")[0] == 404


def test_a_long_ticket_goes_on_over_pages_and_has_one_code(
    session: Session, district: District, now: datetime, keeper: Caller, read_pdf: ReadPdf
) -> None:
    kinds = [row.key for row in district.catalogue.rows][:24]
    mass_g = sum(district.catalogue.item_type(key, on=now.date()).unit_mass_g for key in kinds)
    ticket_id = weigh_in(
        a_weighing(*[a_line(key) for key in kinds], net_g=mass_g), scale_number="1", by=a_keeper(), district=district,
        session=session, now=now,
    ).id  # fmt: skip
    session.rollback()
    pages = read_pdf(printed(keeper, ticket_id))
    assert len(pages) > 1
    assert code_of(pages)


def test_the_code_names_the_public_address_where_one_is_set(keeper: Caller, read_pdf: ReadPdf) -> None:
    ticket = made(keeper, a_ticket_body())
    public_address.configure("https://huishou.example")
    try:
        link = code_of(read_pdf(printed(keeper, ticket["id"])))
    finally:
        public_address.configure("")
    assert link.startswith(f"https://huishou.example/pages/receipts/{ticket['id']}/")


def test_a_server_without_the_libraries_says_what_to_install(keeper: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = made(keeper, a_ticket_body())
    for name in ("segno", "weasyprint"):
        monkeypatch.setitem(sys.modules, name, None)
    answer: Any = keeper.get(f"/intake-tickets/{ticket['id']}/receipt.pdf")
    assert (answer.status_code, answer.get_json()["code"]) == (501, "not_installed")
    assert "make paper" in answer.get_json()["detail"]


def test_only_who_sees_the_ticket_prints_its_receipt(callers: Callers, keeper: Caller) -> None:
    path = f"/intake-tickets/{made(keeper, a_ticket_body())['id']}/receipt.pdf"
    assert callers.staff("keeper", station_key="shagou").get(path).status_code == 404
    assert callers.resident().get(path).status_code == 403
