"""The geocoder that the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from recycling.gateways.amap import AmapGeocoder
from recycling.gateways.geocoder import LARGEST_ANSWER, Geocoder, NullGeocoder
from recycling.gateways.json_client import JsonClient
from recycling.gateways.tianditu import TiandituGeocoder


def geocoder(settings: Mapping[str, Any]) -> Geocoder:
    """A client of ``GEOCODER`` at ``GEOCODER_URL``; its Null twin when none is named."""
    kind = settings.get("GEOCODER", "none")
    if kind == "none":
        return NullGeocoder()
    connect = partial(
        JsonClient,
        settings["GEOCODER_URL"],
        timeout_s=float(settings["GEOCODER_TIMEOUT_SECONDS"]),
        largest=LARGEST_ANSWER,
    )
    if kind == "amap":
        return AmapGeocoder(connect, key=settings["GEOCODER_KEY"])
    return TiandituGeocoder(connect, key=settings["GEOCODER_KEY"])
