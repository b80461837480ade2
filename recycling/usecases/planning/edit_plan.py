"""Keep a dispatcher's edits (保存调整) as the next version of the day: checked like any plan, or not at all."""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session, undefer

from recycling.errors import BookingsChanged, Conflict, InvalidInput, NotFound, PlanRejected, StaleVersion
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.healing import ReplanProposal
from recycling.models.plan import Plan, PlanEdit
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing import plan as planner
from recycling.routing.breach_words import said
from recycling.routing.explain import Explainer
from recycling.routing.verdict import Judge, Verdict, Wish
from recycling.usecases.planning.day_problem import changes_since, check_plannable
from recycling.usecases.planning.judges import Judges
from recycling.usecases.planning.store_plan import (
    SHOWN_VIOLATIONS,
    left_out,
    refuse_broken,
    route_rows,
    version_after,
)

log = logger(__name__)

REASONS_S = 0.5  # for the reasons of what stays left out; the transaction is open meanwhile
FITS_NOW = "手工调整后有了位置，可排入 / fits since the routes were changed by hand; take its best place"


def edit_plan(
    plan_id: UUID,
    wish: Wish,
    *,
    newest: int,
    judges: Judges,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> Plan:
    """Make the next version of a day from a plan with some routes changed by hand; publishing it is another step.

    Parameters
    ----------
    wish
        The whole sequence of booking ids of each vehicle whose route changes.
    newest
        The day's newest version that the caller has seen: nobody's work is passed over unseen.

    Raises
    ------
    NotFound
        When there is no such plan, or its places have been blanked.
    Conflict, InvalidInput
        When the day cannot be planned any more, the plan is one for the rest of a running day, or nothing changes.
    BookingsChanged
        When the day is no longer the one that the plan was made for.
    PlanRejected
        When a rule breaks, or a booking that the plan serves would be left out; nothing is kept.
    StaleVersion
        When the day has a newer version than ``newest``.
    """
    with atomic(session):
        base = session.get(Plan, plan_id, options=[undefer(Plan.problem)])
        if base is None:
            raise NotFound(f"no plan {plan_id}; list them with GET /plans?day=")
        check_plannable(base.day, district=district, now=now)
        if session.get(ReplanProposal, plan_id) is not None:
            raise Conflict(
                "this version is for the rest of a running day; ask for a replan instead / 此版为当日重排，请改用重排"
            )
        with judges.of(plan_id, session=session) as judge:
            _refuse_overtaken(base, district=district, session=session)
            answer, moved = _carried_out(judge, wish)
            problem = judge.problem
        facts = {
            "problem_sha256": base.problem_sha256, "travel_quality": base.travel_quality,
            "travel_cells": base.travel_cells, "travel_note": base.travel_note,
        }  # fmt: skip
        plan = version_after(newest, problem, answer, facts, by=by, session=session, now=now)
        if plan is None:
            raise StaleVersion(
                f"{base.day} has a newer version than {newest}; look at it, then keep yours beside it or begin from it"
                f" / {base.day} 已有比第 {newest} 版更新的计划，请先查看，再决定另存或从新版开始"
            )
        session.add_all(route_rows(plan, problem, answer, district=district))
        session.add_all(left_out(plan, answer))
        session.flush()
        session.add(PlanEdit(plan_id=plan.id, base_plan_id=base.id, moved=len(moved)))
        told = {
            "day": str(plan.day), "version": plan.version, "base_version": base.version, "moved": len(moved),
            "cost_before": base.cost_total, "cost_after": plan.cost_total,
        }  # fmt: skip
        audit(session, action="plan.edited", subject=plan.id, by=by, now=now, facts=told)
        made = str(plan.id)
    log.info("plan.edited", plan_id=made, by_id=str(by.id), **told)
    return plan


def _refuse_overtaken(base: Plan, *, district: District, session: Session) -> None:
    changes = changes_since(base, district=district, session=session)
    if changes is not None:
        zh, en = changes.words
        raise BookingsChanged(
            f"bookings changed since this plan was made ({en}); plan {base.day} again and edit that"
            f" / 制定计划后预约有变动（{zh}），请重新排线再调整"
        )


def _carried_out(judge: Judge, wish: Wish) -> tuple[planner.Plan, set[str]]:
    """The plan with the wish carried out, checked whole, and the stops that it moves."""
    verdict = judge.verdict(wish)
    _refuse_breaking(verdict)
    moved = _moved(judge.plan, verdict.plan)
    if not moved:
        raise InvalidInput("nothing is moved; there is nothing to keep / 没有改动，无需保存")
    answer = replace(verdict.plan, unassigned=_reasons(judge, wish, verdict))
    refuse_broken(judge.problem, answer)
    return answer, moved


def _refuse_breaking(verdict: Verdict) -> None:
    words = [said(one) for one in verdict.violations[:SHOWN_VIOLATIONS]]
    if verdict.left_out:
        count = len(verdict.left_out)
        words.append((f"{count} 个预约被移出路线", f"{count} booking(s) taken off every route"))
    if words:
        zh, en = ("；".join(w[0] for w in words), "; ".join(w[1] for w in words))
        raise PlanRejected(
            f"these routes break rules ({en}); nothing was kept. Move the stops to where they fit, or undo"
            f" / 路线违反规则（{zh}），未保存。请移到可行的位置，或撤销"
        )


def _moved(before: planner.Plan, after: planner.Plan) -> set[str]:
    """The stops that change the vehicle, and the fewest of each vehicle that, taken out, leave the rest in sequence."""
    old, new = _sequences(before), _sequences(after)
    was_with = {stop: vehicle for vehicle, stops in old.items() for stop in stops}
    moved = set(was_with)
    for vehicle, stops in new.items():
        place = {stop: number for number, stop in enumerate(old.get(vehicle, []))}
        stayed = _longest_in_sequence([place[stop] for stop in stops if stop in place])
        moved |= set(stops)
        moved -= {old[vehicle][number] for number in stayed}
    return moved


def _sequences(plan: planner.Plan) -> dict[str, list[str]]:
    return {route.vehicle: [step.stop for step in route.steps if step.stop is not None] for route in plan.routes}


def _longest_in_sequence(numbers: list[int]) -> list[int]:
    """The longest ascending selection of these numbers."""
    ends: list[int] = []  # of the best selection of each length, its last number
    selections: list[list[int]] = []
    for number in numbers:
        at = bisect_left(ends, number)
        longer = [*selections[at - 1], number] if at else [number]
        ends[at : at + 1], selections[at : at + 1] = [number], [longer]
    return selections[-1] if selections else []


def _reasons(judge: Judge, wish: Wish, verdict: Verdict) -> tuple[planner.Unassigned, ...]:
    """Why what was left out before still is, found anew: the routes are others now."""
    if not verdict.plan.unassigned:
        return ()
    explainer = Explainer(judge.explainable(wish), until=time.monotonic() + REASONS_S)
    rows = explainer.rows()
    if explainer.better is None:
        return rows
    return tuple(replace(one, detail=FITS_NOW, cheapest_fix=None) for one in verdict.plan.unassigned)
