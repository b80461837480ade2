"""The screens of each role: the table behind the navigation and the home page."""

from __future__ import annotations

from dataclasses import dataclass

from recycling.policy.access import Role


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a screen is, what it is called, what one finds there."""

    address: str
    zh: str
    en: str
    about_zh: str
    about_en: str


BOOKINGS = Screen("/pages/bookings", "我的预约", "My bookings", "查看预约与状态", "bookings and where they stand")
DATA = Screen("/pages/my-data", "我的数据", "My data", "查看、下载或删除", "see, take away, erase")
ROUTE = Screen("/pages/my-route", "我的路线", "My route", "当天收运清单，可打印", "today's list, printable")
PLAN = Screen(
    "/pages/plan", "调度计划", "Plan", "十个站点的路线与未排入", "routes of the ten stations, and what is left out"
)
LIVE = Screen("/pages/live", "当日动态", "Running day", "车辆位置进度与迟到", "what vehicles do, who is late")
GOALS = Screen("/pages/goals", "目标进度", "Goals", "家电与家具分列", "appliances and furniture apart")
HANDLING = Screen("/pages/handling", "作业时长", "Minutes", "计划与实际、建议与采纳", "plan against actual, proposals")
FAIRNESS = Screen("/pages/fairness", "工作量", "Who did how much", "回收员每周工作量", "collectors' weeks")
FLEET = Screen("/pages/fleet", "车辆与班次", "Fleet", "停用、请假、换车、调班", "who drives what, and changes of it")
CALENDAR = Screen(
    "/pages/calendar", "服务日历", "Calendar", "停收、加开与站点时间", "closed days, extra days, station hours"
)
STAFF = Screen("/pages/staff", "账号", "Accounts", "开户、换密码、停用", "open, renew and end accounts")
API = Screen("/api/docs", "接口文档", "API", "全部功能的接口", "everything, for other programs")

SCREENS: dict[Role, tuple[Screen, ...]] = {
    "resident": (BOOKINGS, DATA),
    "collector": (ROUTE,),
    "keeper": (),
    "dispatcher": (LIVE, PLAN, FLEET, CALENDAR, HANDLING, FAIRNESS, GOALS),
    "clerk": (GOALS, HANDLING),
    "admin": (LIVE, PLAN, FLEET, CALENDAR, STAFF, HANDLING, FAIRNESS, GOALS),
}
