"""`flask jobs`: look at the schedule and its runs, do a job by hand, see to messages that could not be delivered."""

from __future__ import annotations

from datetime import datetime, timedelta

import click
from flask import current_app
from flask.cli import AppGroup

from recycling.cli.refusals import in_words
from recycling.cli.tables import plain_table, print_table
from recycling.clock import SHANGHAI, service_day, utc_now
from recycling.extensions import db
from recycling.jobs.clockwork import runner_for
from recycling.jobs.lateness import late_runs
from recycling.jobs.schedule import jobs_of
from recycling.models import outbox
from recycling.models.job_run import JobRun
from recycling.policy.access import SYSTEM
from recycling.usecases.messages.deliver import try_dead_again
from recycling.usecases.queries.job_runs import list_runs

group = AppGroup("jobs", help="Scheduled jobs: what, when, and how it went.")


@group.command("list")
def show_schedule() -> None:
    """Show the schedule, each job's next due time, and the state of the outbox."""
    now = utc_now()
    table = plain_table("任务 / job", "时间 / due", "下次 / next", words="说明 / what it does")
    for job in jobs_of(current_app.extensions["district"]).values():
        due = "" if job.cron is None else local_text(job.cron.next_due(after=now))
        when = "手动 / on request" if job.cron is None else str(job.cron)
        table.add_row(f"{job.key}\n{job.name_zh}", when.replace(" / ", "\n"), due, f"{job.does_zh}\n{job.does_en}")
    state = outbox.outbox_state(db.session(), now=now)
    print_table(table)
    for late in late_runs(db.session(), jobs_of(current_app.extensions["district"]), now=now):
        overdue = f"{(now - late.due_at) // timedelta(minutes=1)} min"
        click.echo(f"迟到 / late: {late.job} {late.scope}, due {local_text(late.due_at)}, {late.state}, {overdue} ago")
    click.echo(
        f"待发消息 / outbox: {state['waiting']} waiting, the oldest for {state['oldest_s']} s, {state['dead']} dead"
    )


@group.command("history")
@click.option("--job", help="Only this job.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
def show_history(job: str | None, limit: int) -> None:
    """Show the last runs, last due first."""
    if job is not None:
        _check_job(job)
    table = plain_table("job", "scope", "due", "state", "tries", "started", "took", words="figures / error")
    for run in list_runs(session=db.session(), limit=limit, job=job)["job_runs"]:
        table.add_row(*_history_row(run))
    print_table(table)


@group.command("run")
@click.argument("job")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The day it is for, local; default today.")
def run_by_hand(job: str, day: datetime | None) -> None:
    """Do a job now, in this process, for a day (for goal_report and class_averages: for that day's month)."""
    _check_job(job)
    runner = runner_for(current_app)
    wanted = service_day(utc_now()) if day is None else day.date()
    with in_words():
        outcome = runner.run_by_hand(runner.jobs[job], wanted, by=SYSTEM)
    if outcome.state != "done":
        raise click.ClickException(f"{job} for {wanted}: {outcome.error or outcome.state}")
    for name, figure in (outcome.figures or {}).items():
        click.echo(f"{name}: {figure}")


@group.command("dead-messages")
@click.option("--again", is_flag=True, help="Give each of them a new round of attempts.")
def show_dead_messages(*, again: bool) -> None:
    """Show the messages that were given up."""
    table = plain_table("message", "kind", "to", "created", "given up", words="last error")
    for message in outbox.dead_messages(db.session()):
        table.add_row(
            str(message.id), message.kind, message.recipient_kind, local_text(message.created_at),
            local_text(message.dead_at), message.last_error,
        )  # fmt: skip
    print_table(table)
    if again:
        revived = try_dead_again(session=db.session(), now=utc_now())
        click.echo(f"{revived} messages wait for delivery again.")


def _check_job(job: str) -> None:
    known = jobs_of(current_app.extensions["district"])
    if job not in known:
        raise click.ClickException(f"no job {job!r}; choose from {', '.join(known)}")


def _history_row(run: JobRun) -> list[str]:
    took = "" if run.started_at is None or run.finished_at is None else f"{run.finished_at - run.started_at}"[:-7]
    figures = ", ".join(f"{name} {figure}" for name, figure in (run.figures or {}).items())
    state: str = run.state
    if run.late and run.started_at is not None:
        state = f"{state}, {(run.started_at - run.due_at) // timedelta(minutes=1)} min late"
    return [
        run.job, run.scope, local_text(run.due_at), state, str(run.attempts), local_text(run.started_at), took,
        run.error or figures,
    ]  # fmt: skip


def local_text(instant: datetime | None) -> str:
    """An instant as an operator reads it: local, to the second."""
    return "" if instant is None else f"{instant.astimezone(SHANGHAI):%m-%d %H:%M:%S}"
