"""Custody: labelled units from the door to the outlet, each step vouching for the last, and labels met twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Uuid,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, key_column, one_of, table_of
from recycling.models.encrypted import keyring
from recycling.models.transaction import run
from recycling.models.written_once import written_once
from recycling.policy.access import Principal
from recycling.policy.custody_tags import LONGEST_AS_READ, TAG_CHARS

Label = Literal["tag", "seal"]
LABELS: tuple[Label, ...] = get_args(Label)

# Why a label was not taken as what it was read for: it stands at another door, on another item, or is no label at all;
# or it is a seal on a unit whose own label was not taken.
ClashReason = Literal["elsewhere", "other_item", "unreadable", "untagged"]
CLASH_REASONS: tuple[ClashReason, ...] = get_args(ClashReason)

# The steps of a unit's way: taken at the door, on board of a vehicle, on a station's scale, into a lot of its stock,
# handed over to an outlet, weighed again there, sent back by it; what a correction of its ticket makes of it; missed by
# a count, found again by a later one.
CustodyKind = Literal[
    "door", "vehicle", "station", "lot", "outlet", "reweighed", "adjusted", "missing", "found", "returned"
]
CUSTODY_KINDS: tuple[CustodyKind, ...] = get_args(CustodyKind)

AT_ONCE = 1_000  # steps read at a time


@written_once
class CustodyTag(Base):
    """One unit of an item type under its label. The first who reads a label has it: the crew at the door, who make the
    record ``event_id``, else the keeper at the scale, for whom it may belong to no booking.

    ``last_number`` and ``last_mac`` are those of its newest `CustodyEvent`: they alone are moved on.
    """

    __tablename__ = "custody_tag"
    __table_args__ = (
        CheckConstraint("last_number >= 0", name="last_number"),
        CheckConstraint("(collector_id IS NULL) = (event_id IS NULL)", name="of_a_record"),
        CheckConstraint("event_id IS NULL OR booking_id IS NOT NULL", name="from_a_door"),
    )

    tag: Mapped[str] = mapped_column(String(TAG_CHARS), primary_key=True)
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"), index=True)
    item_type: Mapped[str] = key_column()
    collector_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    # Of the collector's record; no foreign key, since labels are attached before it is known whether all of it holds.
    event_id: Mapped[UUID | None] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_number: Mapped[int] = mapped_column(default=0)
    last_mac: Mapped[bytes] = mapped_column(LargeBinary(32), default=b"")


@written_once
class CustodyEvent(Base):
    """One step of a labelled unit. ``facts`` are ids and keys of where; ``mac`` chains the steps of a tag."""

    __tablename__ = "custody_event"
    __table_args__ = (one_of("kind", CUSTODY_KINDS), CheckConstraint("number >= 1", name="number"))

    tag: Mapped[str] = mapped_column(ForeignKey("custody_tag.tag"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[CustodyKind] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    by_id: Mapped[UUID] = mapped_column(Uuid)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class WeighedTag(Base):
    """A label on a line of a ticket. Of the tickets that name it, one stands: whatever way goods come, each unit counts
    once. A correction lets the labels of its original stand no longer.

    A standing one whose unit is gone says with which hand-over or by which count; without either it is in stock.
    """

    __tablename__ = "weighed_tag"
    __table_args__ = (
        ForeignKeyConstraint(["ticket_id", "position"], ["intake_line.ticket_id", "intake_line.position"]),
        CheckConstraint("hand_over_id IS NULL OR count_id IS NULL", name="left_once"),
        Index(
            "uq_weighed_tag_standing", "tag", unique=True, sqlite_where=text("stands"), postgresql_where=text("stands")
        ),
    )

    ticket_id: Mapped[UUID] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(ForeignKey("custody_tag.tag"), primary_key=True)
    position: Mapped[int]
    stands: Mapped[bool] = mapped_column(default=True)
    hand_over_id: Mapped[UUID | None] = mapped_column(ForeignKey("hand_over.id"))
    count_id: Mapped[UUID | None] = mapped_column(ForeignKey("stock_count.id"))


@written_once
class CustodySeal(Base):
    """A numbered seal on a tagged unit that holds somebody's data."""

    __tablename__ = "custody_seal"

    seal: Mapped[str] = mapped_column(String(24), primary_key=True)
    tag: Mapped[str] = mapped_column(ForeignKey("custody_tag.tag"), index=True)
    event_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


@written_once
class CustodyClash(WithId, Base):
    """A label as a record names it although it cannot be: both sides are kept, for a person to look at."""

    __tablename__ = "custody_clash"
    __table_args__ = (
        one_of("label", LABELS),
        one_of("reason", CLASH_REASONS),
        Index(None, "label", "text"),
        # The same record once more says nothing new.
        Index("uq_custody_clash_said_once", "event_id", "label", "text", "reason", unique=True),
    )

    label: Mapped[Label] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(String(LONGEST_AS_READ))
    reason: Mapped[ClashReason] = mapped_column(String(16))
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), index=True)
    item_type: Mapped[str] = key_column()
    collector_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    event_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a labelled unit, and the ids and keys of where."""

    tag: str
    kind: CustodyKind
    facts: Mapping[str, Any]


def record_steps(session: Session, steps: Sequence[Step], *, by: Principal, now: datetime) -> None:
    """Chain steps to their tags, in the caller's transaction; several of one tag in the sequence given.

    The tags' rows stay locked until it ends, taken in one sequence by everybody.
    """
    if not steps:
        return
    tags = table_of(CustodyTag)
    wanted = select(tags.c.tag, tags.c.last_number, tags.c.last_mac).where(tags.c.tag.in_({one.tag for one in steps}))
    # Not against those who only name the tag in a row of their own, or they and we could wait for each other.
    locked = session.execute(wanted.order_by(tags.c.tag).with_for_update(key_share=True))
    heads = {row.tag: (row.last_number, bytes(row.last_mac)) for row in locked}
    rows = []
    for step in steps:
        number, before = heads[step.tag]
        row = {
            "tag": step.tag, "number": number + 1, "kind": step.kind, "at": now, "by_id": by.id,
            "facts": dict(step.facts),
        }  # fmt: skip
        heads[step.tag] = number + 1, step_mac(row, before=before)
        rows.append(row | {"mac": heads[step.tag][1]})
    run(session, insert(table_of(CustodyEvent)), rows)
    moved = update(tags).where(tags.c.tag == bindparam("of_tag"))
    run(
        session,
        moved.values(last_number=bindparam("to_number"), last_mac=bindparam("to_mac")),
        [{"of_tag": tag, "to_number": number, "to_mac": mac} for tag, (number, mac) in sorted(heads.items())],
    )


def steps_between(session: Session, after: datetime | None, until: datetime) -> tuple[int, str]:
    """How many steps were taken later than ``after`` and up to ``until``, and one digest of their macs.

    In the sequence of instant and mac, which no collation changes; read in pages, so that memory stays flat.
    """
    steps = table_of(CustodyEvent).c
    wanted = select(steps.mac).where(steps.at <= until).order_by(steps.at, steps.mac)
    if after is not None:
        wanted = wanted.where(steps.at > after)
    number, digest = 0, hashlib.sha256()
    for (mac,) in session.execute(wanted.execution_options(yield_per=AT_ONCE)):
        number += 1
        digest.update(bytes(mac))
    return number, digest.hexdigest()


def step_mac(row: Mapping[str, Any], *, before: bytes) -> bytes:
    """The keyed digest of a `CustodyEvent`'s columns and of the mac before it."""
    said = [
        before.hex(), row["tag"], row["number"], row["kind"],
        row["at"].astimezone(UTC).isoformat(timespec="microseconds"), str(row["by_id"]), row["facts"],
    ]  # fmt: skip
    content = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return keyring.digest(content, context="custody_event.mac")
