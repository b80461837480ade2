"""The audit log: who did what with money, roles, corrections, exports and publications. Each row vouches for the last.

A row's mac is a keyed digest of the row and of the mac before it, so that nobody without the key can change, insert or
take out a row unseen. A cut tail leaves a whole chain behind: the head and, above all, its anchor kept elsewhere tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, LargeBinary, String, Uuid, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, insert_into
from recycling.models.encrypted import keyring
from recycling.models.written_once import written_once
from recycling.policy.access import Principal

HEAD = 1  # the only row of `AuditHead`


@written_once
class AuditRow(Base):
    """One action that somebody answers for. Holds ids and figures, never words about people.

    A resident stands in it under `actor_of`, so that nothing leads to whoever was erased.
    """

    __tablename__ = "audit_row"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor_id: Mapped[UUID] = mapped_column(Uuid)
    actor_role: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(40), index=True)
    subject: Mapped[str] = mapped_column(String(80), index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditHead(Base):
    """How many rows there are, and the mac of the newest. Locked and moved on by each row."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_number: Mapped[int]
    last_mac: Mapped[bytes] = mapped_column(LargeBinary(32))


def audit(
    session: Session, *, action: str, subject: str | UUID, by: Principal, now: datetime, facts: Mapping[str, Any]
) -> AuditRow:
    """Write a row down in the caller's transaction: it stands if and only if the action does.

    Parameters
    ----------
    action
        ``thing.done``, such as ``report.published``.
    subject
        The id or key of the thing.
    facts
        JSON values that say what changed, without personal data.
    """
    row = insert_into(session, AuditHead).values(id=HEAD, last_number=1, last_mac=b"")
    counted = row.on_conflict_do_update(index_elements=["id"], set_={"last_number": AuditHead.last_number + 1})
    number, before = session.execute(counted.returning(AuditHead.last_number, AuditHead.last_mac)).one()
    made = AuditRow(
        number=number, at=now, actor_id=actor_of(by), actor_role=by.role, action=action, subject=str(subject),
        facts=dict(facts), mac=b"",
    )  # fmt: skip
    made.mac = row_mac(made, before=bytes(before))
    session.execute(
        update(AuditHead)
        .where(AuditHead.id == HEAD)
        .values(last_mac=made.mac)
        .execution_options(synchronize_session=False)
    )
    session.add(made)
    session.flush()
    return made


def actor_of(by: Principal) -> UUID:
    """The id under which somebody acts: staff under their own, a resident under one that only the key leads to."""
    if by.role != "resident":
        return by.id
    return UUID(bytes=keyring.digest(str(by.id), context="audit_row.actor_id")[:16])


def row_mac(row: AuditRow, *, before: bytes) -> bytes:
    """The keyed digest of a row and of the mac before it."""
    said = [
        before.hex(), row.number, row.at.astimezone(UTC).isoformat(timespec="microseconds"), str(row.actor_id),
        row.actor_role, row.action, row.subject, row.facts,
    ]  # fmt: skip
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return keyring.digest(text, context="audit_row.mac")
