"""A route as GPX 1.1, for a navigator: its stops as waypoints and as one route, without anything of people.

GPX points are WGS-84, as ours are. Names say which stop it is; addresses, phones and notes stay in the list.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from recycling.units import instant_at

NAMESPACE = "http://www.topografix.com/GPX/1/1"
STEP_NAMES = {"start": "出发", "unload": "卸货", "end": "返回"}


def route_gpx(sheet: Mapping[str, Any], *, now: datetime) -> bytes:
    """Write a sheet's steps that are somewhere: lunch is wherever the vehicle is then, an erased place nowhere."""
    name = f"{sheet['day']} {sheet['vehicle_key']} 第{sheet['plan']['version']}版"
    root = Element("gpx", {"xmlns": NAMESPACE, "version": "1.1", "creator": "xuecheng-recycling"})
    about = SubElement(root, "metadata")
    SubElement(about, "name").text = name
    SubElement(about, "time").text = _instant(now)
    placed = [step for step in sheet["steps"] if step["point"]]
    for step in placed:
        _point(SubElement(root, "wpt"), step, sheet)
    route = SubElement(root, "rte")
    SubElement(route, "name").text = name
    for step in placed:
        _point(SubElement(route, "rtept"), step, sheet)
    indent(root)
    written: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def _point(element: Element, step: Mapping[str, Any], sheet: Mapping[str, Any]) -> None:
    """Fill a point; its children come in the sequence that the schema fixes."""
    lat, lon = step["point"]
    element.attrib |= {"lat": f"{lat:.6f}", "lon": f"{lon:.6f}"}
    SubElement(element, "time").text = _instant(instant_at(sheet["day"], step["arrival_s"]))
    SubElement(element, "name").text = _name(step)
    if step["pickup"]:
        SubElement(element, "desc").text = _load(step["pickup"])
    SubElement(element, "type").text = step["kind"]


def _name(step: Mapping[str, Any]) -> str:
    if step["pickup"]:
        return f"{step['position']} {step['arrival']} {step['pickup']['village_name_zh']}"
    return f"{step['position']} {step['arrival']} {STEP_NAMES[step['kind']]} {step['station']['name_zh']}"


def _load(pickup: Mapping[str, Any]) -> str:
    items = [f"{item['name_zh']} × {item['declared_units']}" for item in pickup["items"] if item["declared_units"]]
    return f"{pickup['window'].name_zh}；{'、'.join(items)}"


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
