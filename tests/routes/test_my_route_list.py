"""The whole list a crew works by: what to bring, photos, links, trips, and what changed since they last looked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.people import Staff
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.queries.route_sheet import trips_of
from tests.builders import TOMORROW, a_wish_body
from tests.callers import Caller, Callers
from tests.photo_files import a_photo
from tests.planned_days import TRUCK, TRUCK_CREW, VAN, VAN_CREW, a_published_plan, with_vehicles

NINE = instant_at(TOMORROW, 9 * 3600)
LIST = f"/my-route?day={TOMORROW}"

Publish = Callable[..., None]
Collector = Callable[[str], Caller]


@pytest.fixture
def resident(callers: Callers) -> Caller:
    return callers.resident("13912345678")


@pytest.fixture
def collector(session: Session, callers: Callers) -> Collector:
    """Signs a collector in, anew each time: a sign-in of the day before is over in the morning."""

    def signed_in(key: str = TRUCK_CREW[0]) -> Caller:
        login = session.scalar(select(Staff.login).where(Staff.collector_key == key))
        session.rollback()
        return callers.staff("collector", collector_key=key) if login is None else callers.again(login)

    return signed_in


@pytest.fixture
def publish(session: Session, district: District, now: datetime) -> Publish:
    """Plans and publishes tomorrow anew with these vehicles only."""

    def publish_with(*vehicles: str) -> None:
        a_published_plan(session, district=with_vehicles(district, *(vehicles or (TRUCK,))), now=now)
        session.rollback()

    return publish_with


def book(resident: Caller, **wish: Any) -> str:
    """Book for tomorrow; its id."""
    made = resident.post("/bookings", a_wish_body(pickup_window="all-day", **wish))
    assert made.status_code == 201, made.text
    booking_id: str = made.get_json()["id"]
    return booking_id


def read(caller: Caller, path: str = LIST, **headers: str) -> dict[str, Any]:
    answer = caller.get(path, **headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def pickup_of(route: dict[str, Any], booking_id: str) -> dict[str, Any]:
    return next(
        step["pickup"] for step in route["steps"] if step["pickup"] and step["pickup"]["booking_id"] == booking_id
    )


def keys(rows: list[dict[str, Any]]) -> list[str]:
    return [row["key"] for row in rows]


# --- what to bring, and how to get there ---


def test_each_stop_names_skills_and_gear_and_the_route_sums_them_up(
    collector: Collector, resident: Caller, publish: Publish
) -> None:
    # given a fridge, and an air conditioner to be taken off the wall
    fridge = book(resident)
    wall = book(resident, items=[{"item_type": "ac-split", "quantity": 1, "dismantle": True}])
    publish()
    route = read(collector(TRUCK_CREW[0]))
    # then each door asks for its own
    assert keys(pickup_of(route, fridge)["skills"]) == ["two-person-lift", "upright"]
    assert keys(pickup_of(route, fridge)["bring"]) == ["second-person", "lift-straps", "fridge-trolley"]
    assert keys(pickup_of(route, wall)["skills"]) == ["dismantling", "refrigerant", "two-person-lift"]
    assert keys(pickup_of(route, wall)["bring"]) == [
        "second-person", "lift-straps", "tool-case", "ladder", "refrigerant-set",
    ]  # fmt: skip
    # and the morning's check list has each thing once, what most doors ask for first
    assert {row["key"]: row["stops"] for row in route["bring"]} == {
        "second-person": 2, "lift-straps": 2, "fridge-trolley": 1, "tool-case": 1, "ladder": 1, "refrigerant-set": 1,
    }  # fmt: skip
    assert route["bring"][0]["stops"] == 2
    assert (route["bring"][0]["name_zh"], route["bring"][0]["name_en"]) == ("两人同行", "two people")


def test_before_the_day_no_link_leads_to_a_door_and_on_the_day_all_three_do(
    collector: Collector, resident: Caller, publish: Publish
) -> None:
    # given a door away from the station
    booking_id = book(resident, lat=34.8123, lon=117.2712)
    publish()

    def links(route: dict[str, Any]) -> list[str | None]:
        step = next(step for step in route["steps"] if step["pickup"])
        assert step["pickup"]["booking_id"] == booking_id
        return [step[name] for name in ("navigation_url", "map_url", "geo_url")]

    early = collector(TRUCK_CREW[0])
    assert links(read(early)) == [None, None, None]
    # nor is the point itself there, in either system: to AMap it is 117.276… E, 34.811… N
    text = early.get(LIST).text
    assert [part for part in ("117.27", "34.81") if part in text] == []
    with time_machine.travel(NINE, tick=True):
        navigation, web, phone = links(read(collector(TRUCK_CREW[0])))
    assert navigation is not None
    assert web is not None
    assert phone is not None
    assert navigation.startswith("https://uri.amap.com/navigation?to=117.2712,34.8123,")
    assert "position=117.276" in web
    assert "coordinate=gaode" in web
    assert phone.startswith("geo:34.8123,117.2712?q=34.8123,117.2712(")


# --- photos ---


def test_photos_are_counted_always_and_shown_to_the_crew_on_the_day_alone(
    collector: Collector, resident: Caller, publish: Publish
) -> None:
    # given a booking with two photos
    booking_id = book(resident)
    for colour in ("red", "blue"):
        assert resident.post(f"/bookings/{booking_id}/photos", a_photo(colour)).status_code == 201
    publish()
    photos = [f"/photos/{one['id']}" for one in resident.get(f"/bookings/{booking_id}/photos").get_json()["photos"]]
    paths = [*photos, f"/bookings/{booking_id}/photos"]

    # when the crew looks the evening before, they learn how many there are and see none
    early = collector(TRUCK_CREW[0])
    told = pickup_of(read(early), booking_id)
    assert (told["photo_count"], told["photo_urls"]) == (2, [])
    assert {early.get(path).status_code for path in paths} == {404}

    with time_machine.travel(NINE, tick=True):
        # on the day each link is there and leads to the picture, for both of the crew
        for key in TRUCK_CREW:
            crew = collector(key)
            assert pickup_of(read(crew), booking_id)["photo_urls"] == photos
            got = crew.get(photos[0])
            assert (got.status_code, got.content_type) == (200, "image/jpeg")
            assert len(crew.get(paths[-1]).get_json()["photos"]) == 2
        # they neither add nor delete any
        assert crew.post(paths[-1], a_photo("green")).status_code == 403
        assert crew.call("DELETE", photos[0]).status_code == 403
        # and nobody of another vehicle sees them
        stranger = collector(VAN_CREW)
        assert {stranger.get(path).status_code for path in paths} == {404}
    # the day after it is over
    with time_machine.travel(instant_at(TOMORROW, 25 * 3600), tick=True):
        late = collector(TRUCK_CREW[1])
        assert {late.get(path).status_code for path in paths} == {404}


# --- trips ---


def test_the_list_says_what_is_loaded_before_the_vehicle_comes_home(
    collector: Collector, resident: Caller, publish: Publish
) -> None:
    booked = {book(resident, items=[{"item_type": kind, "quantity": 1}]) for kind in ("fridge", "freezer")}
    publish()
    (trip,) = read(collector(TRUCK_CREW[0]))["trips"]
    assert set(trip["booking_ids"]) == booked
    # 40.8 kg and 44.1 kg, 800 l each, as in the catalogue
    assert (trip["load_g"], trip["load_l"]) == (84_900, 1_600)
    assert (trip["number"], trip["station"]["key"]) == (1, "lincheng")


def a_step(position: int, kind: str, load_g: int = 0, load_l: int = 0) -> dict[str, Any]:
    pickup = {"booking_id": position} if kind == "pickup" else None
    station = None if kind in ("pickup", "break") else {"key": f"station-{position}"}
    return {
        "position": position, "kind": kind, "load_g": load_g, "load_l": load_l, "pickup": pickup, "station": station,
        "arrival": f"0{position}:00",
    }  # fmt: skip


def test_a_trip_ends_at_each_unload_with_what_was_on_board_and_the_way_home_empty_is_none() -> None:
    # given two pickups, lunch, an unload, one pickup, an unload, and the way home
    steps = [
        a_step(0, "start"), a_step(1, "pickup", 10, 100), a_step(2, "break", 10, 100), a_step(3, "pickup", 30, 300),
        a_step(4, "unload"), a_step(5, "pickup", 7, 70), a_step(6, "unload"), a_step(7, "end"),
    ]  # fmt: skip
    first, second = trips_of(steps)
    assert (first["booking_ids"], first["load_g"], first["load_l"], first["unload_position"]) == ([1, 3], 30, 300, 4)
    assert (first["first_position"], first["last_position"], first["station"]) == (1, 3, {"key": "station-4"})
    assert (second["number"], second["booking_ids"], second["load_g"]) == (2, [5], 7)
    # and a load that is on board at the end is a trip of its own
    assert [trip["unload_position"] for trip in trips_of([*steps[:6], a_step(6, "end")])] == [4, 6]


# --- the tag of the content ---


def test_a_list_that_did_not_change_is_not_sent_again(collector: Collector, resident: Caller, publish: Publish) -> None:
    book(resident)
    publish()
    crew = collector(TRUCK_CREW[0])
    first = crew.get(LIST)
    tag = first.headers["ETag"]
    assert tag.startswith('"')  # strong
    again = crew.get(LIST, If_None_Match=tag)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    # among several, and as any at all
    assert crew.get(LIST, If_None_Match=f'"older", {tag}').status_code == 304
    # a tag that is not this content's gets the whole list
    other = crew.get(LIST, If_None_Match='"older"')
    assert (other.status_code, other.get_json()) == (200, first.get_json())
    assert "no-store" in first.headers["Cache-Control"]


def test_whatever_changes_in_the_list_changes_its_tag(
    callers: Callers, collector: Collector, resident: Caller, publish: Publish
) -> None:
    # given a route that somebody has read
    booking_id = book(resident)
    publish()
    crew = collector(TRUCK_CREW[0])
    tags = [crew.get(LIST).headers["ETag"]]
    # when a photo comes, then the visit is cancelled by the desk, then the day begins
    assert resident.post(f"/bookings/{booking_id}/photos", a_photo()).status_code == 201
    tags.append(crew.get(LIST, If_None_Match=tags[-1]).headers["ETag"])
    gone = callers.staff("dispatcher").call("POST", f"/bookings/{booking_id}/cancellation", If_Match='"1"')
    assert gone.status_code == 200, gone.text
    tags.append(crew.get(LIST, If_None_Match=tags[-1]).headers["ETag"])
    with time_machine.travel(NINE, tick=True):
        crew = collector(TRUCK_CREW[0])
        tags.append(crew.get(LIST, If_None_Match=tags[-1]).headers["ETag"])
    # then each answer has a tag of its own
    assert len(set(tags)) == 4


# --- what changed ---


def told(route: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """Kind, kind of step and booking of each change that is told."""
    return [(change["kind"], change["step_kind"], change["booking_id"]) for change in route["changes"]]


def test_without_a_version_seen_no_changes_are_listed_and_with_the_present_one_there_are_none(
    collector: Collector, resident: Caller, publish: Publish
) -> None:
    book(resident)
    publish()
    crew = collector(TRUCK_CREW[0])
    assert read(crew)["changes"] is None
    assert read(crew, f"{LIST}&seen_version=1")["changes"] == []


def test_a_stop_that_was_cancelled_is_told_to_who_saw_the_version_before(
    session: Session, callers: Callers, collector: Collector, resident: Caller, publish: Publish
) -> None:
    # given two stops, of which the desk cancels one before the day is planned anew
    stays, goes = book(resident), book(resident, lat=34.82, address="清泉路 9 号")
    publish()
    callers.staff("dispatcher").call("POST", f"/bookings/{goes}/cancellation", If_Match='"1"')
    publish()
    crew = collector(TRUCK_CREW[0])
    route = read(crew, f"{LIST}&seen_version=1")
    # then it is told with where it was, and nothing is said to be new
    assert route["plan"]["version"] == 2
    gone = next(change for change in route["changes"] if change["kind"] == "removed")
    assert (gone["booking_id"], gone["step_kind"], gone["after"]) == (goes, "pickup", None)
    assert gone["village_name_zh"] == "清泉社区居委会"
    assert gone["before"]["position"] in (1, 2, 3)
    assert re.fullmatch(r"\d\d:\d\d", gone["before"]["arrival"])
    assert not any(kind == "added" for kind, _, _ in told(route))
    assert stays in {step["pickup"]["booking_id"] for step in route["steps"] if step["pickup"]}
    # and who has seen the second version is told nothing
    assert read(crew, f"{LIST}&seen_version=2")["changes"] == []


def test_a_route_given_to_another_vehicle_is_all_new_to_the_one_crew_and_all_gone_to_the_other(
    collector: Collector, resident: Caller, publish: Publish
) -> None:
    # given a cooker, which any crew carries, first with the van and then with the truck
    booking_id = book(resident, items=[{"item_type": "rice-cooker", "quantity": 1}])
    publish(VAN)
    publish(TRUCK)
    van, truck = (collector(key) for key in (VAN_CREW, TRUCK_CREW[0]))
    left, got = (read(crew, f"{LIST}&seen_version=1") for crew in (van, truck))
    assert ("removed", "pickup", booking_id) in told(left)
    assert {kind for kind, _, _ in told(left)} == {"removed"}
    assert "没有分配给你的路线" in left["note"]
    assert ("added", "pickup", booking_id) in told(got)
    assert {kind for kind, _, _ in told(got)} == {"added"}
    # each of them hears of their own route and of nobody else's
    assert len(got["changes"]) == len(got["steps"])


def test_a_version_that_never_was_is_refused_in_words(
    callers: Callers, collector: Collector, resident: Caller, publish: Publish
) -> None:
    book(resident)
    publish()
    crew = collector(TRUCK_CREW[0])
    for version in ("2", "0", "first", "-1"):
        refused = crew.get(f"{LIST}&seen_version={version}")
        assert refused.status_code == 422, refused.text
        assert "seen_version" in refused.get_json()["detail"]
    # before anything is published nothing can have changed
    assert crew.get("/my-route?day=2026-11-25&seen_version=1").status_code == 422
