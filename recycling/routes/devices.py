"""Devices that people are signed in on: collectors' for the desk and for themselves, a resident's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.guard import GuardedBlueprint, principal, token_claims
from recycling.routes.schemas.people import DeviceListSchema, SignInListSchema
from recycling.usecases.people.devices import end_device, end_own_sign_in
from recycling.usecases.queries.devices import list_devices, list_sign_ins

bp = GuardedBlueprint(
    "devices", __name__, roles=("dispatcher", "admin"), url_prefix="/devices",
    description="回收员登录设备 / devices collectors are signed in on",
)  # fmt: skip
mine_bp = GuardedBlueprint(
    "my_devices", __name__, roles=("collector",), url_prefix="/my-devices",
    description="我的登录设备 / devices I am signed in on",
)  # fmt: skip

sign_ins_bp = GuardedBlueprint(
    "my_sign_ins", __name__, roles=("resident",), url_prefix="/my-sign-ins",
    description="我的登录 / where a resident is signed in",
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


@sign_ins_bp.get("")
@sign_ins_bp.response(200, SignInListSchema)
def list_my_sign_ins() -> dict[str, Any]:
    """List where I am signed in (我的登录)."""
    current_id = UUID(token_claims()["sub"])
    return {"sign_ins": list_sign_ins(by=principal(), current_id=current_id, session=db.session(), now=utc_now())}


@sign_ins_bp.delete("/<uuid:own_sign_in_id>")
@sign_ins_bp.response(204)
def end_my_sign_in(own_sign_in_id: UUID) -> None:
    """Sign out there, this browser or app included (退出登录设备)."""
    end_own_sign_in(own_sign_in_id, by=principal(), session=db.session(), now=utc_now())
