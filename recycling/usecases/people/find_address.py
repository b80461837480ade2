"""Help somebody to write their address down: villages of our own list by name, points of a map service if one is on."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from recycling.errors import InvalidInput, Unavailable
from recycling.gateways.geocoder import Candidate, Geocoder
from recycling.logs import logger
from recycling.models.counters import spend_attempt
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.geography import CoordinateSystem, point_refusal, to_wgs84
from recycling.policy.network import Village

log = logger(__name__)

MINUTE_S, DAY_S = 60, 86_400
# A person who types asks every other second at the most; each question may cost one of the operator's daily quota.
QUESTIONS = ((30, MINUTE_S), (300, DAY_S))
LONGEST_WAIT_S = 4.0  # for the map service: whoever waits has the pin to place by hand
MOST_VILLAGES = 10
IN_THE_DISTRICT = "枣庄市薛城区"
SUFFIXES = ("村民委员会", "社区居民委员会", "居民委员会", "社区居委会", "村委会", "居委会", "社区", "村")
SILENT = (
    "the map service did not answer; choose the village and place the pin / 地图服务未应答，请选择村居并在地图上标点"
)


def find_address(
    text: str,
    *,
    village_code: str | None,
    by: Principal,
    geocoder: Geocoder,
    district: District,
    session: Session,
    now: datetime,
) -> dict[str, Any]:
    """Villages and communities that a text names, and points in the district that it may mean.

    Raises
    ------
    InvalidInput
        When the village is unknown.
    TooManyRequests
        When the caller has asked too often.
    """
    village = None if village_code is None else district.network.villages.get(village_code)
    if village_code is not None and village is None:
        raise InvalidInput(
            f"village_code {village_code!r} is not in the district; choose one from GET /villages"
            " / 本区没有该村居，请重新选择"
        )
    _count(by, session=session, now=now)
    around = IN_THE_DISTRICT
    if village is not None:
        around += district.network.towns[village.town_key].name_zh + village.name_zh
    note = ""
    try:
        found = geocoder.find(around + text, until=time.monotonic() + LONGEST_WAIT_S)
    except Unavailable as error:
        log.warning("geocoder.silent", geocoder=geocoder.name, error=error.message)
        found, note = [], SILENT
    return {
        "villages": [_shown(one, district) for one in _named(text, district)],
        "candidates": [one for one in found if district.boundary.contains(one.lat, one.lon)],
        "source": geocoder.name,
        "note": note,
    }


def name_point(
    lat: float,
    lon: float,
    *,
    system: CoordinateSystem,
    by: Principal,
    geocoder: Geocoder,
    district: District,
    session: Session,
    now: datetime,
) -> dict[str, Any]:
    """The address at a point of the district, when a map service knows one; the villages it names.

    Raises
    ------
    InvalidInput
        When the point is not in the district; says what is likely wrong with it.
    TooManyRequests
        When the caller has asked too often.
    """
    refusal = point_refusal(district.boundary, lat, lon, system=system)
    if refusal is not None:
        raise InvalidInput(refusal.message)
    _count(by, session=session, now=now)
    true_lat, true_lon = to_wgs84(lat, lon, system=system)
    note, said = "", None
    try:
        said = geocoder.label_of(true_lat, true_lon, until=time.monotonic() + LONGEST_WAIT_S)
    except Unavailable as error:
        log.warning("geocoder.silent", geocoder=geocoder.name, error=error.message)
        note = SILENT
    point = [] if said is None else [Candidate(label=said, lat=round(true_lat, 6), lon=round(true_lon, 6))]
    named = [] if said is None else _named(said, district)
    return {
        "villages": [_shown(one, district) for one in named],
        "candidates": point,
        "source": geocoder.name,
        "note": note,
    }


def _count(by: Principal, *, session: Session, now: datetime) -> None:
    """Use up one question, in a transaction that is over before the map service is asked."""
    with atomic(session):
        spend_attempt(session, kind="address_candidates", subject=str(by.id), limits=QUESTIONS, now=now)


def _named(text: str, district: District) -> list[Village]:
    """The villages whose name the text holds, longest first, or whose name begins with or holds the text."""
    wanted = "".join(text.split())
    held, holding = [], []
    for village in district.network.villages.values():
        stem = _stem(village.name_zh)
        if len(stem) > 1 and stem in wanted:
            held.append(village)
        elif wanted in village.name_zh:
            holding.append(village)
    held.sort(key=lambda one: (-len(_stem(one.name_zh)), one.code))
    holding.sort(key=lambda one: (not one.name_zh.startswith(wanted), one.code))
    return (held + holding)[:MOST_VILLAGES]


def _stem(name: str) -> str:
    """A village's name without the word for what it is: 清泉社区居委会 is called 清泉."""
    for suffix in SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name.removesuffix(suffix)
    return name


def _shown(village: Village, district: District) -> dict[str, str]:
    town = district.network.towns[village.town_key]
    return {"village_code": village.code, "village_name_zh": village.name_zh, "town_name_zh": town.name_zh}
