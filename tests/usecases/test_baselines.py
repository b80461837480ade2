"""A baseline counts once a second person has confirmed it, is frozen from then on, and never is zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import Conflict, Forbidden, InvalidInput, NotFound
from recycling.models.audit import AuditRow
from recycling.models.base import insert_if_absent
from recycling.models.baseline import BaselineConfirmation, BaselineProposal
from recycling.models.recovery import GoalReport
from recycling.policy.district import District
from recycling.usecases.queries.invariants import figures
from recycling.usecases.reporting.baselines import StatedBaseline, confirm_baseline, propose_baseline
from recycling.usecases.reporting.goal_progress import goal_progress
from recycling.usecases.reporting.goal_report import make_goal_report
from tests.declared import A_DIGEST, CLERK, SECOND_CLERK, a_baseline
from tests.invariants import assert_invariants, broken


def stated(**overrides: Any) -> StatedBaseline:
    fields: dict[str, Any] = {
            "scope": "household-appliances/2", "year": 2023, "units": 1_000, "mass_g": 20_000_000,
            "source_document": "薛商字 1 号", "document_sha256": A_DIGEST,
    }  # fmt: skip
    return StatedBaseline(**fields | overrides)


def appliances(session: Session, district: District, now: datetime) -> dict[str, Any]:
    report = goal_progress(district=district, session=session, now=now)
    return next(scope for scope in report["scopes"] if scope["scope"]["key"] == "household-appliances")


def test_a_goal_is_measured_against_a_baseline_once_a_second_person_has_confirmed_it(
    session: Session, district: District, now: datetime
) -> None:
    # given a baseline that one clerk stated
    proposal = propose_baseline(stated(), by=CLERK, district=district, session=session, now=now)
    baseline_id = proposal.id
    # then everything still says that it is not confirmed
    before = appliances(session, district, now)
    assert before["baseline_state"] == "provisional"
    assert before["units_progress"] is None
    assert "基准未确认 / baseline not confirmed" in before["labels"]
    # when another one confirms it
    confirm_baseline(baseline_id, by=SECOND_CLERK, session=session, now=now)
    # then the goal of 2026 is 22.5 % above it, by version 2: version 1 is the placeholder of the file
    after = appliances(session, district, now)
    assert after["baseline_state"] == "confirmed"
    assert (after["baseline"]["version"], after["baseline"]["source_document"]) == (2, "薛商字 1 号")
    assert after["units_progress"]["target"] == 1_225
    assert not any("未确认" in label for label in after["labels"])
    # and both acts are on record
    actions = session.execute(select(AuditRow.action, AuditRow.actor_id).order_by(AuditRow.number)).all()
    assert actions == [("baseline.proposed", CLERK.id), ("baseline.confirmed", SECOND_CLERK.id)]
    assert_invariants(session)


def test_nobody_confirms_their_own_and_the_database_holds_to_it(
    session: Session, district: District, now: datetime
) -> None:
    baseline_id = propose_baseline(stated(), by=CLERK, district=district, session=session, now=now).id
    with pytest.raises(Forbidden, match="second person"):
        confirm_baseline(baseline_id, by=CLERK, session=session, now=now)
    # control: without that check the row is written past it, and the database refuses it, under a wrong name too
    confirmation = {"baseline_id": baseline_id, "confirmed_by_id": CLERK.id, "confirmed_at": now, "sha256": "0" * 64}
    for proposed_by_id in (CLERK.id, uuid4()):
        with pytest.raises(IntegrityError):
            insert_if_absent(session, BaselineConfirmation, proposed_by_id=proposed_by_id, **confirmation)
        session.rollback()
    assert session.scalar(select(BaselineConfirmation)) is None


@pytest.mark.parametrize("wrong", [{"units": 0}, {"mass_g": 0}, {"units": -5}])
def test_a_baseline_of_zero_or_less_is_refused_in_words(
    wrong: dict[str, int], session: Session, district: District, now: datetime
) -> None:
    with pytest.raises(InvalidInput, match="must be above zero"):
        propose_baseline(stated(**wrong), by=CLERK, district=district, session=session, now=now)
    assert session.scalar(select(BaselineProposal)) is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"scope": "household-appliances/9"}, "is unknown"), ({"year": 2026}, "is not over")],
)
def test_a_baseline_of_no_scope_or_of_a_running_year_is_refused(
    wrong: dict[str, Any], says: str, session: Session, district: District, now: datetime
) -> None:
    with pytest.raises(InvalidInput, match=says):
        propose_baseline(stated(**wrong), by=CLERK, district=district, session=session, now=now)


def test_a_restated_baseline_is_a_new_version_with_a_reason_and_old_reports_keep_theirs(
    session: Session, district: District, now: datetime
) -> None:
    # given a report against 1,000 units
    a_baseline(district=district, session=session, now=now)
    make_goal_report("2026-11", district=district, session=session, now=now)
    # when it is restated, then it wants a reason
    with pytest.raises(InvalidInput, match="reason"):
        propose_baseline(stated(units=1_100), by=CLERK, district=district, session=session, now=now)
    a_baseline(district=district, session=session, now=now, units=1_100, reason="并入高新区三街道")
    # then progress goes by version 3, the kept report by version 2, and a new one differs
    assert appliances(session, district, now)["units_progress"]["target"] == 1_348  # ceil(1,100 x 1.225)
    make_goal_report("2026-11", district=district, session=session, now=now)
    kept = session.scalars(select(GoalReport).order_by(GoalReport.version)).all()
    assert [report.body["scopes"][0]["baseline"]["version"] for report in kept] == [2, 3]
    assert_invariants(session)


def test_an_overtaken_proposal_and_a_confirmed_one_cannot_be_confirmed(
    session: Session, district: District, now: datetime
) -> None:
    older = propose_baseline(stated(), by=CLERK, district=district, session=session, now=now).id
    newer = a_baseline(district=district, session=session, now=now, units=900)
    for baseline_id in (older, newer):
        with pytest.raises(Conflict, match="version 3"):
            confirm_baseline(baseline_id, by=SECOND_CLERK, session=session, now=now)
    with pytest.raises(NotFound):
        confirm_baseline(UUID(int=1), by=SECOND_CLERK, session=session, now=now)


def test_a_goal_without_a_baseline_of_its_scope_answers_absent(
    session: Session, district: District, now: datetime
) -> None:
    # given a baseline confirmed for the first version of the scope, and only the placeholder left out
    bare = replace(district, goals=replace(district.goals, baselines=()))
    proposal = propose_baseline(
        stated(scope="household-appliances/1"), by=CLERK, district=bare, session=session, now=now
    )
    confirm_baseline(proposal.id, by=SECOND_CLERK, session=session, now=now)
    # then version 2, which counts more channels, has none
    found = appliances(session, bare, now)
    assert found["baseline_state"] == "absent"
    assert found["units_progress"] is None
    assert any("无基准" in label for label in found["labels"])


@pytest.mark.parametrize(
    "change",
    ["units = 900", "mass_g = 1", "source_document = 'x'", "reason = 'x'", "note = 'x'", "year = 2022", "version = 7"],
)
def test_a_confirmed_baseline_that_somebody_edits_in_the_database_is_found(
    change: str, session: Session, district: District, now: datetime
) -> None:
    a_baseline(district=district, session=session, now=now)
    session.execute(text(f"UPDATE baseline_proposal SET {change}"))
    session.commit()
    rule = figures.baselines_are_what_was_confirmed
    assert set(broken(session)) == {f"{rule.key} {rule.rule}"}
