"""Conversions between the units the project stores and the ones people and maps use.

Stored: grams, seconds after midnight of a service day, aware UTC instants, WGS-84 degrees.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from recycling.clock import SHANGHAI

# An integer number of seconds after midnight, written in the configuration as a time of day (``08:00:00``).
ClockTime = Annotated[int, "time of day"]

# Krasovsky 1940, the ellipsoid on which GCJ-02 computes its shift (m, and first eccentricity squared).
_SEMI_MAJOR_M = 6_378_245.0
_ECCENTRICITY_2 = 0.006_693_421_622_965_943


def wgs84_to_gcj02(lat: float, lon: float) -> tuple[float, float]:
    """Shift a WGS-84 point in China to where GCJ-02 maps (AMap, Tencent, most phones' pickers) draw it."""
    shift_lat, shift_lon = _gcj02_shift(lat, lon)
    return lat + shift_lat, lon + shift_lon


def gcj02_to_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """Undo the GCJ-02 shift to better than 0.1 mm."""
    true_lat, true_lon = lat, lon
    # The shift changes by less than 1 % of any distance moved, so each round gains two digits or more: eight reach the
    # resolution of a double.
    for _ in range(8):
        shift_lat, shift_lon = _gcj02_shift(true_lat, true_lon)
        true_lat, true_lon = lat - shift_lat, lon - shift_lon
    return true_lat, true_lon


def _gcj02_shift(lat: float, lon: float) -> tuple[float, float]:
    # GCJ-02 is defined inside this box only, and its formula runs away near the poles.
    if not (0.8293 <= lat <= 55.8271 and 72.004 <= lon <= 137.8347):
        return 0.0, 0.0
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    ripple = (20 * math.sin(6 * x * pi) + 20 * math.sin(2 * x * pi)) * 2 / 3
    north_m = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + ripple
    north_m += (20 * math.sin(y * pi) + 40 * math.sin(y / 3 * pi)) * 2 / 3
    north_m += (160 * math.sin(y / 12 * pi) + 320 * math.sin(y * pi / 30)) * 2 / 3
    east_m = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + ripple
    east_m += (20 * math.sin(x * pi) + 40 * math.sin(x / 3 * pi)) * 2 / 3
    east_m += (150 * math.sin(x / 12 * pi) + 300 * math.sin(x / 30 * pi)) * 2 / 3
    w2 = 1 - _ECCENTRICITY_2 * math.sin(math.radians(lat)) ** 2
    meridian_m = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_2) / (w2 * math.sqrt(w2))
    parallel_m = _SEMI_MAJOR_M / math.sqrt(w2) * math.cos(math.radians(lat))
    return math.degrees(north_m / meridian_m), math.degrees(east_m / parallel_m)


def kg_text(mass_g: int) -> str:
    """Write grams as kilograms without losing any: 41300 -> ``41.3 kg``, 5 -> ``0.005 kg``."""
    sign = "-" if mass_g < 0 else ""
    kg, rest_g = divmod(abs(mass_g), 1000)
    decimals = f"{rest_g:03d}".rstrip("0")
    return f"{sign}{kg}.{decimals} kg" if decimals else f"{sign}{kg} kg"


def percent_text(share_bp: int) -> str:
    """Write basis points as a percentage: 8250 -> ``82.5 %``."""
    sign = "-" if share_bp < 0 else ""
    whole, rest = divmod(abs(share_bp), 100)
    decimals = f"{rest:02d}".rstrip("0")
    return f"{sign}{whole}.{decimals} %" if decimals else f"{sign}{whole} %"


def instant_at(day: date, second: int) -> datetime:
    """Turn seconds after midnight of a service day into an aware UTC instant.

    A second beyond 24 h belongs to the night after the service day.
    """
    midnight = datetime.combine(day, time(), tzinfo=SHANGHAI).astimezone(UTC)
    return midnight + timedelta(seconds=second)


def second_of_day(at: datetime, *, day: date) -> int:
    """Count whole seconds from midnight of the service day to an aware instant; negative before that midnight."""
    return (at - instant_at(day, 0)) // timedelta(seconds=1)


def clock_text(second: int) -> str:
    """Write seconds after midnight as ``HH:MM``; past midnight the hours run on (``24:10``)."""
    hours, rest = divmod(second, 3600)
    return f"{hours:02d}:{rest // 60:02d}"


def local_text(instant: datetime) -> str:
    """Write an aware instant as people here read it, ``2026-11-24 08:15``, by Shanghai's clock."""
    return f"{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
