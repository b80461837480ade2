"""Each link leads to the same door, in the coordinate system that its reader expects."""

from __future__ import annotations

import math
import re
from urllib.parse import parse_qs, unquote, urlsplit

from recycling.units import gcj02_to_wgs84
from recycling.usecases.queries.map_links import geo_url, links_to, map_url, navigation_url

LAT, LON = 34.8, 117.26  # a door in 临城街道, WGS-84
METRES_PER_DEGREE = 111_195  # of latitude on a sphere of 6,371 km


def offset_m(lat: float, lon: float) -> tuple[int, int]:
    """Metres east and north of the door."""
    east = (lon - LON) * METRES_PER_DEGREE * math.cos(math.radians(LAT))
    return round(east), round((lat - LAT) * METRES_PER_DEGREE)


def test_navigation_gets_our_own_point_and_is_told_so() -> None:
    link = urlsplit(navigation_url(LAT, LON, "第1站"))
    named = parse_qs(link.query)
    assert (link.scheme, link.netloc, link.path) == ("https", "uri.amap.com", "/navigation")
    assert named == {"to": ["117.26,34.8,第1站"], "mode": ["car"], "coordinate": ["wgs84"]}


def test_the_web_map_gets_its_own_system_which_lies_529_m_east_and_98_m_south() -> None:
    link = urlsplit(map_url(LAT, LON, "第1站"))
    named = parse_qs(link.query)
    assert (link.netloc, link.path, named["coordinate"]) == ("uri.amap.com", "/marker", ["gaode"])
    lon, lat = map(float, named["position"][0].split(","))
    # the shift measured here, to within 2 m for the sphere that this test reckons on; unconverted it would be nought
    east, north = offset_m(lat, lon)
    assert abs(east - 529) <= 2
    assert abs(north + 98) <= 2
    # and turned back it is our door, to the decimetre that is written
    back = gcj02_to_wgs84(lat, lon)
    assert max(abs(back[0] - LAT), abs(back[1] - LON)) < 1e-6


def test_the_phones_map_gets_our_own_point_latitude_first() -> None:
    found = re.fullmatch(r"geo:([\d.]+),([\d.]+)\?q=([\d.]+),([\d.]+)\(([^()]*)\)", geo_url(LAT, LON, "第1站"))
    assert found is not None
    assert offset_m(float(found[1]), float(found[2])) == (0, 0)
    assert found.groups()[:2] == found.groups()[2:4]
    assert unquote(found[5]) == "第1站"


def test_no_name_can_add_to_a_link() -> None:
    for link in links_to(LAT, LON, "A&coordinate=gaode#(x) y").values():
        assert " " not in link
        assert "#" not in link
        assert "A%26coordinate%3Dgaode%23" in link
        # the map is told one system and no other
        assert link.count("&coordinate=") == (0 if link.startswith("geo:") else 1)
