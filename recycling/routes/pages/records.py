"""What ran and who did what: scheduled jobs with what is late, the audit log, and any past day as it was known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import current_app, render_template

from recycling.clock import SHANGHAI, service_day, utc_now
from recycling.errors import InvalidInput
from recycling.extensions import db
from recycling.policy.access import SYSTEM, Role
from recycling.routes.audit_rows import AuditRowFilterSchema
from recycling.routes.guard import only, principal
from recycling.routes.pages.filters import WithoutBlanks, in_address
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.schemas.fields import Day, Text
from recycling.routes.schemas.job_runs import JobRunFilterSchema
from recycling.usecases.job_runs.request_run import REQUESTABLE_JOBS
from recycling.usecases.queries.audit_rows import list_audit_rows
from recycling.usecases.queries.job_runs import list_runs
from recycling.usecases.queries.replay import replay
from recycling.usecases.queries.staff import names_of

DESK: tuple[Role, ...] = ("clerk", "dispatcher", "admin")
bp = PageBlueprint("page_records", __name__, roles=DESK, url_prefix="/pages/records")

RUN_WORDS = {
    "queued": "排队中 / queued",
    "running": "执行中 / running",
    "done": "完成 / done",
    "failed": "失败 / failed",
    "skipped": "已略过 / skipped",
    "unwritten": "未排上 / not even queued",
}


class RunsQuery(WithoutBlanks, JobRunFilterSchema):
    """Which runs to list."""


class AuditQuery(WithoutBlanks, AuditRowFilterSchema):
    """Which rows of the audit log to list."""


class ReplayQuery(WithoutBlanks):
    """Which day, and as of which local minute: now when left out."""

    day = Day()
    as_of = Text(most=16)


@bp.get("")
@bp.arguments(RunsQuery, location="query")
def show(wanted: dict[str, Any]) -> str:
    """Show the runs of scheduled jobs, and first of all what should be done by now and is not."""
    session, now = db.session(), utc_now()
    late = current_app.extensions["late_runs"](session, now=now)
    page = list_runs(session=session, **wanted)
    return render_template(
        "desk/job_runs.html",
        late=late,
        page=page,
        asked=in_address(wanted),
        words=current_app.extensions["job_words"],
        run_words=RUN_WORDS,
        names=names_of([run.asked_by_id for run in page["job_runs"]], session=session),
        requestable=REQUESTABLE_JOBS if principal().role in ("dispatcher", "admin") else (),
        today=service_day(now),
        as_json=_as_json,
    )


@bp.get("/audit")
@only("clerk", "admin")
@bp.arguments(AuditQuery, location="query")
def show_audit(wanted: dict[str, Any]) -> str:
    """Show who did what, newest first."""
    session = db.session()
    page = list_audit_rows(session=session, **wanted)
    names = names_of([row.actor_id for row in page["audit_rows"]], session=session)
    return render_template(
        "desk/audit.html",
        page=page,
        asked=in_address(wanted),
        names=names | {SYSTEM.id: "系统 / the system"},
        as_json=_as_json,
    )


@bp.get("/replay")
@bp.arguments(ReplayQuery, location="query")
def show_replay(wanted: dict[str, Any]) -> str:
    """Show what was known of a past day at an instant: what was promised, planned, done, weighed and reported."""
    now = utc_now()
    day = wanted.get("day") or service_day(now)
    at = _local_instant(wanted["as_of"]) if "as_of" in wanted else None
    found = json.loads(replay(day, session=db.session(), now=now, as_of=at))
    return render_template(
        "desk/replay.html",
        day=day,
        today=service_day(now),
        as_of=wanted.get("as_of", ""),
        known=found["replay"],
        sha256=found["sha256"],
        told=sorted(_told(found["replay"]), key=lambda row: row[0]),
    )


def _local_instant(text: str) -> datetime:
    """The instant of a local minute, as a form's field writes it."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=SHANGHAI)
    except ValueError:
        raise InvalidInput(f"as_of {text!r} is no local minute such as 2026-11-24T20:00 / 时刻格式有误") from None


def _as_json(facts: Any) -> str:
    """Facts as people can read them: one name and value a line."""
    return "\n".join(f"{name}: {_short(value)}" for name, value in (facts or {}).items())


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


Told = tuple[str, str, str, str | None]  # when, in Chinese, in English, where to look


def _told(known: dict[str, Any]) -> Iterator[Told]:
    """What happened on a day, each thing with its time."""
    for plan in known["plans"]:
        routes = len(plan["routes"])
        left = len(plan["unassigned"])
        yield (
            plan["made_at"],
            f"生成计划第 {plan['version']} 版：{routes} 条路线，{left} 个未排入",
            f"plan version {plan['version']} made: {routes} routes, {left} left out",
            f"/pages/plan?day={known['day']}",
        )
        if plan["published_at"]:
            version = plan["version"]
            yield plan["published_at"], f"发布计划第 {version} 版", f"plan version {version} published", None
    for row in known["disruptions"]:
        who = row["vehicle_key"] or row["station_key"] or ""
        yield row["at"], f"异常：{row['kind']} {who}", f"disruption: {row['kind']} {who}", None
    for row in known["broken_promises"]:
        yield row["at"], f"承诺被打破：{row['reason']}", f"promise broken: {row['reason']}", None
    for row in known["field_events"]:
        yield row["made_at"], f"{row['vehicle_key']} {row['kind']}", f"{row['vehicle_key']} {row['kind']}", None
    for row in known["tickets"]:
        name = f"{row['station_key']} {row['scale_number']}-{row['number']}"
        kg = f"{row['net_g'] / 1000:,.1f} kg"
        yield row["weighed_at"], f"过磅 {name}：{kg}", f"weighed {name}: {kg}", f"/pages/figures/tickets/{row['id']}"
    for row in known["reports"]:
        name = f"{row['period']} v{row['version']}"
        yield row["made_at"], f"生成报告 {name}", f"report {name} made", f"/pages/reports/{row['id']}"
