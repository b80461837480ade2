"""Reading tickets: the ground that every recovered figure stands on."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from recycling.errors import NotFound
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.plan import PublishedPlan, Route
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.intake.sight import visible_to
from recycling.usecases.queries.cursors import instant, read_cursor, write_cursor
from recycling.usecases.queries.scopes import in_scope, scope_named
from recycling.usecases.queries.spans import within

LONGEST_CHAIN = 50  # corrections of corrections that are shown; nobody corrects as often

_newer, _holder = aliased(IntakeTicket), aliased(IntakeTicket)  # the correction of a ticket; whose a line is
_tickets = select(IntakeTicket, _newer.id).outerjoin(_newer, _newer.corrects_id == IntakeTicket.id)


def find_ticket(ticket_id: UUID, *, by: Principal, session: Session) -> dict[str, Any]:
    """One ticket that the caller may see, whole.

    Raises
    ------
    NotFound
        When there is none; one of a foreign station answers the same.
    """
    found = session.execute(_tickets.where(IntakeTicket.id == ticket_id, visible_to(by))).one_or_none()
    if found is None:
        raise NotFound(f"no ticket {ticket_id} of yours / 未找到该磅单")
    ticket, replaced_by_id = found
    return noted_ticket(ticket, session=session, replaced_by_id=replaced_by_id)


def list_tickets(
    *,
    by: Principal,
    district: District,
    session: Session,
    limit: int,
    day: date | None = None,
    first: date | None = None,
    last: date | None = None,
    station_key: str | None = None,
    scope: str | None = None,
    cursor: str | None = None,
    **of: str | None,
) -> dict[str, Any]:
    """A page of tickets, newest first, by the day that they count for, as the figures which point here.

    One with ``replaced_by_id`` counts no more, unless it is of a closed month and the other one counters it. Scope and
    ``of`` (an ``item_type``, ``town_key`` or ``provenance``) are those of one line of the ticket, or of the one that it
    counters and takes off again.

    Raises
    ------
    InvalidInput
        When the span ends before it begins, or there is no such scope.
    """
    mine = (visible_to(by), *within(IntakeTicket.counts_on, first, last))
    wanted = _tickets.where(*mine).order_by(IntakeTicket.weighed_at.desc(), IntakeTicket.id.desc())
    if day is not None:
        wanted = wanted.where(IntakeTicket.counts_on == day)
    if station_key is not None:
        wanted = wanted.where(IntakeTicket.station_key == station_key)
    of_line = [getattr(IntakeLine, name) == value for name, value in of.items() if value is not None]
    if scope is not None:
        of_line += in_scope(
            scope_named(scope, district=district), district=district, item_type=IntakeLine.item_type,
            channel=_holder.channel, town_key=IntakeLine.town_key, provenance=IntakeLine.provenance,
        )  # fmt: skip
    if of_line:
        such = select(IntakeLine.ticket_id).join(_holder, _holder.id == IntakeLine.ticket_id).where(*of_line)
        wanted = wanted.where(or_(IntakeTicket.id.in_(such), IntakeTicket.counters_id.in_(such)))
    if cursor is not None:
        wanted = wanted.where(tuple_(IntakeTicket.weighed_at, IntakeTicket.id) < read_cursor(cursor, instant, UUID))
    rows = session.execute(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    oldest = shown[-1][0] if len(rows) > limit else None
    return {
        "tickets": [ticket_in_full(ticket, replaced_by_id=replaced_by_id) for ticket, replaced_by_id in shown],
        "next_cursor": write_cursor(oldest.weighed_at.isoformat(), oldest.id) if oldest is not None else None,
    }


def ticket_chain(ticket_id: UUID, *, by: Principal, session: Session) -> list[dict[str, Any]]:
    """A ticket that the caller may see among those it corrects and those that correct it, the first one first."""
    chain: list[dict[str, Any]] = []
    wanted: UUID | None = ticket_id
    while wanted is not None and len(chain) < LONGEST_CHAIN:
        found = find_ticket(wanted, by=by, session=session)
        chain.insert(0, found)
        wanted = found["corrects_id"]
    while chain[-1]["replaced_by_id"] is not None and len(chain) < LONGEST_CHAIN:
        chain.append(find_ticket(chain[-1]["replaced_by_id"], by=by, session=session))
    return chain


def noted_ticket(ticket: IntakeTicket, *, session: Session, replaced_by_id: UUID | None = None) -> dict[str, Any]:
    """A ticket with its lines, and what somebody should look at although it was taken."""
    return ticket_in_full(ticket, replaced_by_id=replaced_by_id) | {"notes": _notes(ticket, session)}


def _notes(ticket: IntakeTicket, session: Session) -> list[str]:
    if ticket.channel != "door" or ticket.vehicle_key is None:
        return []
    driven = (
        select(Route.id)
        .join(PublishedPlan, PublishedPlan.plan_id == Route.plan_id)
        .where(PublishedPlan.day == ticket.day, Route.vehicle_key == ticket.vehicle_key)
    )
    if session.scalar(driven.limit(1)) is not None:
        return []
    return [
        f"{ticket.vehicle_key} 在 {ticket.day} 的已发布计划中没有路线"
        f" / {ticket.vehicle_key} is on no published route of {ticket.day}"
    ]


def ticket_in_full(ticket: IntakeTicket, *, replaced_by_id: UUID | None = None) -> dict[str, Any]:
    """A ticket with its lines, and the one that replaces it."""
    fields = (
        "id", "station_key", "scale_number", "number", "channel", "day", "counts_on", "gross_g", "tare_g", "net_g",
        "refused_g", "refused_reason", "vehicle_key", "trip", "reading_id", "keeper_id", "weighed_at", "recorded_at",
        "corrects_id", "counters_id", "correction_reason", "made_up", "lines",
    )  # fmt: skip
    return {name: getattr(ticket, name) for name in fields} | {"replaced_by_id": replaced_by_id}
