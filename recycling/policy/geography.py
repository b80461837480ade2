"""Where the district ends, and why a point is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from recycling.units import gcj02_to_wgs84

CoordinateSystem = Literal["wgs84", "gcj02"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Boundary:
    """Outline of the district.

    Parameters
    ----------
    rings
        Closed rings of (lat, lon) in WGS-84 degrees; a hole is a ring inside another. At least one, each of at least
        three different corners.

    Raises
    ------
    ValueError
        When there is no ring, a ring has too few corners, or a corner is no place on Earth.
    """

    rings: tuple[tuple[Point, ...], ...]
    _south_west: Point = field(init=False, repr=False, compare=False)
    _north_east: Point = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.rings:
            raise ValueError("the boundary has no ring")
        for ring in self.rings:
            if len(set(ring)) < 3:
                raise ValueError(f"a ring of the boundary has {len(set(ring))} different corners; it needs at least 3")
            for lat, lon in ring:
                # NaN fails both comparisons and is refused with the rest.
                if not (-90 <= lat <= 90 and -180 <= lon <= 180):
                    raise ValueError(f"corner lat {lat}, lon {lon} of the boundary is no place on Earth")
        corners = [corner for ring in self.rings for corner in ring]
        object.__setattr__(self, "_south_west", (min(c[0] for c in corners), min(c[1] for c in corners)))
        object.__setattr__(self, "_north_east", (max(c[0] for c in corners), max(c[1] for c in corners)))

    def contains(self, lat: float, lon: float) -> bool:
        """Tell whether a WGS-84 point lies in the district.

        Notes
        -----
        Even-odd rule: a ray to the east crosses the outline an odd number of times from inside. A point exactly on the
        outline may fall on either side; at six decimals that is a strip of 0.1 m.
        """
        (south, west), (north, east) = self._south_west, self._north_east
        if not (south <= lat <= north and west <= lon <= east):
            return False
        inside = False
        for ring in self.rings:
            previous_lat, previous_lon = ring[-1]
            for corner_lat, corner_lon in ring:
                if (corner_lat > lat) != (previous_lat > lat):
                    share = (lat - corner_lat) / (previous_lat - corner_lat)
                    if lon < corner_lon + share * (previous_lon - corner_lon):
                        inside = not inside
                previous_lat, previous_lon = corner_lat, corner_lon
        return inside


@dataclass(frozen=True, slots=True)
class PointRefusal:
    """Why a point is not taken, and what to send instead.

    Parameters
    ----------
    code
        ``not_on_earth``, ``swapped_lat_lon``, ``looks_like_gcj02``, ``looks_like_wgs84`` or ``outside_district``.
    message_zh, message_en
        One sentence each, with the value and the next step.
    """

    code: str
    message_zh: str
    message_en: str

    @property
    def message(self) -> str:
        """Chinese first, English beside it."""
        return f"{self.message_zh} / {self.message_en}"


def to_wgs84(lat: float, lon: float, *, system: CoordinateSystem) -> Point:
    """Bring a point of a declared coordinate system to the stored one."""
    return gcj02_to_wgs84(lat, lon) if system == "gcj02" else (lat, lon)


def point_refusal(
    boundary: Boundary, lat: float, lon: float, *, system: CoordinateSystem = "wgs84"
) -> PointRefusal | None:
    """Judge a point as it was sent; ``None`` means it lies in the district.

    Parameters
    ----------
    boundary
        Outline in WGS-84.
    lat, lon
        Degrees as sent, in ``system``.
    system
        What the sender declares. The two systems differ here by 529 m east and 98 m south.

    Returns
    -------
    PointRefusal or None
        The likeliest mistake: no number, latitude and longitude exchanged, the other coordinate system (only visible
        within half a kilometre of the outline), or simply a place outside.
    """
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
        # China's longitudes exceed 90, so exchanged values land here first.
        if math.isfinite(lat) and math.isfinite(lon) and _holds(boundary, lon, lat, system):
            return _swapped(lat, lon)
        return PointRefusal(
            "not_on_earth",
            f"坐标 lat={lat}, lon={lon} 不是有效的经纬度，请重新选点。",
            f"lat={lat}, lon={lon} is not a point on Earth; send lat within ±90 and lon within ±180.",
        )
    if _holds(boundary, lat, lon, system):
        return None
    if system == "wgs84" and boundary.contains(*gcj02_to_wgs84(lat, lon)):
        return PointRefusal(
            "looks_like_gcj02",
            f"点 lat={lat}, lon={lon} 按 WGS-84 在区界之外，按 GCJ-02（高德、微信）在区界之内，请注明坐标系 gcj02。",
            f"lat={lat}, lon={lon} lies outside the district as WGS-84 but inside as GCJ-02; declare gcj02.",
        )
    if system == "gcj02" and boundary.contains(lat, lon):
        return PointRefusal(
            "looks_like_wgs84",
            f"点 lat={lat}, lon={lon} 按 GCJ-02 在区界之外，按 WGS-84（手机定位）在区界之内，请注明坐标系 wgs84。",
            f"lat={lat}, lon={lon} lies outside the district as GCJ-02 but inside as WGS-84; declare wgs84.",
        )
    return PointRefusal(
        "outside_district",
        f"点 lat={lat}, lon={lon} 不在薛城区范围内，请在区内重新选点。",
        f"lat={lat}, lon={lon} lies outside 薛城区; place the pin inside the district.",
    )


def _holds(boundary: Boundary, lat: float, lon: float, system: CoordinateSystem) -> bool:
    return boundary.contains(*to_wgs84(lat, lon, system=system))


def _swapped(lat: float, lon: float) -> PointRefusal:
    return PointRefusal(
        "swapped_lat_lon",
        f"经纬度似乎写反了：lat={lat}, lon={lon}，请改为 lat={lon}, lon={lat}。",
        f"lat={lat}, lon={lon} look exchanged; send lat={lon}, lon={lat}.",
    )
