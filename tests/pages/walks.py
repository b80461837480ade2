"""The ways people go through the screens, tap by tap: one place that knows what each screen calls its fields."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tests.pages.screens import Visit, until

if TYPE_CHECKING:
    from playwright.sync_api import Geolocation, Page

BOOK, COLLECT, BOARD, STATION, GOALS = (
    "/pages/book", "/pages/collect", "/pages/board", "/pages/station/weigh", "/pages/goals",
)  # fmt: skip
DOOR: Geolocation = {"latitude": 34.8046, "longitude": 117.257}  # in the town of Lincheng, WGS-84 as browsers have it

SHELL_KEPT = "navigator.serviceWorker.ready.then(() => caches.match('/pages/collect/shell')).then(Boolean)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What the last step of booking says."""

    number: str
    screens: int
    """How many screens were shown from the first picture to the number."""


def sign_in_staff(page: Page, address: str, login: str, password: str) -> None:
    """Sign in by user name and password, from the form to the home page."""
    page.goto(f"{address}/pages/sign-in")
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("form[action$='/staff'] button")
    page.wait_for_url(f"{address}/")


def sign_in_resident(page: Page, address: str, phone: str, *, log: Path) -> None:
    """Sign in by the code to a phone, read off the log of a server whose texts go there."""
    page.goto(f"{address}/pages/sign-in")
    page.fill("#phone", phone)
    page.click("form[action$='/code'] button")
    page.locator("#code").wait_for()
    page.fill("#code", re.findall(r"验证码 (\d{6})", log.read_text(encoding="utf-8"))[-1])
    page.click("form[action$='/resident'] button")
    page.wait_for_url(f"{address}/")


def choose_items(page: Page, items: Sequence[str]) -> None:
    """Tap the pictures of item types, and go on past the photos."""
    for key in items:
        page.locator(f"#kind-{key}").click()
    page.locator("#next").click()
    _at(page, "photos")
    page.locator("#next").click()
    _at(page, "address")


def fill_address(page: Page, *, village: str, address: str, note: str = "", floor: int = 3) -> None:
    """Write the door, with the phone's own location, and go on to the windows."""
    page.locator("#village").fill(village)
    page.locator("#villages button").first.click()
    page.locator("#address").fill(address)
    page.locator("#here").click()
    page.locator(".place .note").first.wait_for()
    page.locator("#floor").fill(str(floor))
    page.locator("#note").fill(note)
    page.locator("#next").click()
    _at(page, "windows")


def choose_window(page: Page, *, day: date | None = None) -> None:
    """Tap the first window offered, on a day or on any."""
    cards = page.locator(f"section:has(#day-{day}) .window" if day else ".window")
    cards.first.click()
    _at(page, "check")


def book_pickup(
    page: Page, items: Sequence[str], *, village: str, address: str, note: str = "", day: date | None = None
) -> Booked:
    """Book like a person who knows their address: from the open page to the number of the booking."""
    choose_items(page, items)
    fill_address(page, village=village, address=address, note=note)
    choose_window(page, day=day)
    page.locator("#next").click()
    _at(page, "done")
    return Booked(number=page.locator("#number").inner_text(), screens=6)


def keep_list(visit: Visit) -> None:
    """Open the collector's list and wait until the phone can show it without a network."""
    page = visit.open(COLLECT)
    page.locator(".steps li").first.wait_for()
    until(page, SHELL_KEPT)


def record_visit(page: Page, booking_id: str) -> None:
    """Record one door on the collector's phone, from setting out to done; missing proof is passed over."""
    begin = page.locator(".act .big", has_text="开始出车")
    if begin.count():
        begin.click()
    for words in ("出发前往", "到达", "开始"):
        _show_door(page, booking_id)
        page.locator(".act .big", has_text=words).click()
    _show_door(page, booking_id)
    page.locator(".act .big", has_text="完成上门").click()
    page.locator(".stepper").first.wait_for()
    page.locator("#confirm").click()
    if page.locator("#confirm", has_text="仍然登记").count():
        page.locator("#confirm").click()
    page.locator(".steps .done").first.wait_for()


def everything_sent(page: Page) -> None:
    """Wait until the collector's phone has sent all it kept."""
    page.evaluate("dispatchEvent(new Event('online'))")
    page.locator(".queue.ok").wait_for()


def read_goal(page: Page) -> tuple[int, int]:
    """Units and grams of household appliances so far this year, as the clerk's page shows them."""
    facts = page.locator('section[aria-labelledby="scope-household-appliances"] dl.facts dd')
    units, mass = (facts.nth(place).inner_text() for place in (0, 1))
    kilograms = mass.split(" kg")[0].replace(",", "")
    return int(units.split()[0].replace(",", "")), round(float(kilograms) * 1000)


def weigh_trip(page: Page, vehicle_key: str, *, net_g: int, tare_g: int = 12_000) -> None:
    """Weigh a van's first trip in by typed masses, its lines as the doors say, until its ticket is shown."""
    page.locator(f'[data-trip="{vehicle_key} 1"]').click()
    page.get_by_label("毛重 kg").fill(f"{(net_g + tare_g) / 1000:g}")
    page.get_by_label("皮重 kg").fill(f"{tare_g / 1000:g}")
    page.get_by_role("button", name="下一步：物品").click()
    page.get_by_role("button", name="下一步：核对").click()
    page.get_by_role("button", name="保存磅单").click()
    page.wait_for_url("**/pages/station/ticket**")
    page.wait_for_selector('main:not([aria-busy="true"])')


def _show_door(page: Page, booking_id: str) -> None:
    page.evaluate("hash => { location.hash = hash }", f"#stop={booking_id}")
    page.locator(".card.now").wait_for()


def _at(page: Page, step: str) -> None:
    """Wait until the booking page shows a step."""
    page.locator(f'main.book[data-step="{step}"]').wait_for()
