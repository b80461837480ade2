"""Verify what figures rest on (核验记录): audit log, tickets, figures and anchors, each against the others.

Whoever edits, adds or takes out a row without the key is named by it; whoever cuts the end of a chain, by an anchor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import chain, islice
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.logs import logger
from recycling.models.audit import HEAD, AuditHead, AuditRow, row_mac
from recycling.models.custody import steps_between
from recycling.models.intake import IntakeLine, IntakeTicket, Scale, ticket_mac
from recycling.models.recovery import KEY_COLUMNS, ClosedMonth, DailyRecovery, counting_lines, month_after, month_of
from recycling.models.transaction import atomic, see_one_state
from recycling.usecases.audit.chains import Walk
from recycling.usecases.audit.findings import Finding
from recycling.usecases.audit.judge_anchors import Anchors, Copy, Line, judge_anchors
from recycling.usecases.messages.tell_staff import tell_staff
from recycling.usecases.queries.custody import verify_custody
from recycling.usecases.queries.invariants.figures import months_are_their_days
from recycling.usecases.queries.invariants.rule import differences

log = logger(__name__)

PAGE = 500  # rows read at a time: memory stays flat however long a chain is
MOST_FINDINGS = 100  # of a broken database everything would be one
FROM_THE_FIRST = -(2**31)  # below every number, those included that nobody may have given


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was looked at, and what was found wrong, the first bad row first.

    ``begun_at`` is the instant of the anchor from which the chains were walked, ``None`` for their very start.
    """

    findings: tuple[Finding, ...]
    audit_rows: int
    tickets: int
    anchors: int
    begun_at: str | None


@dataclass(slots=True)
class _Count:
    audit_rows: int = 0
    tickets: int = 0


def verify_records(
    *, session: Session, now: datetime, copies: Sequence[Copy] = (), since: datetime | None = None
) -> Verified:
    """Verify everything, in one state of the database.

    Parameters
    ----------
    copies
        Anchors kept elsewhere.
    since
        Walk the chains only from the newest anchor of that instant or earlier, and rebuild figures from its month on.
        From the start where there is no such anchor.
    """
    see_one_state(session)
    anchors, of_anchors = judge_anchors(session, copies)
    start = None if since is None else anchors.before(since.astimezone(UTC).isoformat(timespec="microseconds"))
    first_day = None if start is None else month_of(date.fromisoformat(start["day"]))
    count = _Count()
    found = chain(
        _audit_log(session, anchors, start, count),
        _scales(session, anchors, start, count),
        _closed_months(session, anchors),
        _figures(session, first_day, now),
        () if start is not None else _stray_lines(session),
        () if start is not None else _trails(session),
        _steps(session, anchors, start),
        of_anchors,
    )
    findings = tuple(islice(found, MOST_FINDINGS))
    session.rollback()
    begun_at = None if start is None else start["at"]
    log.info(
        "records.verified", findings=len(findings), audit_rows=count.audit_rows, tickets=count.tickets,
        anchors=len(anchors.lines), begun_at=begun_at,
    )  # fmt: skip
    return Verified(
        findings=findings, audit_rows=count.audit_rows, tickets=count.tickets, anchors=len(anchors.lines),
        begun_at=begun_at,
    )  # fmt: skip


def alarm(findings: Sequence[Finding], *, session: Session, now: datetime, run_id: UUID) -> None:
    """Tell administrators that records were changed behind the program's back: how many, and the first of them."""
    if not findings:
        return
    for one in findings:
        log.critical("records.broken", kind=one.kind, row=one.row, what=one.what)
    facts = {"findings": len(findings), "record_kind": findings[0].kind, "row": findings[0].row}
    with atomic(session):
        tell_staff(session, ("admin",), about=str(run_id), kind="records.broken", facts=facts, now=now)


def _trails(session: Session) -> Iterator[Finding]:
    for bad in verify_custody(session):
        yield Finding(kind="custody_event", row=f"{bad.tag}/{bad.number}", what=bad.fault)


def _steps(session: Session, anchors: Anchors, start: Line | None) -> Iterator[Finding]:
    """Whether the steps of all trails that anchors saw are those which stand: a trail cut with its counter is whole."""
    begun = 0 if start is None else start["number"]
    for number, line in sorted(anchors.lines.items()):
        if number <= begun or "steps" not in line:
            continue
        after, until, seen, digest = line["steps"]
        there, now = steps_between(session, None if after is None else datetime.fromisoformat(after),
                                   datetime.fromisoformat(until))  # fmt: skip
        if (there, now) != (seen, digest):
            what = f"锚定时 {seen} 步，现 {there} 步 / anchor {number} saw {seen} steps, and {there} stand, or others"
            yield Finding(kind="custody_event", row=f"{after or ''}–{until}", what=what)


def _audit_log(session: Session, anchors: Anchors, start: Line | None, count: _Count) -> Iterator[Finding]:
    walk = Walk(kind="audit_row", head_kind="audit_head", label="", claims=anchors.audit_claims())
    after = _begin(walk, None if start is None else start["audit"])
    rows = partial(_page, session, select(AuditRow).order_by(AuditRow.number), AuditRow.number)
    yield from _walked(walk, rows, after, _audit_mac)
    head = session.get(AuditHead, HEAD)
    yield from walk.end(None if head is None else (head.last_number, bytes(head.last_mac)))
    count.audit_rows = walk.steps


def _scales(session: Session, anchors: Anchors, start: Line | None, count: _Count) -> Iterator[Finding]:
    ticket, claims = IntakeTicket, anchors.scale_claims()
    heads = {
        (scale.station_key, scale.scale_number): (scale.last_number, bytes(scale.last_mac))
        for scale in session.scalars(select(Scale))
    }
    distinct = session.execute(select(ticket.station_key, ticket.scale_number).distinct())
    named = {(station_key, scale_number) for station_key, scale_number in distinct}
    begun = {} if start is None else {(station, scale): rest for station, scale, *rest in start["scales"]}
    for key in sorted({*heads, *claims, *named}):
        walk = Walk(
            kind="ticket", head_kind="scale", label=f"{key[0]}/{key[1]}/", claims=claims.get(key, {}), unvouched=True
        )
        after = _begin(walk, begun.get(key))
        mine = select(ticket).where(ticket.station_key == key[0], ticket.scale_number == key[1])
        rows = partial(_page, session, mine.order_by(ticket.number), ticket.number)
        yield from _walked(walk, rows, after, _ticket_mac)
        yield from walk.end(heads.get(key))
        count.tickets += walk.steps


def _begin(walk: Walk, head: Sequence[Any] | None) -> int:
    """Put a walk behind the head that an anchor saw; the number beyond which rows are read."""
    if head is None or head[0] == 0:
        return FROM_THE_FIRST
    walk.last, walk.befores = head[0], (bytes.fromhex(head[1]),)
    return walk.last


def _page(session: Session, rows: Any, number: Any, after: int) -> Sequence[Any]:
    return session.scalars(rows.where(number > after).limit(PAGE).execution_options(populate_existing=True)).all()


def _walked(
    walk: Walk, page_after: Callable[[int], Sequence[Any]], after: int, mac: Callable[[Any, bytes], bytes]
) -> Iterator[Finding]:
    try:
        while page := page_after(after):
            for row in page:
                yield from walk.step(row.number, bytes(row.mac), partial(mac, row))
            after = page[-1].number
    except (ValueError, TypeError):  # what stands there is no date, number or id any more
        yield walk.unreadable()


def _audit_mac(row: AuditRow, before: bytes) -> bytes:
    return row_mac(row, before=before)


def _ticket_mac(ticket: IntakeTicket, before: bytes) -> bytes:
    return ticket_mac(ticket, before=before)


def _closed_months(session: Session, anchors: Anchors) -> Iterator[Finding]:
    closed = {month.isoformat() for month in session.scalars(select(ClosedMonth.month))}
    for month in sorted(anchors.closed_months() - closed):
        yield Finding(kind="closed_month", row=month, what="锚定时已结账，现已重开 / an anchor saw it closed")


def _figures(session: Session, first_day: date | None, now: datetime) -> Iterator[Finding]:
    """Figures of days against tickets, a month at a time; those of months against those of days, all of them."""
    fact = DailyRecovery
    columns = [*list(fact.__table__.c)[:KEY_COLUMNS], fact.units, fact.recovered_g, fact.ticket_lines]
    for first, end in _months(session, first_day):
        stood = select(*columns).where(fact.day >= first, fact.day < end)
        told = counting_lines(IntakeTicket.counts_on >= first, IntakeTicket.counts_on < end)
        for *key, units, grams, lines in sorted(differences(session, KEY_COLUMNS, stood, told), key=str):
            yield Finding(kind="daily_recovery", row=_joined(key), what=_off(units, grams, lines, "磅单 / the tickets"))
    for *key, units, grams, lines in sorted(months_are_their_days.breaches(session, now), key=str):
        yield Finding(kind="monthly_recovery", row=_joined(key), what=_off(units, grams, lines, "各日 / the days"))


def _months(session: Session, first_day: date | None) -> Iterator[tuple[date, date]]:
    """First day and end of each month in which something counts or is said to."""
    days = (IntakeTicket.counts_on, DailyRecovery.day)
    ends = [session.execute(select(func.min(day), func.max(day))).one() for day in days]
    firsts, lasts = ([row[place] for row in ends if row[place] is not None] for place in (0, 1))
    if not firsts:
        return
    month, last = month_of(first_day or min(firsts)), max(lasts)
    while month <= last:
        end = month_after(month)
        yield month, end
        month = end


def _stray_lines(session: Session) -> Iterator[Finding]:
    """Lines of no ticket: only a database whose foreign keys somebody switched off has them."""
    known = select(IntakeTicket.id).where(IntakeTicket.id == IntakeLine.ticket_id).exists()
    strays = select(IntakeLine.ticket_id, IntakeLine.position).where(~known).limit(MOST_FINDINGS)
    for ticket_id, position in session.execute(strays):
        yield Finding(kind="intake_line", row=f"{ticket_id} {position}", what="无磅单 / belongs to no ticket")


def _joined(key: Sequence[Any]) -> str:
    return " ".join(str(part) for part in key)


def _off(units: int, grams: int, lines: int, ground: str) -> str:
    return f"与{ground} 相差 / differs by {units} units, {grams} g, {lines} lines"
