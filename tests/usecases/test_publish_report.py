"""Publishing takes two people, closes the month, keeps the files, and refuses what the tickets no longer say."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from openpyxl import load_workbook
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import Conflict, Forbidden, NotFound, NotInstalled
from recycling.gateways import paper
from recycling.models.audit import AuditHead, AuditRow
from recycling.models.outbox import OutboxMessage, hold
from recycling.models.publication import ReportFile, ReportSignature
from recycling.models.recovery import ClosedMonth, GoalReport, hold_open
from recycling.models.subscribers import Subscriber, subscribers
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.usecases.intake import replacing
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.messages.event_body import event_body
from recycling.usecases.reporting import publish_report as publish_module
from recycling.usecases.reporting.goal_progress import goal_progress
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.publish_report import publish_report
from recycling.usecases.reporting.report_body import body_of
from recycling.usecases.reporting.report_files import report_file
from recycling.usecases.reporting.sign_report import sign_report
from recycling.usecases.reporting.verify_report import verify_report
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_weighing
from tests.papers import Page
from tests.signers import a_published_report, a_signer, publish

LATER = timedelta(days=10)  # 3 December
EVIL = '=HYPERLINK("http://evil.example","x")'


@pytest.fixture
def december(now: datetime) -> datetime:
    """When November is over."""
    return now + LATER


def weighed(session: Session, district: District, now: datetime, net_g: int = 41_300, **fields: Any) -> Any:
    return weigh_in(
        a_weighing(net_g=net_g, **fields), scale_number="1", by=a_keeper(), district=district, session=session, now=now
    )


@pytest.fixture
def draft(session: Session, district: District, now: datetime, december: datetime) -> UUID:
    """November's report with one fridge of 41.3 kg, made in December."""
    weighed(session, district, now)
    return make_goal_report("2026-11", district=district, session=session, now=december).id


def test_two_people_publish_and_the_month_is_closed_with_its_files_kept(
    session: Session, district: District, draft: UUID, december: datetime
) -> None:
    clerk, admin = a_signer(session, now=december), a_signer(session, now=december, role="admin", name="李四")
    # when one signs and another publishes
    sign_report(draft, by=clerk, session=session, now=december)
    publish_report(draft, by=admin, district=district, session=session, now=december)
    # then the month is closed, with those before it that have no figures, and four files stand under their digests
    closed = select(ClosedMonth.month).order_by(ClosedMonth.month)
    assert session.scalars(closed).all() == [date(2026, month, 1) for month in range(1, 12)]
    files = {row.form: row for row in session.scalars(select(ReportFile))}
    assert sorted(files) == ["csv", "json", "pdf", "xlsx"]
    digests = {form: hashlib.sha256(row.content).hexdigest() for form, row in files.items()}
    assert digests == {form: row.sha256 for form, row in files.items()}
    # and each step is a row of the audit log, in sequence
    rows = session.scalars(select(AuditRow).order_by(AuditRow.number)).all()
    assert [(row.action, row.actor_id) for row in rows] == [
        ("report.made", SYSTEM.id), ("report.signed", clerk.id), *[("month.closed", admin.id)] * 11,
        ("report.published", admin.id),
    ]  # fmt: skip
    assert rows[-1].facts["files"] == digests
    # and the bureau is told once, with where to fetch each file
    (told,) = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "goal_report.published"))
    assert told.facts["files"]["pdf"] == {"sha256": digests["pdf"], "href": f"/goal-reports/{draft}/files/pdf"}
    # when it is published again by the same person, nothing happens
    publish_report(draft, by=admin, district=district, session=session, now=december)
    assert len(session.scalars(select(AuditRow)).all()) == 14
    assert_invariants(session)


def test_the_audit_log_is_free_while_a_report_is_worked_out_under_the_lock_of_its_month(
    session: Session, district: District, december: datetime, draft: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody who answers for something waits for the head of the log; to work out a month takes seconds."""
    clerk, admin = (a_signer(session, now=december, role=role) for role in ("clerk", "admin"))
    sign_report(draft, by=clerk, session=session, now=december)
    seen: list[tuple[bool, int | None]] = []

    def worked_out(*args: Any, **kwargs: Any) -> dict[str, Any]:
        closed = session.get(ClosedMonth, date(2026, 11, 1)) is not None
        seen.append((closed, session.scalar(select(AuditHead.last_number))))
        return body_of(*args, **kwargs)

    monkeypatch.setattr(publish_module, "body_of", worked_out)
    before = session.scalar(select(AuditHead.last_number))
    session.rollback()
    publish_report(draft, by=admin, district=district, session=session, now=december)
    assert seen == [(True, before)]


def test_a_subscriber_reads_where_the_files_are_and_what_their_bytes_must_be(
    session: Session, district: District, draft: UUID, december: datetime
) -> None:
    kinds = frozenset({"goal_report.published"})
    subscribers.configure([Subscriber(key="bureau", kinds=kinds)])
    try:
        publish(session, draft, district=district, now=december)
    finally:
        subscribers.configure([])
    (owed,) = session.scalars(select(OutboxMessage).where(OutboxMessage.recipient_kind == "webhook"))
    with atomic(session):
        held = hold(session, owed, now=december, lease=timedelta(minutes=1))
    assert held is not None
    told = json.loads(event_body(held))
    files = {row.form: row.sha256 for row in session.scalars(select(ReportFile))}
    assert (told["kind"], told["report_id"], told["period"], told["version"]) == (
        "goal_report.published", str(draft), "2026-11", 1,
    )  # fmt: skip
    assert told["files"] == {
        form: {"sha256": sha256, "href": f"/goal-reports/{draft}/files/{form}"} for form, sha256 in files.items()
    }
    assert told["sha256"] == session.get_one(GoalReport, draft).sha256


def test_one_person_is_never_both_and_the_database_says_so_too(
    session: Session, district: District, draft: UUID, december: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, other = a_signer(session, now=december), a_signer(session, now=december)
    with pytest.raises(Conflict, match="is not signed"):
        publish_report(draft, by=clerk, district=district, session=session, now=december)
    sign_report(draft, by=clerk, session=session, now=december)
    with pytest.raises(Conflict, match="signed already"):
        sign_report(draft, by=other, session=session, now=december)
    with pytest.raises(Conflict, match="another person publishes"):
        publish_report(draft, by=clerk, district=district, session=session, now=december)
    # control: with the program's own check off, the unique key of the table refuses the same
    monkeypatch.setattr(publish_module, "_refuse_unsigned", lambda *_args, **_kwargs: None)
    with pytest.raises(Conflict, match="just been published"):
        publish_report(draft, by=clerk, district=district, session=session, now=december)
    row = {"signed_by_id": clerk.id, "signed_by_role": "clerk", "signed_by_name": "x", "signed_at": december}
    with pytest.raises(IntegrityError), atomic(session):
        session.execute(insert(ReportSignature).values(report_id=draft, place=2, sha256="", **row))
    with pytest.raises(IntegrityError), atomic(session):
        session.execute(
            insert(ReportSignature).values(report_id=draft, place=3, sha256="", **row | {"signed_by_id": other.id})
        )
    # and nothing of it closed the month
    assert session.scalars(select(ClosedMonth.month)).all() == []
    assert_invariants(session)


def test_jobs_and_people_of_other_roles_sign_nothing(session: Session, draft: UUID, december: datetime) -> None:
    for nobody in (SYSTEM, a_signer(session, now=december, role="dispatcher")):
        with pytest.raises(Forbidden, match="clerk, admin"):
            sign_report(draft, by=nobody, session=session, now=december)
    with pytest.raises(NotFound):
        sign_report(UUID(int=3), by=a_signer(session, now=december), session=session, now=december)


def test_a_report_that_is_not_what_the_tickets_say_now_is_not_published(
    session: Session, district: District, now: datetime, draft: UUID, december: datetime
) -> None:
    # given a signed draft, after which a November ticket is corrected
    ticket_id = session.scalar(text("SELECT id FROM intake_ticket"))
    clerk, admin = a_signer(session, now=december), a_signer(session, now=december, role="admin")
    sign_report(draft, by=clerk, session=session, now=december)
    correct_ticket(
        UUID(str(ticket_id)), a_weighing(net_g=40_000), reason="读数有误", by=a_keeper(), district=district,
        session=session, now=december,
    )  # fmt: skip
    # when it is to be published, then it is refused, and the month stays open
    with pytest.raises(Conflict, match="make a new version"):
        publish_report(draft, by=admin, district=district, session=session, now=december)
    assert session.scalars(select(ClosedMonth.month)).all() == []
    # and the new version is another report: the old one can be signed no more
    second = make_goal_report("2026-11", district=district, session=session, now=december).id
    with pytest.raises(Conflict, match="not the newest, 2"):
        publish_report(draft, by=admin, district=district, session=session, now=december)
    publish(session, second, district=district, now=december)
    # when a correction comes after that, then it is of December, and November's report says the same
    correct_ticket(
        _newest_ticket(session), a_weighing(net_g=39_000), reason="再次更正", by=a_keeper(), district=district,
        session=session, now=december + timedelta(hours=1),
    )  # fmt: skip
    again = make_goal_report("2026-11", district=district, session=session, now=december + timedelta(hours=2))
    assert again.id == second
    month = make_goal_report("2026-12", district=district, session=session, now=december + timedelta(hours=2)).body
    # 40 kg off, 39 kg on: two lines, no unit more, a kilogram less
    assert month["adjustments"] == {"units": 0, "recovered_g": -1_000, "mass_text": "-1 kg", "ticket_lines": 2}
    assert_invariants(session)


def _newest_ticket(session: Session) -> UUID:
    return UUID(str(session.scalar(text("SELECT id FROM intake_ticket ORDER BY number DESC LIMIT 1"))))


@pytest.mark.parametrize("guard", [True, False], ids=["walked", "control"])
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        # no figure moves: only the keyed chain knows
        ("UPDATE intake_ticket SET gross_g = gross_g + 1, tare_g = tare_g + 1 WHERE number = 1", "ticket 1 of 2026-11"),
        ("UPDATE intake_ticket SET keeper_id = id WHERE number = 2", "ticket 2 of 2026-11"),
    ],
)
def test_a_ticket_changed_by_hand_since_the_report_was_made_keeps_it_from_being_published(
    *, guard: bool, statement: str, named: str, session: Session, district: District, now: datetime,
    december: datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # given a signed draft of two fridges, after which somebody changes one ticket in the database
    for _ in range(2):
        weighed(session, district, now)
    draft = make_goal_report("2026-11", district=district, session=session, now=december).id
    clerk, admin = (a_signer(session, now=december, role=role) for role in ("clerk", "admin"))
    sign_report(draft, by=clerk, session=session, now=december)
    session.execute(text(statement))
    session.commit()
    # then the control, which does not walk the chain, publishes what verifying finds the night after
    if not guard:
        monkeypatch.setattr(publish_module, "broken_chains", lambda *_args, **_kwargs: iter(()))
        publish_report(draft, by=admin, district=district, session=session, now=december)
        assert any(named in one for one in verify_report(draft, district=district, session=session).differences)
        return
    # and otherwise it is refused by the number of that ticket, with what to do; nothing is signed or closed
    with pytest.raises(Conflict, match=named) as refused:
        publish_report(draft, by=admin, district=district, session=session, now=december)
    assert "flask audit verify" in refused.value.message
    assert session.scalars(select(ClosedMonth.month)).all() == []
    assert session.scalars(select(ReportSignature.place)).all() == [1]


def test_a_change_by_hand_in_an_earlier_month_keeps_the_year_to_date_from_being_published(
    session: Session, district: District, now: datetime, december: datetime
) -> None:
    # given October, published, and a draft of November, both with tickets of two fridges
    for at in (now - timedelta(days=30), now):
        weighed(session, district, at)
        weighed(session, district, at)
    october, november = (
        make_goal_report(period, district=district, session=session, now=december).id
        for period in ("2026-10", "2026-11")
    )  # fmt: skip
    publish(session, october, district=district, now=december)
    # when a kilogram moves from one ticket of October to the other in the database, so that no figure changes
    for number, grams in ((1, 1_000), (2, -1_000)):
        moved = {"number": number, "grams": grams}
        session.execute(
            text("UPDATE intake_ticket SET gross_g = gross_g + :grams, net_g = net_g + :grams WHERE number = :number"),
            moved,
        )
        session.execute(
            text(
                "UPDATE intake_line SET net_g = net_g + :grams"
                " WHERE ticket_id = (SELECT id FROM intake_ticket WHERE number = :number)"
            ),
            moved,
        )
    session.commit()
    # then November, whose year to date rests on them, is refused by their numbers
    with pytest.raises(Conflict, match=r"ticket 1 of 2026-10-24.*ticket 2 of 2026-10-24"):
        publish(session, november, district=district, now=december)


def test_a_changed_mass_is_told_as_a_changed_ticket_and_a_new_version_is_refused_alike(
    session: Session, district: District, draft: UUID, december: datetime
) -> None:
    """A new version would carry the changed mass; so the advice to make one would be wrong."""
    # given a signed draft of 41.3 kg, made 51.3 kg in the database
    clerk, admin = (a_signer(session, now=december, role=role) for role in ("clerk", "admin"))
    sign_report(draft, by=clerk, session=session, now=december)
    session.execute(text("UPDATE intake_ticket SET gross_g = gross_g + 10000, net_g = net_g + 10000"))
    session.execute(text("UPDATE intake_line SET net_g = net_g + 10000"))
    session.commit()
    with pytest.raises(Conflict, match="ticket 1 of 2026-11-23"):
        publish_report(draft, by=admin, district=district, session=session, now=december)
    # when a new version is made of that and signed, it is refused for the same ticket
    second = make_goal_report("2026-11", district=district, session=session, now=december).id
    assert second != draft
    with pytest.raises(Conflict, match="ticket 1 of 2026-11-23"):
        publish(session, second, district=district, now=december)
    # and when what was written is put back, the month can be published
    session.execute(text("UPDATE intake_ticket SET gross_g = gross_g - 10000, net_g = net_g - 10000"))
    session.execute(text("UPDATE intake_line SET net_g = net_g - 10000"))
    session.commit()
    third = make_goal_report("2026-11", district=district, session=session, now=december).id
    publish(session, third, district=district, now=december)


def test_a_month_waits_for_those_of_its_year_before_it_and_a_quarter_for_all_of_its_own(
    session: Session, district: District, now: datetime, december: datetime
) -> None:
    # given figures of October and November
    weighed(session, district, now - timedelta(days=30))
    weighed(session, district, now)
    january = now + timedelta(days=45)
    clerk = a_signer(session, now=now)

    def made(period: str) -> UUID:
        return make_goal_report(period, district=district, session=session, now=january).id

    # then November waits for October, since its year to date would change with it
    with pytest.raises(Conflict, match="2026-10 of the same year is open"):
        sign_report(made("2026-11"), by=clerk, session=session, now=january)
    publish(session, made("2026-10"), district=district, now=january)
    with pytest.raises(Conflict, match="2026-11 of the same year is open"):
        sign_report(made("2026-Q4"), by=clerk, session=session, now=january)
    publish(session, made("2026-11"), district=district, now=january)
    # and quarter, year and span close what is empty in them: nothing comes into a month that is told of
    for period in ("2026-Q4", "2026", "2026-10-20..2026-11-30"):
        publish(session, made(period), district=district, now=january)
    assert sorted(session.scalars(select(ClosedMonth.month))) == [date(2026, month, 1) for month in range(1, 13)]
    # 2 fridges of 41.3 kg in each
    bodies = session.scalars(select(GoalReport.body).where(GoalReport.period.not_in(["2026-10", "2026-11"]))).all()
    assert [body["in_period"][0]["recovered_g"] for body in bodies] == [82_600] * 3
    assert_invariants(session)


def test_a_january_that_begins_with_an_adjustment_is_below_zero_and_reported(
    session: Session, district: District, december: datetime
) -> None:
    # given 41.3 kg of a published December
    ticket = weighed(session, district, december)
    january = december + timedelta(days=31)
    a_published_report(session, district=district, now=january, period="2026-12")
    # when it turns out on 3 January that they were 40, before anything else was weighed
    correct_ticket(
        ticket.id, a_weighing(net_g=40_000), reason="读数有误", by=a_keeper(), district=district, session=session,
        now=january,
    )  # fmt: skip
    # then the year stands at -1.3 kg, on the screen and in the report, which has all its tables
    shown = goal_progress(district=district, session=session, now=january)["scopes"][0]
    assert shown["recovered"] == {"units": 0, "recovered_g": -1_300, "mass_text": "-1.3 kg"}
    report = make_goal_report("2027-01", district=district, session=session, now=january)
    assert report.body["scopes"][0]["recovered"] == shown["recovered"]
    assert b"-1.3" in report_file(report, [], "csv", session=session)
    assert_invariants(session)


def test_a_running_period_is_reported_but_not_signed(session: Session, district: District, now: datetime) -> None:
    weighed(session, district, now)
    running = make_goal_report("2026-11", district=district, session=session, now=now).id
    for at in (now, now + LATER):  # in December too: it tells of November up to the 23rd
        with pytest.raises(Conflict, match="make a new version"):
            sign_report(running, by=a_signer(session, now=now), session=session, now=at)


def test_without_its_library_no_pdf_and_no_publication(
    session: Session, district: District, draft: UUID, december: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise NotInstalled(f"{name} is missing")

    monkeypatch.setattr(paper, "_library", missing)
    sign_report(draft, by=a_signer(session, now=december), session=session, now=december)
    with pytest.raises(NotInstalled):
        publish_report(
            draft, by=a_signer(session, now=december, role="admin"), district=district, session=session, now=december
        )
    assert session.scalars(select(ClosedMonth.month)).all() == []


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "control"])
def test_a_correction_under_way_is_in_the_report_or_the_report_is_refused(
    *, lock: bool, session: Session, district: District, draft: UUID, december: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A correction that has looked at the open month and not yet committed must not slip in behind the signature."""
    engine = session.get_bind()
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time; there is no lock to take away")
    if not lock:
        monkeypatch.setattr(publish_module, "close_month", lambda *_args, **_kwargs: False)
        # The log's own row would make the two queue as well.
        monkeypatch.setattr(replacing, "audit", lambda *_args, **_kwargs: None)
    clerk, admin = a_signer(session, now=december), a_signer(session, now=december, role="admin")
    sign_report(draft, by=clerk, session=session, now=december)
    ticket_id = _newest_ticket(session)
    session.rollback()
    written, going_on = threading.Event(), threading.Event()

    def correct() -> None:
        with Session(engine) as own, atomic(own):
            hold_open(own, date(2026, 11, 1))
            correct_ticket(
                ticket_id, a_weighing(net_g=40_000), reason="读数有误", by=a_keeper(), district=district, session=own,
                now=december,
            )  # fmt: skip
            written.set()
            going_on.wait(2 if lock else 10)

    thread = threading.Thread(target=correct)
    thread.start()
    assert written.wait(10)
    # when it is published meanwhile
    try:
        if lock:
            with pytest.raises(Conflict):  # the month is busy, or the tickets say something else by then
                publish_report(draft, by=admin, district=district, session=session, now=december)
        else:
            publish_report(draft, by=admin, district=district, session=session, now=december)
    finally:
        going_on.set()
        thread.join(20)
    # then what is published is what the tickets say; the control has published 41.3 kg where they say 40
    session.rollback()
    published = session.scalar(select(ReportSignature.report_id).where(ReportSignature.place == 2)) is not None
    assert published is not lock


# --- the files ---


@pytest.fixture
def words(session: Session, district: District, now: datetime, december: datetime) -> GoalReport:
    """A published December report with an adjustment whose reason is a formula, signed by somebody named like one."""
    ticket = weighed(session, district, now)
    a_published_report(session, district=district, now=december)
    correct_ticket(
        ticket.id, a_weighing(net_g=40_000), reason=EVIL, by=a_keeper(), district=district, session=session,
        now=december,
    )  # fmt: skip
    january = december + timedelta(days=40)
    report_id = make_goal_report("2026-12", district=district, session=session, now=january).id
    sign_report(report_id, by=a_signer(session, now=january, name="=1+1"), session=session, now=january)
    publish_report(
        report_id, by=a_signer(session, now=january, role="admin", name="<b>@x</b>"), district=district,
        session=session, now=january,
    )  # fmt: skip
    return session.get_one(GoalReport, report_id)


def kept_file(session: Session, report: GoalReport, form: str) -> bytes:
    return session.get_one(ReportFile, (report.id, form)).content


def test_text_that_people_wrote_is_inert_in_every_form(
    session: Session, words: GoalReport, read_pdf: Callable[[bytes], list[Page]]
) -> None:
    # in the workbook it is text, and nothing is a formula or a link
    content = kept_file(session, words, "xlsx")
    book = load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert not [cell for cell in cells if cell.hyperlink]
    assert EVIL in [cell.value for cell in cells]
    assert "<f>" not in "".join(
        zipfile.ZipFile(io.BytesIO(content)).read(name).decode() for name in book_sheets(content)
    )
    # in CSV it begins with an apostrophe, and a mass below zero stays a number
    text_file = kept_file(session, words, "csv")
    assert text_file.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(text_file.decode("utf-8-sig"))))
    assert f"'{EVIL}" in [cell for line in lines for cell in line]
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "@"))]
    assert "-41.3" in [cell for line in lines for cell in line]
    # on paper it is printed as it stands
    pages = read_pdf(kept_file(session, words, "pdf"))
    whole = "".join(page.text for page in pages).replace("\r\n", "").replace("\n", "")
    assert "=HYPERLINK" in whole
    assert "<b>@x</b>" in whole
    # and in JSON it is a string
    assert json.loads(kept_file(session, words, "json"))["signatures"][0]["signed_by_name"] == "=1+1"


def book_sheets(content: bytes) -> list[str]:
    return [name for name in zipfile.ZipFile(io.BytesIO(content)).namelist() if name.startswith("xl/worksheets/sheet")]


def test_a_warning_stands_on_every_page_and_sheet(
    session: Session, district: District, now: datetime, december: datetime, read_pdf: Callable[[bytes], list[Page]]
) -> None:
    # given a report with a made-up ticket, against a made-up baseline, still a draft
    weigh_in(
        a_weighing(a_line("fridge"), net_g=41_300), scale_number="1", by=a_keeper(), district=district,
        session=session, now=now, made_up=True,
    )  # fmt: skip
    report = make_goal_report("2026-11", district=district, session=session, now=december)
    marks = ("DRAFT", "MADE-UP DATA", "BASELINE NOT CONFIRMED", "MADE-UP PLACEHOLDER")
    pages = read_pdf(report_file(report, [], "pdf", session=session))
    assert len(pages) > 1
    for page in pages:
        assert all(mark in page.text.replace("\r\n", " ") for mark in marks), page.text[:300]
        assert str(report.id) in page.text
    book = load_workbook(io.BytesIO(report_file(report, [], "xlsx", session=session)))
    for sheet in book:
        assert all(mark in str(sheet["A2"].value) for mark in marks)
        assert all(mark in str(sheet.oddHeader.center.text) for mark in marks)
    csv_text = report_file(report, [], "csv", session=session).decode("utf-8-sig")
    assert all(mark in csv_text for mark in marks)
    assert "DRAFT" in json.loads(report_file(report, [], "json", session=session))["marks"][0]


def test_each_form_is_the_same_bytes_each_time(session: Session, words: GoalReport) -> None:
    signatures = session.scalars(
        select(ReportSignature).where(ReportSignature.report_id == words.id).order_by(ReportSignature.place)
    ).all()
    for form in ("json", "csv", "xlsx", "pdf"):
        assert report_file(words, signatures, form, session=session) == kept_file(session, words, form)


def test_the_workbook_lists_every_ticket_line_and_they_add_up_to_the_figure(
    session: Session, words: GoalReport
) -> None:
    book = load_workbook(io.BytesIO(kept_file(session, words, "xlsx")))
    rows = list(book["磅单明细 tickets"].iter_rows(min_row=5, values_only=True))
    # December: 41.3 kg taken off and 40 kg put in
    assert sorted((row[8], row[9]) for row in rows) == [(-1, -41.3), (1, 40)]
    assert words.body["in_period"][0]["recovered_g"] == -1_300
    assert str(words.id) == book["封面 cover"]["B5"].value
