"""What somebody with a client of the database may do to the records behind the program's back, each at random.

Every attack says where it must be found: the kind of the first bad row, and its name, of a span the first number.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, Table, delete, insert, select, update
from sqlalchemy.orm import Session

from recycling.models.anchor import AuditAnchor
from recycling.models.audit import AuditHead, AuditRow, row_mac
from recycling.models.base import table_of
from recycling.models.custody import CustodyEvent, CustodyTag, step_mac
from recycling.models.intake import IntakeLine, IntakeTicket, Scale, ticket_mac
from recycling.models.months_anew import add_month_up
from recycling.models.recovery import ClosedMonth, DailyRecovery, MonthlyRecovery, RecoveryDay, month_of, rebuild

TICKET, LINE, SCALE = table_of(IntakeTicket), table_of(IntakeLine), table_of(Scale)
DAILY, MONTHLY, DAYS = table_of(DailyRecovery), table_of(MonthlyRecovery), table_of(RecoveryDay)
LOG, HEAD, ANCHOR, CLOSED = table_of(AuditRow), table_of(AuditHead), table_of(AuditAnchor), table_of(ClosedMonth)
TAG, STEP = table_of(CustodyTag), table_of(CustodyEvent)
TABLES: tuple[Table, ...] = (TICKET, LINE, SCALE, DAILY, MONTHLY, DAYS, LOG, HEAD, ANCHOR, CLOSED, TAG, STEP)

Where = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Records:
    """All rows as they were made, to be put back after each attack."""

    rows: dict[str, list[dict[str, Any]]]

    @classmethod
    def of(cls, session: Session) -> Records:
        """Read them."""
        session.rollback()
        found = {
            table.name: [dict(row._mapping) for row in session.execute(select(table).order_by(*_sequence(table)))]
            for table in TABLES
        }
        session.rollback()
        return cls(found)

    def put_back(self, session: Session) -> None:
        """Undo whatever was done to them."""
        session.rollback()
        first = (LINE, STEP)  # they name others
        for table in (*first, *(table for table in TABLES if table not in first)):
            session.execute(delete(table))
        for table in TABLES:
            if self.rows[table.name]:
                session.execute(insert(table), self.rows[table.name])
        session.commit()
        session.expire_all()


def _sequence(table: Table) -> Sequence[Any]:
    # A ticket after the one it corrects.
    return (table.c.weighed_at, table.c.number) if table is TICKET else tuple(table.primary_key)


@dataclass(frozen=True, slots=True)
class Attacker:
    """Somebody with a client, and dice."""

    session: Session
    chance: random.Random

    def row(self, table: Table, *where: Any) -> Row[Any]:
        """One row at random."""
        return self.chance.choice(self.session.execute(select(table).where(*where).order_by(*_sequence(table))).all())

    def do(self, *statements: Any) -> None:
        """Do it."""
        for one in statements:
            self.session.execute(one)

    def last_of(self, row: Any) -> int:
        """The last number of a ticket's scale."""
        mine = select(SCALE.c.last_number).where(*_scale(SCALE, row))
        return int(self.session.execute(mine).scalar_one())

    def make_figures_fit(self, days: set[tuple[date, str]]) -> None:
        """Write the figures anew from what is left of the tickets, as the program would."""
        for day, station_key in sorted(days):
            rebuild(self.session, day=day, station_key=station_key)
            add_month_up(self.session, month_of(day))


def _scale(table: Table, row: Any) -> tuple[Any, Any]:
    return table.c.station_key == row.station_key, table.c.scale_number == row.scale_number


def _ticket(row: Any) -> Where:
    return "ticket", f"{row.station_key}/{row.scale_number}/{row.number}"


def edit_ticket(by: Attacker) -> Where:
    """Another mass, keeper, hour, vehicle or reason on a ticket."""
    row = by.row(TICKET)
    values: dict[str, Any] = by.chance.choice(
        (
            {"gross_g": row.gross_g + 1000, "tare_g": row.tare_g + 1000},
            {"keeper_id": uuid4()},
            {"weighed_at": row.weighed_at - timedelta(seconds=1)},
            {"vehicle_key": "lincheng-1", "trip": 1},
            {"channel": "bin" if row.channel == "walk_in" else "walk_in"},
            {"made_up": not row.made_up},
            {"refused_reason": "wet"},
            {"net_g": row.net_g + 1, "gross_g": row.gross_g + 1},
        )
    )
    by.do(update(TICKET).where(TICKET.c.id == row.id).values(values))
    return _ticket(row)


def edit_line(by: Attacker) -> Where:
    """Other units, mass, kind, town or provenance on a line."""
    line = by.row(LINE)
    values: dict[str, Any] = by.chance.choice(
        (
            {"units": line.units + 1},
            {"net_g": line.net_g + 1},
            {"item_type": "washing_machine_drum"},
            {"town_key": "zouwu"},
            {"provenance": "type_table" if line.provenance == "weighed" else "weighed"},
            {"missing_parts": 1 - min(line.missing_parts, 1)},
        )
    )
    by.do(update(LINE).where(LINE.c.ticket_id == line.ticket_id, LINE.c.position == line.position).values(values))
    return _ticket(by.row(TICKET, TICKET.c.id == line.ticket_id))


def edit_line_and_figures(by: Attacker) -> Where:
    """A heavier line, and figures that agree with it."""
    line = by.row(LINE)
    ticket = by.row(TICKET, TICKET.c.id == line.ticket_id)
    heavier = update(LINE).where(LINE.c.ticket_id == line.ticket_id, LINE.c.position == line.position)
    mass = {"net_g": TICKET.c.net_g + 5000, "gross_g": TICKET.c.gross_g + 5000}
    by.do(heavier.values(net_g=line.net_g + 5000), update(TICKET).where(TICKET.c.id == ticket.id).values(mass))
    by.make_figures_fit({(ticket.counts_on, ticket.station_key)})
    return _ticket(ticket)


def edit_ticket_mac(by: Attacker) -> Where:
    """Another mac."""
    row = by.row(TICKET)
    by.do(update(TICKET).where(TICKET.c.id == row.id).values(mac=secrets.token_bytes(32)))
    return _ticket(row)


def exchange_tickets(by: Attacker) -> Where:
    """The numbers and macs of two tickets that follow each other exchanged."""
    row = by.row(TICKET, TICKET.c.number == 2)
    other = by.row(TICKET, *_scale(TICKET, row), TICKET.c.number == 3)
    for ticket_id, number, mac in ((row.id, -1, b""), (other.id, 2, row.mac), (row.id, 3, other.mac)):
        by.do(update(TICKET).where(TICKET.c.id == ticket_id).values(number=number, mac=mac))
    return _ticket(row)


def delete_ticket(by: Attacker) -> Where:
    """A ticket from the middle."""
    named = select(TICKET.c.corrects_id).where(TICKET.c.corrects_id.is_not(None))
    counters = select(TICKET.c.counters_id).where(TICKET.c.counters_id.is_not(None))
    unnamed = (TICKET.c.id.not_in(named), TICKET.c.id.not_in(counters))
    row = by.row(TICKET, *unnamed)
    while row.number == by.last_of(row):
        row = by.row(TICKET, *unnamed)
    by.do(delete(LINE).where(LINE.c.ticket_id == row.id), delete(TICKET).where(TICKET.c.id == row.id))
    return _ticket(row)


def delete_line(by: Attacker) -> Where:
    """A line of a ticket."""
    line = by.row(LINE)
    by.do(delete(LINE).where(LINE.c.ticket_id == line.ticket_id, LINE.c.position == line.position))
    return _ticket(by.row(TICKET, TICKET.c.id == line.ticket_id))


def insert_line(by: Attacker) -> Where:
    """A line more on a ticket."""
    row = by.row(TICKET)
    more = {
        "ticket_id": row.id, "position": 9, "item_type": "fridge", "units": 1, "net_g": 41_000, "missing_parts": 0,
        "provenance": "weighed", "town_key": row.station_key,
    }  # fmt: skip
    by.do(insert(LINE).values(more))
    return _ticket(row)


def insert_ticket(by: Attacker) -> Where:
    """A ticket at the end of a scale, with the head moved on and figures that agree."""
    row = by.row(TICKET)
    number, mac = by.last_of(row) + 1, by.chance.choice((secrets.token_bytes(32), bytes(row.mac)))
    new = dict(row._mapping) | {
        "id": uuid4(), "number": number, "mac": mac, "corrects_id": None, "counters_id": None,
        "correction_reason": None, "counts_on": row.day, "gross_g": 51_000, "tare_g": 10_000, "net_g": 41_000,
        "refused_g": 0,
    }  # fmt: skip
    line = {
        "ticket_id": new["id"], "position": 1, "item_type": "fridge", "units": 1, "net_g": 41_000,
        "provenance": "weighed", "missing_parts": 0, "town_key": row.station_key,
    }  # fmt: skip
    head = update(SCALE).where(*_scale(SCALE, row)).values(last_number=number, last_mac=mac)
    by.do(insert(TICKET).values(new), insert(LINE).values(line), head)
    by.make_figures_fit({(row.day, row.station_key)})
    return "ticket", f"{row.station_key}/{row.scale_number}/{number}"


def cut_tickets(by: Attacker) -> Where:
    """The newest tickets of a scale, with the head set back and figures that agree."""
    row = by.row(TICKET)
    last = by.last_of(row)
    keep = by.chance.randrange(max(last - 6, 0), last)
    return _cut(by, row, keep)


def cut_a_scale(by: Attacker) -> Where:
    """Every ticket of a scale and the scale itself, with figures that agree."""
    row = by.row(TICKET)
    where = _cut(by, row, 0)
    by.do(delete(SCALE).where(*_scale(SCALE, row)))
    return where


def cut_tickets_and_anchors(by: Attacker) -> Where:
    """The same cut, and all anchors in the database: those in the file tell."""
    where = cut_tickets(by)
    by.do(delete(ANCHOR))
    return where


def _cut(by: Attacker, row: Any, keep: int) -> Where:
    gone = by.session.execute(
        select(TICKET.c.id, TICKET.c.counts_on, TICKET.c.corrects_id).where(
            *_scale(TICKET, row), TICKET.c.number > keep
        )
    ).all()
    ids = [one.id for one in gone]
    by.do(delete(LINE).where(LINE.c.ticket_id.in_(ids)), delete(TICKET).where(TICKET.c.id.in_(ids)))
    mac = by.session.scalar(select(TICKET.c.mac).where(*_scale(TICKET, row), TICKET.c.number == keep)) or b""
    by.do(update(SCALE).where(*_scale(SCALE, row)).values(last_number=keep, last_mac=mac))
    days = {one.counts_on for one in gone}
    restored = [one.corrects_id for one in gone if one.corrects_id is not None]
    days |= set(by.session.scalars(select(TICKET.c.counts_on).where(TICKET.c.id.in_(restored))))
    by.make_figures_fit({(day, row.station_key) for day in days})
    return "ticket", f"{row.station_key}/{row.scale_number}/{keep + 1}"


def move_a_scale(by: Attacker) -> Where:
    """The head of a scale on its own: on, or back."""
    row = by.row(SCALE)
    ahead = by.chance.random() < 0.5
    number = row.last_number + (1 if ahead else -1)
    by.do(update(SCALE).where(*_scale(SCALE, row)).values(last_number=number))
    if ahead:
        return "ticket", f"{row.station_key}/{row.scale_number}/{number}"
    return "scale", f"{row.station_key}/{row.scale_number}"


def edit_daily(by: Attacker) -> Where:
    """More in a figure of a day."""
    return _edit_figure(by, DAILY, "daily_recovery")


def edit_monthly(by: Attacker) -> Where:
    """More in a figure of a month."""
    return _edit_figure(by, MONTHLY, "monthly_recovery")


def _edit_figure(by: Attacker, table: Table, kind: str) -> Where:
    row = by.row(table)
    amount = by.chance.choice(("units", "recovered_g", "ticket_lines"))
    by.do(update(table).where(*_same_key(table, row)).values({amount: getattr(row, amount) + 1}))
    return kind, _key(table, row)


def delete_daily(by: Attacker) -> Where:
    """A figure of a day."""
    return _delete_figure(by, DAILY, "daily_recovery")


def delete_monthly(by: Attacker) -> Where:
    """A figure of a month."""
    return _delete_figure(by, MONTHLY, "monthly_recovery")


def _delete_figure(by: Attacker, table: Table, kind: str) -> Where:
    # One whose amounts add up to nothing is no loss.
    row = by.row(table)
    by.do(delete(table).where(*_same_key(table, row)))
    return kind, _key(table, row)


def insert_daily(by: Attacker) -> Where:
    """A figure of a day that no ticket has."""
    return _insert_figure(by, DAILY, "daily_recovery")


def insert_monthly(by: Attacker) -> Where:
    """A figure of a month that no day has."""
    return _insert_figure(by, MONTHLY, "monthly_recovery")


def _insert_figure(by: Attacker, table: Table, kind: str) -> Where:
    new = dict(by.row(table)._mapping) | {"item_type": "air_conditioner_split", "units": 3, "recovered_g": 120_000}
    by.do(insert(table).values(new))
    return kind, " ".join(str(new[column.name]) for column in table.primary_key)


def _same_key(table: Table, row: Any) -> list[Any]:
    return [column == getattr(row, column.name) for column in table.primary_key]


def _key(table: Table, row: Any) -> str:
    return " ".join(str(getattr(row, column.name)) for column in table.primary_key)


def edit_audit_row(by: Attacker) -> Where:
    """Another actor, action, thing, hour or fact."""
    row = by.row(LOG)
    values: dict[str, Any] = by.chance.choice(
        (
            {"actor_id": uuid4()},
            {"actor_role": "clerk"},
            {"action": "ticket.weighed"},
            {"subject": str(uuid4())},
            {"at": row.at - timedelta(hours=1)},
            {"facts": dict(row.facts) | {"net_g": 1}},
            {"mac": secrets.token_bytes(32)},
        )
    )
    by.do(update(LOG).where(LOG.c.number == row.number).values(values))
    return "audit_row", str(row.number)


def delete_audit_row(by: Attacker) -> Where:
    """A row from the middle of the log."""
    row = by.row(LOG, LOG.c.number < select(HEAD.c.last_number).scalar_subquery())
    by.do(delete(LOG).where(LOG.c.number == row.number))
    return "audit_row", str(row.number)


def close_the_gap(by: Attacker) -> Where:
    """A row from the middle of the log, and every later one a number lower."""
    last = by.session.execute(select(HEAD.c.last_number)).scalar_one()
    row = by.row(LOG, LOG.c.number < last)
    by.do(delete(LOG).where(LOG.c.number == row.number))
    for number in range(row.number + 1, last + 1):
        by.do(update(LOG).where(LOG.c.number == number).values(number=number - 1))
    by.do(update(HEAD).values(last_number=last - 1))
    return "audit_row", str(row.number)


def insert_audit_row(by: Attacker) -> Where:
    """A row at the end of the log, with the head moved on."""
    row = by.row(LOG)
    number = by.session.execute(select(HEAD.c.last_number)).scalar_one() + 1
    mac = by.chance.choice((secrets.token_bytes(32), bytes(row.mac)))
    by.do(insert(LOG).values(dict(row._mapping) | {"number": number, "mac": mac}))
    by.do(update(HEAD).values(last_number=number, last_mac=mac))
    return "audit_row", str(number)


def cut_audit_log(by: Attacker) -> Where:
    """The newest rows of the log, with the head set back."""
    last = by.session.execute(select(HEAD.c.last_number)).scalar_one()
    keep = by.chance.randrange(0, last)
    mac = by.session.scalar(select(LOG.c.mac).where(LOG.c.number == keep)) or b""
    by.do(delete(LOG).where(LOG.c.number > keep))
    by.do(update(HEAD).values(last_number=keep, last_mac=mac) if keep else delete(HEAD))
    return "audit_row", str(keep + 1)


def cut_audit_log_and_anchors(by: Attacker) -> Where:
    """The same cut, and all anchors in the database: those in the file tell."""
    where = cut_audit_log(by)
    by.do(delete(ANCHOR))
    return where


def edit_anchor(by: Attacker) -> Where:
    """What an anchor says of the log."""
    row = by.row(ANCHOR)
    content = dict(row.content) | {"audit": [0, ""]}
    by.do(update(ANCHOR).where(ANCHOR.c.number == row.number).values(content=content))
    return "anchor", f"audit_anchor {row.number}"


def open_a_month(by: Attacker) -> Where:
    """A closed month, open again."""
    row = by.row(CLOSED)
    by.do(delete(CLOSED))
    return "closed_month", str(row.month)


def edit_step(by: Attacker) -> Where:
    """Another person or fact in a step of a label."""
    row = by.row(STEP)
    values: dict[str, Any] = by.chance.choice(({"by_id": uuid4()}, {"facts": {"ticket_id": "x"}}))
    by.do(update(STEP).where(STEP.c.tag == row.tag, STEP.c.number == row.number).values(values))
    return "custody_event", f"{row.tag}/{row.number}"


def cut_a_trail(by: Attacker) -> Where:
    """The newest steps of a label, or all of them, with its counter set back."""
    tag = by.row(TAG)
    keep = by.chance.randrange(0, tag.last_number)
    gone = by.row(STEP, STEP.c.tag == tag.tag, STEP.c.number == keep + 1)
    kept = select(STEP.c.mac).where(STEP.c.tag == tag.tag, STEP.c.number == keep)
    head = {"last_number": keep, "last_mac": by.session.scalar(kept) or b""}
    # Of a load of one day, which one anchor saw, where there are anchors.
    spans = [content["steps"] for content in by.session.scalars(select(ANCHOR.c.content).order_by(ANCHOR.c.number))]
    after = next((span[0] for span in spans if gone.at <= datetime.fromisoformat(span[1])), None)
    by.do(
        delete(STEP).where(STEP.c.tag == tag.tag, STEP.c.number > keep),
        update(TAG).where(TAG.c.tag == tag.tag).values(head),
    )
    return "custody_event", after or ""


def cut_a_trail_and_anchors(by: Attacker) -> Where:
    """The same cut, and all anchors in the database: those in the file tell."""
    where = cut_a_trail(by)
    by.do(delete(ANCHOR))
    return where


ATTACKS: tuple[Callable[[Attacker], Where], ...] = (
    edit_ticket, edit_line, edit_line_and_figures, edit_ticket_mac, exchange_tickets, delete_ticket, delete_line,
    insert_line, insert_ticket, cut_tickets, cut_a_scale, cut_tickets_and_anchors, move_a_scale, edit_daily,
    edit_monthly, delete_daily, delete_monthly, insert_daily, insert_monthly, edit_audit_row, delete_audit_row,
    close_the_gap, insert_audit_row, cut_audit_log, cut_audit_log_and_anchors, edit_anchor, open_a_month,
    edit_step, cut_a_trail, cut_a_trail_and_anchors,
)  # fmt: skip
# After each of these, somebody who can make macs leaves nothing to be seen.
WITH_MACS_UNSEEN = (
    edit_line_and_figures,
    insert_ticket,
    cut_tickets,
    cut_a_scale,
    edit_audit_row,
    cut_audit_log,
    cut_a_trail,
)


def restamp(session: Session) -> None:
    """Make every mac anew, as somebody does who can."""
    session.flush()
    session.expire_all()
    for scale in session.execute(select(SCALE)).all():
        before = b""
        mine = select(IntakeTicket).where(IntakeTicket.station_key == scale.station_key)
        tickets = mine.where(IntakeTicket.scale_number == scale.scale_number).order_by(IntakeTicket.number)
        for ticket in session.scalars(tickets.execution_options(populate_existing=True)).all():
            before = ticket_mac(ticket, before=before)
            _stamp(session, TICKET, TICKET.c.id == ticket.id, before)
        head = update(SCALE).where(*_scale(SCALE, scale)).values(last_mac=before)
        session.execute(head)
    before = b""
    for row in session.scalars(select(AuditRow).order_by(AuditRow.number)).all():
        before = row_mac(row, before=before)
        _stamp(session, LOG, LOG.c.number == row.number, before)
    session.execute(update(HEAD).values(last_mac=before))
    for tag in session.scalars(select(TAG.c.tag)).all():
        before = b""
        for step in session.execute(select(STEP).where(STEP.c.tag == tag).order_by(STEP.c.number)).all():
            before = step_mac(step._asdict(), before=before)
            _stamp(session, STEP, (STEP.c.tag == tag) & (STEP.c.number == step.number), before)
        session.execute(update(TAG).where(TAG.c.tag == tag).values(last_mac=before))


def _stamp(session: Session, table: Table, where: Any, mac: bytes) -> None:
    session.execute(update(table).where(where).values(mac=mac))


def first_number(row: str) -> str:
    """A row's name, of a span its first number."""
    return row.split("–", maxsplit=1)[0]
