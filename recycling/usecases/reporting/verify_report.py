"""Verify a goal report (报告核验): work it out again from its inputs and tickets, and compare to the byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import NotFound, NotInstalled
from recycling.logs import logger
from recycling.models.audit import AuditRow, row_mac
from recycling.models.base import insert_if_absent
from recycling.models.outbox import post
from recycling.models.publication import ReportCheck, ReportFile, ReportSignature, signatures_of, state_of
from recycling.models.recovery import ClosedMonth, GoalReport
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.policy.periods import read_period
from recycling.usecases.messages.tell_staff import tell_staff
from recycling.usecases.queries.goal_reports import published_reports
from recycling.usecases.reporting.program import made_with, program
from recycling.usecases.reporting.report_body import body_of, canonical, digest, span_of
from recycling.usecases.reporting.report_differences import changed_figures
from recycling.usecases.reporting.report_files import report_file, signatures_text
from recycling.usecases.reporting.taken_in import MOST_FAULTS, broken_chains, tickets_digest

log = logger(__name__)

NEWEST = 3  # published reports that are looked at every night


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came out of verifying a report.

    Parameters
    ----------
    differences
        What is not as it was signed; empty for a report that stands.
    notes
        What could not be compared to the byte, and why.
    body
        What comes out today, where that could be worked out.
    """

    report_id: UUID
    period: str
    version: int
    state: str
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    body: dict[str, Any] | None


def verify_report(report_id: UUID, *, district: District, session: Session) -> Verdict:
    """Compare a report with its tickets, its digests, its signatures, its audit rows and its files.

    Raises
    ------
    NotFound
        When there is no such report.
    """
    report = session.get(GoalReport, report_id, populate_existing=True)
    if report is None:
        return _gone(report_id, session=session)
    signatures = signatures_of(session, [report_id])[report_id]
    notes: list[str] = []
    found: list[str] = []
    body = None
    if digest(report.body) != report.sha256:
        found.append(f"body: its digest is {digest(report.body)}, kept is {report.sha256}")
    if not report.inputs:
        notes.append("made before inputs were kept: only the digest of its body can be compared")
    elif digest(report.inputs) != report.inputs_sha256:
        found.append(f"inputs: their digest is {digest(report.inputs)}, kept is {report.inputs_sha256}")
        notes.append("with other inputs than those it was made of, nothing more can be worked out")
    else:
        body = body_of(report.inputs, district=district, session=session)
        found += _otherwise(report, body, notes)
        found += _tickets(report, session=session)
        found += _files(report, signatures, notes, session=session)
    if report.inputs:
        found += _audit_rows(report, signatures, session=session)
    return Verdict(
        report_id=report.id, period=report.period, version=report.version, state=state_of(signatures),
        differences=tuple(found), notes=tuple(notes), body=body,
    )  # fmt: skip


def _gone(report_id: UUID, *, session: Session) -> Verdict:
    """The verdict on a report that only the audit log still knows."""
    rows = select(AuditRow).where(AuditRow.subject == str(report_id), AuditRow.action == "report.made")
    made = session.scalars(rows.order_by(AuditRow.number).limit(1)).first()
    if made is None:
        raise NotFound(f"no goal report {report_id}; take an id from GET /goal-reports / 未找到该报告")
    return Verdict(
        report_id=report_id, period=str(made.facts.get("period")), version=int(made.facts.get("version", 0)),
        state="gone", differences=(f"report: it is gone; row {made.number} of the audit log says that it was made",),
        notes=(), body=None,
    )  # fmt: skip


def verify_newest(
    *, district: District, session: Session, now: datetime, newest: int | None = NEWEST
) -> dict[str, int]:
    """Verify the newest published reports, ``None`` for all; one that differs raises the alarm, and both are kept."""
    report_ids = published_reports(session=session)[:newest]
    differing = 0
    for report_id in report_ids:
        verdict = verify_report(report_id, district=district, session=session)
        session.rollback()
        if verdict.differences:
            differing += 1
            _raise_alarm(verdict, session=session, now=now)
    return {"reports": len(report_ids), "differing": differing}


def _raise_alarm(verdict: Verdict, *, session: Session, now: datetime) -> None:
    shown = list(verdict.differences[:MOST_FAULTS])
    log.critical(
        "goal_report.differs", report_id=str(verdict.report_id), period=verdict.period, version=verdict.version,
        differences=shown,
    )  # fmt: skip
    sha256 = digest({"differences": list(verdict.differences), "body": verdict.body})
    facts = {"report_id": str(verdict.report_id), "period": verdict.period, "version": verdict.version}
    with atomic(session):
        if verdict.state != "gone":  # a check belongs to its report
            insert_if_absent(
                session, ReportCheck, id=UUID(sha256[:32]), report_id=verdict.report_id, checked_at=now,
                differences=list(verdict.differences), body=verdict.body, found_sha256=sha256,
            )  # fmt: skip
        about = sha256[:32]
        key = f"goal_report.differs:{about}:bureau"
        post(session, dedupe_key=key, kind="goal_report.differs", to=("bureau", None), facts=facts, now=now)
        tell_staff(session, ("admin",), about=about, kind="goal_report.differs", facts=facts, now=now)


def _otherwise(report: GoalReport, body: dict[str, Any], notes: list[str]) -> Iterator[str]:
    """Figures that come out otherwise; another program is held to the figures, the same one to every byte."""
    if canonical(body) == canonical(report.body):
        return
    try:
        figures = list(changed_figures(report.body, body))
    except (KeyError, TypeError, AttributeError):
        yield "body: it has not the form of a report any more"
        return
    for row in figures[:MOST_FAULTS]:
        of = " ".join(filter(None, (row["span"], row["scope"], row["by"], row["key"], row["measure"])))
        yield f"figure {of}: kept {row['old']}, the tickets say {row['new']}"
    if len(figures) > MOST_FAULTS:
        yield f"… and {len(figures) - MOST_FAULTS} more figures"
    if figures:
        return
    if report.inputs["program"] == program():
        yield "body: the figures are the same, the words or labels beside them are not"
    else:
        made = report.inputs["program"]["version"]
        notes.append(f"made by another program (version {made}): every figure is the same, the words are not compared")


def _tickets(report: GoalReport, *, session: Session) -> Iterator[str]:
    heads, (first, last) = report.inputs["heads"], span_of(report.inputs)
    found, kept = tickets_digest(heads, first, last, session=session), report.inputs["tickets"]
    if found.tickets != kept["count"]:
        yield f"tickets: {kept['count']} were taken in, {found.tickets} are there"
    elif found.sha256 != kept["sha256"]:
        yield f"tickets: their digest is {found.sha256}, kept is {kept['sha256']}"
    faults = list(islice(broken_chains(heads, first, last, session=session), MOST_FAULTS + 1))
    yield from faults[:MOST_FAULTS]
    if len(faults) > MOST_FAULTS:
        yield f"… and more tickets than {MOST_FAULTS}"


def _audit_rows(report: GoalReport, signatures: Sequence[ReportSignature], *, session: Session) -> Iterator[str]:
    """What the audit log says of the report, each row vouched for by its mac and the one before it."""
    head = report.inputs.get("audit_head")
    if head is not None:
        row = session.get(AuditRow, head["number"])
        if row is None or bytes(row.mac).hex() != head["mac"]:
            yield f"audit log: row {head['number']}, its head when the report was made, is gone or another"
    said = {"period": report.period, "version": report.version, "sha256": report.sha256}
    whole = said | {"inputs_sha256": report.inputs_sha256}
    by_place = {row.place: row for row in signatures}
    acts: list[tuple[str, UUID | None, datetime | None, dict[str, Any]]] = [
        ("report.made", report.made_by_id, report.made_at, whole)
    ]
    for place, action, facts in ((1, "report.signed", said), (2, "report.published", whole)):
        signed = by_place.get(place)
        acts.append((action, *((None, None) if signed is None else (signed.signed_by_id, signed.signed_at)), facts))
    for action, by_id, at, facts in acts:
        rows = list(_told(report, action, session=session))
        yield from (f"audit log: row {row.number}, {action}, is not what was written" for row, ok in rows if not ok)
        if by_id is None:
            yield from (
                f"signatures: the audit log has {action} by {row.actor_id} in row {row.number}, the signature is gone"
                for row, ok in rows
                if ok
            )
        elif not any(row.actor_id == by_id and facts.items() <= row.facts.items() for row, _ in rows):
            yield f"audit log: no row {action} of this report by {by_id} with its period, version and digests"
        elif not any(row.actor_id == by_id and row.at == at for row, _ in rows):
            yield f"audit log: {action} of this report by {by_id} was not at {at}"
    if len({row.signed_by_id for row in signatures}) != len(signatures):
        yield "signatures: one person signed twice"
    yield from (
        f"signatures: {row.signed_by_id} signed the digest {row.sha256}"
        for row in signatures
        if row.sha256 != report.sha256
    )
    if (report.inputs.get("period"), report.inputs.get("last_day")) != (report.period, report.as_of.isoformat()):
        yield f"report: its inputs are not of {report.period} up to {report.as_of}"
        return
    period = read_period(report.period)
    if len(signatures) == 2 and period.kind == "month" and session.get(ClosedMonth, period.first) is None:
        yield f"{report.period} is published and its month is not closed"


def _told(report: GoalReport, action: str, *, session: Session) -> Iterator[tuple[AuditRow, bool]]:
    """What the audit log says of a report, and whether the row's mac vouches for it."""
    rows = select(AuditRow).where(AuditRow.subject == str(report.id), AuditRow.action == action)
    for row in session.scalars(rows.order_by(AuditRow.number).execution_options(populate_existing=True)).all():
        before = session.get(AuditRow, row.number - 1)
        yield row, row_mac(row, before=b"" if before is None else bytes(before.mac)) == bytes(row.mac)


def _files(
    report: GoalReport, signatures: Sequence[ReportSignature], notes: list[str], *, session: Session
) -> Iterator[str]:
    """The files as signed: against their digests, the audit log's, and the same written anew."""
    if len(signatures) < 2:
        return
    # Only what the key vouches for says what the files were: anybody can put a row beside it.
    vouched = [row.facts for row, ok in _told(report, "report.published", session=session) if ok]
    facts = vouched[0] if vouched else {}
    kept = session.scalars(select(ReportFile).where(ReportFile.report_id == report.id)).all()
    told = facts.get("files", {})
    for form in sorted(told.keys() - {row.form for row in kept}):
        yield f"file {form}: it is gone"
    for row in sorted(kept, key=lambda row: row.form):
        sha256 = hashlib.sha256(row.content).hexdigest()
        if sha256 != row.sha256 or told.get(row.form) != sha256:
            yield f"file {row.form}: its digest is {sha256}, kept is {row.sha256}, audited {told.get(row.form)}"
            continue
        if row.form == "json" and json.loads(row.content)["signatures"] != signatures_text(signatures):
            yield "signatures: they are not those in the file json"
        if digest(report.body) != report.sha256:
            continue  # said already; what is written of another body is another file
        mine = made_with(row.form)
        if row.made_with != mine:
            changed = ", ".join(sorted(name for name in mine if row.made_with.get(name) != mine[name]))
            notes.append(f"file {row.form}: written with another {changed}; compared by its digest only")
            continue
        try:
            anew = report_file(report, signatures, row.form, session=session)
        except NotInstalled as error:
            notes.append(f"file {row.form}: {error.message}; compared by its digest only")
            continue
        if anew != row.content:
            yield f"file {row.form}: written anew it has other bytes ({hashlib.sha256(anew).hexdigest()})"
