"""When each job is due, and what each run is about: dates derived by hand from the calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from recycling.clock import SHANGHAI
from recycling.errors import InvalidInput
from recycling.gateways.config_files import read_district
from recycling.jobs.schedule import Cron, Job, jobs_of
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.job_runs.request_run import REQUESTABLE_JOBS
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def district() -> District:
    """The district of `config/`; no database is needed here."""
    return read_district(Path(ROOT) / "config")


def local(text: str) -> datetime:
    """A local instant such as ``2026-11-30 20:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def due(job: Job, after: str, until: str) -> list[str]:
    """Local due times of a job after one instant until another, both local."""
    assert job.cron is not None
    return [f"{at:%Y-%m-%d %H:%M}" for at in job.cron.due_times(after=local(after), until=local(until))]


def test_the_night_of_a_months_end_rolls_up_its_last_day(district: District) -> None:
    roll_up = jobs_of(district)["roll_up"]
    # Nightly at 00:30, so between two noons over New Year there is one due time a night.
    assert due(roll_up, "2026-12-30 12:00", "2027-01-01 12:00") == ["2026-12-31 00:30", "2027-01-01 00:30"]
    assert roll_up.scope_at(local("2027-01-01 00:30")) == "2026-12-31"
    # 2028 is divisible by 4 and not by 100: its February has a 29th.
    assert roll_up.scope_at(local("2028-03-01 00:30")) == "2028-02-29"
    assert roll_up.scope_at(local("2027-03-01 00:30")) == "2027-02-28"


def test_the_goal_report_is_due_on_the_first_for_the_month_before(district: District) -> None:
    report = jobs_of(district)["goal_report"]
    firsts = due(report, "2026-11-23 10:00", "2027-03-01 06:00")
    assert firsts == ["2026-12-01 06:00", "2027-01-01 06:00", "2027-02-01 06:00", "2027-03-01 06:00"]
    assert [report.scope_at(local(first)) for first in firsts] == ["2026-11", "2026-12", "2027-01", "2027-02"]


def test_an_evening_plans_and_a_morning_reminds_of_the_day_after(district: District) -> None:
    jobs = jobs_of(district)
    assert due(jobs["plan_tomorrow"], "2026-11-30 19:59", "2026-12-01 20:00") == [
        "2026-11-30 20:00",
        "2026-12-01 20:00",
    ]
    assert jobs["plan_tomorrow"].scope_at(local("2026-11-30 20:00")) == "2026-12-01"
    assert jobs["remind"].scope_at(local("2026-12-31 09:00")) == "2027-01-01"


def test_tomorrow_is_planned_when_the_district_says(district: District) -> None:
    day = date(2026, 12, 1)
    cron = jobs_of(district)["plan_tomorrow"].cron
    assert cron is not None
    planned_at = instant_at(day - timedelta(days=1), district.booking_rules.plan_at_s)
    assert cron.next_due(after=planned_at - timedelta(seconds=1)) == planned_at


def test_due_times_leave_out_the_begin_and_keep_the_end(district: District) -> None:
    plan = jobs_of(district)["plan_tomorrow"]
    assert due(plan, "2026-11-23 20:00", "2026-11-24 19:59") == []
    assert due(plan, "2026-11-23 19:59", "2026-11-23 20:00") == ["2026-11-23 20:00"]


def test_local_time_is_eight_hours_before_utc_all_year(district: District) -> None:
    # China keeps UTC+8 in summer too: 20:00 there is 12:00 UTC on both days.
    cron = jobs_of(district)["plan_tomorrow"].cron
    assert cron is not None
    for day in ("2027-01-15", "2027-07-15"):
        found = cron.next_due(after=local(f"{day} 12:00"))
        assert found is not None
        assert found.utctimetuple().tm_hour == 12


def test_weekdays_are_written_by_name() -> None:
    # 2026-11-23 is a Monday. APScheduler would read a 0 as Monday, crontab as Sunday, so digits are refused.
    monday = Cron(hour=7, day_of_week="mon").next_due(after=local("2026-11-23 08:00"))
    assert monday == local("2026-11-30 07:00")
    workdays = Cron(hour=7, day_of_week="mon-fri").due_times(
        after=local("2026-11-27 08:00"), until=local("2026-12-01 08:00")
    )
    assert [f"{at:%a %d}" for at in workdays] == ["Mon 30", "Tue 01"]
    for digits in ("0", "1-5", "mon,2", ""):
        with pytest.raises(InvalidInput, match="name the days"):
            Cron(hour=7, day_of_week=digits)


def test_what_people_may_ask_for_over_http_is_in_the_schedule(district: District) -> None:
    assert set(REQUESTABLE_JOBS) <= set(jobs_of(district))


def test_trips_are_compared_the_morning_after_and_averages_made_once_the_month_has_begun(district: District) -> None:
    jobs = jobs_of(district)
    assert due(jobs["mass_balance"], "2026-11-30 12:00", "2026-12-02 12:00") == ["2026-12-01 08:50", "2026-12-02 08:50"]
    assert jobs["mass_balance"].scope_at(local("2026-12-01 08:50")) == "2026-11-30"
    averages = jobs["class_averages"]
    assert due(averages, "2026-11-30 12:00", "2027-01-03 12:00") == ["2026-12-02 04:00", "2027-01-02 04:00"]
    assert averages.scope_at(local("2027-01-02 04:00")) == "2027-01"
