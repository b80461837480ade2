"""The confirmed baselines as part of the reference facts."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.base import table_of
from recycling.models.baseline import BaselineConfirmation, BaselineProposal
from recycling.policy.district import District
from recycling.policy.scope import CONFIRMED, Baseline

_proposal, _confirmation = table_of(BaselineProposal).c, table_of(BaselineConfirmation).c
_READ = select(
    _proposal.scope_key, _proposal.scope_version, _proposal.year, _proposal.version, _proposal.units, _proposal.mass_g,
    _proposal.source_document, _confirmation.confirmed_by_id, _confirmation.confirmed_at,
).join(table_of(BaselineConfirmation), _confirmation.baseline_id == _proposal.id).order_by(
    # The same list each time: a report keeps it among its inputs.
    _proposal.year, _proposal.version, _proposal.id
)  # fmt: skip


def with_baselines(district: District, *, session: Session) -> District:
    """The reference facts with every baseline that two people have confirmed; the configured ones stay beside them.

    Of a scope and year the highest version is in force, and those of the database come after those of the files.
    """
    confirmed = tuple(
        Baseline(
            scope_key=row.scope_key, scope_version=row.scope_version, year=row.year, version=row.version,
            state=CONFIRMED, units=row.units, mass_g=row.mass_g, source_document=row.source_document,
            confirmed_by=str(row.confirmed_by_id), confirmed_on=service_day(row.confirmed_at),
        )
        for row in session.execute(_READ)
    )  # fmt: skip
    if not confirmed:
        return district
    goals = replace(district.goals, baselines=district.goals.baselines + confirmed)
    return replace(district, goals=goals)
