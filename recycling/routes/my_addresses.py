"""Saved addresses (常用地址)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.addresses import SavedAddress
from recycling.routes.context import district, etag, expected_version, versioned
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.addresses import (
    CHANGEABLE,
    AddressFilterSchema,
    AddressListSchema,
    AddressSchema,
    ChangeAddressSchema,
    SaveAddressSchema,
)
from recycling.usecases.people import addresses
from recycling.usecases.people.addresses import AddressWish

bp = GuardedBlueprint(
    "my_addresses",
    __name__,
    # The desk reads and saves for whoever calls by phone; changing and deleting stays with the resident.
    roles=("resident", "dispatcher", "admin"),
    url_prefix="/my-addresses",
    description="常用地址 / addresses to book again",
)


@bp.get("")
@bp.arguments(AddressFilterSchema, location="query")
@bp.response(200, AddressListSchema)
def list_addresses(wanted: dict[str, UUID | None]) -> dict[str, Any]:
    """List the saved addresses, one's own or those of the resident named (常用地址)."""
    rows = addresses.list_addresses(wanted["resident_id"], by=principal(), session=db.session())
    return {"addresses": [addresses.address_in_full(row) for row in rows]}


@bp.post("")
@bp.arguments(SaveAddressSchema)
@idempotent
@bp.response(201, AddressSchema)
def create_address(command: tuple[AddressWish, UUID | None]) -> tuple[dict[str, Any], dict[str, str]]:
    """Save an address (保存地址)."""
    wish, resident_id = command
    row = addresses.save_address(
        wish, by=principal(), district=district(), session=db.session(), now=utc_now(), resident_id=resident_id
    )
    body, headers = _whole(row)
    return body, headers | {"Location": f"{bp.url_prefix}/{row.id}"}


@bp.get("/<uuid:address_id>")
@bp.response(200, AddressSchema)
def show_address(address_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Show one saved address (地址详情)."""
    return _whole(addresses.find_address(address_id, by=principal(), session=db.session()))


@bp.patch("/<uuid:address_id>")
@only("resident")
@versioned
@bp.arguments(ChangeAddressSchema(partial=CHANGEABLE))
@bp.response(200, AddressSchema)
def amend_address(changes: dict[str, Any], address_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Change a saved address (修改地址)."""
    row = addresses.change_address(
        address_id,
        changes,
        version=expected_version(),
        by=principal(),
        district=district(),
        session=db.session(),
        now=utc_now(),
    )
    return _whole(row)


@bp.delete("/<uuid:address_id>")
@only("resident")
@bp.response(204)
def delete_address(address_id: UUID) -> None:
    """Delete a saved address for good (删除地址)."""
    addresses.remove_address(address_id, by=principal(), session=db.session())


def _whole(row: SavedAddress) -> tuple[dict[str, Any], dict[str, str]]:
    return addresses.address_in_full(row), etag(row.version)
