"""Writing an address down with help (地址联想)."""

from __future__ import annotations

from typing import Any

from flask import current_app

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.address_candidates import AddressCandidatesSchema, AddressQuestionSchema
from recycling.usecases.people.find_address import find_address, name_point

bp = GuardedBlueprint(
    "address_candidates",
    __name__,
    roles=("resident", "dispatcher", "admin"),
    url_prefix="/address-candidates",
    description="地址联想 / villages by name, and points of a map service when one is set up",
)


@bp.get("")
@bp.arguments(AddressQuestionSchema, location="query")
@bp.response(200, AddressCandidatesSchema)
def list_candidates(wanted: dict[str, Any]) -> dict[str, Any]:
    """Find what a text may mean, or what is at a point: send text, or lat and lon (地址联想)."""
    shared: dict[str, Any] = {
        "by": principal(),
        "geocoder": current_app.extensions["geocoder"],
        "district": district(),
        "session": db.session(),
        "now": utc_now(),
    }
    if "text" in wanted:
        return find_address(wanted["text"], village_code=wanted.get("village_code"), **shared)
    return name_point(wanted["lat"], wanted["lon"], system=wanted.get("coordinate_system", "wgs84"), **shared)
