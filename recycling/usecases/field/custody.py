"""The shared step that labels what leaves a door (追溯标签、封签): a label that clashes is kept and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.logs import logger
from recycling.models.base import insert_if_absent
from recycling.models.booking import Booking
from recycling.models.custody import (
    ClashReason,
    CustodyClash,
    CustodySeal,
    CustodyTag,
    Label,
    Step,
    record_steps,
)
from recycling.policy.access import Principal
from recycling.policy.catalogue import Catalogue
from recycling.policy.custody_tags import LONGEST_AS_READ, read_seal, read_tag

log = logger(__name__)

ConflictCode = Literal["elsewhere", "other_item", "unreadable", "untagged", "seal_missing"]

CONFLICT_WORDS: dict[ConflictCode, tuple[str, str]] = {
    "elsewhere": (
        "该标签已用于其他物品，请换新标签，由调度核实",
        "stands on another unit; use a new one, a person will look into it",
    ),
    "other_item": (
        "该标签此前登记为其他品类，请核对",
        "was given to another item type of this booking; check which it is",
    ),
    "unreadable": ("标签有误，请重新扫描或核对", "is no label; scan it again or compare it letter by letter"),
    "untagged": ("所封物品的标签无效，封签未登记", "is on a unit whose own label was not taken; label the unit first"),
    "seal_missing": ("含数据的物品每件须有封签", "holds somebody's data and has no seal; put one on"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedUnit:
    """One unit with its label as it was read, and its seal where it holds somebody's data."""

    item_type: str
    tag: str
    seal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyConflict:
    """What is wrong with one label; ``booking_id`` is where it stands already, when it stands elsewhere."""

    code: ConflictCode
    label: Label
    text: str
    item_type: str
    booking_id: UUID | None = None

    @property
    def words(self) -> tuple[str, str]:
        """For people, in Chinese and English; they name no other booking."""
        zh, en = CONFLICT_WORDS[self.code]
        return f"{self.text}：{zh}", f"{self.text}: {en}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """The record that names the labels."""

    booking_id: UUID
    event_id: UUID
    collector_id: UUID
    at: datetime
    session: Session


def attach_tags(
    booking: Booking,
    units: Sequence[TaggedUnit],
    *,
    event_id: UUID,
    vehicle_key: str,
    catalogue: Catalogue,
    by: Principal,
    session: Session,
    now: datetime,
) -> tuple[CustodyConflict, ...]:
    """Attach labels to the units that a record takes along; returns what is wrong with them, and never refuses one.

    Each new label's trail begins: at the door, then on board of the vehicle.

    The unit is on the van. So the first record that reads a label has it, and whatever later record reads it elsewhere
    is kept beside it, for a person to settle. The same record again, or another one of the same unit, changes nothing.

    Raises
    ------
    InvalidInput
        When an item type is not in the catalogue of the booking's day.
    """
    to_seal = {unit.item_type for unit in units if catalogue.item_type(unit.item_type, on=booking.day).data_bearing}
    record = _Record(booking_id=booking.id, event_id=event_id, collector_id=by.id, at=now, session=session)
    found: list[CustodyConflict] = []
    taken: set[tuple[Label, str]] = set()
    sealed: list[tuple[str, str, TaggedUnit]] = []
    new: list[Step] = []
    # In the labels' own sequence, so that two records which share some wait for each other and never both at once.
    for tag, unit in sorted(((read_tag(unit.tag) or "", unit) for unit in units), key=lambda one: (one[0], one[1].tag)):
        wrong = _attach_tag(tag, unit, record, taken, new)
        found += wrong
        if unit.seal is not None and wrong:
            found.append(_clash("untagged", "seal", read_seal(unit.seal) or unit.seal, unit, record))
        elif unit.seal is not None:
            sealed.append((read_seal(unit.seal) or "", tag, unit))
        elif unit.item_type in to_seal:
            found.append(_conflict("seal_missing", "tag", tag or unit.tag, unit))
    boarded = [Step(step.tag, "vehicle", {"vehicle_key": vehicle_key}) for step in new]
    record_steps(session, [*new, *boarded], by=by, now=now)
    for seal, tag, unit in sorted(sealed, key=lambda one: one[:2]):
        found += _attach_seal(seal, tag, unit, record, taken)
    if found:
        log.info("custody.conflicts", booking_id=str(booking.id), event_id=str(event_id), count=len(found))
    return tuple(found)


def _attach_tag(
    tag: str, unit: TaggedUnit, record: _Record, taken: set[tuple[Label, str]], new: list[Step]
) -> list[CustodyConflict]:
    if not tag:
        return [_clash("unreadable", "tag", unit.tag, unit, record)]
    if ("tag", tag) in taken:  # one label on two units of one record
        return [_clash("elsewhere", "tag", tag, unit, record, stands_at=record.booking_id)]
    taken.add(("tag", tag))
    first = insert_if_absent(
        record.session, CustodyTag, tag=tag, booking_id=record.booking_id, item_type=unit.item_type,
        collector_id=record.collector_id, event_id=record.event_id, at=record.at, last_number=0, last_mac=b"",
    )  # fmt: skip
    if first:
        facts = {
            "booking_id": str(record.booking_id), "event_id": str(record.event_id), "item_type": unit.item_type,
        }  # fmt: skip
        new.append(Step(tag, "door", facts))
        return []
    standing = record.session.get_one(CustodyTag, tag)
    if standing.booking_id != record.booking_id:
        return [_clash("elsewhere", "tag", tag, unit, record, stands_at=standing.booking_id)]
    if standing.item_type != unit.item_type:
        return [_clash("other_item", "tag", tag, unit, record, stands_at=standing.booking_id)]
    return []


def _attach_seal(
    seal: str, tag: str, unit: TaggedUnit, record: _Record, taken: set[tuple[Label, str]]
) -> list[CustodyConflict]:
    if not seal:
        return [_clash("unreadable", "seal", str(unit.seal), unit, record)]
    if ("seal", seal) in taken:
        return [_clash("elsewhere", "seal", seal, unit, record, stands_at=record.booking_id)]
    taken.add(("seal", seal))
    new = insert_if_absent(
        record.session, CustodySeal, seal=seal, tag=tag, event_id=record.event_id, at=record.at
    )  # fmt: skip
    if new:
        return []
    standing = record.session.get_one(CustodySeal, seal)
    if standing.tag == tag:
        return []
    holder = record.session.get_one(CustodyTag, standing.tag)
    return [_clash("elsewhere", "seal", seal, unit, record, stands_at=holder.booking_id)]


def _clash(
    reason: ClashReason, label: Label, text: str, unit: TaggedUnit, record: _Record, *, stands_at: UUID | None = None
) -> CustodyConflict:
    """Keep what the record says of a label beside what stands, once."""
    shown = text[:LONGEST_AS_READ]
    insert_if_absent(
        record.session, CustodyClash, id=uuid4(), label=label, text=shown, reason=reason,
        booking_id=record.booking_id, item_type=unit.item_type, collector_id=record.collector_id,
        event_id=record.event_id, at=record.at,
    )  # fmt: skip
    return _conflict(reason, label, shown, unit, stands_at=stands_at)


def _conflict(
    code: ConflictCode, label: Label, text: str, unit: TaggedUnit, *, stands_at: UUID | None = None
) -> CustodyConflict:
    return CustodyConflict(
        code=code, label=label, text=text[:LONGEST_AS_READ], item_type=unit.item_type, booking_id=stands_at
    )
