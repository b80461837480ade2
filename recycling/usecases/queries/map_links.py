"""Links that open a map at a place: each in the coordinate system that its reader expects.

Ours are WGS-84. AMap draws in GCJ-02, here 529 m east and 98 m south of it, and converts a point only where the link
says ``coordinate=wgs84``; ``geo:`` is WGS-84 by definition (RFC 5870). A name in a link is what the map writes at the
place: never a person's.
"""

from __future__ import annotations

from urllib.parse import quote

from recycling.units import wgs84_to_gcj02

# A tenth of a metre, as points are stored.
DECIMALS = 6


def navigation_url(lat: float, lon: float, name: str) -> str:
    """A link that opens AMap's navigation to a WGS-84 point; without the app, its map page."""
    return f"https://uri.amap.com/navigation?to={lon},{lat},{quote(name)}&mode=car&coordinate=wgs84"


def map_url(lat: float, lon: float, name: str) -> str:
    """A link to AMap's page, on any screen and without the app, with a pin at a WGS-84 point.

    The point is written in AMap's own GCJ-02 (``coordinate=gaode``), so that nothing depends on the page to convert it.
    """
    gcj_lat, gcj_lon = (round(degrees, DECIMALS) for degrees in wgs84_to_gcj02(lat, lon))
    return f"https://uri.amap.com/marker?position={gcj_lon},{gcj_lat}&name={quote(name)}&coordinate=gaode&callnative=0"


def geo_url(lat: float, lon: float, name: str) -> str:
    """A link that opens whatever map the phone has at a WGS-84 point, latitude first.

    The query is Android's: it sets a pin with the name where ``geo:`` alone would only move the map.
    """
    return f"geo:{lat},{lon}?q={lat},{lon}({quote(name)})"


def links_to(lat: float, lon: float, name: str) -> dict[str, str]:
    """All three, by the names they have in a route list."""
    return {
        "navigation_url": navigation_url(lat, lon, name),
        "map_url": map_url(lat, lon, name),
        "geo_url": geo_url(lat, lon, name),
    }
