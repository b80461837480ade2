"""The verifier passes what nobody touched, names what somebody did, and anchors tell of ends that were cut off."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from recycling.errors import Unavailable
from recycling.gateways.anchor_file import FILE, read_lines
from recycling.models.anchor import STEPS_SETTLE, AuditAnchor
from recycling.models.audit import audit
from recycling.models.job_run import enqueue
from recycling.models.outbox import OutboxMessage
from recycling.models.people import Staff
from recycling.models.recovery import close_month
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from recycling.policy.custody_tags import make_tag
from recycling.policy.district import District
from recycling.usecases.audit.copies import copies_in
from recycling.usecases.audit.findings import Finding
from recycling.usecases.audit.make_anchor import make_anchor
from recycling.usecases.audit.verify_records import alarm, verify_records
from recycling.usecases.custody.hand_over import hand_over
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.messages.texts import render
from tests.loads import a_batch, a_keeper, a_line, a_weighing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The second place."""
    return tmp_path / "anchors"


@pytest.fixture
def work(session: Session, district: District, now: datetime, folder: Path) -> Session:
    """Two nights with an anchor after each day: on each scale of two six tickets, the last a correction."""
    for night in range(2):
        at = now + timedelta(days=night)
        for station in ("lincheng", "xingren"):
            keeper = a_keeper(station)
            given: dict[str, Any] = {"by": keeper, "district": district, "session": session, "now": at}
            for kg in (41, 42):
                ticket = weigh_in(a_weighing(net_g=kg * 1000), scale_number="1", **given)
            correct_ticket(ticket.id, a_weighing(a_line("fan"), net_g=4_000), reason="错录", **given)
        make_anchor(folder=folder, session=session, now=at + timedelta(hours=12))
    return session


def found(session: Session, folder: Path | None, *others: Path, since: datetime | None = None) -> list[Finding]:
    now = datetime.fromisoformat("2026-11-26T00:00:00+00:00")
    return list(verify_records(session=session, now=now, copies=copies_in(folder, *others), since=since).findings)


def by_hand(session: Session, *statements: str, **values: object) -> None:
    """What somebody does with a client of the database."""
    session.rollback()
    for one in statements:
        session.execute(text(one), {name: value for name, value in values.items() if f":{name}" in one})
    session.commit()
    session.expire_all()


def named(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.kind, one.row) for one in findings]


def test_records_that_nobody_touched_pass(work: Session, folder: Path, now: datetime) -> None:
    verified = verify_records(session=work, now=now, copies=copies_in(folder))
    # Two corrections a night in the log, three tickets a night on each of two scales.
    assert verified.findings == ()
    assert (verified.audit_rows, verified.tickets, verified.anchors, verified.begun_at) == (4, 12, 2, None)


def test_a_verification_since_a_day_walks_from_its_anchor(work: Session, folder: Path, now: datetime) -> None:
    since = now + timedelta(hours=20)
    verified = verify_records(session=work, now=now, copies=copies_in(folder), since=since)
    assert verified.findings == ()
    assert (verified.audit_rows, verified.tickets) == (2, 6)
    assert verified.begun_at == (now + timedelta(hours=12)).isoformat(timespec="microseconds")
    # What happened before is left to the verification of everything.
    by_hand(
        work,
        "UPDATE audit_row SET subject = 'x' WHERE number = 1",
        "UPDATE audit_row SET subject = 'x' WHERE number = 4",
    )
    assert named(found(work, folder, since=since)) == [("audit_row", "4")]
    assert named(found(work, folder)) == [("audit_row", "1"), ("audit_row", "4")]
    # Before any anchor it begins at the start.
    assert verify_records(session=work, now=now, since=now).begun_at is None


@pytest.mark.parametrize(
    ("statement", "kind", "row"),
    [
        ("UPDATE audit_row SET facts = '{}' WHERE number = 2", "audit_row", "2"),
        ("UPDATE audit_row SET actor_role = 'clerk' WHERE number = 2", "audit_row", "2"),
        ("DELETE FROM audit_row WHERE number = 2", "audit_row", "2"),
        ("DELETE FROM audit_row WHERE number = 4", "audit_row", "4"),
        ("UPDATE audit_head SET last_number = 5", "audit_row", "5"),
        ("DELETE FROM audit_head", "audit_head", "head"),
        ("UPDATE intake_ticket SET gross_g = gross_g + 1, tare_g = tare_g + 1 WHERE number = 2 AND"
         " station_key = 'xingren'", "ticket", "xingren/1/2"),
        ("UPDATE intake_line SET missing_parts = 1 WHERE ticket_id = (SELECT id FROM intake_ticket WHERE number = 5 AND"
         " station_key = 'lincheng')", "ticket", "lincheng/1/5"),
        ("UPDATE scale SET last_number = 7 WHERE station_key = 'lincheng'", "ticket", "lincheng/1/7"),
        ("UPDATE scale SET last_number = 5 WHERE station_key = 'lincheng'", "scale", "lincheng/1"),
        ("UPDATE daily_recovery SET units = units + 1 WHERE station_key = 'lincheng' AND day = '2026-11-24' AND"
         " item_type = 'fan'", "daily_recovery", "2026-11-24 lincheng lincheng fan walk_in weighed"),
        ("DELETE FROM monthly_recovery WHERE station_key = 'xingren' AND item_type = 'fan'", "monthly_recovery",
         "2026-11-01 xingren xingren fan walk_in weighed"),
    ],
)  # fmt: skip
def test_a_row_that_somebody_changed_is_named_first(
    work: Session, folder: Path, statement: str, kind: str, row: str
) -> None:
    by_hand(work, statement)
    assert named(found(work, folder))[0] == (kind, row)


def test_an_end_cut_off_with_its_head_is_known_by_the_anchors_alone(work: Session, folder: Path) -> None:
    # given somebody who takes the last row out and makes head and figures fit
    last = "station_key = 'xingren' AND number = 6"
    before = "SELECT mac FROM intake_ticket WHERE station_key = 'xingren' AND number = 5"
    by_hand(
        work,
        f"DELETE FROM intake_line WHERE ticket_id IN (SELECT id FROM intake_ticket WHERE {last})",
        f"DELETE FROM intake_ticket WHERE {last}",
        f"UPDATE scale SET last_number = 5, last_mac = ({before}) WHERE station_key = 'xingren'",
        "DELETE FROM audit_row WHERE number = 4",
        "UPDATE audit_head SET last_number = 3, last_mac = (SELECT mac FROM audit_row WHERE number = 3)",
    )
    # then the anchors tell
    names = named(found(work, folder))
    assert names[:2] == [("audit_row", "4"), ("ticket", "xingren/1/6")]
    # and still do when those in the database are gone, or those in the file
    by_hand(work, "DELETE FROM audit_anchor")
    names = named(found(work, folder))
    assert names[:2] == [("audit_row", "4"), ("ticket", "xingren/1/6")]
    assert ("anchor", "audit_anchor 1–2") in names
    # but without any anchor the chains are whole: the control
    kinds = {kind for kind, _ in named(found(work, None))}
    assert kinds == {"daily_recovery"}


def test_a_trail_cut_with_its_counter_is_known_by_the_anchors_alone(
    session: Session, district: District, now: datetime, folder: Path
) -> None:
    # given a label weighed in on the first day and handed over on the second, an anchor after each
    given: dict[str, Any] = {"by": a_keeper(), "district": district, "session": session}
    weigh_in(a_weighing(a_line(tags=[make_tag(1)])), scale_number="1", **given, now=now)
    first, second = (now + timedelta(days=day, hours=12) for day in range(2))
    make_anchor(folder=folder, session=session, now=first)
    hand_over(a_batch(tags=[make_tag(1)]), **given, now=now + timedelta(days=1))
    make_anchor(folder=folder, session=session, now=second)
    assert found(session, folder) == []
    # when somebody takes the last step out and sets the counter back
    by_hand(
        session,
        "DELETE FROM custody_event WHERE number = 3",
        "UPDATE custody_tag SET last_number = 2, last_mac = (SELECT mac FROM custody_event WHERE number = 2)",
    )
    # then the anchor of that day tells, also to a verification since the first, and when it stands in the file alone
    until = [(at - STEPS_SETTLE).isoformat(timespec="microseconds") for at in (first, second)]
    cut = ("custody_event", f"{until[0]}–{until[1]}")
    assert named(found(session, folder)) == [cut]
    assert named(found(session, folder, since=first)) == [cut]
    by_hand(session, "DELETE FROM audit_anchor")
    assert cut in named(found(session, folder))
    # but without any anchor the trail is whole: the control
    assert found(session, None) == []


def test_steps_that_may_not_have_committed_yet_are_left_to_the_next_anchor(
    session: Session, district: District, now: datetime, folder: Path
) -> None:
    # given an anchor made while a step of a minute ago is on its way
    given: dict[str, Any] = {"by": a_keeper(), "district": district, "session": session}
    make_anchor(folder=folder, session=session, now=now)
    weigh_in(a_weighing(a_line(tags=[make_tag(1)])), scale_number="1", **given, now=now - timedelta(minutes=1))
    # then it is no finding, and the next anchor has its two steps
    assert found(session, folder) == []
    made = make_anchor(folder=folder, session=session, now=now + STEPS_SETTLE)
    assert made.content["steps"][2] == 2
    assert found(session, folder) == []


def test_anchors_are_judged_wherever_they_are_kept(work: Session, folder: Path, tmp_path: Path) -> None:
    lines = read_lines(folder / FILE)
    assert [json.loads(line)["number"] for line in lines] == [1, 2]
    # a line changed in the file
    changed = json.loads(lines[1]) | {"closed_months": ["2026-10-01"]}
    (folder / FILE).write_text(f"{lines[0]}\n{json.dumps(changed)}\n", encoding="utf-8")
    assert named(found(work, folder)) == [("anchor", f"{FILE} 2")]
    # the file cut, and no line at all but garbage
    (folder / FILE).write_text(f"{lines[0]}\n", encoding="utf-8")
    assert named(found(work, folder)) == [("anchor", f"{FILE} 2")]
    (folder / FILE).write_text("[]\nnull\n", encoding="utf-8")
    assert named(found(work, folder)) == [("anchor", f"{FILE} #1"), ("anchor", f"{FILE} #2"), ("anchor", f"{FILE} 1–2")]
    # both cut alike: the bureau's copy, which holds the last one alone, tells
    (folder / FILE).write_text(f"{lines[0]}\n", encoding="utf-8")
    by_hand(work, "DELETE FROM audit_anchor WHERE number = 2")
    assert found(work, folder) == []
    theirs = tmp_path / "bureau.jsonl"
    theirs.write_text(f"{lines[1]}\n", encoding="utf-8")
    assert named(found(work, folder, theirs)) == [("anchor", "audit_anchor 2")]
    # an anchor changed in the database
    by_hand(work, "UPDATE audit_anchor SET day = '2026-11-20'")
    assert named(found(work, None)) == [("anchor", "audit_anchor 1")]


@pytest.mark.parametrize(
    "line",
    ["[]", "{", '{"number":1}', '{"number":"1","mac":"","at":""}', '{"number":1,"mac":"","at":NaN}', "[" * 100_000,
     '{"number":2,"mac":"","at":"\\ud800"}', '{"number":[],"mac":{},"at":0}'],
)  # fmt: skip
def test_a_line_that_is_no_anchor_is_a_finding_and_no_fault(work: Session, folder: Path, line: str) -> None:
    other = folder / "others.jsonl"
    other.write_text(line, encoding="utf-8")
    (found_there,) = found(work, folder, other)
    assert (found_there.kind, found_there.row.split()[0]) == ("anchor", "others.jsonl")


def test_a_place_that_cannot_be_written_is_said_and_the_anchor_stands(
    session: Session, now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(Unavailable, match="cannot be written"):
        make_anchor(folder=tmp_path / "file", session=session, now=now)
    assert session.scalars(select(AuditAnchor.number)).all() == [1]
    make_anchor(folder=tmp_path / "anchors", session=session, now=now)
    assert len(read_lines(tmp_path / "anchors" / FILE)) == 2


def test_a_closed_month_that_was_opened_again_is_found(session: Session, now: datetime, folder: Path) -> None:
    with atomic(session):
        close_month(session, now.date() - timedelta(days=30), by_id=SYSTEM.id, now=now)
    make_anchor(folder=folder, session=session, now=now)
    assert found(session, folder) == []
    by_hand(session, "DELETE FROM closed_month")
    assert named(found(session, folder)) == [("closed_month", "2026-10-01")]


def test_tickets_from_before_there_were_macs_pass_and_begin_no_gap(
    session: Session, district: District, now: datetime
) -> None:
    given: dict[str, Any] = {"by": a_keeper(), "district": district, "session": session, "now": now}
    for _ in range(2):
        weigh_in(a_weighing(), scale_number="1", **given)
    by_hand(session, "UPDATE intake_ticket SET mac = :none", "UPDATE scale SET last_mac = :none", none=b"")
    for _ in range(2):
        weigh_in(a_weighing(), scale_number="1", **given)
    assert found(session, None) == []
    # one that loses its mac later breaks the chain
    by_hand(session, "UPDATE intake_ticket SET mac = :none WHERE number = 3", none=b"")
    assert named(found(session, None))[0][0] == "ticket"


def test_an_anchor_is_made_once_for_a_run_and_the_file_is_brought_up_to_it(
    session: Session, now: datetime, folder: Path
) -> None:
    with atomic(session):
        run_id = enqueue(session, job="audit_anchor", due_at=now, scope="2026-11-23", now=now)
        audit(session, action="staff.added", subject="x", by=SYSTEM, now=now, facts={})
    assert run_id is not None
    # given an attempt that died between the database and the file
    first = make_anchor(folder=None, session=session, now=now, run_id=run_id)
    number, mac = first.number, bytes(first.mac)
    # when the run is done again
    again = make_anchor(folder=folder, session=session, now=now + timedelta(minutes=3), run_id=run_id)
    # then there is one anchor, one line and one message, and a third time changes nothing
    make_anchor(folder=folder, session=session, now=now + timedelta(minutes=9), run_id=run_id)
    assert (again.number, bytes(again.mac)) == (number, mac) == (1, mac)
    assert len(session.scalars(select(AuditAnchor)).all()) == 1
    assert [json.loads(line)["mac"] for line in read_lines(folder / FILE)] == [mac.hex()]
    message = session.scalars(select(OutboxMessage)).one()
    assert (message.kind, message.facts["anchor"]["audit"][0]) == ("audit.anchor", 1)
    assert message.facts["anchor"] == json.loads(read_lines(folder / FILE)[0])


def test_the_file_is_its_owners_and_a_line_that_broke_off_is_followed_by_the_whole(
    session: Session, now: datetime, folder: Path
) -> None:
    make_anchor(folder=folder, session=session, now=now)
    make_anchor(folder=None, session=session, now=now)
    assert (folder.stat().st_mode & 0o777, (folder / FILE).stat().st_mode & 0o777) == (0o700, 0o600)
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write('{"at":"2026-11')  # the power went
    make_anchor(folder=folder, session=session, now=now)
    assert [json.loads(line)["number"] for line in read_lines(folder / FILE)] == [1, 2, 3]
    assert found(session, folder) == []


def a_staff(session: Session, now: datetime, role: str) -> UUID:
    staff_id = uuid4()
    session.add(
        Staff(id=staff_id, login=f"s-{staff_id}"[:30], name="x", role=role, password_hash="-", created_at=now)
    )  # fmt: skip
    session.commit()
    return staff_id


def test_administrators_hear_of_changed_records_once_a_run(
    work: Session, folder: Path, now: datetime, district: District
) -> None:
    admin = a_staff(work, now, "admin")
    a_staff(work, now, "dispatcher")
    run_id = uuid4()
    told: Callable[[], list[OutboxMessage]] = lambda: list(  # noqa: E731  # said three times
        work.scalars(select(OutboxMessage).where(OutboxMessage.kind == "records.broken"))
    )
    alarm(found(work, folder), session=work, now=now, run_id=run_id)
    assert told() == []
    by_hand(work, "UPDATE audit_row SET subject = 'x' WHERE number = 3")
    for _ in range(2):
        alarm(found(work, folder), session=work, now=now, run_id=run_id)
    (message,) = told()
    assert message.recipient_id == admin
    assert message.facts == {"findings": 1, "record_kind": "audit_row", "row": "3"}


def test_what_people_read_names_the_row_the_anchor_and_the_hour(
    session: Session, district: District, now: datetime
) -> None:
    made = make_anchor(folder=None, session=session, now=now)
    facts = session.scalars(select(OutboxMessage.facts)).one()
    said = render("audit.anchor", facts, district=district)
    assert "2026-11-23 第 1 号锚定：留痕 0 条" in said
    assert bytes(made.mac).hex() in said
    broken = {"findings": 2, "record_kind": "ticket", "row": "lincheng/1/7"}
    assert "发现 2 处异常，首处为 ticket lincheng/1/7" in render("records.broken", broken, district=district)
    late = {"job": "roll_up", "scope": "2026-11-22", "due_at": "2026-11-22T16:30:00+00:00"}
    assert "应于 11月23日 00:30 执行" in render("job.late", late, district=district)
