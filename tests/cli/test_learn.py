"""`flask learn`: a proposal from the terminal."""

from __future__ import annotations

from datetime import datetime, timedelta

import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.models.handling import HandlingProposal
from recycling.policy.district import District
from recycling.units import instant_at
from tests.builders import TOMORROW
from tests.field_months import Month, true_values


def said(app: Flask, *words: str, exit_code: int = 0) -> str:
    answer = app.test_cli_runner().invoke(args=["learn", "propose", *words])
    assert answer.exit_code == exit_code, answer.output
    return answer.output


def test_a_proposal_is_kept_and_told_value_by_value(app: Flask, session: Session, district: District) -> None:
    # given three days on which everything took 1.4 times
    days = district.calendar.next_service_days(TOMORROW, count=3)
    Month(session, district, true_values(district, off=1.4, travel=1.3)).play(days)
    session.rollback()
    over: datetime = instant_at(days[-1] + timedelta(days=1), 8 * 3600)
    # when the operator asks what they teach, once they are over
    with time_machine.travel(over, tick=True):
        printed = said(app, "--from", str(days[0]), "--to", str(days[-1]))
    # then the proposal is stored under the id that is printed, and the base stands in a line of its own
    proposal = session.scalars(select(HandlingProposal)).one()
    assert printed.startswith(f"{proposal.id}: {proposal.visits} visits, ")
    base = next(row for row in proposal.parameters if row["name"] == "base_s")
    assert f"  base_s: 300 -> {base['new']} ({base['low']} to {base['high']}, n={base['sample']})\n" in printed


def test_a_period_that_teaches_nothing_or_is_not_over_is_told(app: Flask, session: Session) -> None:
    session.rollback()
    assert "no visit that counts" in said(app, "--from", "2026-11-01", "--to", "2026-11-22")
    assert "must run forwards and be over" in said(app, "--from", "2026-11-01", "--to", str(TOMORROW), exit_code=1)
    assert session.scalar(select(func.count()).select_from(HandlingProposal)) == 0
