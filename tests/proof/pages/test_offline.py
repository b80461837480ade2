"""A day's doors recorded without a network, in a browser that is reloaded and killed: each arrives once."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import select

from recycling.extensions import db
from recycling.models.field import FieldEvent, FieldFlag
from tests import conftest
from tests.callers import PASSWORD
from tests.pages.screens import PATIENCE_MS, PHONE, PROGRAMS, Screens
from tests.pages.todays_route import todays_route
from tests.pages.wire import Wire, wire_to
from tests.planned_days import TRUCK_CREW
from tests.proof.harness import Proof

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

PAGE = "/pages/collect"
DOORS, CONTROL_DOORS = 25, 4
RELOADED_AFTER, KILLED_AFTER = (5, 18), 12  # doors; CONTROL: after half
KEPT = """navigator.serviceWorker.ready.then(async () => {
  for (const wanted of ["/pages/collect/shell", "/item-types", "/failed-visit-codes", "/proof-rules"])
    if (!await caches.match(wanted)) return false;
  return navigator.serviceWorker.controller !== null;
})"""
# What the claims rest on, switched off.
NOTHING_KEPT = "indexedDB.deleteDatabase('collect');"
NEW_IDS = """const honest = window.fetch;
window.fetch = (path, options = {}) => {
  if (!String(path).startsWith('/field-events')) return honest(path, options);
  const body = JSON.parse(options.body);
  for (const event of body.events) event.event_id = crypto.randomUUID();
  return honest(path, { ...options, body: JSON.stringify(body) });
};"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What was recorded on the phone, and what of it stands in the database."""

    recorded: int
    of_booking: Counter[UUID]
    numbers: list[int]
    flags: set[str]

    @property
    def once(self) -> int:
        """Doors whose record is there exactly once."""
        return sum(count == 1 for count in self.of_booking.values())

    @property
    def events(self) -> int:
        """Records in all."""
        return self.of_booking.total()


class Phone:
    """A browser with a profile of its own on the disk, which can be killed and started again."""

    def __init__(self, screens: Screens, folder: Path, wire: Wire, script: str) -> None:
        self._kind, self._profile, self._wire = screens.browser.browser_type, folder / "profile", wire
        self._script = script
        self._context: BrowserContext | None = None

    def start(self) -> Page:
        """Start the browser on what its profile holds."""
        program = next(filter(None, map(shutil.which, PROGRAMS)))
        self._context = self._kind.launch_persistent_context(
            self._profile, executable_path=program, args=["--no-sandbox"], locale="zh-CN", has_touch=True,
            timezone_id="Asia/Shanghai", viewport={"width": PHONE[0], "height": PHONE[1]},
        )  # fmt: skip
        self._context.add_init_script(self._script)
        page = self._context.pages[0]
        page.set_default_timeout(PATIENCE_MS)
        return page

    def go_offline(self, page: Page) -> None:
        """Take the network away: from the page, and by the wire from its worker too."""
        self._wire.cut()
        page.context.set_offline(True)

    def come_back(self, page: Page) -> None:
        """Give it back."""
        self._wire.mend()
        page.context.set_offline(False)

    def kill(self) -> None:
        """End it as an empty battery does: no process of it is asked to put anything in order."""
        assert self._context is not None
        for pid in _processes_of(self._profile):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.close()
        # What a killed browser leaves behind to keep a second one off its profile.
        for left in self._profile.glob("Singleton*"):
            left.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the window."""
        if self._context is not None:
            with contextlib.suppress(Exception):  # a killed browser answers nothing
                self._context.close()
        self._context = None


def _processes_of(profile: Path) -> list[int]:
    """The browser's own processes: those that name its profile."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"--user-data-dir={profile}".encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


@contextmanager
def _phone(screens: Screens, folder: Path, script: str) -> Iterator[tuple[Phone, Wire]]:
    with wire_to(screens.server.host, screens.server.port) as wire:
        phone = Phone(screens, folder, wire, script)
        yield phone, wire
        phone.close()


def test_doors_recorded_without_a_network_arrive_once_each(screens: Screens, proof: Proof, tmp_path: Path) -> None:
    # given a day's doors recorded with the network cut, the page reloaded twice and the browser killed once meanwhile;
    # and when the network is back, the first answer gets lost on its way
    whole = _day(screens, tmp_path / "on", doors=DOORS)
    # and the same with nothing kept between two openings, and with a new id whenever a record is sent
    forgetful = _day(screens, tmp_path / "forgetful", doors=CONTROL_DOORS, script=NOTHING_KEPT)
    renamed = _day(screens, tmp_path / "renamed", doors=CONTROL_DOORS, script=NEW_IDS)
    # then every record is there once
    proof.record(
        name="doors recorded without a network",
        figure=f"{whole.once} of {whole.recorded} there once, {whole.events} records",
        target=f"{DOORS} of {DOORS}, {DOORS}",
        control=f"nothing kept: {forgetful.events} of {forgetful.recorded} arrive;"
        f" a new id each time: {renamed.events} records of {renamed.recorded}",
        ok=whole.recorded == whole.once == whole.events == DOORS
        and forgetful.events < forgetful.recorded
        and renamed.events > renamed.recorded,
    )
    # and the device's numbers have neither gap nor double, whatever became of the browser
    assert whole.numbers == list(range(1, DOORS + 1))
    assert not whole.flags & {"sequence_reused", "other_device", "id_reused", "clock_quarantined"}


def _day(screens: Screens, folder: Path, *, doors: int, script: str = "") -> Arrived:
    """One day on one phone; afterwards the database is empty again."""
    folder.mkdir()
    with screens.app.app_context():
        conftest.empty(db.session())
        db.session.remove()
    bookings = todays_route(screens.app, *[{} for _ in range(doors)])
    login = screens.browsers.account("collector", collector_key=TRUCK_CREW[0])
    with _phone(screens, folder, script) as (phone, wire):
        page = phone.start()
        cookies = _sign_in(page, wire, login)
        if not script:
            _until(page, KEPT)
        phone.go_offline(page)
        recorded = 0
        for number, booking_id in enumerate(bookings):
            recorded += _record(page, booking_id)
            if number + 1 in (RELOADED_AFTER if doors == DOORS else ()):
                page.reload()
                page.wait_for_selector(".steps li")
            if number + 1 == (KILLED_AFTER if doors == DOORS else doors // 2):
                phone.kill()
                page = phone.start()
                page.context.add_cookies(cookies)  # a killed browser may not have written them yet; they are no record
                page.context.set_offline(True)
                page.goto(wire.address + PAGE)
                if script == NOTHING_KEPT:
                    break  # there is no list any more to record on
                page.wait_for_selector(".steps li")
        wire.lose(b"POST /field-events", 1)
        phone.come_back(page)
        page.goto(wire.address + PAGE)
        _wait_until_sent(page, renamed=script == NEW_IDS)
        return _arrived(screens, recorded)


def _sign_in(page: Page, wire: Wire, login: str) -> Any:
    page.goto(f"{wire.address}/pages/sign-in?next={PAGE}")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.click("form[action$='/staff'] button")
    page.wait_for_selector(".steps li")
    return page.context.cookies()


def _record(page: Page, booking_id: UUID) -> int:
    """Record that everything was taken at a door, as a thumb does it; 1 once the phone has said so."""
    page.evaluate("id => { location.hash = `#finish=${id}`; }", str(booking_id))
    page.fill("#code", "123456")
    page.click("#confirm")
    _until(page, "location.hash === '#list'")
    return 1


def _until(page: Page, expression: str) -> None:
    """Wait for something of the page; Playwright's own waiting evaluates strings, which the page's policy forbids."""
    gives_up = time.monotonic() + 2 * PATIENCE_MS / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < gives_up, f"{expression} did not come true; the page shows {page.inner_text('main')}"
        time.sleep(0.05)


def _wait_until_sent(page: Page, *, renamed: bool) -> None:
    """Until the page says that all is sent; who renames records never hears of them again, so a while is enough."""
    if renamed:
        time.sleep(12)
    else:
        page.wait_for_selector(".queue.ok", timeout=60_000)


def _arrived(screens: Screens, recorded: int) -> Arrived:
    with screens.app.app_context():
        rows = db.session().execute(select(FieldEvent.booking_id, FieldEvent.device_seq)).all()
        flags = set(db.session().scalars(select(FieldFlag.code)))
        db.session.remove()
    return Arrived(
        recorded=recorded, of_booking=Counter(row.booking_id for row in rows), flags=flags,
        numbers=sorted(row.device_seq for row in rows),
    )  # fmt: skip
