"""The schedule (定时任务表): every job of the network in one table, `jobs_of`, in local time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

from apscheduler.triggers.cron import CronTrigger

from recycling.clock import SHANGHAI, service_day
from recycling.errors import InvalidInput
from recycling.jobs import actions
from recycling.jobs.actions import Figures
from recycling.jobs.context import JobContext
from recycling.policy.district import District
from recycling.policy.periods import quarter_of
from recycling.usecases.messages.remind import EARLY_DAYS

# Digits are refused: APScheduler counts from Monday = 0, crontab from Sunday = 0.
DAYS_OF_WEEK = re.compile(r"\*|(mon|tue|wed|thu|fri|sat|sun)([,-](mon|tue|wed|thu|fri|sat|sun))*")

LATE_AFTER = timedelta(hours=1)  # nobody waits for a night's work minute by minute

RESOLUTION = timedelta(microseconds=1)  # of a datetime: the step from "at" to "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """When a job is due, Asia/Shanghai; ``month``, ``day`` of it and ``day_of_week`` (by name) default to every one."""

    hour: int
    minute: int = 0
    day: int | None = None
    day_of_week: str = "*"
    month: str = "*"

    def __post_init__(self) -> None:
        if not DAYS_OF_WEEK.fullmatch(self.day_of_week):
            raise InvalidInput(f"day_of_week {self.day_of_week!r}: name the days, such as mon-fri")

    def trigger(self) -> CronTrigger:
        """APScheduler's form of it."""
        return CronTrigger(
            month=self.month,
            day="*" if self.day is None else self.day,
            day_of_week=self.day_of_week,
            hour=self.hour,
            minute=self.minute,
            second=0,
            timezone=SHANGHAI,
        )

    def next_due(self, *, after: datetime) -> datetime | None:
        """The first due time later than an instant; ``None`` when there is no such day."""
        return self.trigger().get_next_fire_time(None, after + RESOLUTION)  # type: ignore[no-any-return]  # untyped library

    def due_times(self, *, after: datetime, until: datetime) -> Iterator[datetime]:
        """Every due time later than ``after`` and not later than ``until``, ascending."""
        due_at = self.next_due(after=after)
        while due_at is not None and due_at <= until:
            yield due_at
            due_at = self.next_due(after=due_at)

    def __str__(self) -> str:
        clock = f"{self.hour:02d}:{self.minute:02d}"
        if self.month != "*":
            return f"{self.month} 月 {self.day} 日 / months {self.month}, day {self.day}, {clock}"
        if self.day is not None:
            return f"每月{self.day}日 / monthly, day {self.day}, {clock}"
        if self.day_of_week != "*":
            return f"每周 / weekly, {self.day_of_week}, {clock}"
        return f"每日 / daily {clock}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row of the schedule.

    Parameters
    ----------
    cron
        When the clock asks for it; ``None`` for a job that only people ask for.
    about
        The day a run is about, from the local day on which it is due: the night's roll-up is about the day before.
    scope
        That day as the run's scope: the day itself, its month, or nothing.
    latest_only
        Whether, of several due times that were missed, only the last still matters; the others are recorded as skipped.
    late_after
        How long after its due time a run must be done; after that administrators are told.
    from_the_first_start
        Whether the due time before the very first start of a scheduler is still done. All other jobs begin then.
    """

    key: str
    name_zh: str
    name_en: str
    does_zh: str
    does_en: str
    action: Callable[[JobContext], Figures]
    cron: Cron | None
    about: Callable[[date], date]
    scope: Callable[[date], str]
    latest_only: bool = False
    late_after: timedelta = LATE_AFTER
    from_the_first_start: bool = False

    def scope_at(self, due_at: datetime) -> str:
        """The scope of the run that is due at an instant."""
        return self.scope(self.about(service_day(due_at)))


def _day_before(day: date) -> date:
    return day - timedelta(days=1)


def _day_after(day: date) -> date:
    return day + timedelta(days=1)


def _early(day: date) -> date:
    return day + timedelta(days=EARLY_DAYS)


def _month_before(day: date) -> date:
    return day.replace(day=1) - timedelta(days=1)


def _same(day: date) -> date:
    return day


def _nothing(_day: date) -> str:
    return ""


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _year(day: date) -> str:
    return f"{day:%Y}"


def jobs_of(district: District) -> Mapping[str, Job]:
    """The schedule by job key; the hour of planning comes from the district's configuration."""
    plan_at_s = district.booking_rules.plan_at_s
    table = (
        Job(
            key="roll_up",
            name_zh="日汇总",
            name_en="Daily roll-up",
            does_zh="按磅单重算前一日回收量",
            does_en="rebuild yesterday's recovered figures from its tickets",
            action=actions.roll_up,
            cron=Cron(hour=0, minute=30),
            about=_day_before,
            scope=date.isoformat,
        ),
        Job(
            key="book_recurring",
            name_zh="定期回收预约",
            name_en="Recurring pickups",
            does_zh="为企业定期回收预约新开放的日期",
            does_en="book the days of recurring pickups that became bookable",
            action=actions.book_recurring_days,
            cron=Cron(hour=0, minute=10),
            about=_same,
            scope=date.isoformat,
            latest_only=True,
        ),
        Job(
            key="housekeeping",
            name_zh="日常清理",
            name_en="Housekeeping",
            does_zh="清理过期验证码、幂等键、计数器、登录记录和照片",
            does_en="delete old codes, keys, counters, sign-ins and photos",
            action=actions.housekeeping,
            cron=Cron(hour=3, minute=15),
            about=_same,
            scope=_nothing,
            latest_only=True,
        ),
        # After the roll-up, so that the day that is over stands in it as it will stay.
        Job(
            key="audit_anchor",
            name_zh="留痕锚定",
            name_en="Audit anchor",
            does_zh="签名记录留痕、磅单链的末端，另存一份并推送主管部门",
            does_en="sign where all chains stand, keep it in a second place, tell the bureau",
            action=actions.audit_anchor,
            cron=Cron(hour=0, minute=50),
            about=_same,
            scope=date.isoformat,
            latest_only=True,
        ),
        Job(
            key="verify_records",
            name_zh="记录核验",
            name_en="Verify records",
            does_zh="核验留痕、磅单链、回收量与锚定，发现改动即告警",
            does_en="verify audit log, tickets, figures and anchors; alarm when somebody changed them",
            action=actions.verify,
            cron=Cron(hour=1, minute=20),
            about=_same,
            scope=date.isoformat,
            latest_only=True,
        ),
        Job(
            key="goal_report",
            name_zh="目标月报",
            name_en="Monthly goal report",
            does_zh="生成上月目标进度报告并通知主管部门",
            does_en="keep last month's goal report and tell the bureau",
            action=actions.goal_report,
            cron=Cron(day=1, hour=6),
            about=_month_before,
            scope=_month,
        ),
        # After the roll-up, from whose figures it is made.
        Job(
            key="forecast",
            name_zh="年末预测",
            name_en="Forecasts",
            does_zh="按前一日数据预测各口径年末回收量",
            does_en="forecast the year's end of every scope as of yesterday",
            action=actions.forecasts,
            cron=Cron(hour=1, minute=10),
            about=_day_before,
            scope=date.isoformat,
        ),
        Job(
            key="pace_alarm",
            name_zh="进度预警",
            name_en="Pace alarm",
            does_zh="目标可能落空时告知主管部门，每级每月一次",
            does_en="tell the bureau of goals in danger, once a month for each level",
            action=actions.pace_alarm,
            cron=Cron(hour=7, minute=40, day_of_week="mon"),
            about=_day_before,
            scope=date.isoformat,
        ),
        Job(
            key="quarterly_report",
            name_zh="目标季报",
            name_en="Quarterly goal report",
            does_zh="生成上季度目标进度报告并通知主管部门",
            does_en="keep last quarter's goal report and tell the bureau",
            action=actions.goal_report,
            cron=Cron(day=1, hour=6, minute=10, month="1,4,7,10"),
            about=_month_before,
            scope=quarter_of,
        ),
        Job(
            key="yearly_report",
            name_zh="目标年报",
            name_en="Yearly goal report",
            does_zh="生成上年度目标进度报告并通知主管部门",
            does_en="keep last year's goal report and tell the bureau",
            action=actions.goal_report,
            cron=Cron(day=1, hour=6, minute=20, month="1"),
            about=_month_before,
            scope=_year,
        ),
        Job(
            key="verify_reports",
            name_zh="报告核验",
            name_en="Verify reports",
            does_zh="按磅单重算最近签发的报告，不一致即报警",
            does_en="work the newest published reports out again from their tickets, and alarm on a difference",
            action=actions.verify_reports,
            cron=Cron(hour=4, minute=15),
            about=_same,
            scope=date.isoformat,
            latest_only=True,
        ),
        # After the phones that were without a network on the month's last days have sent what they recorded.
        Job(
            key="propose_handling",
            name_zh="作业时长建议",
            name_en="Handling proposal",
            does_zh="由上月上门记录提出新的作业时长，供调度采纳或否决",
            does_en="propose new handling minutes from last month's records, for a dispatcher to decide on",
            action=actions.propose_minutes,
            cron=Cron(day=3, hour=5),
            about=_month_before,
            scope=_month,
        ),
        Job(
            key="remind",
            name_zh="上门提醒",
            name_en="Reminders",
            does_zh="提醒次日有预约的居民",
            does_en="remind the residents of tomorrow's pickups",
            action=actions.remind,
            cron=Cron(hour=9),
            about=_day_after,
            scope=date.isoformat,
            latest_only=True,
        ),
        Job(
            key="remind_early",
            name_zh="提前提醒",
            name_en="Early reminders",
            does_zh="提醒三日后有预约的居民",
            does_en="remind the residents of the pickups in three days",
            action=actions.early_reminders,
            cron=Cron(hour=9, minute=10),
            about=_early,
            scope=date.isoformat,
        ),
        # In the morning: by then the phones that were without a network in the evening have sent what they recorded.
        Job(
            key="tell_missed",
            name_zh="漏收告知",
            name_en="Missed pickups",
            does_zh="告知居民与调度前一日没有上门记录的预约",
            does_en="tell residents and dispatchers of yesterday's pickups without a record",
            action=actions.missed_visits,
            cron=Cron(hour=8, minute=30),
            about=_day_before,
            scope=date.isoformat,
        ),
        # After the phones have sent what they recorded, and again by hand when one comes later.
        Job(
            key="judge_windows",
            name_zh="时段履约评定",
            name_en="Promised windows",
            does_zh="评定前一日承诺时段的履约情况",
            does_en="judge which of yesterday's promised windows were kept",
            action=actions.kept_windows,
            cron=Cron(hour=8, minute=40),
            about=_day_before,
            scope=date.isoformat,
        ),
        # After the phones have sent what they recorded, and the loads of the evening had their turn on the scale.
        Job(
            key="mass_balance",
            name_zh="物料平衡检查",
            name_en="Mass balance",
            does_zh="核对前一日各趟次上门与过磅，超差待核",
            does_en="compare the doors of yesterday's trips with what was weighed, and hold what does not agree",
            action=actions.mass_balance,
            cron=Cron(hour=8, minute=50),
            about=_day_before,
            scope=date.isoformat,
        ),
        # Of the month that has begun, so that a version is named by the month in which it is used.
        Job(
            key="class_averages",
            name_zh="站点品类均值",
            name_en="Class averages",
            does_zh="由前十二个月的过磅记录计算各站点品类均值",
            does_en="work out each station's mean masses from the weighings of the twelve months before",
            action=actions.class_averages,
            cron=Cron(day=2, hour=4),
            about=_same,
            scope=_month,
        ),
        Job(
            key="stock_age",
            name_zh="库龄提醒",
            name_en="Stock age",
            does_zh="提醒保管员、调度与主管部门存放过久的库存",
            does_en="tell keepers, dispatchers and the bureau of goods that lie too long",
            action=actions.stock_age,
            cron=Cron(hour=7, minute=30),
            about=_same,
            scope=date.isoformat,
            latest_only=True,
        ),
        # plan_at in config/district/network.toml, which is never before the last moment to withdraw.
        Job(
            key="plan_tomorrow",
            name_zh="次日排线",
            name_en="Plan tomorrow",
            does_zh="制定并发布次日收运计划，通知居民与回收员",
            does_en="plan and publish tomorrow, tell residents and crews",
            action=actions.plan_and_publish,
            cron=Cron(hour=plan_at_s // 3600, minute=plan_at_s // 60 % 60),
            about=_day_after,
            scope=date.isoformat,
            latest_only=True,
            from_the_first_start=True,
        ),
        Job(
            key="plan_day",
            name_zh="手动排线",
            name_en="Plan a day",
            does_zh="为指定日期制定新版计划，不发布",
            does_en="make a new version of a day's plan, unpublished",
            action=actions.plan_only,
            cron=None,
            about=_same,
            scope=date.isoformat,
        ),
        Job(
            key="replan_day",
            name_zh="当日重排",
            name_en="Plan the rest of today",
            does_zh="为当日余下行程制定重排方案",
            does_en="make proposals for the rest of a running day",
            action=actions.replan,
            cron=None,
            about=_same,
            scope=date.isoformat,
        ),
    )
    return MappingProxyType({job.key: job for job in table})
