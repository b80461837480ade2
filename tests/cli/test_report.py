"""`flask report`: figures on the terminal, in words and times of the place."""

from __future__ import annotations

from datetime import datetime

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from recycling.policy.district import District
from recycling.usecases.intake.weigh_in import weigh_in
from tests.loads import a_keeper, a_weighing


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
