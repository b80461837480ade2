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


BOOK = Screen("/pages/book", "预约回收", "Book", "选物品、看估价、约时间", "items, estimate, a time that suits")
BOOKINGS = Screen("/pages/bookings", "我的预约", "My bookings", "查看预约与状态", "bookings and where they stand")
DATA = Screen("/pages/my-data", "我的数据", "My data", "查看、下载或删除", "see, take away, erase")
COLLECT = Screen("/pages/collect", "今日收运", "Today's route", "手机端，无信号也能用", "a phone page, works offline")
ROUTE = Screen("/pages/my-route", "我的路线", "My route", "当天收运清单，可打印", "today's list, printable")
PLAN = Screen(
    "/pages/plan", "调度计划", "Plan", "十个站点的路线与未排入", "routes of the ten stations, and what is left out"
)
BOARD = Screen(
    "/pages/board", "排线看板", "Board", "地图与时间图上调整路线", "routes on a map and in time, edited by hand"
)
LIVE = Screen("/pages/live", "当日动态", "Running day", "车辆位置进度与迟到", "what vehicles do, who is late")
GOALS = Screen("/pages/goals", "目标进度", "Goals", "家电与家具分列", "appliances and furniture apart")
FIGURES = Screen(
    "/pages/figures", "数据", "Figures", "日回收量、磅单、平衡与均值", "days, tickets, balances, class averages"
)
REPORTS = Screen(
    "/pages/reports", "报告", "Reports", "生成、两人签发、下载、核验", "make, sign by two, download, verify"
)
HISTORY = Screen(
    "/pages/history",
    "基准与历史",
    "Baseline, history",
    "申报与确认基准，历史数据",
    "baselines, months before this system",
)
KEPT = Screen(
    "/pages/kept-windows", "履约", "Kept promises", "各镇街村居时段履约率", "windows kept, by town and village"
)
RECORDS = Screen(
    "/pages/records", "运行与留痕", "Runs and records", "任务执行、留痕、回放", "jobs, audit log, any past day again"
)
HANDLING = Screen("/pages/handling", "作业时长", "Minutes", "计划与实际、建议与采纳", "plan against actual, proposals")
FAIRNESS = Screen("/pages/fairness", "工作量", "Who did how much", "回收员每周工作量", "collectors' weeks")
FLEET = Screen("/pages/fleet", "车辆与班次", "Fleet", "停用、请假、换车、调班", "who drives what, and changes of it")
CALENDAR = Screen(
    "/pages/calendar", "服务日历", "Calendar", "停收、加开与站点时间", "closed days, extra days, station hours"
)
STAFF = Screen("/pages/staff", "账号", "Accounts", "开户、换密码、停用", "open, renew and end accounts")
STATION = (
    Screen("/pages/station/today", "今日", "Today", "来车、磅单、待办", "vans, tickets, what waits"),
    Screen("/pages/station/weigh", "过磅", "Weigh in", "上门趟次或自送", "a van's trip, or a walk-in"),
    Screen("/pages/station/stock", "库存", "Stock", "库龄、盘点、标签追溯", "age, counts, the way of a label"),
    Screen("/pages/station/hand-overs", "移交", "Hand-overs", "处理企业、移交单、复磅", "processors, notes, re-weighs"),
    Screen("/pages/station/balance", "平衡", "Balance", "待核趟次、缺件、均值", "held trips, missing parts, averages"),
)
API = Screen("/api/docs", "接口文档", "API", "全部功能的接口", "everything, for other programs")

SCREENS: dict[Role, tuple[Screen, ...]] = {
    "resident": (BOOK, BOOKINGS, DATA),
    "collector": (COLLECT, ROUTE),
    "keeper": STATION,
    "dispatcher": (BOARD, PLAN, LIVE, FLEET, CALENDAR, HANDLING, FAIRNESS, GOALS, KEPT, RECORDS),
    "clerk": (GOALS, FIGURES, REPORTS, HISTORY, KEPT, RECORDS, HANDLING),
    "admin": (
        BOARD,
        PLAN,
        LIVE,
        FLEET,
        CALENDAR,
        STAFF,
        HANDLING,
        FAIRNESS,
        GOALS,
        FIGURES,
        REPORTS,
        HISTORY,
        KEPT,
        RECORDS,
    ),
}
