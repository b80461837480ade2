"""Reading the pictures of tickets."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from recycling.errors import NotFound
from recycling.models.intake import IntakeTicket
from recycling.models.ticket_photo import TicketPhoto
from recycling.policy.access import Principal
from recycling.usecases.intake.sight import visible_to


def list_ticket_photos(ticket_id: UUID, *, by: Principal, session: Session) -> list[TicketPhoto]:
    """The pictures of a ticket that the caller may see, oldest first; at most as many as one takes.

    Raises
    ------
    NotFound
        When the caller sees no ticket of that id.
    """
    shown = select(IntakeTicket.id).where(IntakeTicket.id == ticket_id, visible_to(by))
    if session.scalar(shown) is None:
        raise NotFound(f"no ticket {ticket_id} of yours / 未找到该磅单")
    wanted = select(TicketPhoto).where(TicketPhoto.ticket_id == ticket_id).order_by(TicketPhoto.position)
    return list(session.scalars(wanted))


def find_ticket_photo(photo_id: UUID, *, by: Principal, session: Session) -> TicketPhoto:
    """One picture of a ticket that the caller may see, with its content.

    Raises
    ------
    NotFound
        When there is none; a foreign one answers the same.
    """
    wanted = select(TicketPhoto).join(IntakeTicket, IntakeTicket.id == TicketPhoto.ticket_id)
    mine = wanted.where(TicketPhoto.id == photo_id, visible_to(by))
    photo = session.scalar(mine.options(undefer(TicketPhoto.content)))
    if photo is None:
        raise NotFound(f"no ticket photo {photo_id} of yours / 未找到该照片")
    return photo
