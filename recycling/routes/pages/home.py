"""The first page: what this is, and where each person goes from here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.transaction import DATABASE_ERRORS
from recycling.policy.access import Role
from recycling.policy.district import District
from recycling.routes.context import configured
from recycling.routes.pages.guard import PageBlueprint, visitor
from recycling.usecases.queries.bookings import open_days

bp = PageBlueprint("home", __name__, roles=None)

# Address, Chinese, English, what one finds there.
Tile = tuple[str, str, str, str]
BOOKINGS: Tile = ("/pages/bookings", "我的预约", "My bookings", "查看预约与状态 / bookings and where they stand")
DATA: Tile = ("/pages/my-data", "我的数据", "My data", "查看、下载或删除 / see, take away, erase")
ROUTE: Tile = ("/pages/my-route", "我的路线", "My route", "当天收运清单，可打印 / today's list, printable")
PLAN: Tile = (
    "/pages/plan",
    "调度计划",
    "Plan",
    "十个站点的路线与未排入 / routes of the ten stations, and what is left out",
)
LIVE: Tile = ("/pages/live", "当日动态", "Running day", "车辆位置进度与迟到 / what vehicles do, who is late")
GOALS: Tile = ("/pages/goals", "目标进度", "Goal progress", "家电与家具分列 / appliances and furniture apart")
HANDLING: Tile = ("/pages/handling", "作业时长", "Minutes", "计划与实际、建议与采纳 / plan against actual, proposals")
FAIRNESS: Tile = ("/pages/fairness", "工作量", "Who did how much", "回收员每周工作量 / collectors' weeks")
API: Tile = ("/api/docs", "接口文档", "API", "全部功能的接口 / everything, for other programs")

TILES: dict[Role, tuple[Tile, ...]] = {
    "resident": (BOOKINGS, DATA, API),
    "collector": (ROUTE, API),
    "keeper": (API,),
    "dispatcher": (PLAN, LIVE, HANDLING, FAIRNESS, GOALS, API),
    "clerk": (HANDLING, GOALS, API),
    "admin": (PLAN, LIVE, HANDLING, FAIRNESS, GOALS, API),
}


@bp.get("/")
def show() -> str:
    """Show the home page."""
    viewer = visitor()
    facts, today = configured(), service_day(utc_now())
    return render_template(
        "home.html",
        tiles=TILES[viewer.role] if viewer is not None else (),
        today=today,
        open_days=_open_days(facts),
        stations=facts.network.stations.values(),
        windows=facts.network.pickup_windows.values(),
        village_count=len(facts.network.villages),
        town_count=len(facts.network.towns),
        type_count=len(facts.catalogue.valid_on(today)),
    )


def _open_days(facts: District) -> Sequence[date]:
    """The days that can be booked; while the database is away those of the calendar, so that the way in stays open."""
    now = utc_now()
    try:
        return open_days(district=facts, session=db.session(), now=now)
    except DATABASE_ERRORS:
        return facts.booking_rules.bookable_days(now=now, calendar=facts.calendar)
