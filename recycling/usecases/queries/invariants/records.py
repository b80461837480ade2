"""Invariants of the audit log and its anchors, as far as they can be seen without the key; `flask audit verify` has it.

A verification walks the chains; here is looked at what must hold on any restored backup, in two queries.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from recycling.models.anchor import AuditAnchor
from recycling.models.audit import AuditHead, AuditRow
from recycling.usecases.queries.invariants.rule import MOST_ROWS, Breaches, invariant, rows


@invariant("I-23", "留痕编号连续 / the rows of the audit log run from 1 to its head without a gap")
def audit_rows_have_no_gap(session: Session, _now: datetime) -> Breaches:
    """A log of another number of rows than its head says, or of one that begins or ends elsewhere."""
    row, head = AuditRow.number, func.coalesce(func.max(AuditHead.last_number), 0)
    counted = select(func.count().label("rows"), func.min(row).label("first"), func.max(row).label("last")).subquery()
    stands_at = select(head.label("head")).subquery()
    whole = and_(
        counted.c.rows == stands_at.c.head,
        func.coalesce(counted.c.first, 1) == 1,
        func.coalesce(counted.c.last, 0) == stands_at.c.head,
    )
    return rows(session, select(counted, stands_at.c.head).where(~whole))


@invariant("I-23", "锚定相接且所见仍在 / each anchor follows the one before it, and the row it saw last still stands")
def anchors_follow_each_other(session: Session, _now: datetime) -> Breaches:
    """Anchors that do not follow the one before, or that saw another row of the log than stands there."""
    seen = AuditAnchor.content["audit"]
    number, mac = seen[0].as_integer(), seen[1].as_string()
    anchors = session.execute(
        select(AuditAnchor.number, AuditAnchor.before, AuditAnchor.mac, number, mac, AuditRow.mac)
        .outerjoin(AuditRow, AuditRow.number == number)
        .order_by(AuditAnchor.number)
    )
    found, last = [], (0, b"")
    for own, before, own_mac, of_row, mac_seen, mac_now in anchors:
        follows = (own, bytes(before)) == (last[0] + 1, last[1])
        stands = of_row == 0 or (mac_now is not None and bytes(mac_now).hex() == mac_seen)
        if not (follows and stands):
            found.append((own, of_row))
        last = (own, bytes(own_mac))
    return found[:MOST_ROWS]
