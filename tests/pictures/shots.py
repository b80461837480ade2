"""The table of pictures: which screen, whose, and how it comes into the state worth showing.

Every screen of a role's navigation is in it by itself; what is written here is the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recycling.policy.access import ROLES, Role
from recycling.routes.pages.screens import SCREENS
from tests.pages import walks

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHONE, NARROW, DESK = 390, 320, 1440
HEIGHTS = {NARROW: 640, PHONE: 844, DESK: 900}  # of the window
MOST_PX = {NARROW: 1400, PHONE: 1700, DESK: 1600}  # of a picture: who wants the rest opens the screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One screen to be pictured; in ``address`` stand names of `DemoMorning.places`."""

    name: str
    role: Role | None
    address: str
    zh: str
    en: str
    widths: tuple[int, ...] = (PHONE, DESK)
    ready: Callable[[Page], None] | None = None


# Screens of the navigation that look different on the narrowest phones.
ALSO_NARROW = ("/pages/my-route", "/pages/book", "/pages/collect")
# Screens that show tomorrow, of which nothing is planned yet, unless they are asked for the day.
OF_THE_DAY = ("/pages/plan", "/pages/board")
# Whose a screen of several roles is; else the first role's.
OWNERS: dict[str, Role] = {"/pages/goals": "clerk"}

# The steps and parts of a screen that are worth a picture of their own.
PARTS: dict[str, tuple[Shot, ...]] = {
    "/pages/book": (
        Shot(name="book-address", role="resident", address="/pages/book", zh="预约：地址", en="Booking: the door",
             widths=(PHONE,), ready=lambda page: walks.choose_items(page, ["fridge", "sofa-three"])),
        Shot(name="book-windows", role="resident", address="/pages/book", zh="预约：时间", en="Booking: the windows",
             widths=(NARROW, PHONE), ready=lambda page: _until_windows(page)),
    ),
    "/pages/bookings": (
        Shot(name="booking", role="resident", address="/pages/bookings/{booking}", zh="一次预约", en="One booking"),
    ),
    "/pages/collect": (
        Shot(name="collect-stop", role="collector", address="/pages/collect#stop={booking}", zh="一站", en="One stop",
             widths=(PHONE,)),
        Shot(name="collect-finish", role="collector", address="/pages/collect#finish={booking}", zh="完成上门",
             en="Finish a visit", widths=(PHONE,)),
        Shot(name="collect-map", role="collector", address="/pages/collect#map", zh="路线地图", en="Map of the round",
             widths=(PHONE,)),
    ),
    "/pages/station/today": (
        Shot(name="station-ticket", role="keeper", address="/pages/station/ticket?id={ticket}", zh="磅单",
             en="A ticket"),
    ),
}  # fmt: skip

BEFORE: tuple[Shot, ...] = (
    Shot(name="home", role=None, address="/", zh="首页", en="Home"),
    Shot(name="sign-in", role=None, address="/pages/sign-in", zh="登录", en="Sign in"),
    Shot(name="privacy", role=None, address="/privacy", zh="隐私告知", en="Privacy notice", widths=(PHONE,)),
    Shot(
        name="track",
        role=None,
        address="{tracking}",
        zh="上门进度（短信链接）",
        en="Where we are, by the link of a text",
    ),
    Shot(name="api", role=None, address="/api/docs", zh="接口文档", en="API", widths=(DESK,)),
)


def shots() -> list[Shot]:
    """All pictures: what strangers see, then each role's navigation; a screen of several stands with the first."""
    found = list(BEFORE)
    for role in ROLES:
        for screen in SCREENS[role]:
            name = screen.address.removeprefix("/pages/").replace("/", "-")
            if any(shot.name == name for shot in found) or OWNERS.get(screen.address, role) != role:
                continue
            address = screen.address + ("?day={day}" if screen.address in OF_THE_DAY else "")
            widths = (NARROW, PHONE, DESK) if screen.address in ALSO_NARROW else (PHONE, DESK)
            found.append(
                Shot(name=name, role=role, address=address, zh=screen.zh, en=screen.en, widths=widths)
            )  # fmt: skip
            found += PARTS.get(screen.address, ())
    return found


def _until_windows(page: Page) -> None:
    walks.choose_items(page, ["fridge", "sofa-three"])
    walks.fill_address(page, village="清泉", address="清泉路 1 号 2 单元 301")
    page.locator("button.window").first.wait_for()
