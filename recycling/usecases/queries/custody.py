"""Reading what is known of a labelled unit (追溯): from the door on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.models.booking import Booking
from recycling.models.custody import CustodyClash, CustodySeal, CustodyTag
from recycling.models.people import Staff
from recycling.policy.custody_tags import read_tag


def custody_trace(text: str, *, session: Session) -> dict[str, Any]:
    """The trace of a label: where it was put on, its seals, and every record that claims it for something else.

    Holds nothing that names a person or a door.

    Raises
    ------
    NotFound
        When it is no label, or no record has named it yet; the message says which.
    """
    tag = read_tag(text)
    if tag is None:
        raise NotFound(
            f"{text[:40]!r} is no label of ours: a character is wrong or missing; compare it with the label"
            " / 标签编号有误，请核对后重新输入"
        )
    row = session.get(CustodyTag, tag)
    if row is None:
        raise NotFound(f"label {tag} was not put on anything yet / 标签 {tag} 尚未使用")
    seals = session.scalars(
        select(CustodySeal).where(CustodySeal.tag == tag).order_by(CustodySeal.at, CustodySeal.seal)
    )
    numbers = [seal.seal for seal in seals]
    of_seal = (CustodyClash.label == "seal") & CustodyClash.text.in_(numbers)
    of_tag = (CustodyClash.label == "tag") & (CustodyClash.text == tag)
    clashes = select(CustodyClash).where(or_(of_tag, of_seal)).order_by(CustodyClash.at, CustodyClash.id)
    steps = [_door_step(row, session)]
    contested = [_fields(clash, ("label", "text", "reason", "booking_id", "item_type", "event_id", "at")) for clash in
                 session.scalars(clashes)]  # fmt: skip
    return {"tag": tag, "item_type": row.item_type, "seals": numbers, "steps": steps, "clashes": contested}


def _door_step(row: CustodyTag, session: Session) -> dict[str, Any]:
    booking = session.get_one(Booking, row.booking_id)
    collector = session.get_one(Staff, row.collector_id)
    return {
        "kind": "door", "at": row.at, "booking_id": row.booking_id, "day": booking.day, "area": booking.area,
        "collector_key": collector.collector_key, "event_id": row.event_id,
    }  # fmt: skip


def _fields(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
