"""Devices that collectors are signed in on: all of them for the desk, one's own for a collector."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.people import DeviceListSchema
from recycling.usecases.people.devices import end_device
from recycling.usecases.queries.devices import list_devices

bp = GuardedBlueprint(
    "devices", __name__, roles=("dispatcher", "admin"), url_prefix="/devices",
    description="回收员登录设备 / devices collectors are signed in on",
)  # fmt: skip
mine_bp = GuardedBlueprint(
    "my_devices", __name__, roles=("collector",), url_prefix="/my-devices",
    description="我的登录设备 / devices I am signed in on",
)  # fmt: skip


@bp.get("")
@bp.response(200, DeviceListSchema)
def list_all_devices() -> dict[str, Any]:
    """List the devices that collectors are signed in on (登录设备)."""
    return {"devices": list_devices(by=principal(), session=db.session(), now=utc_now())}


@bp.delete("/<uuid:sign_in_id>")
@bp.response(204)
def end_any_device(sign_in_id: UUID) -> None:
    """Sign a device out, lost or stolen: its next request is refused (下线设备)."""
    end_device(sign_in_id, by=principal(), session=db.session(), now=utc_now())


@mine_bp.get("")
@mine_bp.response(200, DeviceListSchema)
def list_my_devices() -> dict[str, Any]:
    """List the devices that I am signed in on (我的登录设备)."""
    return {"devices": list_devices(by=principal(), session=db.session(), now=utc_now())}


@mine_bp.delete("/<uuid:my_sign_in_id>")
@mine_bp.response(204)
def end_my_device(my_sign_in_id: UUID) -> None:
    """Sign one of my devices out, this one included (下线我的设备)."""
    end_device(my_sign_in_id, by=principal(), session=db.session(), now=utc_now())
