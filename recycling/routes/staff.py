"""Accounts of staff (员工账号): opened, renewed and closed by an administrator."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.people import Staff
from recycling.routes.context import configured
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.staff import AddStaffSchema, NewPasswordSchema, StaffListSchema, StaffSchema
from recycling.usecases.people.staff import AddStaff, add_staff, close_staff, renew_staff
from recycling.usecases.queries.staff import list_staff

bp = GuardedBlueprint(
    "staff", __name__, roles=("admin",), url_prefix="/staff",
    description="员工账号 / accounts of people who work in the network",
)  # fmt: skip


@bp.get("")
@bp.response(200, StaffListSchema)
def list_accounts() -> dict[str, Any]:
    """List every account, closed ones too (账号列表)."""
    return {"staff": list_staff(session=db.session())}


@bp.post("")
@bp.arguments(AddStaffSchema)
@idempotent
@bp.response(201, StaffSchema)
def create_account(command: AddStaff) -> Staff:
    """Open an account (开户)."""
    return add_staff(command, by=principal(), district=configured(), session=db.session(), now=utc_now())


@bp.post("/<uuid:staff_id>/password")
@bp.arguments(NewPasswordSchema)
@idempotent
@bp.response(204)
def renew(body: dict[str, str], staff_id: UUID) -> None:
    """Give an account a new password and end its sign-ins; a closed one is open again (重设密码)."""
    renew_staff(staff_id, body["password"], by=principal(), session=db.session(), now=utc_now())


@bp.post("/<uuid:staff_id>/closing")
@idempotent
@bp.response(204)
def close(staff_id: UUID) -> None:
    """Close an account and end its sign-ins at once (停用账号)."""
    close_staff(staff_id, by=principal(), session=db.session(), now=utc_now())
