"""The waiting list (候补名单): wishes for which no window was open, and the days they wait for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, case, delete, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, WithId, one_of
from recycling.models.booking import Consent
from recycling.models.encrypted import EncryptedJson

WaitingState = Literal["waiting", "offered", "taken", "lapsed", "withdrawn"]
WAITING_STATES: tuple[WaitingState, ...] = get_args(WaitingState)

MOST_OFFERS = 2  # left unanswered, before a wish leaves the list: each keeps a place from everybody else


class WaitingWish(WithId, Base):
    """A wish that waits for a place to be freed, first come first served by ``queued_at``.

    An offer is a hold, ``booking_id``, and becomes a booking like any other. One that is not answered puts the wish at
    the end of the line, the second one ends it. ``choices`` keeps what was asked for; while the wish is live its days
    stand in `WaitingDay`.
    """

    __tablename__ = "waiting_wish"
    __table_args__ = (
        one_of("state", WAITING_STATES),
        CheckConstraint("(state IN ('offered', 'taken')) = (booking_id IS NOT NULL)", name="placed"),
        CheckConstraint("(state = 'offered') = (offered_until IS NOT NULL)", name="offered"),
        CheckConstraint("version >= 1 AND offers >= 0", name="counts"),
        Index(None, "state", "queued_at"),
        Index(None, "resident_id", "created_at"),
    )

    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    consent: Mapped[Consent | None] = mapped_column(String(16))
    wish: Mapped[dict[str, Any]] = mapped_column(EncryptedJson("waiting_wish.wish"))
    choices: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    state: Mapped[WaitingState] = mapped_column(String(16))
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"), unique=True)
    offered_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    offers: Mapped[int] = mapped_column(default=0)
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_day: Mapped[date]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WaitingDay(Base):
    """A day that a live wish waits for: one wish of a resident for each day, by the key of this table.

    ``tried_version`` is the version of the day's ledger for which no place was found; another one is worth a look.
    """

    __tablename__ = "waiting_day"

    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    wish_id: Mapped[UUID] = mapped_column(ForeignKey("waiting_wish.id"), index=True)
    pickup_windows: Mapped[list[str]] = mapped_column(JSON)
    tried_version: Mapped[int] = mapped_column(default=-1)


def lose_offers(session: Session, booking_ids: Collection[UUID], *, now: datetime) -> None:
    """Put wishes whose holds end at the end of the line, or off the list; before the holds are deleted."""
    lost = (
        update(WaitingWish)
        .where(WaitingWish.booking_id.in_(booking_ids), WaitingWish.state == "offered")
        .values(
            state=case((WaitingWish.offers >= MOST_OFFERS, "lapsed"), else_="waiting"),
            booking_id=None, offered_until=None, queued_at=now, changed_at=now, version=WaitingWish.version + 1,
        )
        .returning(WaitingWish.id, WaitingWish.state)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    leave_days(session, [wish_id for wish_id, state in session.execute(lost) if state == "lapsed"])


def take_offer(session: Session, booking_id: UUID, *, now: datetime) -> None:
    """Note that an offer was confirmed; nothing happens when the booking came from no offer."""
    taken = (
        update(WaitingWish)
        .where(WaitingWish.booking_id == booking_id, WaitingWish.state == "offered")
        .values(state="taken", offered_until=None, changed_at=now, version=WaitingWish.version + 1)
        .returning(WaitingWish.id)
        .execution_options(synchronize_session=False)
    )
    leave_days(session, list(session.scalars(taken)))


def leave_days(session: Session, wish_ids: Collection[UUID]) -> None:
    """Let the days of wishes that have ended be waited for by others of the same resident."""
    if wish_ids:
        session.execute(delete(WaitingDay).where(WaitingDay.wish_id.in_(wish_ids)))
