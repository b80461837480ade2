"""`flask jobs`: the schedule, runs by hand, history, dead messages."""

from __future__ import annotations

from datetime import date

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.clock import utc_now
from recycling.models.job_run import JobRun
from recycling.models.outbox import OutboxMessage, post
from recycling.models.transaction import atomic
from recycling.usecases.messages.deliver import deliver_next


def said(app: Flask, *words: str, exit_code: int = 0) -> str:
    """What a command prints."""
    answer = app.test_cli_runner().invoke(args=["jobs", *words])
    assert answer.exit_code == exit_code, answer.output
    return answer.output


def test_the_schedule_is_shown_with_next_due_times_in_both_languages(app: Flask, session: Session) -> None:
    # It is Monday 23 November 2026, 10:00.
    lines = said(app, "list").splitlines()
    for row in (
        ("plan_tomorrow", "每日", "11-23 20:00:00", "制定并发布次日收运计划"),
        ("roll_up", "每日", "11-24 00:30:00", "按磅单重算前一日回收量"),
        ("goal_report", "每月1日", "12-01 06:00:00", "生成上月目标进度报告"),
        ("plan_day", "手动", "", "为指定日期制定新版计划"),
    ):
        assert any(all(word in line for word in row) for line in lines), row
    assert any("次日排线" in line and "plan and publish tomorrow" in line for line in lines)
    assert lines[-1] == "待发消息 / outbox: 0 waiting, the oldest for 0 s, 0 dead"


def test_a_job_is_done_by_hand_and_stands_in_the_history(app: Flask, session: Session) -> None:
    assert said(app, "run", "roll_up", "--day", "2026-11-22").splitlines()[-5:] == [
        "rows: 0", "units: 0", "recovered_g: 0", "differences: 0", "month_differences: 0",
    ]  # fmt: skip
    line = next(line for line in said(app, "history").splitlines() if line.startswith("roll_up"))
    assert "2026-11-22" in line
    assert "done" in line
    assert "rows 0, units 0" in line
    assert "roll_up" not in said(app, "history", "--job", "remind")
    assert session.scalars(select(JobRun.scope)).all() == ["2026-11-22"]


def test_a_job_without_a_day_is_about_today(app: Flask, session: Session) -> None:
    said(app, "run", "roll_up")
    assert session.scalars(select(JobRun.scope)).all() == [date(2026, 11, 23).isoformat()]


def test_a_refused_run_says_why(app: Flask, session: Session) -> None:
    assert "2026-11-20 is over" in said(app, "run", "plan_day", "--day", "2026-11-20", exit_code=1)
    assert "failed" in said(app, "history")
    for words in (("run", "sweep"), ("history", "--job", "sweep")):
        assert "no job 'sweep'; choose from roll_up" in said(app, *words, exit_code=1)


def test_dead_messages_are_shown_and_given_another_round(app: Flask, session: Session) -> None:
    # given a message nobody has words for
    now = utc_now()
    with atomic(session):
        post(session, dedupe_key="x", kind="booking.eaten", to=("bureau", None), facts={}, now=now)
    app_sms, district = app.extensions["sms"], app.extensions["district"]
    assert deliver_next(sms=app_sms, district=district, session=session, now=now) == "dead"
    # when an operator looks
    assert "1 dead" in said(app, "list")
    assert "no words for messages of kind 'booking.eaten'" in said(app, "dead-messages", "--again")
    # then it waits again
    session.rollback()
    message = session.scalars(select(OutboxMessage)).one()
    assert (message.dead_at, message.attempts) == (None, 0)
