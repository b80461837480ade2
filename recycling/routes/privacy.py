"""What is held of people: the notice, one's own copy, erasing oneself, and who was looked up (个人信息)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.privacy import Erasure
from recycling.routes.context import configured, district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.privacy import (
    ErasePersonSchema,
    ErasureSchema,
    FoundResidentSchema,
    LookUpSchema,
    MyDataSchema,
    PrivacyNoticeSchema,
)
from recycling.usecases.audit.note_export import note_export
from recycling.usecases.people.erase_person import erase_person
from recycling.usecases.people.look_up_resident import LookUp, look_up_resident
from recycling.usecases.queries.my_data import my_data

notice_bp = GuardedBlueprint(
    "privacy_notice",
    __name__,
    roles=None,
    url_prefix="/privacy-notice",
    description="隐私告知 / what is collected, why, how long, seen by whom",
)
bp = GuardedBlueprint(
    "my_data",
    __name__,
    # The copy is for oneself alone; who calls by phone may ask the desk to be erased.
    roles=("resident", "dispatcher", "admin"),
    url_prefix="/my-data",
    description="本人信息 / one's own data",
)
lookups_bp = GuardedBlueprint(
    "resident_lookups",
    __name__,
    roles=("dispatcher", "admin"),
    url_prefix="/resident-lookups",
    description="代办查询 / finding the resident who calls",
)


@notice_bp.get("")
@notice_bp.response(200, PrivacyNoticeSchema)
def show_notice() -> dict[str, Any]:
    """Show the privacy notice in force (隐私告知)."""
    notice = configured().privacy
    return asdict(notice.head) | {"data": list(notice.data.values())}


@bp.get("")
@only("resident")
@bp.response(200, MyDataSchema)
def export_my_data() -> tuple[dict[str, Any], dict[str, str]]:
    """Take away a copy of everything held of the caller (下载我的数据)."""
    now = utc_now()
    found = my_data(by=principal(), district=district(), session=db.session(), now=now)
    note_export("my_data", subject=f"{now:%Y-%m-%d}", by=principal(), session=db.session(), now=now)
    return found, {"Content-Disposition": f'attachment; filename="my-data-{now:%Y-%m-%d}.json"'}


@bp.post("/erasures")
@bp.arguments(ErasePersonSchema)
@idempotent
@bp.response(201, ErasureSchema)
def create_erasure(body: dict[str, Any]) -> Erasure:
    """Erase the caller, or the resident who asked the desk for it; it cannot be undone (删除本人信息)."""
    resident_id: UUID | None = body["resident_id"]
    return erase_person(
        body["confirmation"], by=principal(), session=db.session(), now=utc_now(), resident_id=resident_id
    )


@lookups_bp.post("")
@lookups_bp.arguments(LookUpSchema)
@idempotent
@lookups_bp.response(201, FoundResidentSchema)
def create_lookup(wish: LookUp) -> dict[str, Any]:
    """Find the resident of a phone, and make an account on their word; written down and counted (代办查询)."""
    return look_up_resident(wish, by=principal(), district=district(), session=db.session(), now=utc_now())
