"""Verifying works a report out again, names what is not as it was signed, and says nothing against one that stands."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from recycling.models.audit import AuditRow
from recycling.models.base import table_of
from recycling.models.outbox import OutboxMessage
from recycling.models.publication import ReportCheck, ReportFile
from recycling.models.recovery import GoalReport
from recycling.policy.district import District
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting import taken_in
from recycling.usecases.reporting import verify_report as verify_module
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.program import made_with
from recycling.usecases.reporting.report_body import body_of
from recycling.usecases.reporting.verify_report import verify_newest, verify_report
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_weighing
from tests.signers import a_published_report, a_signer

TEN_DAYS = timedelta(days=10)

# What somebody does in the database, and what the verifier says of it.
TAMPERED: list[tuple[str, str]] = [
    ("UPDATE intake_line SET net_g = net_g + 1 WHERE item_type = 'fan'", "figure year household-appliances/2"),
    ("UPDATE intake_ticket SET gross_g = gross_g + 1, tare_g = tare_g + 1 WHERE number = 1", "scale 1: ticket 1 of"),
    ("UPDATE intake_ticket SET made_up = NOT made_up WHERE number = 2", "scale 1: ticket 2 of"),
    ("UPDATE intake_ticket SET correction_reason = 'x', corrects_id = id WHERE number = 2", "scale 1: ticket 2 of"),
    ("DELETE FROM intake_line WHERE item_type = 'fan'", "figure year household-appliances/2 units: kept 3"),
    ("UPDATE intake_ticket SET mac = {blob} WHERE number = 3", "the newest taken in, has another mac"),
    ("UPDATE goal_report SET sha256 = 'x'", "body: its digest"),
    ("UPDATE report_signature SET sha256 = 'x' WHERE place = 1", "signed the digest x"),
    ("DELETE FROM report_signature WHERE place = 2", "report.published by"),
    ("DELETE FROM report_signature", "report.signed by"),
    ("UPDATE report_signature SET signed_by_name = 'x' WHERE place = 1", "not those in the file json"),
    ("UPDATE report_signature SET signed_at = '2020-01-01 00:00:00.000000'", "was not at 2020-01-01"),
    ("UPDATE goal_report SET version = 7", "no row report.made"),
    ("UPDATE goal_report SET period = '2026-10'", "its inputs are not of 2026-10"),
    ("UPDATE audit_row SET action = 'report.lost' WHERE action = 'report.published'", "no row report.published"),
    ("UPDATE audit_row SET at = '2020-01-01 00:00:00.000000' WHERE number = 2", "is not what was written"),
    ("UPDATE goal_report SET body = '{}'", "body: it has not the form of a report"),
    ("""UPDATE goal_report SET inputs = '{"heads": 1}'""", "inputs: their digest"),
    ("DELETE FROM audit_row", "no row report.made"),
    ("UPDATE report_file SET content = {blob} WHERE form = 'xlsx'", "file xlsx: its digest"),
    ("DELETE FROM report_file WHERE form = 'csv'", "file csv: it is gone"),
    ("DELETE FROM closed_month", "its month is not closed"),
]  # fmt: skip


@pytest.fixture
def published(session: Session, district: District, now: datetime) -> GoalReport:
    """November with two fridges and a fan of 4 kg, published on 3 December."""
    for load in (a_weighing(), a_weighing(a_line("fan"), net_g=4_000), a_weighing()):
        weigh_in(load, scale_number="1", by=a_keeper(), district=district, session=session, now=now)
    return a_published_report(session, district=district, now=now + TEN_DAYS)


def test_a_published_report_verifies_to_the_byte_and_every_tampering_is_named(
    session: Session, district: District, published: GoalReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a report that stands, its four files written anew
    verdict = verify_report(published.id, district=district, session=session)
    assert (verdict.state, verdict.differences, verdict.notes) == ("published", (), ())
    assert_invariants(session)
    # from here on the PDF is not set anew each time, which takes seconds: its digest is compared
    monkeypatch.setattr(
        verify_module, "made_with", lambda form: {"pdf": "another"} if form == "pdf" else made_with(form)
    )
    blob = "'\\x00'" if session.get_bind().dialect.name == "postgresql" else "x'00'"
    for statement, words in TAMPERED:
        # when one thing is changed by hand
        session.rollback()
        session.execute(text(statement.replace("{blob}", blob).replace(":", "\\:")))
        found = verify_report(published.id, district=district, session=session)
        session.rollback()
        session.expire_all()
        # then it is named
        assert any(words in one for one in found.differences), (statement, found.differences)
    assert verify_report(published.id, district=district, session=session).differences == ()


def test_a_file_is_not_believed_for_a_row_that_nobody_vouches_for(
    session: Session, district: District, published: GoalReport
) -> None:
    # given another file, said to be written by another program, and a row of the audit log that says it was signed
    report_id, file = published.id, table_of(ReportFile)
    told = session.scalars(select(AuditRow).where(AuditRow.action == "report.published")).one()
    forged = b"figures"
    sha256 = hashlib.sha256(forged).hexdigest()
    named = {"content": forged, "sha256": sha256, "made_with": {"zlib": "9"}}
    session.execute(update(file).where(file.c.form == "csv").values(**named))
    columns = {name: getattr(told, name) for name in ("at", "actor_role", "action", "subject", "mac")}
    facts = told.facts | {"files": told.facts["files"] | {"csv": sha256}}
    session.execute(insert(table_of(AuditRow)).values(columns | {"number": -1, "actor_id": uuid4(), "facts": facts}))
    session.commit()
    session.expunge_all()
    # then file and row are named
    found = verify_report(report_id, district=district, session=session).differences
    assert any(one.startswith("file csv: its digest is") for one in found), found
    assert "audit log: row -1, report.published, is not what was written" in found


@pytest.mark.parametrize("tables", [("report_signature",), ("report_signature", "report_file", "goal_report")])
def test_a_publication_that_only_the_audit_log_knows_is_looked_at_and_named(
    app: Flask, session: Session, district: District, now: datetime, published: GoalReport, tables: tuple[str, ...]
) -> None:
    report_id = published.id
    session.rollback()
    for table in tables:
        session.execute(text(f"DELETE FROM {table}"))
    session.commit()
    session.expunge_all()
    found = verify_report(report_id, district=district, session=session)
    assert any("gone" in one for one in found.differences), found
    session.rollback()
    assert verify_newest(district=district, session=session, now=now + TEN_DAYS) == {"reports": 1, "differing": 1}
    done = app.test_cli_runner().invoke(args=["report", "verify", "--all"])
    assert (done.exit_code, "1 reports, 1 differ" in done.output) == (1, True), done.output


def test_a_chain_without_its_mac_misses_what_leaves_the_figures_alone(
    session: Session, district: District, published: GoalReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: gross and tare of a ticket raised alike change no figure, and only the keyed chain knows."""
    session.execute(text("UPDATE intake_ticket SET gross_g = gross_g + 1, tare_g = tare_g + 1 WHERE number = 1"))
    session.commit()
    monkeypatch.setattr(verify_module, "made_with", lambda _form: {})
    assert verify_report(published.id, district=district, session=session).differences
    monkeypatch.setattr(taken_in, "ticket_mac", lambda ticket, *, before: ticket.mac)
    assert not verify_report(published.id, district=district, session=session).differences


def test_what_comes_after_a_report_changes_nothing_of_it(session: Session, district: District, now: datetime) -> None:
    # given a draft of the running month
    fridge = weigh_in(
        a_weighing(), scale_number="1", by=a_keeper(), district=district, session=session, now=now
    )  # fmt: skip
    draft = make_goal_report("2026-11", district=district, session=session, now=now)
    # when its ticket is corrected, another comes in whose clock says it was earlier, and a scale begins
    correct_ticket(
        fridge.id, a_weighing(net_g=40_000), reason="读数有误", by=a_keeper(), district=district, session=session,
        now=now + timedelta(hours=1),
    )  # fmt: skip
    for scale_number in ("1", "2"):
        weigh_in(
            a_weighing(), scale_number=scale_number, by=a_keeper(), district=district, session=session,
            now=now - timedelta(hours=1),
        )  # fmt: skip
    # then the draft is still worked out as it was
    verdict = verify_report(draft.id, district=district, session=session)
    assert verdict.differences == ()
    assert verdict.body == draft.body
    assert draft.body["in_period"][0]["recovered_g"] == 41_300


def test_a_difference_alarms_loudly_and_both_forms_are_kept(
    session: Session, district: District, now: datetime, published: GoalReport
) -> None:
    later, report_id = now + timedelta(days=20), published.id
    admin = a_signer(session, now=now, role="admin")
    # given nothing wrong, nobody is told
    assert verify_newest(district=district, session=session, now=later) == {"reports": 1, "differing": 0}
    assert session.scalars(select(ReportCheck)).all() == []
    # when a line of the month is changed by hand
    session.execute(text("UPDATE intake_line SET net_g = net_g - 1000 WHERE item_type = 'fan'"))
    session.commit()
    with capture_logs() as lines:
        found = [verify_newest(district=district, session=session, now=later + timedelta(days=n)) for n in range(2)]
    assert found == [{"reports": 1, "differing": 1}] * 2
    assert [line["log_level"] for line in lines if line["event"] == "goal_report.differs"] == ["critical"] * 2
    # then what comes out is kept beside what was signed, once
    (check,) = session.scalars(select(ReportCheck))
    assert check.body is not None
    signed = session.get_one(GoalReport, report_id).body["in_period"][0]["recovered_g"]
    # 2 x 41.3 + 4 kg, and a kilogram less
    assert (signed, check.body["in_period"][0]["recovered_g"]) == (86_600, 85_600)
    # and bureau and administrators are told, once each
    told = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "goal_report.differs")).all()
    assert {(one.recipient_kind, one.recipient_id) for one in told} >= {("bureau", None), ("staff", admin.id)}
    assert len(told) == 3  # the second administrator is who published it


def test_the_command_says_what_differs_and_fails(app: Flask, session: Session, published: GoalReport) -> None:
    runner, report_id = app.test_cli_runner(), str(published.id)
    session.rollback()
    done = runner.invoke(args=["report", "verify", report_id])
    assert done.exit_code == 0, done.output
    assert "2026-11 version 1 (published)" in done.output
    assert "1 reports, 0 differ" in done.output
    session.execute(text("UPDATE intake_ticket SET gross_g = gross_g + 1, tare_g = tare_g + 1 WHERE number = 1"))
    session.commit()
    done = runner.invoke(args=["report", "verify", "--all"])
    assert done.exit_code == 1
    assert "lincheng scale 1: ticket 1 of 2026-11-23" in done.output
    for wrong in ([], [report_id, "--all"], ["00000000-0000-4000-8000-000000000000"]):
        assert runner.invoke(args=["report", "verify", *wrong]).exit_code != 0


def test_another_program_is_held_to_the_figures_and_says_that_it_is_another(
    session: Session, district: District, published: GoalReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a program with other words beside the same figures, written by other libraries
    real = body_of

    def reworded(*args: Any, **kwargs: Any) -> dict[str, Any]:
        body = real(*args, **kwargs)
        body["scopes"][0]["labels"] = ["other words"]
        return body

    monkeypatch.setattr(verify_module, "body_of", reworded)
    verdict = verify_report(published.id, district=district, session=session)
    assert "body: the figures are the same, the words or labels beside them are not" in verdict.differences
    monkeypatch.setattr(verify_module, "program", lambda: {"version": "9", "code_sha256": "9"})
    monkeypatch.setattr(verify_module, "made_with", lambda _form: {"zlib": "9"})
    verdict = verify_report(published.id, district=district, session=session)
    assert verdict.differences == ()
    assert "made by another program (version 0.1.0): every figure is the same" in verdict.notes[0]
    assert "file csv: written with another zlib; compared by its digest only" in verdict.notes


def test_a_report_from_before_its_inputs_were_kept_says_so(session: Session, district: District, now: datetime) -> None:
    report_id = make_goal_report("2026-11", district=district, session=session, now=now).id
    session.execute(text("UPDATE goal_report SET inputs = '{}', inputs_sha256 = ''"))
    session.commit()
    verdict = verify_report(report_id, district=district, session=session)
    assert (verdict.differences, len(verdict.notes)) == ((), 1)
    # and a new version is made of the same figures, with its inputs
    again = make_goal_report("2026-11", district=district, session=session, now=now)
    assert (again.version, again.reason) == (2, "inputs of the version before were not kept")
