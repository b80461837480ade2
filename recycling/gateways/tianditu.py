"""Tianditu's geocoder, http://lbs.tianditu.gov.cn/server/geocodinginterface.html: CGCS2000, which is WGS-84 to us."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from recycling.errors import Unavailable
from recycling.gateways.geocoder import Candidate, Connect, degrees, label

FOUND, NOTHING = "0", ("101", "404")  # `status` of an answer


class TiandituGeocoder:
    """The national map service, with a key of the operator's.

    Parameters
    ----------
    connect
        Makes a client to the service for one question.
    key
        The ``tk`` of the application; part of each request and of no message or log line.
    """

    name = "tianditu"

    def __init__(self, connect: Connect, *, key: str) -> None:
        self._connect, self._key = connect, key

    def find(self, text: str, *, until: float) -> list[Candidate]:
        """The one place that the service takes a text for, or none."""
        answer = self._ask({"ds": json.dumps({"keyWord": text}, ensure_ascii=False)}, until=until)
        place = answer.get("location")
        if not isinstance(place, dict):
            return []
        lat, lon = degrees(place.get("lat")), degrees(place.get("lon"))
        said = label(place.get("keyWord")) or label(text)
        return [] if lat is None or lon is None or said is None else [Candidate(label=said, lat=lat, lon=lon)]

    def label_of(self, lat: float, lon: float, *, until: float) -> str | None:
        """The address nearest to a point."""
        point = json.dumps({"lon": round(lon, 6), "lat": round(lat, 6), "ver": 1})
        result = self._ask({"postStr": point, "type": "geocode"}, until=until).get("result")
        return label(result.get("formatted_address")) if isinstance(result, dict) else None

    def _ask(self, wanted: dict[str, str], *, until: float) -> dict[str, Any]:
        answer = self._connect().ask(f"/geocoder?{urlencode(wanted | {'tk': self._key})}", until=until)
        status = str(answer.content.get("status"))
        if status in NOTHING:
            return {}
        if answer.status != HTTPStatus.OK or status != FOUND:
            raise Unavailable(f"tianditu refused the question (status {status[:8]!r}); look at the key and its quota")
        return answer.content
