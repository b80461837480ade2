"""What every map is drawn on: the district's outline, its town-level units and stations, and map tiles if there are."""

from __future__ import annotations

from typing import Any

from flask import current_app

from recycling.routes.context import configured
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.schemas.district_map import DistrictMapSchema

# Tianditu, the state's map service: Web Mercator on CGCS2000, within a metre of WGS-84; roads and names apart.
TILE_HOSTS = ("https://*.tianditu.gov.cn",)
LAYERS = ("vec", "cva")
TILES = "https://t{{s}}.tianditu.gov.cn/DataServer?T={layer}_w&x={{x}}&y={{y}}&l={{z}}&tk={key}"
CREDIT = "天地图 Tianditu"

bp = GuardedBlueprint("district_map", __name__, roles=None, description="地图底图 / ground of the maps")


@bp.get("/district-map")
@bp.response(200, DistrictMapSchema)
def show_map() -> dict[str, Any]:
    """Show the ground of a map (地图底图): outline, town-level units by their approximate seats, stations, tiles."""
    facts, key = configured(), current_app.config.get("TILES_KEY")
    return {
        "outline": [[list(corner) for corner in ring] for ring in facts.boundary.rings],
        "town_units": list(facts.network.towns.values()),
        "stations": list(facts.network.stations.values()),
        "tiles": [TILES.format(layer=layer, key=key) for layer in LAYERS] if key else [],
        "credit": CREDIT if key else "",
    }
