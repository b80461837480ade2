"""The planning board in a real browser: a stop dragged, judged before it is dropped, kept; a run followed."""

from __future__ import annotations

import math
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import select

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.booking import Booking
from recycling.models.job_run import claim, finish
from recycling.models.plan import Plan, PublishedPlan
from recycling.models.run_progress import tell
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.planning.edit_plan import edit_plan
from recycling.usecases.planning.judge_edits import find_places
from recycling.usecases.planning.judges import Judges
from tests.builders import DISPATCHER, a_booking
from tests.pages.screens import DESK, NARROW, PHONE, Screens, Visit
from tests.planned_days import a_plan

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

HOUR = 3600
LOOKS_MS = 40_000  # in which the board looks for changes of its day twice
GUTTER, HEAD, ROW, BAR = 118, 22, 54, 21  # of static/js/board/chart.js
LIGHT: dict[str, Any] = {"items": [WishedItem(item_type="range-hood", quantity=1)]}
WINDOWS = ("08-10", "10-12", "13-15", "15-17")


def a_planned_day(screens: Screens, *, bookings: int = 6) -> tuple[date, UUID]:
    """The next service day, with light pickups all over it, and its first plan."""
    district: District = screens.app.extensions["district"]
    now = utc_now()
    day = district.booking_rules.bookable_days(now=now, calendar=district.calendar)[0]
    with screens.app.app_context():
        session = db.session()
        for number in range(bookings):
            a_booking(
                session, district=district, now=now, day=day, pickup_window=WINDOWS[number % 4],
                lat=34.79 + number * 0.01, lon=117.25 + number * 0.01, **LIGHT,
            )  # fmt: skip
        plan_id = a_plan(session, district=district, now=now, day=day).id
        session.rollback()
    return day, plan_id


def board_of(visit: Visit, plan_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = visit.page.evaluate("async id => (await fetch(`/plans/${id}/board`)).json()", str(plan_id))
    return found


def point_of(
    page: Page, board: dict[str, Any], vehicle: str, second: int, *, gutter: int = GUTTER, zoom: float = 1
) -> tuple[float, float]:
    """Where a vehicle's row has an instant, in the window; the rows are not scrolled down."""
    first = min(v["shift_s"][0] for v in board["vehicles"]) // HOUR * HOUR
    last = -(-max(v["shift_s"][1] + v["max_overtime_s"] for v in board["vehicles"]) // HOUR) * HOUR
    driving = {route["vehicle_key"] for route in board["routes"]}
    rows = sorted(board["vehicles"], key=lambda v: v["key"] not in driving)
    row = [v["key"] for v in rows].index(vehicle)
    frame: dict[str, float] = page.evaluate(
        "() => { const e = document.getElementById('chart'), r = e.getBoundingClientRect();"
        " return { x: r.x + e.clientLeft, y: r.y + e.clientTop, width: e.clientWidth, left: e.scrollLeft }; }"
    )
    per_second = zoom * (frame["width"] - gutter - 12) / (last - first)
    return frame["x"] + gutter + (second - first) * per_second - frame["left"], frame["y"] + HEAD + row * ROW + BAR


def test_a_stop_is_dragged_judged_before_it_is_dropped_kept_and_published(screens: Screens) -> None:
    # given a dispatcher before tomorrow's plan
    day, plan_id = a_planned_day(screens)
    visit = screens.of("dispatcher")
    page = visit.open(f"/pages/board?day={day}")
    board = board_of(visit, plan_id)
    home = board["routes"][0]["vehicle_key"]
    step = next(step for step in board["routes"][0]["steps"] if step["kind"] == "pickup")
    with screens.app.app_context():
        places = find_places(plan_id, UUID(step["booking_id"]), {}, judges=Judges(), session=db.session())["places"]
        db.session.rollback()
    shown = {route["vehicle_key"] for route in board["routes"]}
    rows = sorted(board["vehicles"], key=lambda v: v["key"] not in shown)[:8]
    place = next(p for p in places if p["vehicle_key"] != home and p["vehicle_key"] in {v["key"] for v in rows})
    page.locator("#chart").scroll_into_view_if_needed()
    # when its first stop is dragged to where another vehicle takes it
    page.mouse.move(*point_of(page, board, home, (step["start_s"] + step["end_s"]) // 2))
    page.mouse.down()
    page.mouse.move(*point_of(page, board, place["vehicle_key"], place["start_s"]), steps=8)
    # then the verdict is there before it is dropped, and the plan is untouched
    page.get_by_text("不违反任何规则").wait_for()
    assert page.locator("#undo").is_disabled()
    # when it is dropped, undone and done again
    page.mouse.up()
    page.locator("#undo:enabled").click()
    page.locator("#redo:enabled").click()
    # and kept, then the next version is shown
    page.locator("#save:enabled").click()
    page.wait_for_url(re.compile("plan=(?!" + str(plan_id) + ")"))
    page.wait_for_selector('main:not([aria-busy="true"])')
    assert page.locator("#version option:checked").inner_text() == "第 2 版"
    # when it is compared, then the moved stop is named
    page.locator("#compare").click()
    page.locator("#compared").get_by_text("换车").first.wait_for()
    # when it is published, then it is the plan of the day
    page.locator("#publish:enabled").click()
    page.locator("#publish-now").click()
    page.get_by_text("第 2 版（已发布）").first.wait_for(state="attached")
    with screens.app.app_context():
        published = db.session().get_one(PublishedPlan, day)
        assert db.session().get_one(Plan, published.plan_id).version == 2
        db.session.rollback()


def test_a_finger_drags_the_chosen_stop_and_else_scrolls(screens: Screens) -> None:
    # given a phone, on whose time chart hours are wider, and a stop chosen
    day, plan_id = a_planned_day(screens)
    visit = screens.of("dispatcher", size=PHONE)
    page = visit.open(f"/pages/board?day={day}")
    board = board_of(visit, plan_id)
    page.locator("#chart").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#chart").scroll_into_view_if_needed()
    home = board["routes"][0]
    step = next(step for step in home["steps"] if step["kind"] == "pickup")
    start = point_of(page, board, home["vehicle_key"], (step["start_s"] + step["end_s"]) // 2, gutter=84, zoom=2.5)
    # when a finger is put on it and moves to the row below
    fingers = visit.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y} for x, y in points]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", start)
    for share in range(1, 6):
        touch("touchMove", (start[0], start[1] + share * ROW / 5))
    # then it is judged there, and moved when the finger is lifted
    page.locator("#verdict").get_by_text("成本").wait_for()
    touch("touchEnd")
    page.locator("#undo:enabled").wait_for()
    # and a finger anywhere else only scrolls
    page.locator("#undo").click()
    page.locator("#undo:disabled").wait_for(state="attached")
    page.locator("#chart").scroll_into_view_if_needed()
    beside = point_of(page, board, home["vehicle_key"], step["end_s"] + 1800, gutter=84, zoom=2.5)
    touch("touchStart", beside)
    for share in range(1, 6):
        touch("touchMove", (beside[0], beside[1] + share * ROW / 5))
    touch("touchEnd")
    assert page.locator("#undo").is_disabled()


def test_by_keys_and_form_what_breaks_is_said_in_words_and_cannot_be_kept(screens: Screens) -> None:
    # given a dispatcher who reads English and uses no mouse
    day, plan_id = a_planned_day(screens)
    visit = screens.of("dispatcher", lang="en")
    page = visit.open(f"/pages/board?day={day}")
    board = board_of(visit, plan_id)
    longest = max(board["routes"], key=lambda route: len(route["steps"]))
    ids = [step["booking_id"] for step in longest["steps"] if step["kind"] == "pickup"]
    assert len(ids) > 1
    # when the last stop of a route is put before its first: the afternoon before the morning
    page.locator("#chart").focus()
    page.keyboard.press("ArrowRight")
    page.locator(f"ol.of-route li:has-text('{len(ids)}.') button").last.click()
    page.locator("#to-place").select_option("0")
    page.get_by_role("button", name="Move", exact=True).click()
    # then each stop that comes too late says so, and nothing can be kept
    page.get_by_text("outside the promised window").first.wait_for()
    assert page.locator("#save").is_disabled()
    # when the page is loaded again, the edits are still there; undone by keys they are gone
    page = visit.open(f"/pages/board?day={day}")
    page.get_by_text("outside the promised window").first.wait_for()
    assert visit.grave_findings() == []


def test_a_newer_version_of_somebody_else_is_named_and_kept_beside(screens: Screens) -> None:
    # given two dispatchers with version 1 in hand, one of whom has kept version 2
    day, plan_id = a_planned_day(screens)
    district: District = screens.app.extensions["district"]
    visit = screens.of("dispatcher")
    page = visit.open(f"/pages/board?day={day}")
    board = board_of(visit, plan_id)
    home = board["routes"][0]
    stops = [step["booking_id"] for step in home["steps"] if step["kind"] == "pickup"]
    with screens.app.app_context():
        session, judges = db.session(), Judges()
        place = next(
            p for p in find_places(plan_id, UUID(stops[0]), {}, judges=judges, session=session)["places"]
            if p["vehicle_key"] not in {route["vehicle_key"] for route in board["routes"]}
        )  # fmt: skip
        wish = {home["vehicle_key"]: stops[1:], place["vehicle_key"]: [stops[0]]}
        edit_plan(
            plan_id, wish, newest=1, judges=judges, by=DISPATCHER, district=district, session=session, now=utc_now()
        )
        session.rollback()
    # when the other keeps the same move
    page.locator("#chart").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#to-vehicle").select_option(place["vehicle_key"])
    page.get_by_role("button", name="移动", exact=True).click()
    visit.expected = ("412",)
    page.locator("#save:enabled").click()
    # then version 2 is named, and theirs is kept beside it when they want it
    page.get_by_role("button", name="仍然另存我的改动").click()
    page.wait_for_url(re.compile("plan=(?!" + str(plan_id) + ")"))
    page.wait_for_selector('main:not([aria-busy="true"])')
    assert page.locator("#version option:checked").inner_text() == "第 3 版"


def map_point(page: Page, board: dict[str, Any], place: dict[str, Any]) -> tuple[float, float]:
    """Where the map has a place, in the window: Mercator, fitted to stops and stations in steps of a quarter."""
    frame: dict[str, float] = page.evaluate(
        "() => { const e = document.getElementById('map'), r = e.getBoundingClientRect();"
        " return { x: r.x + e.clientLeft, y: r.y + e.clientTop, width: e.clientWidth, height: e.clientHeight }; }"
    )

    def whole(one: dict[str, Any]) -> tuple[float, float]:
        sine = math.sin(math.radians(one["lat"]))
        return one["lon"] / 360, -math.atanh(sine) / (2 * math.pi)

    points = [whole(one) for one in (*board["stops"], *board["stations"])]
    (west, east), (north, south) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))
    margin = 2 * 24
    scale = min((frame["width"] - margin) / (east - west), (frame["height"] - margin) / (south - north))
    scale = 2 ** (math.floor(math.log2(scale / 256) * 4) / 4) * 256
    x, y = whole(place)
    return (
        frame["x"] + frame["width"] / 2 + (x - (west + east) / 2) * scale,
        frame["y"] + frame["height"] / 2 + (y - (north + south) / 2) * scale,
    )


def test_a_stop_is_dragged_on_the_map_onto_another_line_or_put_back(screens: Screens) -> None:
    # given a day of two routes: one stop has been taken to a vehicle of its own, not the nearest to any other stop
    day, plan_id = a_planned_day(screens)
    visit = screens.of("dispatcher")
    page = visit.open(f"/pages/board?day={day}")
    board = board_of(visit, plan_id)
    stops = {stop["booking_id"]: stop for stop in board["stops"]}
    longest = max(board["routes"], key=lambda route: len(route["steps"]))
    held, *others = (step["booking_id"] for step in longest["steps"] if step["kind"] == "pickup")
    page.locator("#chart").focus()
    page.keyboard.press("ArrowRight")
    page.locator("ol.of-route button", has_text="1.").first.click()
    with screens.app.app_context():
        places = find_places(plan_id, UUID(held), {}, judges=Judges(), session=db.session())["places"]
        db.session.rollback()
    away = next(p for p in places if p["vehicle_key"] not in {route["vehicle_key"] for route in board["routes"]})
    page.locator("#to-vehicle").select_option(away["vehicle_key"])
    page.get_by_role("button", name="移动", exact=True).click()
    page.locator("#save:enabled").wait_for()
    assert away["vehicle_key"] in page.locator("#chosen").inner_text()
    # when it is dragged over another stop of the route that it came from
    page.locator("#map").scroll_into_view_if_needed()
    page.mouse.move(*map_point(page, board, stops[held]))
    page.mouse.down()
    page.mouse.move(*map_point(page, board, stops[others[-1]]), steps=8)
    # then that is judged on the map and beside it, before it is dropped
    page.locator("#map .leaflet-tooltip", has_text=longest["vehicle_key"]).wait_for()
    page.locator("#map .leaflet-tooltip", has_text=re.compile("[✓✗]")).wait_for()
    assert away["vehicle_key"] in page.locator("#chosen").inner_text()
    # when it is put back, and dragged again and dropped
    page.keyboard.press("Escape")
    page.locator("#map .leaflet-tooltip").wait_for(state="detached")
    page.mouse.up()
    assert away["vehicle_key"] in page.locator("#chosen").inner_text()
    page.mouse.move(*map_point(page, board, stops[held]))
    page.mouse.down()
    page.mouse.move(*map_point(page, board, stops[others[-1]]), steps=8)
    page.mouse.up()
    # then it is on that route
    page.locator("#chosen", has_text=f"{longest['vehicle_key']} · 上门").wait_for()


def test_an_open_board_tells_of_what_others_made_and_keeps_the_edits(screens: Screens) -> None:
    # given a dispatcher who has moved a stop of version 1
    day, plan_id = a_planned_day(screens)
    district: District = screens.app.extensions["district"]
    visit = screens.of("dispatcher")
    page = visit.open(f"/pages/board?day={day}")
    assert page.locator("#news").inner_text() == ""
    page.locator("#chart").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Alt+ArrowDown")
    page.locator("#undo:enabled").wait_for()
    # when somebody makes version 2, of a booking more
    with screens.app.app_context():
        session, now = db.session(), utc_now()
        a_booking(session, district=district, now=now, day=day, pickup_window="08-10", **LIGHT)
        second = a_plan(session, district=district, now=now, day=day).id
        session.rollback()
    # then the open board says so by itself, and that its own version is overtaken
    news = page.locator("#news")
    news.get_by_text("有了新的第 2 版").wait_for()
    news.get_by_text("新增 1、减少 0、更改 0").wait_for(timeout=LOOKS_MS)
    assert visit.grave_findings() == []
    # and version 2 is loaded when asked for, while the edits wait where they were made
    news.get_by_role("link", name="载入第 2 版").click()
    page.wait_for_url(re.compile(str(second)))
    page.wait_for_selector('main:not([aria-busy="true"])')
    assert page.locator("#version option:checked").inner_text() == "第 2 版"
    page = visit.open(f"/pages/board?day={day}&plan={plan_id}")
    page.locator("#verdict").get_by_text("成本").wait_for()


def test_who_is_taken_off_is_offered_other_windows_and_changed_to_one(screens: Screens) -> None:
    # given a stop taken off its route by hand
    day, plan_id = a_planned_day(screens, bookings=2)
    visit = screens.of("dispatcher")
    page = visit.open(f"/pages/board?day={day}")
    stop = board_of(visit, plan_id)["routes"][0]["steps"][1]["booking_id"]
    page.locator("#chart").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="移出路线").click()
    row = page.locator("#left-out tr", has_text=stop[:8])
    row.get_by_text("手工移出").wait_for()
    # when other windows are asked for and its resident agrees to the last of those shown
    row.get_by_role("button", name="其它时段…").click()
    row.get_by_text("先电话征得居民同意").wait_for()
    offer = row.locator("div div.links button").last
    offered = offer.inner_text()
    offer.click()
    row.get_by_text(f"已改为 {offered}").wait_for()
    # then the booking has it, and the open board says that its plan is overtaken
    page.locator("#news").get_by_text("本版制定后情况有变").wait_for(timeout=LOOKS_MS)
    with screens.app.app_context():
        changed = db.session().get_one(Booking, UUID(stop))
        assert (changed.version, changed.pickup_window in offered or changed.pickup_window == "all-day") == (2, True)
        db.session.rollback()


def test_a_run_is_followed_and_its_plan_is_offered(screens: Screens) -> None:
    # given a planned day
    day, plan_id = a_planned_day(screens, bookings=2)
    visit = screens.of("dispatcher")
    page = visit.open(f"/pages/board?day={day}")
    # when it is planned anew, and a scheduler takes the run and tells how far it is
    page.locator("#plan-day").click()
    page.get_by_text("已排队").wait_for()
    with screens.app.app_context():
        session, now = db.session(), utc_now()
        with atomic(session):
            held = claim(session, now=now, lease=timedelta(minutes=2))
            assert held is not None
            tell(session, held.run_id, elapsed_ms=4200, best_cost=70_310, stops_planned=2, stops_total=2, now=now)
        page.get_by_text("最好成本 70,310").wait_for()
        # when it is asked to stop, and ends
        page.locator("#stop-run").click()
        page.get_by_text("正在停止").wait_for()
        with atomic(session):
            version = session.scalars(select(Plan.version).where(Plan.id == plan_id)).one()
            figures = {
                "plan_id": str(plan_id), "version": version, "cost_total": 70_310, "unassigned": 0, "stopped": True
            }  # fmt: skip
            finish(session, held, figures=figures, now=utc_now())
        db.session.remove()
    # then the plan that it kept is offered
    page.get_by_text("已提前停止").wait_for()
    page.locator("#show-made").click()
    page.wait_for_url(re.compile(str(plan_id)))


def test_a_filled_board_fits_and_serves_anybody(screens: Screens) -> None:
    day, _ = a_planned_day(screens)
    visit = screens.of("dispatcher")
    found: dict[str, object] = {}
    for lang, size in (("zh", NARROW), ("en", PHONE), ("en", DESK)):
        visit.read(lang=lang, size=size)
        page = visit.open(f"/pages/board?day={day}")
        page.locator("#chart").focus()
        page.keyboard.press("ArrowRight")
        page.locator(".move-form").wait_for()
        if (overflow := visit.overflow_px()) > 0:
            found[f"{lang} {size[0]}"] = f"{overflow} px too wide"
        if grave := visit.grave_findings():
            found[f"{lang} {size[0]} axe"] = grave
    assert found == {}
