"""The road engine that the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recycling.gateways.json_client import JsonClient
from recycling.gateways.osrm import OsrmEngine
from recycling.gateways.travel_matrix import NullEngine, RoadEngine
from recycling.gateways.valhalla import ValhallaEngine


def road_engine(settings: Mapping[str, Any]) -> RoadEngine:
    """A client of ``TRAVEL_ENGINE`` at ``TRAVEL_URL``; none, and its Null twin, when no engine is named."""
    kind = settings.get("TRAVEL_ENGINE", "none")
    if kind == "none":
        return NullEngine()
    client = JsonClient(settings["TRAVEL_URL"], timeout_s=float(settings["TRAVEL_TIMEOUT_SECONDS"]))
    profile, limit = settings["TRAVEL_PROFILE"], settings["TRAVEL_TABLE_LIMIT"]
    if kind == "osrm":
        return OsrmEngine(client, profile=profile, table_limit=limit)
    return ValhallaEngine(client, profile=profile, pairs_limit=limit)
