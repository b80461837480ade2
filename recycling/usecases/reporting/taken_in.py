"""The tickets that a report takes in (入账磅单): named by the newest number of each scale, whatever comes afterwards.

Numbers of a scale have no gap and grow under the lock of its row. So the numbers that stood when a report was made say
for ever which tickets it knew, where a clock would not: a weigh-in may be written a second after the instant it bears.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session, aliased

from recycling.models.intake import CHAINED, CHAINED_LINE, IntakeLine, IntakeTicket, Scale, ticket_mac

Head = Mapping[str, Any]  # of a scale: station_key, scale_number, number, mac in hexadecimal

AT_A_TIME = 2_000  # rows in memory while tickets are streamed
MOST_FAULTS = 20  # named in one finding; a table that was emptied has a million


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketsDigest:
    """How many tickets count in a span, and what they are: sha256 over their ids and macs, scale by scale."""

    tickets: int
    sha256: str


def read_heads(session: Session) -> list[dict[str, Any]]:
    """Where every scale stands, in one statement. Every ticket up to there is written and seen by later statements."""
    rows = session.execute(
        select(Scale.station_key, Scale.scale_number, Scale.last_number, Scale.last_mac).where(Scale.last_number > 0)
    )
    found = [
        {"station_key": row.station_key, "scale_number": row.scale_number, "number": row.last_number,
         "mac": bytes(row.last_mac).hex()}
        for row in rows
    ]  # fmt: skip
    # In Python: the databases do not agree on the sequence of texts.
    return sorted(found, key=itemgetter("station_key", "scale_number"))


def lines_taken_in(heads: Sequence[Head], first: date, last: date) -> Subquery:
    """Every line that counts in a span, both days included, with its sign: put in, or taken off by an adjustment.

    ``ticket_id`` and ``ticket_number`` are of the ticket whose line it is; ``by_id`` and ``number`` of the one that
    makes it count on ``day``, which is another one for what an adjustment takes off.
    """
    both = (_signed(sign, heads, first, last) for sign in (1, -1))
    return union_all(*both).subquery("taken_in")


def facts_of(lines: Subquery, *keys: str, session: Session, where: Sequence[ColumnElement[bool]] = ()) -> list[Any]:
    """Units, grams and number of lines, summed by some of their columns, in the sequence of these."""
    columns = [lines.c[key] for key in keys]
    sums = (
        as_type(func.coalesce(func.sum(lines.c.units), 0), BigInteger).label("units"),
        as_type(func.coalesce(func.sum(lines.c.net_g), 0), BigInteger).label("recovered_g"),
        func.count().label("ticket_lines"),
    )
    rows = session.execute(select(*columns, *sums).where(*where).group_by(*columns)).all()
    return sorted(rows, key=lambda row: tuple(row)[: len(keys)])


def made_up_lines(lines: Subquery, *, session: Session) -> Sequence[Any]:
    """What stands on made-up tickets; there are many only where a demo runs."""
    names = ("item_type", "town_key", "channel", "provenance")
    wanted = select(*(lines.c[name] for name in names), lines.c.ticket_id.label("id"))
    return session.execute(wanted.where(lines.c.made_up).distinct()).all()


def stream_lines(heads: Sequence[Head], first: date, last: date, *, session: Session) -> Iterator[Any]:
    """Every line that counts in a span, one after the other, scale by scale in the sequence of their numbers."""
    lines = lines_taken_in(heads, first, last)
    # By place in the list of heads: the databases do not agree on the sequence of texts.
    places = [
        (and_(lines.c.station_key == head["station_key"], lines.c.scale_number == head["scale_number"]), place)
        for place, head in enumerate(heads)
    ]
    by_number = (lines.c.number, lines.c.sign.desc(), lines.c.ticket_number, lines.c.position)
    wanted = select(lines).order_by(*([case(*places, else_=-1)] if places else []), *by_number)
    yield from session.execute(wanted.execution_options(yield_per=AT_A_TIME))


def tickets_digest(heads: Sequence[Head], first: date, last: date, *, session: Session) -> TicketsDigest:
    """The digest of every ticket that counts in a span, those replaced since included."""
    digest, count = hashlib.sha256(), 0
    for head in heads:
        wanted = select(IntakeTicket.id, IntakeTicket.mac).where(
            *_on(head), IntakeTicket.counts_on.between(first, last)
        )
        ordered = wanted.order_by(IntakeTicket.number).execution_options(yield_per=AT_A_TIME)
        for ticket_id, mac in session.execute(ordered):
            digest.update(f"{ticket_id} {bytes(mac).hex()}\n".encode())
            count += 1
    return TicketsDigest(tickets=count, sha256=digest.hexdigest())


def broken_chains(heads: Sequence[Head], first: date, last: date, *, session: Session) -> Iterator[str]:
    """What is wrong with the tickets of a span: changed ones, and scales that no longer lead to their head."""
    for head in heads:
        scale = f"{head['station_key']} scale {head['scale_number']}"
        at_head = session.scalar(
            select(IntakeTicket.mac).where(*_of_scale(head), IntakeTicket.number == head["number"])
        )
        if at_head is None:
            yield f"{scale}: ticket {head['number']}, the newest taken in, is gone"
        elif bytes(at_head).hex() != head["mac"]:
            yield f"{scale}: ticket {head['number']}, the newest taken in, has another mac than then"
        for ticket in _whole_tickets(head, first, last, session=session):
            # A ticket from before the chains has no mac: nobody vouches for it, and nobody says it was changed.
            if ticket.mac and ticket_mac(cast("IntakeTicket", ticket), before=ticket.before) != ticket.mac:
                yield f"{scale}: ticket {ticket.number} of {ticket.day} ({ticket.id}) is not what was written"


def _whole_tickets(head: Head, first: date, last: date, *, session: Session) -> Iterator[SimpleNamespace]:
    """Tickets of a scale with their lines and the mac before them, without the object mapper, for the sake of speed."""
    before = aliased(IntakeTicket)
    names = (*CHAINED, "mac")
    mine = (*_on(head), IntakeTicket.counts_on.between(first, last))
    tickets = (
        select(*(getattr(IntakeTicket, name) for name in names), before.mac.label("before"))
        .outerjoin(before, and_(*_of_scale(head, before), before.number == IntakeTicket.number - 1))
        .where(*mine)
        .order_by(IntakeTicket.number)
    )
    lines = (
        select(IntakeTicket.number, *(getattr(IntakeLine, name) for name in CHAINED_LINE))
        .join(IntakeLine, IntakeLine.ticket_id == IntakeTicket.id)
        .where(*mine)
        .order_by(IntakeTicket.number, IntakeLine.position)
    )
    of_ticket = groupby(session.execute(lines.execution_options(yield_per=AT_A_TIME)), key=itemgetter(0))
    number, rows = next(of_ticket, (None, ()))
    for row in session.execute(tickets.execution_options(yield_per=AT_A_TIME)):
        ticket = SimpleNamespace(**dict(zip(names, row, strict=False)), lines=[], before=bytes(row.before or b""))
        ticket.mac = bytes(ticket.mac)
        if number == ticket.number:  # a withdrawal has no lines
            ticket.lines = [SimpleNamespace(**dict(zip(CHAINED_LINE, line[1:], strict=True))) for line in rows]
            number, rows = next(of_ticket, (None, ()))
        yield ticket


def _of_scale(head: Head, ticket: Any = IntakeTicket) -> tuple[ColumnElement[bool], ...]:
    return ticket.station_key == head["station_key"], ticket.scale_number == head["scale_number"]


def _on(head: Head) -> tuple[ColumnElement[bool], ...]:
    return *_of_scale(head), IntakeTicket.number <= head["number"]


def _known(heads: Sequence[Head], ticket: Any) -> ColumnElement[bool]:
    """Tells of a ticket that it is taken in.

    Spelled out scale by scale, and not joined to a list of them: so the planner sees that it is nearly all of them.
    """
    return or_(
        false(),
        *(
            and_(
                ticket.station_key == head["station_key"],
                ticket.scale_number == head["scale_number"],
                ticket.number <= head["number"],
            )
            for head in heads
        ),
    )


def _signed(sign: int, heads: Sequence[Head], first: date, last: date) -> Select[*tuple[Any, ...]]:
    counting = aliased(IntakeTicket)  # the ticket on whose day they count
    whose = counting if sign > 0 else aliased(IntakeTicket)
    newer = aliased(IntakeTicket)
    replaced = exists().where(
        newer.corrects_id == counting.id, newer.counters_id.is_distinct_from(counting.id), _known(heads, newer)
    )
    wanted = (
        select(
            counting.counts_on.label("day"),
            counting.station_key,
            counting.scale_number,
            counting.number,
            counting.id.label("by_id"),
            counting.counters_id.is_not(None).label("adjusts"),
            whose.id.label("ticket_id"),
            whose.number.label("ticket_number"),
            whose.day.label("weighed_on"),
            whose.channel,
            whose.made_up,
            IntakeLine.position,
            IntakeLine.item_type,
            IntakeLine.town_key,
            IntakeLine.provenance,
            IntakeLine.missing_parts,
            literal(sign, Integer).label("sign"),
            (sign * IntakeLine.units).label("units"),
            (sign * IntakeLine.net_g).label("net_g"),
        )
        .select_from(counting)
        .where(counting.counts_on.between(first, last), _known(heads, counting), ~replaced)
    )
    if sign < 0:
        wanted = wanted.join(whose, whose.id == counting.counters_id)
    return wanted.join(IntakeLine, IntakeLine.ticket_id == whose.id)
