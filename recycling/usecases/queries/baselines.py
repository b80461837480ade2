"""Reading baselines: those that people proposed and confirmed, and the placeholders of the files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, joinedload

from recycling.models.baseline import BaselineProposal
from recycling.usecases.queries.cursors import instant, read_cursor, write_cursor
from recycling.usecases.reporting.baselines import content_of


def list_baselines(*, session: Session, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """A page of baselines, newest first."""
    wanted = (
        select(BaselineProposal)
        .options(joinedload(BaselineProposal.confirmation))
        .order_by(BaselineProposal.proposed_at.desc(), BaselineProposal.id.desc())
    )
    if cursor is not None:
        place = read_cursor(cursor, instant, UUID)
        wanted = wanted.where(tuple_(BaselineProposal.proposed_at, BaselineProposal.id) < place)
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {
        "baselines": [baseline_in_full(row) for row in shown],
        "next_cursor": write_cursor(shown[-1].proposed_at.isoformat(), shown[-1].id) if len(rows) > limit else None,
    }


def baseline_in_full(row: BaselineProposal) -> dict[str, Any]:
    """One baseline: what it says, who said so, and whether a second person confirmed it."""
    confirmation = row.confirmation
    return content_of(row) | {
        "id": row.id,
        "scope": f"{row.scope_key}/{row.scope_version}",
        "state": "proposed" if confirmation is None else "confirmed",
        "proposed_by_id": row.proposed_by_id,
        "proposed_at": row.proposed_at,
        "confirmed_by_id": None if confirmation is None else confirmation.confirmed_by_id,
        "confirmed_at": None if confirmation is None else confirmation.confirmed_at,
        "sha256": None if confirmation is None else confirmation.sha256,
    }
