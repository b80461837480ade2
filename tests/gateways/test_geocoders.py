"""Tianditu and AMap as their pages say they answer, and every way in which an answer can be wrong; over real HTTP."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from recycling.errors import Unavailable
from recycling.gateways.geocoder import LONGEST_LABEL, MOST_CANDIDATES, Candidate, Geocoder, NullGeocoder
from recycling.gateways.geocoders import geocoder
from recycling.logs import configure_logs
from recycling.units import wgs84_to_gcj02
from tests.roads.scripted import Table, scripted_server

KEY = "0123456789abcdef0123456789abcdef"
DOOR = "枣庄市薛城区清泉路1号"
LAT, LON = 34.8046, 117.257
DRAWN_LAT, DRAWN_LON = wgs84_to_gcj02(LAT, LON)

Line = str | Callable[[Table], Any]


def says(content: Any, status: int = 200) -> Line:
    """A line of the script: this answer."""
    return lambda _asked: (status, content if isinstance(content, bytes) else json.dumps(content).encode())


def tianditu(**location: Any) -> dict[str, Any]:
    """A right answer of Tianditu, with a part of its place exchanged."""
    place = {"score": 100, "level": "门址", "lon": str(LON), "lat": str(LAT), "keyWord": DOOR} | location
    return {"msg": "ok", "location": place, "searchVersion": "6.0.0", "status": "0"}


def amap(*places: Any, **top: Any) -> dict[str, Any]:
    """A right answer of AMap, with these places or the one."""
    one = {"formatted_address": DOOR, "location": f"{DRAWN_LON:.6f},{DRAWN_LAT:.6f}", "level": "门牌号"}
    found = list(places) or [one]
    return {"status": "1", "info": "OK", "infocode": "10000", "count": str(len(found)), "geocodes": found} | top


def client(kind: str, address: str) -> Geocoder:
    """The geocoder of a setting."""
    return geocoder({
        "GEOCODER": kind, "GEOCODER_URL": address, "GEOCODER_KEY": KEY, "GEOCODER_TIMEOUT_SECONDS": 1,
    })  # fmt: skip


def find(kind: str, *lines: Line, seconds: float = 10) -> list[Candidate]:
    """What a geocoder makes of a script."""
    with scripted_server(*lines) as (address, _):
        return client(kind, address).find(DOOR, until=time.monotonic() + seconds)


def label_of(kind: str, *lines: Line) -> str | None:
    """What it calls the door's point."""
    with scripted_server(*lines) as (address, _):
        return client(kind, address).label_of(LAT, LON, until=time.monotonic() + 10)


# --- right answers ---


def test_tianditu_is_asked_as_its_page_says_and_its_point_is_ours() -> None:
    with scripted_server(says(tianditu())) as (address, script):
        found = client("tianditu", address).find(DOOR, until=time.monotonic() + 5)
    assert found == [Candidate(label=DOOR, lat=LAT, lon=LON)]
    parts = urlsplit(script.asked[0])
    query = parse_qs(parts.query)
    assert (parts.path, json.loads(query["ds"][0]), query["tk"]) == ("/geocoder", {"keyWord": DOOR}, [KEY])


def test_tianditu_names_a_point() -> None:
    reverse = {"result": {"formatted_address": DOOR, "location": {}}, "msg": "ok", "status": "0"}
    with scripted_server(says(reverse)) as (address, script):
        assert client("tianditu", address).label_of(LAT, LON, until=time.monotonic() + 5) == DOOR
    query = parse_qs(urlsplit(script.asked[0]).query)
    assert (json.loads(query["postStr"][0]), query["type"]) == ({"lon": LON, "lat": LAT, "ver": 1}, ["geocode"])


def test_amap_is_asked_within_the_district_and_its_point_is_brought_to_wgs84() -> None:
    with scripted_server(says(amap())) as (address, script):
        (found,) = client("amap", address).find(DOOR, until=time.monotonic() + 5)
    assert found.label == DOOR
    # six decimals were sent: within 0.2 m of the door, where the raw point would be 529 m to the east
    assert (found.lat, found.lon) == pytest.approx((LAT, LON), abs=2e-6)
    assert abs(DRAWN_LON - LON) > 0.005
    parts = urlsplit(script.asked[0])
    query = parse_qs(parts.query)
    assert parts.path == "/v3/geocode/geo"
    assert (query["address"], query["city"], query["key"]) == ([DOOR], ["370403"], [KEY])


def test_amap_names_a_point_that_it_is_asked_for_in_its_own_system() -> None:
    reverse = amap() | {"regeocode": {"formatted_address": DOOR}}
    with scripted_server(says(reverse)) as (address, script):
        assert client("amap", address).label_of(LAT, LON, until=time.monotonic() + 5) == DOOR
    parts = urlsplit(script.asked[0])
    assert parts.path == "/v3/geocode/regeo"
    assert parse_qs(parts.query)["location"] == [f"{DRAWN_LON:.6f},{DRAWN_LAT:.6f}"]


def test_nothing_found_is_no_failure() -> None:
    assert find("tianditu", says({"msg": "no result", "status": "101"})) == []
    assert find("amap", says(amap(status="0", infocode="30001", geocodes=[]))) == []
    assert find("amap", says(amap(count="0", geocodes=[]))) == []
    # in the open sea AMap gives an empty list where a text belongs
    assert label_of("amap", says(amap() | {"regeocode": {"formatted_address": []}})) is None
    assert label_of("tianditu", says({"msg": "ok", "status": "0", "result": {}})) is None


# --- wrong ones ---


@pytest.mark.parametrize("kind", ["tianditu", "amap"])
@pytest.mark.parametrize("line", ["error", "garbage", "hang", "drip_head", "cut", "flood", "moved"])
def test_a_service_that_fails_is_unavailable_in_time(kind: str, line: str) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        # `cut` needs something to cut off in the middle; all others make their own
        find(kind, line, seconds=2.5)
    assert time.monotonic() - began < 4
    assert KEY not in refused.value.message
    assert "清泉" not in refused.value.message


def test_what_a_redirect_leads_to_is_not_asked() -> None:
    with scripted_server("moved") as (address, script):
        with pytest.raises(Unavailable):
            client("amap", address).find(DOOR, until=time.monotonic() + 2)
        assert not any("elsewhere" in path for path in script.asked)


def test_an_answer_larger_than_any_page_of_candidates_is_not_read_to_its_end() -> None:
    with pytest.raises(Unavailable, match="no end of its answer"):
        find("amap", says(b'{"x": "' + b"y" * (1 << 20) + b'"}'), seconds=3)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("amap", amap(status="0", info="INVALID_USER_KEY", infocode="10001")),
        ("amap", amap(status="0", info="USER_DAILY_QUERY_OVER_LIMIT", infocode="10044")),
        ("amap", amap(infocode="10021")),
        ("amap", {}),
        ("tianditu", {"msg": "权限类型错误", "code": "300001"}),
        ("tianditu", {"status": "404000000000000"}),
    ],
    ids=["a wrong key", "the quota is over", "half an error", "nothing", "no right", "an odd status"],
)
def test_an_error_under_status_200_is_an_error(kind: str, content: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="refused the question") as refused:
        find(kind, says(content))
    # the upstream's own words are not repeated
    assert "KEY" not in refused.value.message
    assert "权限" not in refused.value.message


@pytest.mark.parametrize(
    "location",
    [{"lon": "NaN"}, {"lat": "inf"}, {"lat": None}, {"lat": []}, {"lon": True}, {"lat": "1e400"}, {"lon": "999"},
     {"lat": "9" * 5000}, {"lon": {"x": 1}}],
    ids=str,
)  # fmt: skip
def test_a_point_that_is_none_is_left_out_by_tianditu(location: dict[str, Any]) -> None:
    assert find("tianditu", says(tianditu(**location))) == []


def test_a_bare_nan_in_the_json_is_no_answer() -> None:
    with pytest.raises(Unavailable):
        find("tianditu", says(b'{"status": "0", "location": {"lon": NaN, "lat": 34.8}}'), seconds=2)


def test_places_that_are_none_are_left_out_by_amap_and_good_ones_stay() -> None:
    good = amap()["geocodes"][0]
    broken = [
        good | {"location": "117.26"}, good | {"location": "nan,34.8"}, good | {"location": [117.26, 34.8]},
        good | {"location": "34.8,117.26"}, good | {"formatted_address": ""}, good | {"formatted_address": None},
        good | {"formatted_address": "清\u202e泉"}, good | {"formatted_address": "长" * (LONGEST_LABEL + 1)},
        None, "text", {},
    ]  # fmt: skip
    # in two halves, since no more than ten of an answer are looked at
    assert len(find("amap", says(amap(*broken[:5], good)))) == 1
    assert len(find("amap", says(amap(*broken[5:], good)))) == 1
    assert len(find("amap", says(amap(*[good] * 50)))) == MOST_CANDIDATES
    assert find("amap", says(amap(geocodes={"location": "117.26,34.8"}))) == []


def test_the_key_and_the_address_stand_in_no_log_line_even_at_the_most_talkative(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("DEBUG")
    try:
        find("amap", says(amap()))
        logging.getLogger("somebody").debug("control: debug lines do come")
    finally:
        configure_logs("WARNING")
    said = capsys.readouterr().err
    assert "control" in said
    assert KEY not in said
    assert "geocode" not in said


def test_without_a_setting_nobody_is_asked() -> None:
    off = geocoder({})
    assert isinstance(off, NullGeocoder)
    assert (off.name, off.find(DOOR, until=0), off.label_of(LAT, LON, until=0)) == ("none", [], None)
