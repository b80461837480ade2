"""Declared history in tests: figures by month, uploaded the way the bureau does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.history import DeclaredUpload
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.reporting.baselines import StatedBaseline, confirm_baseline, propose_baseline
from recycling.usecases.reporting.declared_history import upload_history
from recycling.usecases.reporting.history_table import read_history

CLERK = Principal(id=UUID(int=101), role="clerk")
SECOND_CLERK = Principal(id=UUID(int=102), role="clerk")
A_DIGEST = "ab" * 32


def upload(text: str, *, district: District, session: Session, now: datetime, by: Principal = CLERK) -> DeclaredUpload:
    """Upload a CSV table."""
    raw = text.encode()
    form, figures = read_history(
        raw, charset=None, source_document="商促局月报", this_month=service_day(now).replace(day=1), district=district
    )
    return upload_history(figures, raw=raw, form=form, source_document="商促局月报", by=by, session=session, now=now)


def table_of(months: Mapping[date, int]) -> str:
    """A table of appliances by month: all of the catalogue's own, 30 kg each; no others."""
    rows = ["month,item_group,units,mass_kg"]
    for month, units in months.items():
        rows += [f"{month:%Y-%m},appliance_14,{units},{units * 30}", f"{month:%Y-%m},appliance_other,0,0"]
    return "\n".join(rows)


def a_baseline(
    *, district: District, session: Session, now: datetime, units: int = 1_000, mass_g: int = 20_000_000,
    reason: str = "",
) -> UUID:  # fmt: skip
    """A baseline of 2023 for household appliances, proposed by one clerk and confirmed by another."""
    stated = StatedBaseline(
        scope="household-appliances/2", year=2023, units=units, mass_g=mass_g, source_document="test letter 1",
        document_sha256=A_DIGEST, reason=reason,
    )  # fmt: skip
    proposal = propose_baseline(stated, by=CLERK, district=district, session=session, now=now)
    confirm_baseline(proposal.id, by=SECOND_CLERK, session=session, now=now)
    return proposal.id
