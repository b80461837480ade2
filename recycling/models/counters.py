"""Attempt counters: a limit on how often something may be tried, kept by the database, never by counting rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.errors import TooManyRequests
from recycling.models.base import Base, UtcDateTime, insert_into
from recycling.models.encrypted import keyring


class AttemptCounter(Base):
    """Attempts of one kind by one subject (kept as a digest) in one window of time."""

    __tablename__ = "attempt_counter"
    __table_args__ = (CheckConstraint("used >= 1", name="used"),)

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    period_s: Mapped[int] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    used: Mapped[int]


def spend_attempt(
    session: Session, *, kind: str, subject: str, limits: Sequence[tuple[int, int]], now: datetime
) -> None:
    """Use up one attempt under every ``(largest count, period in seconds)`` of ``limits``.

    Raises
    ------
    TooManyRequests
        When one of them is used up; says when its period ends.
    """
    digest = keyring.digest(subject, context=f"attempt:{kind}")
    for cap, period_s in limits:
        starts_s = int(now.timestamp()) // period_s * period_s
        row = insert_into(session, AttemptCounter).values(
            kind=kind, subject=digest, period_s=period_s, starts_at=datetime.fromtimestamp(starts_s, UTC), used=1
        )
        # RETURNING, since drivers do not agree on the row count of an INSERT that found its row there already.
        spent = session.scalar(
            row.on_conflict_do_update(
                index_elements=["kind", "subject", "period_s", "starts_at"],
                set_={"used": AttemptCounter.used + 1},
                where=AttemptCounter.used < cap,
            ).returning(AttemptCounter.used)
        )
        if spent is None:
            wait_s = starts_s + period_s - int(now.timestamp())
            raise TooManyRequests(
                f"more than {cap} attempts in {period_s} s; try again in {wait_s} s / 尝试过多，请 {wait_s} 秒后再试",
                retry_after_s=wait_s,
            )
