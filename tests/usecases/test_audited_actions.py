"""Each action that somebody answers for leaves one row of the audit log, and none when it is undone."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, DomainError, InvalidInput, NotFound
from recycling.models.audit import AuditRow, actor_of
from recycling.models.field import FieldEvent
from recycling.models.recovery import close_month
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.usecases.field.rule_on_event import rule_on_event
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.learning.decide_handling import Acceptance, accept_handling, reject_handling
from recycling.usecases.people.erase_person import erase_person
from recycling.usecases.people.look_up_resident import LookUp, look_up_resident
from recycling.usecases.people.staff import AddStaff, add_staff, close_staff, renew_staff
from tests.builders import DISPATCHER, a_booking
from tests.callers import Callers
from tests.conftest import ROOT
from tests.handling import a_proposal
from tests.loads import a_keeper, a_weighing, collect
from tests.personal_data import found as found_in

A_KEEPER = AddStaff(login="zhang", name="张三", role="keeper", password="correct horse", station_key="lincheng")


def rows(session: Session) -> list[AuditRow]:
    session.rollback()
    return list(session.scalars(select(AuditRow).order_by(AuditRow.number)))


@contextmanager
def one_row(session: Session, action: str) -> Iterator[list[AuditRow]]:
    """The block leaves one row, of this action; it is in the list afterwards."""
    before, added = len(rows(session)), list[AuditRow]()
    yield added
    added += rows(session)[before:]
    assert [row.action for row in added] == [action]


def no_row(session: Session, doing: Callable[[], object], refusal: type[DomainError]) -> None:
    """What is refused or undone leaves no row."""
    before = len(rows(session))
    with pytest.raises(refusal):
        doing()
    assert len(rows(session)) == before


def test_accounts(session: Session, district: District, now: datetime) -> None:
    with one_row(session, "staff.added") as added:
        staff_id = add_staff(A_KEEPER, by=SYSTEM, district=district, session=session, now=now).id
    (row,) = added
    assert (row.subject, row.actor_role) == (str(staff_id), "admin")
    assert row.facts == {"role": "keeper", "station_key": "lincheng", "collector_key": None}
    no_row(session, lambda: add_staff(A_KEEPER, by=SYSTEM, district=district, session=session, now=now), Conflict)
    with one_row(session, "staff.closed"):
        close_staff("zhang", by=SYSTEM, session=session, now=now)
    with one_row(session, "staff.renewed") as renewed:
        renew_staff("zhang", "another long one", by=SYSTEM, session=session, now=now)
    assert renewed[0].facts == {"role": "keeper", "reopened": True}
    no_row(session, lambda: close_staff("nobody", by=SYSTEM, session=session, now=now), NotFound)


def test_corrections_withdrawals_and_adjustments(session: Session, district: District, now: datetime) -> None:
    keeper = a_keeper()
    given: dict[str, Any] = {"by": keeper, "district": district, "session": session}
    ticket = weigh_in(a_weighing(), scale_number="1", **given, now=now)
    with one_row(session, "ticket.corrected") as added:
        newer = correct_ticket(ticket.id, a_weighing(net_g=40_000), reason="读数有误", **given, now=now)
    (row,) = added
    assert row.subject == str(newer.id)
    assert row.facts == {
        "corrects_id": str(ticket.id), "station_key": "lincheng", "net_g_before": 41_300, "net_g": 40_000,
        "counts_on": "2026-11-23",
    }  # fmt: skip
    no_row(session, lambda: correct_ticket(ticket.id, None, reason="重复", **given, now=now), Conflict)
    with atomic(session):
        close_month(session, newer.day, by_id=SYSTEM.id, now=now)
    later = now + timedelta(days=9)  # 2 December: November is closed
    with one_row(session, "ticket.adjusted"):
        adjusted = correct_ticket(newer.id, a_weighing(net_g=39_000), reason="复核", **given, now=later)
    assert adjusted.counts_on.isoformat() == "2026-12-02"
    fresh = weigh_in(a_weighing(), scale_number="1", **given, now=later)
    with one_row(session, "ticket.withdrawn"):
        correct_ticket(fresh.id, None, reason="误录", **given, now=later)


def test_decisions_on_handling_minutes(session: Session, district: District, now: datetime) -> None:
    given: dict[str, Any] = {"by": DISPATCHER, "session": session, "now": now}
    rejected, accepted = (a_proposal(session, now=now, base_s=(300, 240)) for _ in range(2))
    with one_row(session, "handling.rejected"):
        reject_handling(rejected, note="样本太少", **given)
    no_row(session, lambda: reject_handling(rejected, note="再次", **given), Conflict)
    with one_row(session, "handling.accepted") as added:
        accept_handling(accepted, Acceptance(), district=district, **given)
    assert added[0].facts["number"] == 1
    no_row(session, lambda: accept_handling(uuid4(), Acceptance(), district=district, **given), NotFound)


def test_rulings_on_records(session: Session, district: District, now: datetime) -> None:
    booking = a_booking(session, district=district, now=now)
    collect(session, booking, district=district, now=now)
    event_id = session.scalars(select(FieldEvent.event_id)).one()
    given: dict[str, Any] = {"by": DISPATCHER, "district": district, "session": session, "now": now + timedelta(days=1)}
    with one_row(session, "field_event.ruled") as added:
        rule_on_event(event_id, counts=True, note="已核实", **given)
    assert added[0].facts == {"number": 1, "counts": True, "kind": "collected"}
    no_row(session, lambda: rule_on_event(uuid4(), counts=True, note="", **given), NotFound)


def test_looking_residents_up_names_none_of_them(
    session: Session, district: District, now: datetime, callers: Callers
) -> None:
    desk = Principal(id=callers.staff("dispatcher").id, role="dispatcher")
    wish = LookUp(phone="13912345678", create=True, how="phone")
    with one_row(session, "resident.looked_up") as added:
        found = look_up_resident(wish, by=desk, district=district, session=session, now=now)
    assert added[0].facts == {"found": True, "created": True}
    assert found_in(session, str(found["resident_id"])) & {"audit_row.facts", "audit_row.subject"} == set()
    unsaid = LookUp(phone="13912345679", create=True)
    no_row(
        session, lambda: look_up_resident(unsaid, by=desk, district=district, session=session, now=now), InvalidInput
    )


def test_who_erases_themselves_is_in_no_row_afterwards(session: Session, now: datetime, callers: Callers) -> None:
    caller = callers.resident()
    by = Principal(id=caller.id, role="resident")
    with one_row(session, "my_data.exported") as exported:
        assert caller.get("/my-data").status_code == 200
    with one_row(session, "resident.erased") as erased:
        erase_person("删除", by=by, session=session, now=now)
    # Both stand under one id that only the key leads to.
    assert exported[0].actor_id == erased[0].actor_id == actor_of(by) != caller.id
    assert not any(name.startswith("audit_row") for name in found_in(session, str(caller.id)))
    no_row(session, lambda: erase_person("删除", by=by, session=session, now=now), NotFound)


def test_tables_that_are_taken_away(app: Flask, session: Session, callers: Callers) -> None:
    clerk, dispatcher = callers.staff("clerk"), callers.staff("dispatcher")
    with one_row(session, "goal_progress.exported") as added:
        assert clerk.get("/goal-progress.csv?on=2026-11-22").status_code == 200
    assert (added[0].subject, added[0].actor_id) == ("2026-11-22", clerk.id)
    with one_row(session, "kept_windows.exported") as added:
        assert clerk.get("/kept-windows.csv?from=2026-11-01&by=village").status_code == 200
    assert (added[0].subject, added[0].facts) == ("2026-11-01/", {"by": "village"})
    with one_row(session, "fairness.exported"):
        assert dispatcher.get("/fairness.csv").status_code == 200
    # one that is refused took nothing away, and looking takes nothing away either
    before = len(rows(session))
    assert clerk.get("/goal-progress.csv?on=2030-01-01").status_code == 422
    assert clerk.get("/kept-windows.csv?from=2026-11-02&to=2026-11-01").status_code == 422
    assert clerk.get("/goal-progress").status_code == 200
    assert len(rows(session)) == before


def test_every_action_in_the_code_has_its_form_and_a_test() -> None:
    named = {
        call.value
        for path in Path(ROOT / "recycling").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "audit"
        for keyword in node.keywords
        if keyword.arg == "action"
        for call in [keyword.value]
        if isinstance(call, ast.Constant) and isinstance(call.value, str)
    }
    assert "staff.added" in named
    tests = "\n".join(path.read_text(encoding="utf-8") for path in Path(ROOT / "tests").rglob("*.py"))
    assert sorted(name for name in named if not re.fullmatch(r"[a-z_]+\.[a-z_]+", name) or len(name) > 40) == []
    assert sorted(name for name in named if f'"{name}"' not in tests) == []
