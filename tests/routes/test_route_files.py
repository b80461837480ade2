"""The route taken along: a GPX file for a navigator, and A4 paper read back as a phone reads it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4
from xml.etree import ElementTree

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.booking import BLANK_PLACE, Booking
from recycling.models.people import Staff
from recycling.models.plan import Plan, PublishedPlan
from recycling.policy.district import District
from recycling.units import instant_at
from tests.builders import TOMORROW, a_wish_body
from tests.callers import Caller, Callers
from tests.papers import Page
from tests.planned_days import TRUCK, TRUCK_CREW, VAN_CREW, a_plan, a_published_plan, with_vehicles

PHONE = "13912345678"
NOTE = "门禁 4321"
NINE = instant_at(TOMORROW, 9 * 3600)
DOORS = [(34.8123, 117.2712, "08-10"), (34.8234, 117.2823, "all-day"), (34.8345, 117.2634, "15-17")]

ReadPdf = Callable[[bytes], list[Page]]


@pytest.fixture
def booked(session: Session, callers: Callers, district: District, now: datetime) -> list[str]:
    """Three doors with a fridge each, from morning to afternoon, on a published route of the truck; their ids."""
    resident, made = callers.resident(PHONE), []
    for number, (lat, lon, window) in enumerate(DOORS, 1):
        door = {"address": f"清泉路 {number} 号 2 单元 301", "lat": lat, "lon": lon}
        wish = a_wish_body(floor=3, note=NOTE, pickup_window=window) | door
        made.append(resident.post("/bookings", wish).get_json()["id"])
    a_published_plan(session, district=with_vehicles(district, TRUCK), now=now)
    session.rollback()
    return made


@pytest.fixture
def driver(session: Session, callers: Callers, booked: list[str]) -> Callable[[], Caller]:
    """Signs the truck's driver in, anew each time."""

    def signed_in() -> Caller:
        login = session.scalar(select(Staff.login).where(Staff.collector_key == TRUCK_CREW[0]))
        session.rollback()
        if login is None:
            return callers.staff("collector", collector_key=TRUCK_CREW[0])
        return callers.again(login)

    return signed_in


# --- GPX ---

GPX = "{http://www.topografix.com/GPX/1/1}"
# What may stand in what, and in which sequence: the parts of https://www.topografix.com/GPX/1/1/gpx.xsd that we write.
POINT = (
    "ele", "time", "magvar", "geoidheight", "name", "cmt", "desc", "src", "link", "sym", "type", "fix", "sat", "hdop",
    "vdop", "pdop", "ageofdgpsdata", "dgpsid", "extensions",
)  # fmt: skip
CONTENTS = {
    "gpx": ("metadata", "wpt", "rte", "trk", "extensions"),
    "metadata": ("name", "desc", "author", "copyright", "link", "time", "keywords", "bounds", "extensions"),
    "rte": ("name", "cmt", "desc", "src", "link", "number", "type", "extensions", "rtept"),
    "wpt": POINT,
    "rtept": POINT,
}
REPEATED = {"wpt", "rte", "trk", "rtept", "link"}


def parsed(text: str | bytes) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314  # our own answer, or this test's


def gpx_faults(element: ElementTree.Element) -> Iterator[str]:
    """Where an element breaks the schema: wrong place, sequence, number or form."""
    name = element.tag.removeprefix(GPX)
    allowed = CONTENTS.get(name, ())
    places = []
    for child in element:
        child_name = child.tag.removeprefix(GPX)
        if child_name not in allowed:
            yield f"{child.tag} in {name}"
            continue
        places.append(allowed.index(child_name))
        if places.count(places[-1]) > 1 and child_name not in REPEATED:
            yield f"{child_name} twice in {name}"
        yield from gpx_faults(child)
    if places != sorted(places):
        yield f"children of {name} out of sequence"
    if name == "gpx" and (element.get("version") != "1.1" or not element.get("creator")):
        yield "version or creator"
    if name in ("wpt", "rtept"):
        lat, lon = (re.fullmatch(r"-?\d+\.\d+", element.get(axis, "")) for axis in ("lat", "lon"))
        if lat is None or lon is None or not (-90 <= float(lat[0]) <= 90 and -180 <= float(lon[0]) < 180):
            yield f"point {element.attrib}"
    if name == "time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", element.text or ""):
        yield f"time {element.text}"


def test_the_file_is_gpx_1_1_with_every_stop_as_waypoint_and_in_one_route(
    booked: list[str], driver: Callable[[], Caller]
) -> None:
    with time_machine.travel(NINE, tick=True):
        caller = driver()
        answer = caller.get("/my-route.gpx")
        steps = caller.get("/my-route").get_json()["steps"]
    assert (answer.status_code, answer.content_type) == (200, "application/gpx+xml")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="route-{TOMORROW}-{TRUCK}.gpx"'
    root = parsed(answer.data)
    assert list(gpx_faults(root)) == []
    # the list's stops in its sequence, but for lunch, which is nowhere
    placed = [step for step in steps if step["kind"] != "break"]
    for points in (root.findall(f"{GPX}wpt"), root.findall(f"{GPX}rte/{GPX}rtept")):
        assert [point.findtext(f"{GPX}type") for point in points] == [step["kind"] for step in placed]
        doors = [point for point in points if point.findtext(f"{GPX}type") == "pickup"]
        # WGS-84 as booked, untouched by any map's shift
        assert {(float(p.attrib["lat"]), float(p.attrib["lon"])) for p in doors} == {
            (lat, lon) for lat, lon, _ in DOORS
        }
        assert all("电冰箱 × 1" in point.findtext(f"{GPX}desc", "") for point in doors)
        # local arrival as an instant: eight hours before
        first = next(step for step in placed if step["kind"] == "pickup")
        arrival = instant_at(TOMORROW, first["arrival_s"])
        assert doors[0].findtext(f"{GPX}time") == f"{arrival:%Y-%m-%dT%H:%M:%SZ}"
    # and of people nothing: neither number nor door nor note
    for secret in (PHONE, PHONE[-4:], "301", "4321", "清泉路"):
        assert secret not in answer.text


def test_the_structure_check_refuses_what_the_schema_refuses() -> None:
    good = f'<gpx xmlns="{GPX[1:-1]}" version="1.1" creator="x"><wpt lat="34.8" lon="117.2"><name>a</name></wpt></gpx>'
    assert list(gpx_faults(parsed(good))) == []
    for old, new in (
        ("<name>a</name>", "<type>a</type><name>a</name>"),  # out of sequence
        ("<name>a</name>", "<phone>a</phone>"),  # unknown
        ("<name>a</name>", "<name>a</name><name>b</name>"),  # twice
        ("<name>a</name>", "<time>2026-11-24 09:00</time>"),
        ('lat="34.8"', 'lat="134.8"'),
        ('lon="117.2"', ""),
        ('version="1.1"', 'version="1.0"'),
        ("</wpt>", "</wpt><metadata/>"),
    ):
        assert old in good
        assert list(gpx_faults(parsed(good.replace(old, new)))), new


def test_points_are_given_on_the_day_itself_and_to_the_crew_alone(
    callers: Callers, booked: list[str], driver: Callable[[], Caller]
) -> None:
    path = f"/my-route.gpx?day={TOMORROW}"
    early = driver().get(path)
    assert (early.status_code, early.get_json()["code"]) == (404, "not_found")
    assert "on that day itself" in early.get_json()["detail"]
    with time_machine.travel(NINE, tick=True):
        assert driver().get(path).status_code == 200
        assert callers.staff("collector", collector_key=VAN_CREW).get(path).status_code == 404
    with time_machine.travel(instant_at(TOMORROW, 25 * 3600), tick=True):
        assert driver().get(path).status_code == 404


# --- paper ---


def text_of(pages: list[Page]) -> str:
    """All text of a print without the line ends that its layout made."""
    return re.sub(r"\s+", " ", " ".join(page.text for page in pages))


def test_the_print_of_the_day_leads_to_every_door_by_codes_that_a_camera_reads(
    booked: list[str], driver: Callable[[], Caller], read_pdf: ReadPdf
) -> None:
    with time_machine.travel(NINE, tick=True):
        caller = driver()
        answer = caller.get("/my-route.pdf")
        steps = caller.get("/my-route").get_json()["steps"]
    assert (answer.status_code, answer.content_type) == (200, "application/pdf"), answer.text[:500]
    assert answer.headers["Content-Disposition"] == f'inline; filename="route-{TOMORROW}-{TRUCK}.pdf"'
    pages = read_pdf(answer.data)
    assert {page.size_mm for page in pages} == {(210, 297)}
    # one code with the way to each door and to the station at the end, one with the id of each booking; no other
    ways = [step["navigation_url"] for step in steps if step["navigation_url"] and step["kind"] != "start"]
    assert len(ways) == len(booked) + 1
    assert sorted(code for page in pages for code in page.codes) == sorted([*ways, *booked])
    # and none of it was read as text instead: what a camera must read is nowhere written out
    text = text_of(pages)
    assert not any(code in text for code in (*ways, *booked))
    # what a crew works by is in clear
    clear = ("清泉路 1 号 2 单元 301", NOTE, "电冰箱 × 1", "3 楼", "冰箱手推车", "午休", "2,400 L", "122.4 kg")
    assert [words for words in clear if words not in text] == []


def test_paper_gets_lost_so_no_number_on_it_is_whole(
    booked: list[str], driver: Callable[[], Caller], read_pdf: ReadPdf
) -> None:
    with time_machine.travel(NINE, tick=True):
        caller = driver()
        # given that the screen shows the next two in full
        assert caller.get("/my-route").text.count(PHONE) == 2
        text = text_of(read_pdf(caller.get("/my-route.pdf").data))
    assert PHONE not in text
    assert text.count("139****5678") == len(booked)


def test_a_print_of_the_evening_before_names_no_door(
    booked: list[str], driver: Callable[[], Caller], read_pdf: ReadPdf
) -> None:
    pages = read_pdf(driver().get(f"/my-route.pdf?day={TOMORROW}").data)
    text = text_of(pages)
    assert "清泉路 …" in text
    for secret in ("301", "4321", PHONE):
        assert secret not in text
    # the codes lead to bookings and to the station
    codes = [code for page in pages for code in page.codes]
    assert set(booked) < set(codes)
    assert [code for code in codes if "117.27" in code or "34.81" in code] == []


def test_each_page_says_whose_it_is_which_version_which_page_and_when_it_was_printed(
    session: Session, callers: Callers, district: District, now: datetime, read_pdf: ReadPdf
) -> None:
    # given more doors than one page holds
    for number in range(10):
        wish = a_wish_body(
            pickup_window="all-day", address=f"清泉路 {number} 号", items=[{"item_type": "fan", "quantity": 1}]
        )
        assert callers.resident().post("/bookings", wish).status_code == 201
    plan = a_published_plan(session, district=with_vehicles(district, TRUCK), now=now)
    plan_id = plan.id
    session.rollback()
    answer = callers.staff("dispatcher").get(f"/plans/{plan_id}/routes/{TRUCK}.pdf")
    pages = read_pdf(answer.data)
    assert len(pages) >= 2
    crew = "、".join(district.network.collectors[key].name_zh for key in TRUCK_CREW)
    for number, page in enumerate(pages, 1):
        text = text_of([page])
        told = (
            f"路线单 {TOMORROW}",
            TRUCK,
            crew,
            "计划第 1 版",
            f"{number} / {len(pages)}",
            "打印于",
            "2026-11-23 10:0",
        )
        assert [words for words in told if words not in text] == [], number
    # no row is cut in two: each booking's two codes are on one page
    bookings = [{code for code in page.codes if "amap" not in code} for page in pages]
    ways = [sum(quote("第") in code for code in page.codes) for page in pages]
    assert ways == [len(ids) for ids in bookings]
    assert sum(map(len, bookings)) == 10


def test_the_desk_prints_any_version_and_a_draft_says_so(
    session: Session, callers: Callers, district: District, now: datetime, booked: list[str], read_pdf: ReadPdf
) -> None:
    published = session.scalars(select(PublishedPlan.plan_id)).one()
    draft = a_plan(session, district=with_vehicles(district, TRUCK), now=now).id
    session.rollback()
    for role in ("dispatcher", "admin"):
        desk = callers.staff(role)
        sheets = [text_of(read_pdf(desk.get(f"/plans/{one}/routes/{TRUCK}.pdf").data)) for one in (published, draft)]
        assert ["草稿，未发布" in text for text in sheets] == [False, True]
        # whole doors the evening before, when routes are handed out; never a whole number
        for text in sheets:
            assert "清泉路 1 号 2 单元 301" in text
            assert PHONE not in text
    # when the day is over nobody drives there any more
    with time_machine.travel(instant_at(TOMORROW, 25 * 3600), tick=True):
        late = callers.staff("dispatcher").get(f"/plans/{published}/routes/{TRUCK}.pdf")
        assert "301" not in text_of(read_pdf(late.data))


def test_a_place_that_was_blanked_is_left_out_and_the_rest_of_the_route_stands(
    session: Session, booked: list[str], driver: Callable[[], Caller], read_pdf: ReadPdf
) -> None:
    # given one of the three bookings whose place is kept no more
    booking = session.get_one(Booking, UUID(booked[0]))
    booking.place, booking.place_blanked_at = BLANK_PLACE, NINE
    session.commit()
    with time_machine.travel(NINE, tick=True):
        caller = driver()
        points = parsed(caller.get("/my-route.gpx").data).findall(f"{GPX}wpt/{GPX}type")
        pages = read_pdf(caller.get("/my-route.pdf").data)
    # then two doors are left to drive to, and all three stops are on the list
    assert [point.text for point in points] == ["start", "pickup", "pickup", "end"]
    codes = [code for page in pages for code in page.codes]
    assert sum(quote("第") in code for code in codes) == 2
    assert set(booked) < set(codes)


def test_a_route_that_is_not_there_is_not_found_before_anything_is_printed(
    session: Session, callers: Callers, booked: list[str]
) -> None:
    plan_id = session.scalars(select(Plan.id)).one()
    session.rollback()
    desk = callers.staff("dispatcher")
    for path in (f"/plans/{plan_id}/routes/xingren-1.pdf", f"/plans/{uuid4()}/routes/{TRUCK}.pdf"):
        assert desk.get(path).status_code == 404
    assert callers.staff("collector", collector_key=VAN_CREW).get(f"/my-route.pdf?day={TOMORROW}").status_code == 404


def test_what_a_resident_typed_is_text_on_paper(
    session: Session, callers: Callers, district: District, now: datetime, read_pdf: ReadPdf
) -> None:
    # given a note that would be a picture of another server, and a file of this one, if it were taken for markup
    note = '<img src="http://127.0.0.1:9/x.png"><a rel="attachment" href="file:///etc/passwd">x</a>{{ 7 * 7 }}'
    wish = a_wish_body(note=note, address="清泉路 <b>1</b> 号")
    UUID(callers.resident().post("/bookings", wish).get_json()["id"])
    plan_id = a_published_plan(session, district=with_vehicles(district, TRUCK), now=now).id
    session.rollback()
    pdf = callers.staff("dispatcher").get(f"/plans/{plan_id}/routes/{TRUCK}.pdf").data
    written = text_of(read_pdf(pdf)).replace(" ", "")
    for typed in (note, "清泉路 <b>1</b> 号"):
        assert typed.replace(" ", "") in written
    assert b"EmbeddedFile" not in pdf


def test_a_server_without_the_libraries_says_what_to_install(
    booked: list[str], driver: Callable[[], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an installation in which neither library can be imported
    for name in ("segno", "weasyprint"):
        monkeypatch.setitem(sys.modules, name, None)
    answer: Any = driver().get(f"/my-route.pdf?day={TOMORROW}")
    assert (answer.status_code, answer.content_type) == (501, "application/problem+json")
    assert answer.get_json()["code"] == "not_installed"
    assert "make paper" in answer.get_json()["detail"]
    assert answer.get_json()["retryable"] is False
    # and everything else of the route is there as ever
    assert driver().get(f"/my-route?day={TOMORROW}").status_code == 200
