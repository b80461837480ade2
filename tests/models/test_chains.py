"""Chains of macs: of the tickets of a scale, and of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.audit import AuditHead, AuditRow, audit, row_mac
from recycling.models.intake import IntakeTicket, Scale, ticket_mac
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from tests.loads import a_keeper, a_line, a_weighing


def written(session: Session, now: datetime, count: int) -> Sequence[AuditRow]:
    for number in range(1, count + 1):
        with atomic(session):
            audit(
                session, action="report.published", subject=UUID(int=number), by=SYSTEM, now=now,
                facts={"版本": number, "a": None},
            )  # fmt: skip
    session.expire_all()
    return session.scalars(select(AuditRow).order_by(AuditRow.number)).all()


def test_audit_rows_are_numbered_and_each_vouches_for_the_one_before(session: Session, now: datetime) -> None:
    rows = written(session, now, 3)
    assert [row.number for row in rows] == [1, 2, 3]
    before = b""
    for row in rows:
        assert row.mac == row_mac(row, before=before)
        before = row.mac
    head = session.get_one(AuditHead, 1)
    assert (head.last_number, head.last_mac) == (3, before)
    # another row before it, or another fact in it, makes another mac
    assert row_mac(rows[1], before=b"") != rows[1].mac
    rows[2].facts = {"版本": 4, "a": None}
    assert row_mac(rows[2], before=rows[1].mac) != rows[2].mac
    session.rollback()


def test_an_action_that_is_undone_leaves_no_row(session: Session, now: datetime) -> None:
    written(session, now, 1)
    try:
        with atomic(session):
            audit(session, action="a.b", subject="x", by=SYSTEM, now=now, facts={})
            raise KeyError
    except KeyError:
        pass
    assert [row.number for row in written(session, now, 1)] == [1, 2]


def test_the_tickets_of_a_scale_are_one_chain(session: Session, district: District, now: datetime) -> None:
    keeper = a_keeper()
    lines = (a_line("fridge", 1, 41_300), a_line("fan", missing_parts=1))
    first = weigh_in(
        a_weighing(*lines, net_g=45_300), scale_number="1", by=keeper, district=district, session=session, now=now
    )
    correct_ticket(
        first.id, a_weighing(net_g=40_000), reason="读数有误", by=keeper, district=district, session=session, now=now
    )
    weigh_in(a_weighing(), scale_number="2", by=keeper, district=district, session=session, now=now)
    session.expire_all()
    for scale in session.scalars(select(Scale)):
        mine = select(IntakeTicket).where(IntakeTicket.scale_number == scale.scale_number)
        before = b""
        for ticket in session.scalars(mine.order_by(IntakeTicket.number)):
            assert ticket.mac == ticket_mac(ticket, before=before)
            before = ticket.mac
        assert scale.last_mac == before
    # a gram more on one line is another mac
    line = session.get_one(IntakeTicket, first.id).lines[1]
    line.net_g += 1
    assert ticket_mac(line.ticket, before=b"") != line.ticket.mac
    session.rollback()
