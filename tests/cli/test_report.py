"""`flask report`: figures on the terminal, in words and times of the place."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

from flask import Flask
from rich.console import Console
from sqlalchemy import text
from sqlalchemy.orm import Session

from recycling.cli.report import print_goal_report
from recycling.policy.district import District
from recycling.usecases.custody.hand_over import hand_over
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting.goal_progress import progress_at
from tests.builders import TOMORROW
from tests.loads import a_batch, a_keeper, a_weighing
from tests.trips import a_crew_day


def said(app: Flask, *words: str, exit_code: int = 0) -> str:
    answer = app.test_cli_runner().invoke(args=["report", *words])
    assert answer.exit_code == exit_code, answer.output
    return answer.output


def test_the_goal_report_tells_the_time_of_the_place_and_counts_made_up_tickets_by_scope(
    app: Flask, session: Session, district: District, now: datetime
) -> None:
    # given a made-up fridge, weighed in at 02:00 by UTC
    weigh_in(a_weighing(), scale_number="1", by=a_keeper(), district=district, session=session, now=now, made_up=True)
    session.rollback()
    # then the report says 10:00, as the page does, and warns under the scopes that have appliances
    printed = said(app, "goal")
    assert "汇总于 rolled up: 2026-11-23 10:00\n" in printed
    assert printed.count("1 张虚构磅单") == 2
    assert printed.index("1 张虚构磅单") < printed.index("(furniture/2)") < printed.rindex("1 张虚构磅单")


def test_the_goal_report_tells_how_sure_a_mass_is_what_is_under_review_and_what_has_left(
    session: Session, district: District, now: datetime
) -> None:
    # given two fridges of 80 kg at the door and 69 kg on the scale, one of which leaves for recovery
    day, (booking,) = a_crew_day(session, district=district, now=now, wishes=({"fridge": 2},))
    day.visit(booking, 9, {"fridge": 2}, doorstep_g=80_000)
    day.weigh({booking: {"fridge": 2}}, 69_000)
    day.balance()
    hand_over(
        a_batch(("fridge", 1), net_g=34_000), by=a_keeper(), district=district, session=session,
        now=now + timedelta(days=2),
    )  # fmt: skip
    # when the day after the next is printed
    printed = io.StringIO()
    progress = progress_at(TOMORROW + timedelta(days=1), district=district, session=session)
    print_goal_report(Console(file=printed, width=160), progress)
    words = " ".join(printed.getvalue().split())
    # then the interval stands under the mass: 1.96 x 5 kg / sqrt(6), two readings rounded to the scale's division
    assert "95 % 区间 interval │ │ 64.999 kg – 73.001 kg │" in words
    # and what is under review, and what left by which kind of outlet
    assert "待核，已计入 under review, counted: 1 趟 trips, 69 kg" in words
    assert "移交 handed over, 拆解利用 recovery: 1, 34.5 kg" in words
    assert "移交 handed over, 再使用 reuse: 0, 0 kg" in words
    assert "每件只在入库过磅时计一次" in words


def test_a_rebuild_says_what_differed_and_how_much_there_is(
    app: Flask, session: Session, district: District, now: datetime
) -> None:
    # given a fridge whose figure somebody changed by hand
    weigh_in(a_weighing(), scale_number="1", by=a_keeper(), district=district, session=session, now=now)
    session.execute(text("UPDATE daily_recovery SET units = 2"))
    session.commit()
    # then it is named once, and found right after that
    whole = "1 months, 1 daily figures, 1 units, 41.3 kg\n"
    first = said(app, "rebuild")
    assert "2026-11: 1 daily and 0 monthly figures differed from the tickets and were written anew\n" in first
    assert first.endswith(whole)
    assert "differed" not in said(app, "rebuild")


def test_a_day_ahead_is_not_rolled_up(app: Flask, session: Session) -> None:
    session.rollback()
    assert "2026-11-24 has not come yet" in said(app, "roll-up", "2026-11-24", exit_code=1)
    assert said(app, "roll-up", "2026-11-23").startswith("2026-11-23: 0 figures")
