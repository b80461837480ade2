"""Booking on a phone, in a real browser: from the first picture to the number, and what goes wrong on the way."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from recycling.clock import utc_now
from recycling.errors import WindowFull
from recycling.extensions import db
from recycling.models.booking import Booking
from recycling.models.ledger import close_day
from recycling.models.people import Resident, phone_index
from recycling.models.photo import Photo
from recycling.models.transaction import atomic
from recycling.models.waiting import WaitingWish
from recycling.policy.access import Principal
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.people.addresses import AddressWish, save_address
from tests.builders import VILLAGE, a_booking
from tests.pages.screens import DESK, NARROW, PHONE, Screens, Visit
from tests.photo_files import a_photo

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Route

pytestmark = pytest.mark.browser

MOST_BYTES = 250_000  # of everything a phone loads on the way, over a village's network
MOST_SCREENS = 6
MOST_S = 90
# How long people take (Card, Moran and Newell 1983): 1.35 s to decide and 1.1 s to point and press; a character on a
# phone, slower than their 0.28 s on a keyboard.
TAP_S, CHARACTER_S = 2.45, 0.5
HERE = {"latitude": 34.8046, "longitude": 117.257, "accuracy": 12}
DOOR: dict[str, Any] = {
    "village_code": VILLAGE, "village": "清泉社区居委会", "town": "lincheng", "address": "清泉路 1 号 2 单元 301",
    "lat": 34.8046, "lon": 117.257, "accuracy": 12, "floor": 3, "has_lift": False, "note": "",
}  # fmt: skip
FRIDGE = {"fridge": {"quantity": 1, "condition": "scrap", "dismantle": False, "wipe": False}}
SCRIPT = "<img src=x onerror=window.ran=1><script>window.ran=1</script>"


@dataclass
class Person:
    """Somebody at a page, with the taps and characters that they need."""

    page: Page
    taps: int = 0
    characters: int = 0

    def tap(self, selector: str) -> None:
        """Tap what a selector names first."""
        self.page.locator(selector).first.click()
        self.taps += 1

    def write(self, selector: str, text: str) -> None:
        """Fill a field in."""
        self.page.locator(selector).fill(text)
        self.taps += 1
        self.characters += len(text)

    def is_at(self, step: str) -> None:
        """Wait until a step is shown with its way on."""
        self.page.wait_for_selector(f'main[data-step="{step}"]')


@dataclass
class Wire:
    """What went over the network: bytes as they were received, and the creating calls."""

    received: dict[str, float] = field(default_factory=dict)
    sent: list[Request] = field(default_factory=list)

    def listen(self, visit: Visit) -> None:
        """Count what a tab's pages load from now on."""
        devtools, addresses = visit.context.new_cdp_session(visit.page), dict[str, str]()
        devtools.send("Network.enable")

        def asked(said: dict[str, Any]) -> None:
            addresses[said["requestId"]] = said["request"]["url"]

        def finished(said: dict[str, Any]) -> None:
            self.received[f"{said['requestId']} {addresses.get(said['requestId'])}"] = said["encodedDataLength"]

        devtools.on("Network.requestWillBeSent", asked)
        devtools.on("Network.loadingFinished", finished)
        visit.context.on("request", lambda one: self.sent.append(one) if one.method == "POST" else None)

    def posts(self, ending: str) -> list[Request]:
        """The creating calls to an address."""
        return [one for one in self.sent if one.url.endswith(ending)]


def drafted(visit: Visit, *, items: dict[str, Any] | None = None, **door: Any) -> None:
    """Let the next tabs of a visit begin with items and a door filled in, as a reload finds them."""
    draft = json.dumps({"items": items or FRIDGE, "door": DOOR | door}, ensure_ascii=False)
    is_fresh = "location.protocol === 'http:' && !sessionStorage.getItem('draft:book')"
    visit.context.add_init_script(f"if ({is_fresh}) sessionStorage.setItem('draft:book', {json.dumps(draft)})")


def held(visit: Visit, *, at: int = 0) -> Page:
    """Keep the first offered window, or a later one."""
    page = visit.open("/pages/book?step=windows")
    page.locator("button.window").nth(at).click()
    page.wait_for_selector('main[data-step="check"] .countdown')
    return page


def confirmed(page: Page) -> str:
    """Tap the confirmation and read the number."""
    page.locator("#next").click()
    return page.locator("#number").inner_text()


def in_database(screens: Screens, question: Callable[[Session], Any]) -> Any:
    """Ask the database behind the server."""
    with screens.app.app_context():
        try:
            return question(db.session())
        finally:
            db.session.remove()


def count_of(screens: Screens, table: Any = Booking, **fields: Any) -> int:
    """How many rows there are."""
    wanted = select(func.count()).select_from(table).filter_by(**fields)
    return int(in_database(screens, lambda session: session.scalar(wanted)))


def test_somebody_books_in_six_screens_ninety_seconds_and_a_quarter_of_a_megabyte(screens: Screens) -> None:
    # given a resident with a phone that knows where it is, and a camera of twelve megapixels
    visit = screens.of("resident", size=PHONE)
    visit.context.grant_permissions(["geolocation"])
    visit.context.set_geolocation(HERE)  # type: ignore[arg-type]  # a mapping of its three numbers
    wire, begun = Wire(), time.monotonic()
    wire.listen(visit)
    person = Person(visit.open("/pages/book"))
    seen = {"items"}
    # when they tap what is to go, take a photo, say where they live and choose a time
    person.tap("#kind-fridge")
    person.tap("#kind-chair-dining")
    person.tap("#kind-chair-dining")
    visit.page.wait_for_selector(".bar .reasons")
    person.tap("#next")
    person.is_at("photos")
    photo = a_photo(width=4000, height=3000)
    visit.page.set_input_files("#shots", {"name": "fridge.jpg", "mimeType": "image/jpeg", "buffer": photo})
    person.taps += 3  # the phone's own camera
    visit.page.wait_for_selector(".shots img")
    person.tap("#next")
    person.is_at("address")
    person.write("#village", "qq")
    person.tap("#villages button:has-text('清泉社区')")
    person.write("#address", DOOR["address"])
    person.tap("#here")
    visit.page.wait_for_selector(".place .note")
    person.write("#floor", "3")
    person.write("#note", "门禁 4321")
    visit.page.locator("#note").fill(f"门禁 4321 {SCRIPT}")  # which no person would write
    person.tap("#next")
    person.is_at("windows")
    person.tap("button.window")
    person.is_at("check")
    # then what they wrote is shown as written, and does nothing
    assert SCRIPT in visit.page.locator("main").inner_text()
    person.tap("#next")
    person.is_at("done")
    number = visit.page.locator("#number").inner_text()
    visit.page.wait_for_selector("text=1 张照片已上传")
    assert visit.page.evaluate("window.ran") is None
    # and it is booked as they said, photo included, in as many screens, bytes and seconds as it may take
    seen |= {"photos", "address", "windows", "check", "done"}
    machine_s = time.monotonic() - begun
    human_s = person.taps * TAP_S + person.characters * CHARACTER_S
    received = sum(wire.received.values())
    print(f"{received:.0f} bytes in {len(wire.received)} answers; {len(seen)} screens; {person.taps} taps and")
    print(f"{person.characters} characters, {human_s:.0f} s of a person and {machine_s:.1f} s of the machine")
    for name, size in sorted(wire.received.items(), key=lambda one: -one[1])[:12]:
        print(f"  {size:8.0f} {name.split(' ', 1)[1]}")
    assert received <= MOST_BYTES
    assert len(seen) <= MOST_SCREENS
    assert human_s + machine_s <= MOST_S
    row = in_database(screens, lambda session: session.scalars(select(Booking)).one())
    assert (row.id.hex[:8].upper(), row.state, row.floor, row.village_code) == (number, "booked", 3, VILLAGE)
    kept = in_database(screens, lambda session: session.scalars(select(Photo).filter_by(booking_id=row.id)).one())
    assert (kept.width, kept.height) == (1600, 1200)
    # and the calendar gets its window in UTC: 08:00 in Shanghai is midnight there
    with visit.page.expect_download() as loaded:
        visit.page.locator("#calendar").click()
    lines = loaded.value.path().read_bytes().decode().split("\r\n")
    assert f"DTSTART:{row.day:%Y%m%d}T000000Z" in lines
    assert max(len(line.encode()) for line in lines) <= 75


def test_two_taps_book_once_and_back_shows_the_result_and_not_the_form(screens: Screens) -> None:
    # given a place that is kept
    visit = screens.of("resident", size=PHONE)
    drafted(visit)
    wire = Wire()
    wire.listen(visit)
    page = held(visit)
    # when the confirmation is tapped twice at once
    page.evaluate("() => { const next = document.getElementById('next'); next.click(); next.click(); }")
    number = page.locator("#number").inner_text()
    # then it was sent once, and one booking exists
    assert len(wire.posts("/confirmation")) == 1
    assert count_of(screens, state="booked") == 1
    # and back, and a reload, show the result
    page.go_back()
    page.wait_for_url("**/pages/book?step=done")
    assert page.locator("#number").inner_text() == number
    page.reload()
    assert page.locator("#number").inner_text() == number
    # and nothing of the address is left on the phone
    assert "清泉路" not in page.evaluate("JSON.stringify(sessionStorage)")
    # and who opens the steps anew begins anew
    assert visit.open("/pages/book").locator(".kind.chosen").count() == 0
    assert count_of(screens) == 1


def test_a_confirmation_whose_answer_is_lost_is_repeated_with_its_key_and_books_once(screens: Screens) -> None:
    # given a place that is kept, and a network that loses the answer to its confirmation
    visit = screens.of("resident", size=PHONE)
    visit.expected = ("Failed to load resource", "net::ERR")
    drafted(visit)
    wire = Wire()
    wire.listen(visit)
    page = held(visit)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/confirmation", lose, times=1)
    # when it is confirmed
    page.locator("#next").click()
    # then the page says that nothing will be booked twice, and nothing is lost
    page.wait_for_selector("#fault >> text=不会重复预约")
    page.context.set_offline(True)
    page.locator("#next").click()
    page.wait_for_selector("#fault >> text=不会重复预约")
    # and once the network is back it goes on by itself
    page.context.set_offline(False)
    page.wait_for_selector("#number")
    keys = {request.headers["idempotency-key"] for request in wire.posts("/confirmation")}
    assert len(wire.posts("/confirmation")) >= 3
    assert len(keys) == 1
    assert count_of(screens, state="booked") == 1


def test_a_sign_in_that_ends_in_the_middle_loses_nothing_that_was_typed(screens: Screens) -> None:
    # given a resident who has written their address
    visit = screens.of("resident", size=PHONE)
    visit.expected = ("401",)
    visit.context.grant_permissions(["geolocation"])
    visit.context.set_geolocation(HERE)  # type: ignore[arg-type]  # a mapping of its three numbers
    drafted(visit, address="", note="", lat=None, lon=None)
    person = Person(visit.open("/pages/book?step=address"))
    person.write("#address", "龙潭路 7 号")
    person.write("#note", "请走北门")
    person.tap("#here")
    visit.page.wait_for_selector(".place .note")
    # when their sign-in is over
    kept = visit.context.cookies()
    visit.context.clear_cookies(name="access_token_cookie")
    person.tap("#next")
    # then they are asked to sign in, and go on where they were
    visit.page.wait_for_selector("dialog[open]")
    visit.context.add_cookies(kept)  # type: ignore[arg-type]  # as they came
    person.tap("dialog a")
    visit.page.wait_for_selector("button.window")
    visit.page.go_back()
    visit.open("/pages/book?step=address")
    assert visit.page.locator("#address").input_value() == "龙潭路 7 号"
    assert visit.page.locator("#note").input_value() == "请走北门"


def test_two_tabs_do_not_take_each_others_place(screens: Screens) -> None:
    # given the same fridge being booked in two tabs
    visit = screens.of("resident", size=DESK)
    visit.expected = ("409",)
    drafted(visit)
    first = held(visit)
    second = visit.context.new_page()
    visit.page = second
    # when the second tab wants the window of the first
    second = visit.open("/pages/book?step=windows")
    second.locator("button.window").first.click()
    # then it hears why not, and the first one's place is untouched
    second.wait_for_selector("#fault >> text=电冰箱 已有未确认的占位")
    first_number = confirmed(first)
    # and another day is its own booking
    second.locator(".day").nth(1).locator("button.window").first.click()
    second.wait_for_selector('main[data-step="check"] .countdown')
    assert confirmed(second) != first_number
    assert count_of(screens, state="booked") == 2


def test_the_countdown_goes_by_the_servers_clock_and_a_lapsed_place_says_so(screens: Screens) -> None:
    # given a phone that is three hours fast
    visit = screens.of("resident", size=PHONE)
    visit.expected = ("409",)
    drafted(visit)
    visit.page.clock.install(time=utc_now() + timedelta(hours=3))
    # when a place is kept
    page = held(visit)
    # then its ten minutes have just begun
    minutes, seconds = page.locator(".countdown").inner_text().split(":")
    assert 590 <= int(minutes) * 60 + int(seconds) <= 600
    # and when the phone's own stopwatch runs ahead the server is asked, and the place stays
    page.clock.fast_forward("10:30")
    page.wait_for_selector(".countdown >> text=/^9:/")
    # and when it has lapsed by the server's clock, the page says so and shows the times again
    in_database(screens, lapse)
    page.locator("#next").click()
    page.wait_for_selector('main[data-step="windows"] button.window')
    assert page.locator("text=占位已过期").count() >= 1
    assert count_of(screens, state="booked") == 0


def lapse(session: Session) -> None:
    """Let all kept places run out."""
    session.execute(update(Booking).where(Booking.state == "held").values(held_until=utc_now() - timedelta(seconds=1)))
    session.commit()


def test_a_village_is_found_by_the_name_of_its_town(screens: Screens) -> None:
    visit = screens.of("resident", size=PHONE)
    drafted(visit, village_code="")
    page = visit.open("/pages/book?step=address")
    # whoever knows the town alone types that
    page.locator("#village").fill("临城")
    page.locator("#villages button").first.click()
    assert "临城街道" in page.locator(".picked").inner_text()


def test_without_a_location_the_door_is_set_on_the_map_by_keyboard(screens: Screens) -> None:
    # given a phone that does not give its location
    visit = screens.of("resident", size=PHONE)
    drafted(visit, lat=None, lon=None)
    page = visit.open("/pages/book?step=address")
    page.locator("#here").press("Enter")
    # then the page says what to do
    page.wait_for_selector(".place >> text=没有定位权限")
    assert page.evaluate("typeof window.L") == "undefined"
    # when the map is opened and a pin set in its middle, all by keyboard
    page.locator("#on-map").press("Enter")
    page.locator(".pin-map button:has-text('标在地图中心')").press("Enter")
    # then the place is set, and the times are shown
    page.wait_for_selector(".place .note >> text=位置已标好")
    page.locator("#next").press("Enter")
    page.wait_for_selector("button.window")
    page.locator("button.window").first.press("Enter")
    page.wait_for_selector('main[data-step="check"] .countdown')
    page.locator("#next").press("Enter")
    page.wait_for_selector("#number")
    assert count_of(screens, state="booked") == 1


def test_where_nothing_fits_it_says_why_what_would_help_and_offers_the_waiting_list(screens: Screens) -> None:
    # given days on which those who may take air conditioners off the wall have no time left
    visit = screens.of("resident", size=PHONE)
    in_database(screens, lambda session: fill_fitters(screens, session))
    one = {"quantity": 1, "condition": "unknown", "dismantle": True, "wipe": False}
    drafted(visit, items={"ac-split": one})
    page = visit.open("/pages/book?step=windows")
    # then no window is offered, and each says why
    assert page.locator("button.window").count() == 0
    page.locator(".shut summary").first.click()
    assert "已约满" in page.locator(".why").first.inner_text()
    # when what would help is tapped
    page.locator(".why button:has-text('先由持证人员拆卸好')").first.click()
    # then there are windows for the lighter wish, and it can be taken back
    page.wait_for_selector("button.window")
    page.locator("button:has-text('恢复原来的要求')").click()
    page.wait_for_selector("fieldset button")
    assert page.locator("button.window").count() == 0
    # when they rather wait
    page.locator("fieldset button").click()
    page.wait_for_selector('main[data-step="done"] >> text=已加入候补')
    wish = in_database(screens, lambda session: session.scalars(select(WaitingWish)).one())
    assert wish.state == "waiting"


def fill_fitters(screens: Screens, session: Session) -> None:
    """Leave two days open, and book air conditioners to be taken down until no more of them fit on either."""
    district, now = screens.app.extensions["district"], utc_now()
    first, second, *further = district.booking_rules.bookable_days(now=now, calendar=district.calendar)
    with atomic(session):
        for day in further:
            close_day(session, day, now=now)
    for day, quantity in itertools.product((first, second), (4, 1)):
        items = [WishedItem(item_type="ac-split", quantity=quantity, dismantle=True)]
        with contextlib.suppress(WindowFull):
            while True:
                a_booking(session, district=district, now=now, day=day, pickup_window="all-day", items=items)
        session.rollback()


def test_every_step_fits_a_narrow_phone_and_large_letters_and_serves_anybody(screens: Screens) -> None:
    # given a resident at each of the steps
    visit = screens.of("resident")
    computer = {"quantity": 1, "condition": "unknown", "dismantle": False, "wipe": True}
    drafted(visit, items=FRIDGE | {"computer-portable": computer})
    page = held(visit)
    found: dict[str, object] = {}
    for step in ("items", "photos", "address", "windows", "check", "done"):
        if step == "done":
            confirmed(page)
        for lang, size in (("en", NARROW), ("zh", PHONE)):
            visit.read(lang=lang, size=size)
            page = visit.open(f"/pages/book?step={step}")
            # then it is no wider than the window, also with letters twice as large, and axe finds nothing grave
            page.keyboard.press("End")  # where the bar at the window's foot covers no half of anything
            if size == NARROW and (grave := visit.grave_findings()):
                found[f"{step} {lang} {size[0]} axe"] = grave
            for letters in ("100%", "200%"):
                page.evaluate("size => { document.documentElement.style.fontSize = size }", letters)
                if (overflow := visit.overflow_px()) > 0 and (letters == "100%" or size != NARROW):
                    found[f"{step} {lang} {size[0]} {letters}"] = f"{overflow} px too wide"
    assert found == {}


def sign_in(screens: Screens, visit: Visit, phone: str) -> None:
    """Sign a visit's browser in as the resident of a phone."""
    browser = screens.browsers.new()
    browser.sign_in_resident(phone)
    for name in ("access_token_cookie", "csrf_access_token", "browser_secret"):
        kept = browser.client.get_cookie(name)
        assert kept is not None, name
        visit.context.add_cookies([{"name": name, "value": kept.value, "url": visit.address}])


def keep_address(screens: Screens, session: Session, phone: str) -> None:
    """Save the door of the tests as the resident's home."""
    by = session.scalars(select(Resident).where(Resident.phone_index == phone_index(phone))).one()
    fields = {name: value for name, value in DOOR.items() if name not in ("village", "town", "accuracy")}
    save_address(
        AddressWish(label="家", coordinate_system="wgs84", **fields), by=Principal(id=by.id, role="resident"),
        district=screens.app.extensions["district"], session=session, now=utc_now(), resident_id=None,
    )  # fmt: skip


def test_a_stranger_may_look_and_goes_on_after_signing_in(screens: Screens) -> None:
    # given a stranger who has chosen a fridge
    visit = screens.of(None, size=PHONE)
    person = Person(visit.open("/pages/book"))
    person.tap("#kind-fridge")
    visit.page.wait_for_selector(".bar >> text=¥")
    person.tap("#next")
    person.is_at("photos")
    person.tap("#next")
    # when they come to the address
    person.is_at("address")
    way = visit.page.locator("main a.button")
    assert way.get_attribute("href") == "/pages/sign-in?next=%2Fpages%2Fbook%3Fstep%3Daddress"
    # then they sign in and find themselves there, with a saved address at hand
    sign_in(screens, visit, "13900000002")
    in_database(screens, lambda session: keep_address(screens, session, "13900000002"))
    way.click()
    person.tap("#saved button")
    visit.page.wait_for_selector("#next:focus")
    person.tap("#next")
    visit.page.wait_for_selector("button.window")
    visit.open("/pages/book?step=items")
    assert visit.page.locator(".kind.chosen").count() == 1
