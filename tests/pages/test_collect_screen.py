"""The collector's phone page in a real browser: a visit from door to proof, without signal, and what goes wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import select, update

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.booking import Booking
from recycling.models.people import SignIn
from recycling.models.proof import ProofPhoto
from recycling.routes.pages.collect import SHELL
from recycling.usecases.bookings.promise import WishedItem
from tests.callers import PASSWORD
from tests.pages.screens import NARROW, PHONE, Screens, Visit, until
from tests.pages.todays_route import flagged, publish, recorded, state_of, todays_route
from tests.pages.wire import Wire, wire_to
from tests.photo_files import a_grainy_photo, a_photo
from tests.planned_days import TRUCK_CREW

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PAGE = "/pages/collect"
KEPT = "navigator.serviceWorker.ready.then(() => caches.match('/pages/collect/shell')).then(Boolean)"
CUT = ("Failed to load resource", "net::ERR_")  # what a browser says of every request without a network
STORED_CODE = """new Promise(resolve => {
  const asked = indexedDB.open("collect");
  asked.onsuccess = () => {
    const drafts = asked.result.transaction("drafts").objectStore("drafts").getAll();
    drafts.onsuccess = () => { asked.result.close(); resolve(drafts.result.some(draft => draft.code === "123456")); };
  };
})"""
NEWER = '[name="theme-color"][content="#0b6b4b"]'
LITTLE_ROOM_BYTES = 600_000  # for the list and records, and for no large photo
INERT = "<script>alert(1)</script>"


@pytest.fixture
def wire(screens: Screens) -> Iterator[Wire]:
    """A wire to the server that can be cut."""
    with wire_to(screens.server.host, screens.server.port) as opened:
        yield opened
        for visit in screens.visits:
            visit.context.close()  # before the wire goes: what is on its way then is no fault of the page


def the_first_of_the_crew(screens: Screens, wire: Wire) -> tuple[Visit, str]:
    """A phone on which the truck's first collector has signed in by the form, and their login."""
    login = screens.browsers.account("collector", collector_key=TRUCK_CREW[0])
    visit = screens.of(None, size=PHONE)
    visit.address = wire.address
    visit.context.add_cookies([{"name": "lang", "value": "zh", "url": wire.address}])
    sign_in(visit, login)
    return visit, login


def sign_in(visit: Visit, login: str) -> Page:
    """Sign in by the form, on the way to the page."""
    page = visit.page
    page.goto(f"{visit.address}/pages/sign-in?next={PAGE}")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.click("form[action$='/staff'] button")
    page.wait_for_url(f"**{PAGE}")
    page.wait_for_selector('main:not([aria-busy="true"])')
    return page


def tap(page: Page, words: str) -> None:
    """Tap what is called so."""
    page.locator(".act, main").get_by_role("button", name=words).or_(
        page.locator(".act").get_by_role("link", name=words)
    ).first.click()


def test_a_visit_from_setting_out_to_the_signature_reaches_the_server_in_its_sequence(
    screens: Screens, wire: Wire, tmp_path: Path
) -> None:
    # given a route of two doors, the first one's resident having typed script
    (first, _) = todays_route(screens.app, {"note": INERT, "items": [WishedItem(item_type="fridge", quantity=1)]}, {})
    visit, _ = the_first_of_the_crew(screens, wire)
    page = visit.page
    page.wait_for_selector(".steps li")
    assert INERT in page.locator(".hint").inner_text()

    # when the collector taps through the first visit
    for words in ("开始出车", "出发前往", "到达", "开始", "完成上门"):
        page.locator(".act .big", has_text=words).click()
    page.locator(".stepper").first.wait_for()
    (tmp_path / "door.jpg").write_bytes(a_photo(width=2400, height=1800))
    page.set_input_files("#camera", tmp_path / "door.jpg")
    page.wait_for_selector(".shots img")
    assert "还缺" in page.locator("main").inner_text()
    page.locator(".pad").scroll_into_view_if_needed()
    box = page.locator(".pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 40)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 20 + 15 * step, box["y"] + 40 + 30 * (step % 3))
    page.mouse.up()
    page.wait_for_selector("text=还缺", state="detached")
    # and reloads in the middle of the form
    page.reload()
    page.wait_for_selector(".shots img")
    page.locator("#confirm").click()
    page.wait_for_selector(".steps .done")
    page.wait_for_selector(".queue.ok")

    # then every record is there once and in sequence, with its proof, from the device that signed in
    events = recorded(screens.app)
    assert [event.kind for event in events] == ["shift_start", "on_the_way", "arrive", "start", "collected"]
    assert [event.device_seq for event in events] == [1, 2, 3, 4, 5]
    payload = events[-1].payload
    assert payload is not None
    assert payload["proof"]["signed"] is True
    assert state_of(screens.app, first) == "collected"
    assert flagged(screens.app) == set()
    with screens.app.app_context():
        kept = db.session().scalars(select(ProofPhoto)).one()
        assert (kept.width, kept.height) == (1600, 1200)
        db.session.remove()
    # and the way back leads to the list with the result, not into the form
    page.go_back()
    page.wait_for_selector(".steps .done")


def test_every_screen_of_it_fits_and_is_usable_by_anybody_by_day_and_night(screens: Screens, wire: Wire) -> None:
    # given a route with a door under way
    (door,) = todays_route(
        screens.app, {"items": [WishedItem(item_type="computer-desktop", quantity=1, wipe_consent=True)]}
    )
    visit, _ = the_first_of_the_crew(screens, wire)
    found: dict[str, object] = {}
    # The window is so high that what sticks to its lower edge covers nothing: axe takes what is covered for too small.
    for lang, size, light in (("zh", (NARROW[0], 2400), "night"), ("en", (NARROW[0], 2400), "day")):
        visit.context.add_cookies([{"name": "lang", "value": lang, "url": wire.address}])
        visit.page.set_viewport_size({"width": size[0], "height": size[1]})
        visit.page.evaluate("light => localStorage.setItem('light', light)", light)
        of_door = [f"{screen}={door}" for screen in ("stop", "finish", "fail", "note")]
        for screen in ("list", *of_door, "map", "more", "queue"):
            # when each screen is opened
            visit.page.goto("about:blank")
            page = visit.open(f"{PAGE}#{screen}")
            page.wait_for_selector("main > *")
            # then it is no wider than the phone, and axe finds nothing grave
            if (overflow := visit.overflow_px()) > 0:
                found[f"{screen} {lang}"] = f"{overflow} px too wide"
            if grave := visit.grave_findings():
                found[f"{screen} {lang} axe"] = grave
    assert found == {}


def test_what_was_recorded_when_the_sign_in_ended_is_sent_by_its_own_collector_alone(
    screens: Screens, wire: Wire
) -> None:
    # given a collector who records without a network, while the desk ends the sign-in
    todays_route(screens.app, {}, {})
    visit, login = the_first_of_the_crew(screens, wire)
    page = visit.page
    page.wait_for_selector(".steps li")
    assert page.evaluate(KEPT)
    visit.expected = (*CUT, "401")
    wire.cut()
    page.locator(".act .big", has_text="开始出车").click()
    page.locator(".act .big", has_text="出发前往").click()
    page.wait_for_selector(".queue.warn")
    with screens.app.app_context():
        db.session().execute(update(SignIn).values(ended_at=utc_now()))
        db.session().commit()
        db.session.remove()

    # when the network is back
    wire.mend()
    page.evaluate("dispatchEvent(new Event('online'))")

    # then the list is gone from the phone, and the records are not
    page.wait_for_selector(".steps li", state="detached")
    page.wait_for_selector("text=请登录")
    assert "待发 2" in page.locator(".queue").inner_text()
    assert recorded(screens.app) == []

    # and who signs in on this phone meanwhile sends nothing of them
    other = screens.browsers.account("collector", collector_key=TRUCK_CREW[1])
    sign_in(visit, other)
    page.wait_for_selector(".steps li")
    page.wait_for_selector(".queue.ok")
    page.goto(f"{wire.address}{PAGE}#queue")
    page.wait_for_selector("text=另有 2 条")
    assert recorded(screens.app) == []

    # but their own collector does, once each
    visit.context.clear_cookies()
    sign_in(visit, login)
    events = recorded(screens.app, at_least=2)
    page.wait_for_selector(".queue.ok")
    assert [event.kind for event in events] == ["shift_start", "on_the_way"]
    assert "other_device" not in flagged(screens.app)


def test_a_clock_that_is_set_wrong_moves_no_record(screens: Screens, wire: Wire) -> None:
    # given a phone whose clock somebody sets back by two hours between two records
    todays_route(screens.app, {})
    visit, _ = the_first_of_the_crew(screens, wire)
    page = visit.page
    page.wait_for_selector(".steps li")
    visit.expected = CUT
    wire.cut()
    page.locator(".act .big", has_text="开始出车").click()
    page.locator(".act .big", has_text="出发前往").wait_for()
    began = utc_now()
    page.evaluate("(() => { const now = Date.now; Date.now = () => now() - 7_200_000; })()")
    page.locator(".act .big", has_text="出发前往").click()
    page.locator(".act .big", has_text="到达").wait_for()

    # when they are sent with the wrong clock
    wire.mend()
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_selector(".queue.ok")

    # then both happened when they happened
    events = recorded(screens.app)
    assert [event.kind for event in events] == ["shift_start", "on_the_way"]
    assert all(abs(event.made_at - began) < timedelta(seconds=30) for event in events)


def test_a_door_cancelled_meanwhile_is_told_and_a_changed_route_until_it_is_read(screens: Screens, wire: Wire) -> None:
    # given a collector without a network, while a resident cancels and the route is planned anew
    gone, _ = todays_route(screens.app, {}, {})
    visit, _ = the_first_of_the_crew(screens, wire)
    page = visit.page
    page.wait_for_selector(".steps li")
    page.goto(f"{wire.address}{PAGE}#fail={gone}")
    page.get_by_text("居民取消").wait_for()
    visit.expected = CUT
    wire.cut()
    page.get_by_text("居民取消").click()
    page.locator("#confirm").click()
    page.wait_for_selector(".steps .done")
    with screens.app.app_context():
        db.session().execute(update(Booking).where(Booking.id == gone).values(state="cancelled"))
        db.session().commit()
        publish(screens.app)
        db.session.remove()

    # when the phone is back, and the first answer gets lost
    wire.lose(b"POST /field-events", 1)
    wire.mend()
    page.evaluate("dispatchEvent(new Event('online'))")

    # then what changed stands above the list until it is read, in the next window too
    page.wait_for_selector("text=路线有变化（第 2 版）")
    page.reload()
    page.wait_for_selector("text=路线有变化（第 2 版）")
    page.get_by_role("button", name="知道了").click()
    page.wait_for_selector("text=路线有变化", state="detached")
    # and the record that contradicts is shown with who decides
    page.locator("#queue").click()
    page.wait_for_selector("text=已保留，由调度核实")
    assert re.search("预约已取消", page.locator("main").inner_text())
    page.get_by_role("button", name="知道了").click()
    page.wait_for_selector(".queue.ok")


def test_two_tabs_show_the_same_route_and_a_second_tap_is_no_second_record(screens: Screens, wire: Wire) -> None:
    # given the page in two tabs
    todays_route(screens.app, {})
    visit, _ = the_first_of_the_crew(screens, wire)
    one, other = visit.page, visit.context.new_page()
    other.goto(wire.address + PAGE)
    for page in (one, other):
        page.wait_for_selector(".steps li")

    # when a button is tapped twice at once in the one
    one.locator(".act .big", has_text="开始出车").dblclick()

    # then the other shows the next step, and one record is sent
    other.locator(".act .big", has_text="出发前往").click()
    one.locator(".act .big", has_text="到达").wait_for()
    one.wait_for_selector(".queue.ok")
    assert [event.kind for event in recorded(screens.app)] == ["shift_start", "on_the_way"]
    # and what was tapped last is taken back from the other tab
    one.goto(f"{wire.address}{PAGE}#more")
    one.get_by_role("button", name="撤销这一条").click()
    other.locator(".act .big", has_text="出发前往").wait_for()
    other.wait_for_selector(".queue.ok")
    assert [event.kind for event in recorded(screens.app)] == ["shift_start", "on_the_way", "undo"]


def photos_of(screens: Screens) -> list[ProofPhoto]:
    """The photos that have arrived."""
    with screens.app.app_context():
        found = list(db.session().scalars(select(ProofPhoto)))
        db.session.expunge_all()
        db.session.remove()
    return found


def write_note(page: Page, door: UUID, *photos: Path) -> None:
    """Keep photos as a note about a door."""
    page.evaluate("door => { location.hash = `#note=${door}`; }", str(door))
    page.get_by_role("button", name="保存").wait_for()
    for number, photo in enumerate(photos):
        page.set_input_files("#camera", photo)
        page.locator(".shots img").nth(number).wait_for()
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(f"**#stop={door}")


def test_photos_that_are_kept_together_all_arrive(screens: Screens, wire: Wire, tmp_path: Path) -> None:
    # given two photos of one door, kept by one tap
    (door,) = todays_route(screens.app, {})
    visit, _ = the_first_of_the_crew(screens, wire)
    page = visit.page
    page.wait_for_selector(".steps li")
    for colour in ("red", "blue"):
        (tmp_path / colour).with_suffix(".jpg").write_bytes(a_photo(colour))
    write_note(page, door, tmp_path / "red.jpg", tmp_path / "blue.jpg")
    page.wait_for_selector(".queue.ok")
    # then each has its record and is there
    assert [event.kind for event in recorded(screens.app, at_least=2)] == ["photo", "photo"]
    assert len(photos_of(screens)) == 2


def test_a_photo_that_breaks_off_goes_on_where_it_was(screens: Screens, wire: Wire, tmp_path: Path) -> None:
    # given a photo of several parts
    (door,) = todays_route(screens.app, {})
    visit, _ = the_first_of_the_crew(screens, wire)
    page = visit.page
    page.wait_for_selector(".steps li")
    (tmp_path / "grainy.jpg").write_bytes(a_grainy_photo(width=1600, height=1200))
    starts: list[int] = []

    def note(range_: str) -> None:
        starts.append(int(range_.split()[1].split("-")[0]))

    page.on("request", lambda one: note(one.headers["content-range"]) if one.method == "PUT" else None)

    # when the answer to the first part gets lost with the connection
    visit.expected = (*CUT, "409")
    wire.lose(b"PUT /proof-photos", 2)  # where the connection stood before, the browser itself asks a second time
    write_note(page, door, tmp_path / "grainy.jpg")
    page.wait_for_selector(".queue.ok")

    # then nothing but that part was sent again, and the photo is whole
    assert wire.to_lose == 0
    again = starts.count(0)
    assert starts[:again] == [0] * again
    assert len(starts[again:]) > 2
    assert starts[again:] == sorted(set(starts[again:]))
    (photo,) = photos_of(screens)
    assert (photo.width, photo.height) == (1600, 1200)


def test_a_newer_worker_takes_over_where_nothing_is_typed_and_interrupts_no_form(screens: Screens, wire: Wire) -> None:
    # given the page in two tabs, one of them with a form half filled in
    (door,) = todays_route(screens.app, {})
    visit, _ = the_first_of_the_crew(screens, wire)
    idle, typing = visit.page, visit.context.new_page()
    idle.wait_for_selector(".steps li")
    assert idle.evaluate(KEPT)
    typing.goto(f"{wire.address}{PAGE}#finish={door}")
    typing.fill("#code", "123456")
    typing.evaluate("window.isOld = true")

    # when the server has another shell, and so another worker
    digest = hashlib.sha256(SHELL.read_bytes()).hexdigest()[:12]
    newer = digest[::-1]
    wire.exchange(digest.encode(), newer.encode())
    wire.exchange(b'"theme-color" content="#0b6b4a"', b'"theme-color" content="#0b6b4b"')
    typing.evaluate("navigator.serviceWorker.ready.then(kept => kept.update()).then(Boolean)")

    # then the tab where nothing is typed shows it, and the other one goes on with its form
    idle.wait_for_selector(NEWER, state="attached")
    assert newer in str(typing.evaluate("caches.keys()"))
    assert typing.evaluate("window.isOld") is True
    assert typing.input_value("#code") == "123456"
    # until it is left
    typing.locator("#back").click()
    typing.wait_for_selector(NEWER, state="attached")
    typing.wait_for_selector(".steps li")
    # and a phone without a network opens the newer one
    visit.expected = CUT
    wire.cut()
    idle.reload()
    idle.wait_for_selector(".steps li")
    idle.wait_for_selector(NEWER, state="attached")


def test_a_phone_without_room_says_so_and_keeps_the_record_once_there_is_some(
    screens: Screens, wire: Wire, tmp_path: Path
) -> None:
    # given a phone that has no room for a photo
    (door,) = todays_route(screens.app, {})
    visit = screens.of(None, size=PHONE)
    visit.address = wire.address
    phone = visit.context.new_cdp_session(visit.page)
    # Set before the page opens: it asks how much there is once in a while only.
    phone.send("Storage.overrideQuotaForOrigin", {"origin": wire.address, "quotaSize": LITTLE_ROOM_BYTES})
    page = sign_in(visit, screens.browsers.account("collector", collector_key=TRUCK_CREW[0]))
    page.wait_for_selector(".steps li")
    page.goto(f"{wire.address}{PAGE}#finish={door}")
    page.locator(".stepper").first.wait_for()
    (tmp_path / "grainy.jpg").write_bytes(a_grainy_photo(width=1600, height=1200))

    # when one is taken, and the visit recorded
    page.set_input_files("#camera", tmp_path / "grainy.jpg")
    page.wait_for_selector("text=填写的内容没有存下：手机空间已满")
    page.locator("#confirm").click()
    page.get_by_role("button", name="仍然登记").or_(page.locator("#confirm")).first.click()
    page.wait_for_selector("text=没有保存：手机空间已满")
    assert recorded(screens.app) == []

    # then it stays in the form, and is kept once there is room
    phone.send("Storage.overrideQuotaForOrigin", {"origin": wire.address})
    page.locator("#confirm").click()
    page.wait_for_selector(".steps .done")
    page.wait_for_selector(".queue.ok")
    assert [event.kind for event in recorded(screens.app)] == ["collected"]
    assert len(photos_of(screens)) == 1


def test_another_price_needs_the_residents_yes_and_a_result_is_put_right_both_ways(
    screens: Screens, wire: Wire
) -> None:
    # given a door whose item is stripped
    (door,) = todays_route(screens.app, {"items": [WishedItem(item_type="fridge", quantity=1)]})
    visit, _ = the_first_of_the_crew(screens, wire)
    page = visit.page
    page.wait_for_selector(".steps li")
    page.goto(f"{wire.address}{PAGE}#finish={door}")
    page.get_by_text("价格有变").click()
    page.locator("#price-reason").select_option(label="缺件")
    for _ in range(2):  # proof is missing, which is asked for once
        page.locator("#confirm").click()
    page.wait_for_selector("text=请填写改后的价格")
    page.fill("#yuan", "－12.５")  # by an input method of full width: the resident pays
    page.locator("#confirm").click()
    page.wait_for_selector("text=改价须居民同意")
    assert recorded(screens.app) == []
    page.get_by_text("居民已同意新价格").click()
    page.locator("#confirm").click()
    page.wait_for_selector(".queue.ok")
    page.wait_for_selector(".steps .done")
    # then the price is on the record
    (event,) = recorded(screens.app, at_least=1)
    assert event.payload is not None
    assert event.payload["price_change"] == {"reason": "missing_parts", "fen": -1250, "agreed": True}

    # when in truth nothing was taken
    page.locator(f".steps a[href='#stop={door}']").click()
    page.get_by_role("link", name="更正结果").click()
    page.get_by_role("link", name="其实一件未收").click()
    page.get_by_text("价格未谈拢").click()
    page.locator("#confirm").click()
    page.wait_for_selector(".steps .done")
    # then the later result holds
    assert [event.kind for event in recorded(screens.app, at_least=2)] == ["collected", "failed"]
    assert state_of(screens.app, door) == "failed"


def test_what_another_tab_has_recorded_is_put_right_under_an_id_of_its_own(screens: Screens, wire: Wire) -> None:
    # given a form that stood open in a second tab while the first one recorded it
    (door,) = todays_route(screens.app, {})
    visit, _ = the_first_of_the_crew(screens, wire)
    one, other = visit.page, visit.context.new_page()
    for page in (one, other):
        page.goto(f"{wire.address}{PAGE}#finish={door}")
        page.fill("#code", "123456")
        until(page, STORED_CODE)
    one.locator("#confirm").click()
    recorded(screens.app, at_least=1)
    # when the second tab puts it right
    other.locator("#back").click()
    other.locator(f".steps .done a[href='#stop={door}']").click()
    other.get_by_role("link", name="更正结果").click()
    other.fill("#code", "654321")
    other.locator("#confirm").click()
    # then that is a record too
    assert [event.kind for event in recorded(screens.app, at_least=2)] == ["collected", "collected"]
