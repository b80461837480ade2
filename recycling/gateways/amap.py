"""AMap's geocoder, https://lbs.amap.com/api/webservice/guide/api/georegeo: GCJ-02, brought to WGS-84 here and back."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from recycling.errors import Unavailable
from recycling.gateways.geocoder import MOST_CANDIDATES, Candidate, Connect, degrees, label
from recycling.units import gcj02_to_wgs84, wgs84_to_gcj02

ADCODE = "370403"  # 薛城区; without it a street's name is looked for in the whole country
OK = "10000"  # `infocode`: what is wrong comes under HTTP status 200 too
NO_DATA = "30001"  # it answers so for a text it can make nothing of


class AmapGeocoder:
    """The commercial map service, with a key of the operator's.

    Parameters
    ----------
    connect
        Makes a client to the service for one question.
    key
        The key of the application; part of each request and of no message or log line.
    """

    name = "amap"

    def __init__(self, connect: Connect, *, key: str) -> None:
        self._connect, self._key = connect, key

    def find(self, text: str, *, until: float) -> list[Candidate]:
        """The places a text may mean."""
        found = self._ask("/v3/geocode/geo", {"address": text, "city": ADCODE}, until=until).get("geocodes")
        candidates = map(_candidate, found[:MOST_CANDIDATES] if isinstance(found, list) else [])
        return [one for one in candidates if one is not None]

    def label_of(self, lat: float, lon: float, *, until: float) -> str | None:
        """The address nearest to a point."""
        drawn_lat, drawn_lon = wgs84_to_gcj02(lat, lon)
        wanted = {"location": f"{drawn_lon:.6f},{drawn_lat:.6f}"}
        found = self._ask("/v3/geocode/regeo", wanted, until=until).get("regeocode")
        return label(found.get("formatted_address")) if isinstance(found, dict) else None

    def _ask(self, path: str, wanted: dict[str, str], *, until: float) -> dict[str, Any]:
        answer = self._connect().ask(f"{path}?{urlencode(wanted | {'key': self._key})}", until=until)
        status, code = str(answer.content.get("status")), str(answer.content.get("infocode"))
        if code == NO_DATA:
            return {}
        if answer.status != HTTPStatus.OK or (status, code) != ("1", OK):
            raise Unavailable(f"amap refused the question (infocode {code[:8]!r}); look at the key and its quota")
        return answer.content


def _candidate(raw: Any) -> Candidate | None:
    """One entry of the answer in WGS-84; its location is written "lon,lat"."""
    if not isinstance(raw, dict) or not isinstance(raw.get("location"), str):
        return None
    lon_text, _, lat_text = raw["location"].partition(",")
    drawn_lat, drawn_lon, said = degrees(lat_text), degrees(lon_text), label(raw.get("formatted_address"))
    if drawn_lat is None or drawn_lon is None or said is None or abs(drawn_lat) > 90:
        return None
    lat, lon = gcj02_to_wgs84(drawn_lat, drawn_lon)
    return Candidate(label=said, lat=round(lat, 6), lon=round(lon, 6))
