"""What each job does: one use case or two, and the figures that its run keeps.

A run whose worker died is done again, so each action may happen twice: what it changes is then found done already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import BookingsChanged, DayMovedOn, PlanRejected, PlanReplaced, Unavailable
from recycling.jobs.context import JobContext
from recycling.logs import logger
from recycling.models.healing import ReplanProposal
from recycling.models.job_run import JobRun
from recycling.models.plan import Plan, PublishedPlan
from recycling.policy.district import District
from recycling.routing.solve import solve
from recycling.usecases.audit.copies import copies_in
from recycling.usecases.audit.make_anchor import make_anchor
from recycling.usecases.audit.verify_records import alarm, verify_records
from recycling.usecases.bookings.book_recurring import book_recurring
from recycling.usecases.custody.stock_age import tell_of_aged_stock
from recycling.usecases.housekeeping import clean_up
from recycling.usecases.intake.class_averages import make_class_averages
from recycling.usecases.intake.mass_balance import balance_trips
from recycling.usecases.job_runs.follow_run import FollowedRun
from recycling.usecases.learning.propose_handling import propose_handling
from recycling.usecases.live.judge_windows import judge_windows
from recycling.usecases.messages.remind import remind_early, remind_residents
from recycling.usecases.messages.tell_missed import tell_missed
from recycling.usecases.planning.day_problem import unfinished_bookings, vehicles_out_at
from recycling.usecases.planning.improve_day import Improvement, days_in_need, improve_day
from recycling.usecases.planning.plan_day import plan_day
from recycling.usecases.planning.publish_plan import publish_plan
from recycling.usecases.planning.publish_replan import publish_replan
from recycling.usecases.planning.replan_day import replan_day
from recycling.usecases.planning.road_travel import travel_setting
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.pace_alarm import raise_pace_alarm
from recycling.usecases.reporting.roll_up import roll_up_day
from recycling.usecases.reporting.store_forecasts import store_forecasts
from recycling.usecases.reporting.verify_report import NEWEST, verify_newest

log = logger(__name__)

Figures = dict[str, Any]

# A dispatcher waits: something to look at within five seconds, the best of it within twenty.
FIRST_S = 3.0
REPLAN_S = 12.0

RECENT = timedelta(days=35)  # a month and some days: what a report that is being signed rests on
EVERYTHING_ON = 6  # Sunday, when nobody weighs in


def roll_up(context: JobContext) -> Figures:
    """Rebuild a day's recovered figures from its tickets."""
    found = roll_up_day(context.day, district=context.district, session=context.session, now=context.clock())
    return asdict(found)


def plan_and_publish(context: JobContext) -> Figures:
    """Plan a service day and publish the plan; a day that has a published plan keeps it.

    Raises
    ------
    Unavailable
        When no plan could be published this time; another attempt may.
    """
    if not context.district.calendar.is_service_day(context.day):
        return {"service_day": False}
    standing = context.session.get(PublishedPlan, context.day)
    already = None if standing is None else str(standing.plan_id)
    promised = len(unfinished_bookings(context.session, context.day))
    context.session.rollback()
    if already is not None:
        return {"plan_id": already, "published_before": True}
    if promised == 0 and context.clock() >= vehicles_out_at(context.day, context.district):
        return {"bookings": 0, "vehicles_out": True}  # caught up too late, and nobody waits
    try:
        return _plan_figures(context, _planned_and_published(context))
    except (BookingsChanged, PlanRejected, PlanReplaced) as error:
        raise Unavailable(error.message) from error


def plan_only(context: JobContext) -> Figures:
    """Make a new version of a day's plan; the dispatcher looks on, may end the search, and publishes.

    Ended early, it keeps the best checked plan so far as a draft: it costs nobody anything, and is often good enough.
    """
    followed = FollowedRun(context.run_id, session=context.session, clock=context.clock)
    figures = _plan_figures(context, _plan(context, run_id=context.run_id, followed=followed))
    return figures | ({"stopped": True} if followed.stop_asked else {})


def replan(context: JobContext) -> Figures:
    """Make proposals for the rest of today: a quick one by insertion, then a better one by the engines.

    Where the district lets a day mend itself and nobody asked for this run, the better one is published, if the rule
    allows it.

    Raises
    ------
    Unavailable
        When the planner's answer could not be kept this time; another attempt may.
    """
    settings = context.settings
    running = context.session.get(PublishedPlan, context.day) is not None
    context.session.rollback()
    if not running or context.day != service_day(context.clock()):
        return {"running": False}  # asked for too early, or caught up too late
    given: dict[str, Any] = {
        "by": context.by, "district": context.district, "session": context.session, "seed": settings["PLAN_SEED"],
    }  # fmt: skip
    try:
        first = replan_day(context.day, now=context.clock(), seconds=FIRST_S, workers=0, **given)
        final = replan_day(
            context.day, now=context.clock(), seconds=min(REPLAN_S, settings["PLAN_SECONDS"]),
            workers=settings["PLAN_WORKERS"], warm=first.answer, run_id=context.run_id, **given,
        )  # fmt: skip
    except PlanRejected as error:
        raise Unavailable(error.message) from error
    published = _published_by_itself(context, final.plan_id)
    return {"first_plan_id": str(first.plan_id), "plan_id": str(final.plan_id), "published": published}


def _published_by_itself(context: JobContext, plan_id: UUID) -> bool:
    session = context.session
    session.rollback()
    asked = session.scalar(select(JobRun.asked_by_id).where(JobRun.id == context.run_id))
    made = session.get_one(ReplanProposal, plan_id)
    allowed = asked is None and context.district.healing.allows(
        cause=made.cause, open_stops=made.open_stops, moved=made.moved - made.eased, broken=made.broken
    )
    session.rollback()
    if not allowed:
        return False
    try:
        publish_replan(plan_id, by=context.by, district=context.district, session=session, now=context.clock())
    except (DayMovedOn, PlanReplaced) as error:
        # The day is quicker than we are: that is for a person to look at, and the proposal is there for them.
        log.warning("replan.overtaken", plan_id=str(plan_id), code=error.code)
        return False
    return True


def improve_days(
    settings: Mapping[str, Any],
    *,
    district: District,
    session: Session,
    clock: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
) -> list[Improvement]:
    """Let the planner work on the tentative routes of each bookable day that changed since it last did."""
    days = district.booking_rules.bookable_days(now=clock(), calendar=district.calendar)
    done = []
    for day in days_in_need(days, session=session):
        if stop():
            break
        done.append(
            improve_day(
                day, district=district, session=session, now=clock(), seconds=settings["IMPROVE_SECONDS"],
                workers=settings["PLAN_WORKERS"], seed=settings["PLAN_SEED"], solve=solve,
            )
        )  # fmt: skip
    return done


def book_recurring_days(context: JobContext) -> Figures:
    """Book the days of recurring pickups that have become bookable."""
    return dict(book_recurring(by=context.by, district=context.district, session=context.session, now=context.clock()))


def remind(context: JobContext) -> Figures:
    """Post reminders to the residents of a day's pickups."""
    return {"reminders": remind_residents(context.day, session=context.session, now=context.clock())}


def early_reminders(context: JobContext) -> Figures:
    """Post reminders days ahead to the residents of a day's pickups."""
    return {"reminders": remind_early(context.day, session=context.session, now=context.clock())}


def missed_visits(context: JobContext) -> Figures:
    """Tell residents and dispatchers of a day's pickups that nobody recorded."""
    return {"missed": tell_missed(context.day, session=context.session, now=context.clock())}


def kept_windows(context: JobContext) -> Figures:
    """Judge which promised windows of a day were kept."""
    return dict(judge_windows(context.day, district=context.district, session=context.session, now=context.clock()))


def stock_age(context: JobContext) -> Figures:
    """Tell of the lots that lie too long and that nobody was told of yet."""
    return dict(tell_of_aged_stock(district=context.district, session=context.session, now=context.clock()))


def audit_anchor(context: JobContext) -> Figures:
    """Sign where all chains stand, and keep that in a second place."""
    made = make_anchor(
        folder=context.settings.get("AUDIT_ANCHOR_DIR"), session=context.session, now=context.clock(),
        run_id=context.run_id,
    )  # fmt: skip
    return {"number": made.number, "audit_rows": made.content["audit"][0], "scales": len(made.content["scales"])}


def verify(context: JobContext) -> Figures:
    """Verify the records of the last weeks, on Sundays all of them, and raise the alarm when one was changed."""
    now = context.clock()
    since = None if context.day.weekday() == EVERYTHING_ON else now - RECENT
    copies = copies_in(context.settings.get("AUDIT_ANCHOR_DIR"))
    found = verify_records(session=context.session, now=now, copies=copies, since=since)
    alarm(found.findings, session=context.session, now=now, run_id=context.run_id)
    figures: Figures = {
        "findings": len(found.findings), "audit_rows": found.audit_rows, "tickets": found.tickets,
        "begun_at": found.begun_at,
    }  # fmt: skip
    if found.findings:
        figures["first"] = f"{found.findings[0].kind} {found.findings[0].row}"
    return figures


def goal_report(context: JobContext) -> Figures:
    """Keep the goal report of a month, quarter or year and tell the bureau."""
    report = make_goal_report(context.scope, district=context.district, session=context.session, now=context.clock())
    return {"report_id": str(report.id), "version": report.version, "sha256": report.sha256}


def mass_balance(context: JobContext) -> Figures:
    """Compare the doors of a day's trips with what was weighed of them."""
    found = balance_trips(context.day, district=context.district, session=context.session, now=context.clock())
    return asdict(found)


def class_averages(context: JobContext) -> Figures:
    """Keep the stations' class averages of a month."""
    version = make_class_averages(context.scope, session=context.session, now=context.clock())
    return {"lines": version.lines, "valid_from": version.valid_from.isoformat()}


def forecasts(context: JobContext) -> Figures:
    """Forecast the year as it looked at the end of a day."""
    return store_forecasts(context.day, district=context.district, session=context.session, now=context.clock())


def pace_alarm(context: JobContext) -> Figures:
    """Tell the bureau of goals in danger."""
    return dict(raise_pace_alarm(context.day, district=context.district, session=context.session, now=context.clock()))


def verify_reports(context: JobContext) -> Figures:
    """Work the newest published reports out again, on Sundays all of them; one that differs is an alarm."""
    newest = None if service_day(context.due_at).weekday() == EVERYTHING_ON else NEWEST
    found = verify_newest(district=context.district, session=context.session, now=context.clock(), newest=newest)
    return dict(found)


def propose_minutes(context: JobContext) -> Figures:
    """Propose new handling minutes from the records of a month; of the running one, from the days that are over."""
    first = date.fromisoformat(f"{context.scope}-01")
    yesterday = service_day(context.clock()) - timedelta(days=1)
    last = min((first + timedelta(days=31)).replace(day=1) - timedelta(days=1), yesterday)
    if last < first:
        return {"visits": 0}
    proposal = propose_handling(
        first, last, by=context.by, district=context.district, session=context.session, now=context.clock(),
        run_id=context.run_id,
    )  # fmt: skip
    if proposal is None:
        return {"visits": 0}
    return {"proposal_id": str(proposal.id), "visits": proposal.visits, "legs": proposal.legs}


def housekeeping(context: JobContext) -> Figures:
    """Delete what has served its time."""
    kept = timedelta(days=context.settings.get("TRAVEL_CACHE_DAYS", 0))
    privacy = context.district.privacy
    return dict(clean_up(privacy, session=context.session, now=context.clock(), travel_kept=kept))


def _planned_and_published(context: JobContext) -> UUID:
    plan_id = _plan(context, run_id=context.run_id)
    try:
        _publish(context, plan_id)
    except BookingsChanged:
        # Staff changed a booking while we planned, or an earlier attempt of this run planned another state of the day.
        # The run's own plan is written once, so the day as it is now becomes a version without the run's name.
        plan_id = _plan(context, run_id=None)
        _publish(context, plan_id)
    return plan_id


def _plan(context: JobContext, *, run_id: UUID | None, followed: FollowedRun | None = None) -> UUID:
    settings = context.settings
    watched: dict[str, Any] = {}
    if followed is not None:
        watched = {
            "solve": partial(solve, should_stop=lambda: followed.stop_asked), "on_progress": followed.tell
        }  # fmt: skip
    plan = plan_day(
        context.day, by=context.by, district=context.district, session=context.session, now=context.clock(),
        seconds=settings["PLAN_SECONDS"], workers=settings["PLAN_WORKERS"], seed=settings["PLAN_SEED"], run_id=run_id,
        travel=travel_setting(settings), **watched,
    )  # fmt: skip
    return plan.id


def _publish(context: JobContext, plan_id: UUID) -> None:
    publish_plan(
        plan_id, replaces=None, by=context.by, district=context.district, session=context.session, now=context.clock()
    )


def _plan_figures(context: JobContext, plan_id: UUID) -> Figures:
    context.session.rollback()
    plan = context.session.get_one(Plan, plan_id)
    return {
        "plan_id": str(plan.id), "version": plan.version, "routes": len(plan.routes),
        "unassigned": len(plan.unassigned), "cost_total": plan.cost_total, "travel": plan.travel_quality,
    }  # fmt: skip
