"""Certificates of recovery: one's own goods and nobody's person, and what counts today."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from html import unescape
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.custody.hand_over import hand_over
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from tests.builders import TOMORROW, a_booking
from tests.callers import Caller, Callers
from tests.loads import a_batch, a_keeper, a_line, a_weighing, collect
from tests.papers import Page

ReadPdf = Callable[[bytes], list[Page]]
STREET = "南临城路 77 号 3 单元 502"
EVENING = instant_at(TOMORROW, 18 * 3600)


@pytest.fixture
def mine(session: Session, district: District, now: datetime, callers: Callers) -> tuple[Caller, UUID]:
    """A resident's fridge and fan, fetched with a neighbour's washing machine and weighed in on one ticket."""
    caller = callers.resident()
    me = Principal(id=caller.id, role="resident")
    wanted = [WishedItem(item_type="fridge", quantity=1), WishedItem(item_type="fan", quantity=1)]
    own = a_booking(session, district=district, now=now, by=me, items=wanted, address=STREET)
    other = a_booking(session, district=district, now=now, items=[WishedItem(item_type="washer-top", quantity=1)])
    own_id, other_id = own.id, other.id
    collect(session, own, other, district=district, now=now)
    lines = (
        a_line("fridge", 1, 44_000, booking_id=own_id), a_line("fan", 1, 4_000, booking_id=own_id),
        a_line("washer-top", 1, 27_000, booking_id=other_id),
    )  # fmt: skip
    load = a_weighing(*lines, net_g=75_000, vehicle_key="lincheng-1")
    weigh_in(load, scale_number="1", by=a_keeper(), district=district, session=session, now=EVENING)
    session.rollback()
    return caller, own_id


def seen(app: Flask, link: str) -> tuple[int, str]:
    """What a stranger's phone shows at a link."""
    answer = app.test_client().get(urlsplit(link).path)
    return answer.status_code, " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_it_names_ones_own_goods_as_the_ticket_has_them_and_nobody_elses(mine: tuple[Caller, UUID]) -> None:
    caller, booking_id = mine
    body = caller.get(f"/bookings/{booking_id}/certificate").get_json()
    # 44 kg and 4 kg; the washing machine of the same load is a neighbour's
    assert [(line["item_type"], line["net_g"], line["ticket"]) for line in body["lines"]] == [
        ("fridge", 44_000, "1-1"), ("fan", 4_000, "1-1"),
    ]  # fmt: skip
    assert (body["units"], body["net_g"]) == (2, 48_000)
    assert [(line["outlets"], line["in_stock"]) for line in body["lines"]] == [([], 1), ([], 1)]


def test_before_the_weigh_in_there_is_none(
    session: Session, district: District, now: datetime, callers: Callers
) -> None:
    caller = callers.resident()
    booking = a_booking(session, district=district, now=now, by=Principal(id=caller.id, role="resident"))
    answer = caller.get(f"/bookings/{booking.id}/certificate")
    assert (answer.status_code, "尚未过磅" in answer.get_json()["detail"]) == (409, True)


def test_a_lot_that_left_whole_for_one_processor_is_known_to_be_there(
    session: Session, district: District, mine: tuple[Caller, UUID]
) -> None:
    caller, booking_id = mine
    # given that the only fridge of the day at the station goes to a dismantler
    batch = a_batch(("fridge", 1), net_g=44_000)
    hand_over(batch, by=a_keeper(), district=district, session=session, now=EVENING)
    session.rollback()
    fridge, fan = caller.get(f"/bookings/{booking_id}/certificate").get_json()["lines"]
    assert [(outlet["units"], outlet["day"]) for outlet in fridge["outlets"]] == [(1, TOMORROW.isoformat())]
    assert (fridge["in_stock"], fan["outlets"], fan["in_stock"]) == (0, [], 1)


def test_the_page_shows_what_counts_today_and_names_no_person(
    app: Flask, session: Session, district: District, mine: tuple[Caller, UUID]
) -> None:
    caller, booking_id = mine
    path = caller.get(f"/bookings/{booking_id}/certificate").get_json()["path"]
    status, words = seen(app, path)
    assert (status, "44 kg" in words, "真实有效" in words) == (200, True, True)
    assert "波轮洗衣机" not in words
    for secret in (STREET, str(caller.id), "138"):
        assert secret not in words
    # when the ticket is corrected, it says what was found out
    ticket_id = session.scalars(select(IntakeLine.ticket_id).where(IntakeLine.booking_id == booking_id).limit(1)).one()
    weighed = session.get_one(IntakeTicket, ticket_id).lines
    masses = {"fridge": 43_000}  # a kilogram less
    lines = [
        a_line(one.item_type, one.units, masses.get(one.item_type, one.net_g), booking_id=one.booking_id)
        for one in weighed
    ]
    fixed = a_weighing(*lines, net_g=74_000, vehicle_key="lincheng-1")
    keeper = a_keeper()
    correct_ticket(ticket_id, fixed, reason="复磅", by=keeper, district=district, session=session, now=EVENING)
    session.rollback()
    assert "43 kg" in seen(app, path)[1]
    # a link with another proof, another booking or none leads nowhere
    for wrong in (path[:-1] + ("A" if path[-1] != "A" else "B"), path.replace(str(booking_id), str(uuid4()))):
        assert seen(app, wrong)[0] == 404


def test_the_paper_has_the_same_and_a_code_that_leads_to_the_page(mine: tuple[Caller, UUID], read_pdf: ReadPdf) -> None:
    caller, booking_id = mine
    answer = caller.get(f"/bookings/{booking_id}/certificate.pdf")
    assert (answer.status_code, answer.content_type) == (200, "application/pdf"), answer.text[:300]
    (page,) = read_pdf(answer.data)
    text = page.text.replace(" ", "").replace("\n", "")
    for words in ("废旧物品回收证明", "44kg", "48kg", "临城街道"):
        assert words in text, words
    assert STREET.replace(" ", "") not in text
    path = caller.get(f"/bookings/{booking_id}/certificate").get_json()["path"]
    assert page.codes == (f"http://localhost{path}",)
