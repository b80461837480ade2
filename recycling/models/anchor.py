"""Anchors: where the chains stood at an instant, signed, chained to each other, and kept in more than one place.

A chain cut at its end is a whole chain. Only somebody who wrote down how long it was can tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, LargeBinary, Uuid, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.audit import HEAD, AuditHead
from recycling.models.base import Base, UtcDateTime
from recycling.models.custody import steps_between
from recycling.models.encrypted import keyring
from recycling.models.intake import Scale
from recycling.models.recovery import ClosedMonth
from recycling.models.transaction import queue_for
from recycling.models.written_once import written_once

ANCHORS = UUID("a0c40000-0000-4000-8000-000000000001")  # what makers of anchors queue for
# A step bears the instant at which its request began, and is seen when it has committed: no transaction takes so long.
STEPS_SETTLE = timedelta(hours=1)


@written_once
class AuditAnchor(Base):
    """The heads of all chains at an instant.

    ``content`` is ``{"audit": [number, mac], "scales": [[station, scale, number, mac], …], "closed_months": [day, …],
    "steps": [after, until, number, digest]}`` with macs in hexadecimal. ``steps`` are those of all trails of labels
    (`steps_between`) since the anchor before; the first one has them from the beginning, ``after`` null. ``before`` is
    the mac of the anchor before, ``mac`` the keyed digest of `anchor_line`.
    """

    __tablename__ = "audit_anchor"
    __table_args__ = (CheckConstraint("number >= 1", name="number"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    before: Mapped[bytes] = mapped_column(LargeBinary(32))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    made_by_run_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("job_run.id"), unique=True)


def next_anchor(session: Session, *, day: date, now: datetime, run_id: UUID | None) -> AuditAnchor:
    """Write down where all chains stand now; whoever else does so waits until the transaction ends."""
    queue_for(session, [ANCHORS])
    last = session.scalar(select(AuditAnchor).order_by(AuditAnchor.number.desc()).limit(1))
    made = AuditAnchor(
        number=1 if last is None else last.number + 1, day=day, at=now, content=_heads(session, last, now=now),
        before=b"" if last is None else bytes(last.mac), mac=b"", made_by_run_id=run_id,
    )  # fmt: skip
    made.mac = line_mac(anchor_line(made))
    session.add(made)
    session.flush()
    return made


def anchor_line(anchor: AuditAnchor) -> dict[str, Any]:
    """An anchor as it is kept outside the database; it can be checked by whoever has the key."""
    return {
        "number": anchor.number,
        "day": anchor.day.isoformat(),
        "at": _instant(anchor.at),
        **anchor.content,
        "before": bytes(anchor.before).hex(),
        "mac": bytes(anchor.mac).hex(),
    }


def line_mac(line: Mapping[str, Any]) -> bytes:
    """The keyed digest of all that a line says but its own mac."""
    said = {name: value for name, value in line.items() if name != "mac"}
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return keyring.digest(text, context="audit_anchor.mac")


def _heads(session: Session, last: AuditAnchor | None, *, now: datetime) -> dict[str, Any]:
    head = session.get(AuditHead, HEAD, populate_existing=True)
    scale = Scale.__table__.c
    scales = session.execute(
        select(scale.station_key, scale.scale_number, scale.last_number, scale.last_mac).order_by(
            scale.station_key, scale.scale_number
        )
    )
    closed = session.scalars(select(ClosedMonth.month).order_by(ClosedMonth.month))
    return {
        "audit": [0, ""] if head is None else [head.last_number, bytes(head.last_mac).hex()],
        "scales": [[station, number, last, bytes(mac).hex()] for station, number, last, mac in scales],
        "closed_months": [month.isoformat() for month in closed],
        "steps": _steps(session, last, now=now),
    }


def _steps(session: Session, last: AuditAnchor | None, *, now: datetime) -> list[Any]:
    said = None if last is None else last.content.get("steps")  # anchors from before there were any do not say
    after = None if said is None else datetime.fromisoformat(said[1])
    until = now - STEPS_SETTLE if after is None else max(after, now - STEPS_SETTLE)
    return [None if said is None else said[1], _instant(until), *steps_between(session, after, until)]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
