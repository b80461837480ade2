"""A resident's saved addresses (常用地址): saved, changed and removed by them; by phone a dispatcher saves for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput, NotFound, StaleVersion
from recycling.logs import logger
from recycling.models.addresses import (
    MOST_ADDRESSES,
    SavedAddress,
    give_address_place_back,
    lock_address_book,
    place_index,
    take_address_place,
)
from recycling.models.people import Resident
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.geography import CoordinateSystem, point_refusal, to_wgs84

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressWish:
    """An address as it is to be saved, its point in a declared coordinate system."""

    label: str
    village_code: str
    address: str
    lat: float
    lon: float
    coordinate_system: CoordinateSystem
    floor: int
    has_lift: bool
    note: str


def save_address(
    wish: AddressWish, *, by: Principal, district: District, session: Session, now: datetime, resident_id: UUID | None
) -> SavedAddress:
    """Save an address, for oneself or, at the desk, for the resident named.

    Raises
    ------
    InvalidInput
        When the village or the point is not in the district, or the resident is not the caller's to name.
    Conflict
        When the same door is saved already, or the book is full.
    """
    place = _placed(wish, district=district)
    with atomic(session):
        for_id = owner_of(resident_id, by=by, session=session)
        # The counter's row is locked first and held: of two who save the same door, the second sees the first's row.
        if not take_address_place(session, for_id):
            raise Conflict(
                f"{MOST_ADDRESSES} addresses are saved already; delete one with DELETE /my-addresses/ID first"
                f" / 最多保存 {MOST_ADDRESSES} 个地址，请先删除一个"
            )
        index = place_index(for_id, wish.village_code, wish.address)
        _refuse_double(for_id, index, session=session)
        row = SavedAddress(
            id=uuid4(), resident_id=for_id, label=wish.label, village_code=wish.village_code, place=place,
            place_index=index, floor=wish.floor, has_lift=wish.has_lift, saved_by_id=by.id, version=1,
            created_at=now, changed_at=now,
        )  # fmt: skip
        session.add(row)
    log.info("address.saved", address_id=str(row.id), by_id=str(by.id))
    return row


def change_address(
    address_id: UUID,
    changes: Mapping[str, Any],
    *,
    version: int,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> SavedAddress:
    """Change fields of a saved address: ``changes`` by field of `AddressWish`, the rest stays.

    Raises
    ------
    NotFound
        When the caller has no address of that id.
    StaleVersion
        When it is no longer the version that the caller saw.
    InvalidInput, Conflict
        As for `save_address`.
    """
    with atomic(session):
        lock_address_book(session, by.id)
        row = find_address(address_id, by=by, session=session)
        if row.version != version:
            raise StaleVersion(
                f"the address is now version {row.version}, you sent {version}; read it again and repeat"
                " / 地址已被修改，请刷新后重试"
            )
        wish = replace(_as_wish(row), **changes)
        place = _placed(wish, district=district)
        index = place_index(row.resident_id, wish.village_code, wish.address)
        if index != row.place_index:
            _refuse_double(row.resident_id, index, session=session)
        row.label, row.village_code, row.place, row.place_index = wish.label, wish.village_code, place, index
        row.floor, row.has_lift = wish.floor, wish.has_lift
        row.version, row.changed_at = row.version + 1, now
    log.info("address.changed", address_id=str(row.id), version=row.version)
    return row


def remove_address(address_id: UUID, *, by: Principal, session: Session) -> None:
    """Delete a saved address for good; bookings made with it keep their own place.

    Raises
    ------
    NotFound
        When the caller has no address of that id.
    """
    with atomic(session):
        lock_address_book(session, by.id)
        session.delete(find_address(address_id, by=by, session=session))
        give_address_place_back(session, by.id)
    log.info("address.removed", address_id=str(address_id), by_id=str(by.id))


def find_address(address_id: UUID, *, by: Principal, session: Session) -> SavedAddress:
    """One saved address that the caller may see.

    Raises
    ------
    NotFound
        When there is none; a foreign one answers the same.
    """
    wanted = select(SavedAddress).where(SavedAddress.id == address_id)
    if by.role == "resident":
        wanted = wanted.where(SavedAddress.resident_id == by.id)
    row = session.scalar(wanted)
    if row is None:
        raise NotFound(f"no address {address_id} of yours; list them with GET /my-addresses / 未找到该地址")
    return row


def list_addresses(resident_id: UUID | None, *, by: Principal, session: Session) -> list[SavedAddress]:
    """The saved addresses of the caller or, at the desk, of the resident named; oldest first.

    Raises
    ------
    InvalidInput
        When the resident is not the caller's to name, or does not exist.
    """
    of_id = owner_of(resident_id, by=by, session=session)
    wanted = select(SavedAddress).where(SavedAddress.resident_id == of_id)
    return list(session.scalars(wanted.order_by(SavedAddress.created_at, SavedAddress.id)))


def owner_of(resident_id: UUID | None, *, by: Principal, session: Session) -> UUID:
    """Whose book the caller opens: a resident their own, the desk the one of the resident they name."""
    if by.role == "resident":
        if resident_id not in (None, by.id):
            raise InvalidInput(f"resident_id {resident_id} is not you; leave it out / 只能操作本人的地址")
        return by.id
    known = resident_id is not None and session.scalar(
        select(Resident.id).where(Resident.id == resident_id, Resident.erased_at.is_(None))
    )
    if not known or resident_id is None:
        raise InvalidInput(
            f"resident_id is {resident_id}: name the resident, found with POST /resident-lookups / 请指明居民"
        )
    return resident_id


def address_in_full(row: SavedAddress) -> dict[str, Any]:
    """A saved address with its place, for somebody who may read it."""
    fields = (
        "id", "resident_id", "label", "village_code", "floor", "has_lift", "version", "created_at", "changed_at",
    )  # fmt: skip
    return {name: getattr(row, name) for name in fields} | row.place


def _placed(wish: AddressWish, *, district: District) -> dict[str, Any]:
    """The place of a wish in WGS-84, when village and point lie in the district."""
    if wish.village_code not in district.network.villages:
        raise InvalidInput(
            f"village_code {wish.village_code!r} is not in the district; choose one from GET /villages"
            " / 本区没有该村居，请重新选择"
        )
    refusal = point_refusal(district.boundary, wish.lat, wish.lon, system=wish.coordinate_system)
    if refusal is not None:
        raise InvalidInput(refusal.message)
    lat, lon = to_wgs84(wish.lat, wish.lon, system=wish.coordinate_system)
    return {"address": wish.address, "lat": round(lat, 6), "lon": round(lon, 6), "note": wish.note}


def _refuse_double(resident_id: UUID, index: bytes, *, session: Session) -> None:
    wanted = select(SavedAddress).where(SavedAddress.resident_id == resident_id, SavedAddress.place_index == index)
    found = session.scalar(wanted)
    if found is not None:
        raise Conflict(
            f"this address is saved already as {found.label!r}; choose that one, or change it with"
            f" PATCH /my-addresses/{found.id} / 该地址已保存为“{found.label}”，可直接选用或修改"
        )


def _as_wish(row: SavedAddress) -> AddressWish:
    place = row.place
    return AddressWish(
        label=row.label, village_code=row.village_code, address=place["address"], lat=place["lat"], lon=place["lon"],
        coordinate_system="wgs84", floor=row.floor, has_lift=row.has_lift, note=place["note"],
    )  # fmt: skip
