"""Screens in a real browser: gunicorn over a real database, Debian's Chromium without a window, driven by Playwright.

Every page that a test opens is watched: an error in its console, an exception in a script or a failure on the server
fails the test, unless the test says that it expects it.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient

from recycling.app import create_app
from recycling.extensions import db
from recycling.policy.access import Role
from tests import conftest
from tests.callers import KeptSms
from tests.pages.browsers import Browsers
from tests.servers import Server, server_settings, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request

PHONE, NARROW, TABLET, DESK = (390, 844), (320, 640), (1024, 768), (1440, 900)
PATIENCE_MS = 15_000
LOOK_EVERY_MS = 50
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
HOW = "On Debian: apt-get install chromium fonts-noto-cjk; then: make browser"
AXE = Path(__file__).parent / "axe-core-4.14.1" / "axe.min.js"
# WCAG 2.2 AA, and what axe's authors hold to be good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What passed is neither listed nor are style sheets fetched again for the one rule about a phone held sideways: half
# the time.
LOOK_FOR = {"runOnly": RULES, "resultTypes": ["violations"], "preload": False}
GRAVE = ("serious", "critical")
# A bar that stays at the window's edge covers whatever happens to lie below it, until somebody scrolls: axe would hold
# that to be too small a target.
LET_GO = """() => document.querySelectorAll("body *").forEach((one) => {
  if (["sticky", "fixed"].includes(getComputedStyle(one).position)) {
    one.dataset.letGo = ""; one.style.position = "static";
  }
})"""
HOLD_AGAIN = """() => document.querySelectorAll("[data-let-go]").forEach((one) => {
  one.style.position = ""; delete one.dataset.letGo;
})"""
Cookie = dict[str, Any]  # as Playwright takes and gives them


@dataclass
class Visit:
    """One person's browser, with one tab open; ``faults`` is what the pages complained of so far."""

    context: BrowserContext
    page: Page
    address: str
    faults: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()  # pieces of faults that the test provokes
    writing: set[Request] = field(default_factory=set)  # requests that change something and are not answered yet

    def open(self, path: str) -> Page:
        """Open an address and wait until none of its scripts is at work on ``main`` any more."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector('main:not([aria-busy="true"])')
        return self.page

    def read(self, *, lang: str, size: tuple[int, int]) -> None:
        """Go on in a language and a width of the window."""
        self.context.add_cookies([{"name": "lang", "value": lang, "url": self.address}])
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def grave_findings(self) -> list[str]:
        """What axe-core finds on the page as it stands: rule and element of everything serious or critical."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))  # run by the debugger, past the page's own policy
        self.page.evaluate(LET_GO)
        found = self.page.evaluate("options => axe.run(document, options)", LOOK_FOR)
        self.page.evaluate(HOLD_AGAIN)
        return [
            f"{one['id']}: {node['html'][:120]}"
            for one in found["violations"]
            if one["impact"] in GRAVE
            for node in one["nodes"]
        ]

    def overflow_px(self) -> int:
        """How much wider the page is than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def unexpected(self) -> list[str]:
        """The faults that the test does not expect."""
        return [fault for fault in self.faults if not any(piece in fault for piece in self.expected)]

    def close(self) -> None:
        """Close the browser when what it has sent is answered: nothing arrives in the middle of another test."""
        patience = time.monotonic() + PATIENCE_MS / 1000
        while self.context.pages and time.monotonic() < patience:
            self.context.pages[0].wait_for_timeout(LOOK_EVERY_MS)  # hears meanwhile of what was sent and answered
            if not self.writing:
                break
        self.context.close()

    def sent(self, request: Request) -> None:
        """Note a request until it is answered."""
        if request.method not in ("GET", "HEAD"):
            self.writing.add(request)

    def watch(self, page: Page) -> None:
        """Note what a tab complains of."""
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda said: self.faults.append(f"{page.url}: {said.text}") if said.type == "error" else None,
        )


def a_visit(
    browser: Browser, address: str, cookies: Sequence[Cookie] = (), *, size: tuple[int, int], lang: str = "zh"
) -> Visit:
    """Open a browser of a size, with the cookies of somebody's sign-in; without any nobody has signed in."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="zh-CN", timezone_id="Asia/Shanghai",
        has_touch=size[0] < TABLET[0], service_workers="allow",
    )  # fmt: skip
    context.add_cookies([*cookies, {"name": "lang", "value": lang, "url": address}])  # type: ignore[list-item]  # plain mappings are what it takes
    visit = Visit(context, context.new_page(), address)
    visit.watch(visit.page)
    context.on("page", visit.watch)
    context.on("request", visit.sent)
    context.on("requestfinished", lambda request: visit.writing.discard(request))
    context.on("requestfailed", lambda request: visit.writing.discard(request))
    return visit


def until(page: Page, expression: str) -> None:
    """Wait until an expression is true.

    Playwright's own `wait_for_function` evaluates it inside the page from its second look on, which our policy forbids.
    """
    patience = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(expression):
        if time.monotonic() > patience:
            raise AssertionError(f"{page.url}: never true within {PATIENCE_MS / 1000:g} s: {expression}")
        page.wait_for_timeout(LOOK_EVERY_MS)


def cookies_of(client: FlaskClient, address: str) -> list[Cookie]:
    """The cookies of a client in which somebody has signed in, for a browser."""
    found: list[Cookie] = []
    for name in ("access_token_cookie", "csrf_access_token", "browser_secret"):
        kept = client.get_cookie(name)
        assert kept is not None, name
        found.append({"name": name, "value": kept.value, "url": address})
    return found


@dataclass
class Screens:
    """Opens browsers for people of every role, on one served database."""

    app: Flask
    server: Server
    browser: Browser
    browsers: Browsers
    visits: list[Visit] = field(default_factory=list)

    def of(self, role: Role | None, *, size: tuple[int, int] = DESK, lang: str = "zh", **account: Any) -> Visit:
        """Open a browser of a size in which somebody of a role has signed in; ``None`` for a stranger."""
        address = self.server.address
        cookies = cookies_of(self.browsers.of(role, **account).client, address) if role is not None else ()
        visit = a_visit(self.browser, address, cookies, size=size, lang=lang)
        self.visits.append(visit)
        return visit


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; without one the tests that need it are skipped, and say how to get it."""
    missing = what_is_missing()
    if missing and os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    with running_chromium() as browser:
        yield browser


def what_is_missing() -> str:
    """What stands in the way of a real browser here and how to get it; nothing when nothing does."""
    if importlib.util.find_spec("playwright") is None:
        return f"no Playwright here. {HOW}"
    return "" if _program() else f"no Chromium here. {HOW}"


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    browser = _playwright().chromium.launch(executable_path=_program(), args=["--no-sandbox"])
    yield browser
    browser.close()


@cache
def _playwright() -> Playwright:
    """The one driver of this process: it refuses to be started a second time, by whichever folder's fixture."""
    from playwright.sync_api import sync_playwright

    started = sync_playwright().start()
    atexit.register(started.stop)
    return started


def _program() -> str | None:
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@pytest.fixture(scope="session")
def served(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Server]]:
    """A server, and an app of the same settings beside it: on PostgreSQL where one answers, else on SQLite."""
    folder = tmp_path_factory.mktemp("screens")
    on_postgres = "postgresql" in conftest.ENGINES
    made = conftest.fresh_postgres(hurried=True) if on_postgres else iter([f"sqlite:///{folder / 'screens.db'}"])
    url = next(made)
    app = create_app(server_settings(url))
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
    with serving(url, log=folder / "log", workers=2) as server:
        yield app, server
    with app.app_context():
        db.engine.dispose()
    for _ in made:  # let the generator drop what it made
        pass


@pytest.fixture
def screens(served: tuple[Flask, Server], chromium: Browser) -> Iterator[Screens]:
    """Browsers on a served, empty database; what they complained of, and the server, is looked at afterwards."""
    app, server = served
    told_before = len(server_faults(server))
    opened = Screens(app, server, chromium, Browsers(app, KeptSms()))
    app.extensions["sms"] = opened.browsers.sms
    yield opened
    for visit in opened.visits:
        visit.close()
    with app.app_context():
        db.session.remove()
        conftest.empty(db.session())
        db.session.remove()
    complaints = [fault for visit in opened.visits for fault in visit.unexpected()]
    assert not complaints, "\n".join(complaints)
    errors = server_faults(server)[told_before:]
    assert not errors, "\n".join(errors)


def server_faults(server: Server) -> list[str]:
    """The errors that the server has logged."""
    lines = server.log.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("{") and json.loads(line).get("level") in ("error", "critical")]
