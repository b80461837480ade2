"""Help with writing an address down, over HTTP: with a map service, without one, and with a silent one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote_plus

import pytest
import time_machine
from flask import Flask

from recycling.gateways.geocoders import geocoder
from recycling.units import wgs84_to_gcj02
from recycling.usecases.people.find_address import QUESTIONS
from tests.callers import Callers
from tests.conftest import NOW
from tests.roads.scripted import Script, scripted_server

KEY = "0123456789abcdef0123456789abcdef"


def place(label: str, lat: float, lon: float) -> dict[str, str]:
    """An entry of AMap's answer for a WGS-84 point."""
    drawn_lat, drawn_lon = wgs84_to_gcj02(lat, lon)
    return {"formatted_address": label, "location": f"{drawn_lon:.6f},{drawn_lat:.6f}"}


def answer(**content: Any) -> Any:
    """A line of the script: AMap's good answer with this in it."""
    text = json.dumps({"status": "1", "infocode": "10000"} | content).encode()
    return lambda _asked: (200, text)


@contextmanager
def amap(app: Flask, monkeypatch: pytest.MonkeyPatch, *lines: Any) -> Iterator[Script]:
    """The app with AMap switched on, played by a script."""
    with scripted_server(*lines) as (address, script):
        settings = {
            "GEOCODER": "amap", "GEOCODER_URL": address, "GEOCODER_KEY": KEY, "GEOCODER_TIMEOUT_SECONDS": 1,
        }  # fmt: skip
        monkeypatch.setitem(app.extensions, "geocoder", geocoder(settings))
        yield script


def test_without_a_map_service_villages_are_found_by_name(callers: Callers) -> None:
    resident = callers.resident()
    found = resident.get("/address-candidates?text=清泉路").get_json()
    assert (found["source"], found["note"], found["candidates"]) == ("none", "", [])
    assert "370403001001" in [one["village_code"] for one in found["villages"]]  # 清泉社区居委会
    assert "临城街道" in [one["town_name_zh"] for one in found["villages"]]
    by_part = resident.get("/address-candidates?text=清泉社区").get_json()["villages"]
    assert by_part[0]["village_name_zh"] == "清泉社区居委会"
    assert resident.get("/address-candidates?text=没有这个地方").get_json()["villages"] == []
    # a point of the district has no name then, and is no mistake
    at_point = resident.get("/address-candidates?lat=34.8&lon=117.26")
    assert (at_point.status_code, at_point.get_json()["candidates"]) == (200, [])


def test_points_are_in_wgs84_and_what_lies_outside_is_left_out(
    app: Flask, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, outside = place("清泉路1号", 34.8, 117.26), place("清泉路1号，济南", 36.65, 117.0)
    with amap(app, monkeypatch, answer(geocodes=[outside, inside])) as script:
        found = callers.resident().get("/address-candidates?text=清泉路1号&village_code=370403001001").get_json()
    (one,) = found["candidates"]
    assert (one["label"], found["source"]) == ("清泉路1号", "amap")
    assert (one["lat"], one["lon"]) == pytest.approx((34.8, 117.26), abs=2e-6)
    # the village narrows the question
    assert "枣庄市薛城区临城街道清泉社区居委会清泉路1号" in unquote_plus(script.asked[0])


def test_a_point_is_named_and_one_outside_costs_no_question(
    app: Flask, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with amap(app, monkeypatch, answer(regeocode={"formatted_address": "薛城区清泉社区清泉路1号"})) as script:
        resident = callers.resident()
        lat, lon = wgs84_to_gcj02(34.8, 117.26)
        named = resident.get(f"/address-candidates?lat={lat:.6f}&lon={lon:.6f}&coordinate_system=gcj02").get_json()
        (one,) = named["candidates"]
        assert (one["lat"], one["lon"]) == pytest.approx((34.8, 117.26), abs=2e-6)
        assert "清泉社区居委会" in [village["village_name_zh"] for village in named["villages"]]
        refused = resident.get("/address-candidates?lat=36.65&lon=117.0")
        assert (refused.status_code, "outside" in refused.text) == (422, True)
        assert len(script.asked) == 1


def test_a_silent_map_service_leaves_the_villages(
    app: Flask, callers: Callers, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with amap(app, monkeypatch, "error"):
        found = callers.resident().get("/address-candidates?text=清泉路1号")
    assert found.status_code == 200
    assert found.get_json()["candidates"] == []
    assert found.get_json()["villages"]
    assert "did not answer" in found.get_json()["note"]
    # the log says so, without key or address
    said = capfd.readouterr().err
    assert KEY not in found.text + said
    assert "清泉" not in said


@pytest.mark.parametrize(
    "query",
    [
        "", "text=a", "village_code=370403001001", "lat=34.8", "text=清泉路&lat=34.8&lon=117.26", "lat=nan&lon=117.26",
        "lat=3e1&lon=117.26", "lat=34.8&lon=１１７", "text=清泉路&village_code=370403999999", "text=" + "长" * 101,
        "text=清泉路&coordinate_system=gcj02", "lat=34.8&lon=117.26&coordinate_system=bd09",
    ],
)  # fmt: skip
def test_half_a_question_is_none(callers: Callers, query: str) -> None:
    assert callers.resident().get(f"/address-candidates?{query}").status_code == 422


def test_questions_are_counted_for_each_caller(app: Flask, callers: Callers) -> None:
    resident, (most, period_s) = callers.resident(), QUESTIONS[0]
    with time_machine.travel(NOW, tick=False) as clock:
        answers = [resident.get("/address-candidates?text=清泉路").status_code for _ in range(most + 1)]
        assert answers == [200] * most + [429]
        clock.shift(period_s)
        assert resident.get("/address-candidates?text=清泉路").status_code == 200
    assert callers.resident().get("/address-candidates?text=清泉路").status_code == 200
    assert app.test_client().get("/address-candidates?text=清泉路").status_code == 401


def test_a_refused_text_is_not_repeated(callers: Callers) -> None:
    refused = callers.resident().get("/address-candidates?text=清泉路" + "长" * 101)
    assert (refused.status_code, "清泉" in refused.text) == (422, False)
