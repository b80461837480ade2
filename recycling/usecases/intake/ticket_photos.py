"""Keep pictures of what stood on the scale with its ticket (磅单照片)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, NotFound
from recycling.logs import logger
from recycling.models.counters import spend_attempt
from recycling.models.intake import IntakeTicket
from recycling.models.ticket_photo import TicketPhoto
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.photos import MOST_PHOTOS
from recycling.usecases.bookings.photos import UPLOADS, Decoded
from recycling.usecases.intake.sight import visible_to

log = logger(__name__)


def add_ticket_photo(
    ticket_id: UUID,
    content: bytes,
    *,
    decode: Callable[[bytes], Decoded],
    by: Principal,
    session: Session,
    now: datetime,
) -> tuple[TicketPhoto, bool]:
    """Keep a picture of a weighing; the flag says whether it is new, for the same file is kept once.

    Raises
    ------
    NotFound
        When the caller's station has no ticket of that id.
    Conflict
        When the ticket has as many pictures as it may have.
    TooManyRequests
        When the caller has sent very many within the hour.
    UnsupportedMedia, InvalidInput
        As ``decode`` judges.
    """
    sent_sha256 = hashlib.sha256(content).hexdigest()
    with atomic(session):
        standing = _same_file(ticket_id, sent_sha256, by=by, session=session)
        if standing is not None:
            return standing, False
        spend_attempt(session, kind="photo", subject=str(by.id), limits=UPLOADS, now=now)
    # Between two transactions: it takes a second, and nobody shall wait for a lock that long.
    plain = decode(content)
    with atomic(session):
        standing = _same_file(ticket_id, sent_sha256, by=by, session=session)
        if standing is not None:
            return standing, False
        there = session.scalar(select(func.count()).where(TicketPhoto.ticket_id == ticket_id)) or 0
        if there >= MOST_PHOTOS:
            raise Conflict(
                f"the ticket has {MOST_PHOTOS} photos already, and takes no more / 每张磅单最多 {MOST_PHOTOS} 张照片"
            )
        photo = TicketPhoto(
            id=uuid4(), ticket_id=ticket_id, position=there + 1, sha256=plain.sha256, sent_sha256=sent_sha256,
            width=plain.width, height=plain.height, size_bytes=len(plain.content), by_id=by.id, created_at=now,
            content=plain.content,
        )  # fmt: skip
        session.add(photo)
        session.flush()
    log.info("ticket_photo.added", ticket_id=str(ticket_id), photo_id=str(photo.id), bytes=photo.size_bytes)
    return photo, True


def _same_file(ticket_id: UUID, sent_sha256: str, *, by: Principal, session: Session) -> TicketPhoto | None:
    """The picture that was made of the same file; the ticket, which must be the caller's, is locked."""
    # The lock makes two uploads of one ticket queue, so that each takes a position of its own.
    ticket = select(IntakeTicket.id).where(IntakeTicket.id == ticket_id, visible_to(by))
    if session.scalar(ticket.with_for_update()) is None:
        raise NotFound(f"no ticket {ticket_id} of yours / 未找到该磅单")
    return session.scalar(
        select(TicketPhoto).where(TicketPhoto.ticket_id == ticket_id, TicketPhoto.sent_sha256 == sent_sha256)
    )
