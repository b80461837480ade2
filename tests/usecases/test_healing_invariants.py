"""Each invariant of running days finds the breach that somebody makes behind the program's back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Executable, select, text, update
from sqlalchemy.orm import Session, undefer

from recycling.models.healing import ReplanProposal
from recycling.models.plan import Plan
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.usecases.planning.publish_replan import publish_replan
from recycling.usecases.queries.invariants import Invariant, healing
from tests.invariants import assert_invariants
from tests.planned_days import with_vehicles
from tests.running_days import LATER, TEN, a_proposal, a_running_day, at, broken_down, drive

Breach = Callable[[Session], Sequence[Executable]]
OF_A_REPLAN = "SELECT r.id FROM route r JOIN replan_proposal p ON p.plan_id = r.plan_id"


def sql(*statements: str) -> Breach:
    """The breach as it is typed into a database console."""
    return lambda _session: [text(statement) for statement in statements]


def a_cheaper_answer(session: Session) -> Sequence[Executable]:
    """The mid-day answer with another cost than it has."""
    wanted = select(Plan).join(ReplanProposal, ReplanProposal.plan_id == Plan.id).options(undefer(Plan.answer))
    plan = session.scalars(wanted).one()
    cost = plan.answer["cost"]
    return [
        update(Plan).where(Plan.id == plan.id).values(answer=plan.answer | {"cost": cost | {"travel": 0}}),
    ]


HEALING_BREACHES: list[tuple[Invariant, Breach]] = [
    (healing.replans_cover_their_base, sql(f"DELETE FROM route_stop WHERE route_id IN ({OF_A_REPLAN})")),
    (healing.replans_keep_the_rules, a_cheaper_answer),
    (healing.replans_follow_their_base, sql("UPDATE publication SET cause = 'asked' WHERE cause IS NULL")),
    (healing.replans_follow_their_base, sql("UPDATE publication SET cause = NULL")),
    (
        healing.replans_follow_their_base,
        sql("UPDATE publication SET at = '2027-01-01 00:00:00.000000' WHERE cause IS NULL"),
    ),
    (healing.broken_windows_are_written_down, sql("DELETE FROM broken_promise")),
    (
        healing.broken_windows_are_written_down,
        sql("DELETE FROM broken_promise", f"DELETE FROM route_stop WHERE route_id IN ({OF_A_REPLAN})"),
    ),
    (healing.broken_promises_are_told, sql("UPDATE broken_promise SET message_id = NULL")),
    (healing.broken_promises_are_told, sql("DELETE FROM outbox_message WHERE kind LIKE 'plan.promise_%'")),
]


def test_each_invariant_of_a_running_day_finds_its_breach(session: Session, district: District, now: datetime) -> None:
    # given a day on which a breakdown broke promises
    pair = with_vehicles(district, "lincheng-1", "lincheng-2")
    a_running_day(session, district=pair, now=now, per_window=9)
    drive(session, TEN)
    broken_down(session, "lincheng-2", at(TEN))
    plan_id = a_proposal(session, at(TEN), district=pair)
    publish_replan(plan_id, by=SYSTEM, district=pair, session=session, now=at(TEN) + LATER)
    assert_invariants(session)
    for invariant, breach in HEALING_BREACHES:
        # when one thing is changed behind the program's back
        for statement in breach(session):
            session.execute(statement)
        # then the invariant that it breaks returns the offending rows
        assert invariant.breaches(session, now), invariant.rule
        session.rollback()
    assert_invariants(session)
