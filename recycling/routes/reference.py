"""Public facts: the catalogue, town-level units, villages, stations."""

from __future__ import annotations

from typing import Any

from recycling.clock import service_day, utc_now
from recycling.errors import InvalidInput
from recycling.routes.context import configured
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.schemas.reference import (
    ItemTypesSchema,
    StationsSchema,
    TownUnitsSchema,
    VillageFilterSchema,
    VillagesSchema,
)

bp = GuardedBlueprint("reference", __name__, roles=None, description="基础资料 / public reference facts")


@bp.get("/item-types")
@bp.response(200, ItemTypesSchema)
def list_item_types() -> dict[str, Any]:
    """List what can be booked today (品类目录)."""
    return {"item_types": configured().catalogue.valid_on(service_day(utc_now()))}


@bp.get("/town-units")
@bp.response(200, TownUnitsSchema)
def list_town_units() -> dict[str, Any]:
    """List the ten town-level units (镇街)."""
    return {"town_units": list(configured().network.towns.values())}


@bp.get("/villages")
@bp.arguments(VillageFilterSchema, location="query")
@bp.response(200, VillagesSchema)
def list_villages(wanted: dict[str, str]) -> dict[str, Any]:
    """List villages and communities, of one town-level unit if named (村居)."""
    network, town_key = configured().network, wanted.get("town_key")
    if town_key is None:
        return {"villages": list(network.villages.values())}
    if town_key not in network.towns:
        raise InvalidInput(f"town_key {town_key!r} is unknown; choose from {', '.join(network.towns)}")
    return {"villages": network.villages_of(town_key)}


@bp.get("/stations")
@bp.response(200, StationsSchema)
def list_stations() -> dict[str, Any]:
    """List the recycling stations (回收站点)."""
    return {"stations": list(configured().network.stations.values())}
