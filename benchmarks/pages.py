"""Screens: what a resident, a collector, a dispatcher and a clerk wait for, on a slow phone and a slow desk.

Beside each figure stands the least there is: the same server's shortest answer under the same profile.
"""

from __future__ import annotations

import math
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.console import Console

from benchmarks.support.five_years_app import NOW, five_years
from benchmarks.support.large_day import LargeDay, large_day
from benchmarks.support.slow_phone import SlowPhone, slow_phone
from benchmarks.table import Row
from recycling.extensions import db
from recycling.policy.access import Role
from tests.callers import PASSWORD, KeptSms
from tests.pages import board_walk, walks
from tests.pages.browsers import Browsers
from tests.pages.screens import DESK, PHONE, Cookie, Visit, a_visit, running_chromium, until
from tests.pictures.demo_morning import demo_morning, set_clock
from tests.servers import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LOOKS = int(os.environ.get("LOOKS", "5"))  # of which the middle one counts
LINES = int(os.environ.get("LINES", "500_000"))  # of tickets over five years; the figures of a day are as many for more
STOPS = int(os.environ.get("STOPS", "1_000"))
PAINTED_S, PATH_KB, FROM_CACHE_S, FRAMES, VERDICT_MS, DASHBOARD_S = 1.8, 250.0, 1.0, 30.0, 150.0, 1.5
LEAST = "/healthz"  # some twenty bytes of text
LEAST_NAME = "shortest answer"

console = Console(stderr=True)


Opened = Callable[[Role | None, tuple[int, int]], Visit]  # a fresh browser of somebody, of a size of window


def rows() -> Iterator[Row]:
    """Measure everything of the issue's speed table."""
    with running_chromium() as browser, tempfile.TemporaryDirectory() as name:
        with demo_morning(Path(name)) as demo:
            yield from _phones(lambda role, size: demo.visit(browser, role, size=size))
        with large_day(STOPS) as day:
            yield from _board(browser, day)
        yield from _dashboards(browser, Path(name))


def _phones(opened: Opened) -> Iterator[Row]:
    """A resident books, a collector opens the list without a network."""
    least_s = _painted_s(opened, None, LEAST)
    first_pages: tuple[tuple[Role | None, str], ...] = (
        ("resident", walks.BOOK), ("resident", "/pages/bookings"), (None, "/"),
    )  # fmt: skip
    for role, path in first_pages:
        yield _row(
            f"first paint of {path}, {role or 'a stranger'}, nothing cached, fast 3G, CPU / 4", unit="s",
            most=PAINTED_S, measure=partial(_painted_s, opened, role, path),
            peer_figure=least_s,
        )  # fmt: skip
    yield _row(
        "transferred from the open page to the number of the booking, signed in, nothing cached", unit="kB",
        most=PATH_KB, measure=lambda: _path_kb(opened), peer_figure=_transferred_kb(opened, LEAST),
    )  # fmt: skip
    yield _row(
        "today's list from the phone's cache, no network, CPU / 4", unit="s", most=FROM_CACHE_S,
        measure=lambda: _from_cache_s(opened),
    )  # fmt: skip


def _board(browser: Browser, day: LargeDay) -> Iterator[Row]:
    """A dispatcher drags a stop over a day of a thousand."""
    frames: list[float] = []
    verdicts: list[float] = []

    def dragged() -> float:
        visit = a_visit(browser, day.server.address, day.cookies_of("dispatcher"), size=DESK)
        try:
            phone = slow_phone(visit.context, visit.page, network=False, cpu=False)
            visit.open(f"{walks.BOARD}?day={day.day}")
            phone.frames_from_here()
            verdicts.extend(board_walk.drag_stops(visit.page, times=LOOKS))
            frames.append(phone.frames_per_s())
        finally:
            visit.context.close()
        return frames[0]

    yield _row(f"dragging a stop on the board, {STOPS:,} stops", unit="frames/s", least=FRAMES, measure=dragged)
    yield _row(
        f"verdict on a drag, {STOPS:,} stops", unit="ms", most=VERDICT_MS, measure=lambda: statistics.median(verdicts)
    )


def _dashboards(browser: Browser, folder: Path) -> Iterator[Row]:
    """A clerk opens the goals of a district with five years of figures behind it."""
    console.print(f"writing {LINES:,} lines of five years")
    with five_years("postgresql", lines=LINES) as made:
        with made.app.app_context():
            made.rebuild()
            made.tidy()
            login = Browsers(made.app, KeptSms()).account("clerk")
            db.session.remove()
        clock = folder / "clock-of-five-years"
        clock.write_text(NOW.isoformat(), encoding="utf-8")
        with serving(
            made.url, log=folder / "five-years.log", wsgi="tests.proof.line.shifted_clock:app",
            environment={"TEST_CLOCK_FILE": str(clock)},
        ) as server:  # fmt: skip
            first = a_visit(browser, server.address, size=DESK)
            walks.sign_in_staff(first.page, server.address, login, PASSWORD)
            cookies = cast("list[Cookie]", first.context.cookies())

            def opened(role: Role | None, size: tuple[int, int]) -> Visit:
                visit = a_visit(browser, server.address, cookies if role else (), size=size)
                set_clock(visit.context, NOW)
                return visit

            yield _row(
                f"{walks.GOALS} stands whole, five years ({LINES:,} lines), CPU / 4", unit="s", most=DASHBOARD_S,
                measure=lambda: _shown_s(opened, "clerk", walks.GOALS), peer_figure=_painted_s(opened, None, LEAST),
            )  # fmt: skip


def _row(
    name: str,
    *,
    unit: str,
    measure: Callable[[], float],
    most: float = math.inf,
    least: float = -math.inf,
    peer_figure: float | None = None,
) -> Row:
    """One line; a screen that does not open or cannot be walked through makes a line that is short and says why."""
    from playwright.sync_api import Error

    console.print(name)
    try:
        figure = measure()
    except (Error, AssertionError, LookupError, NotImplementedError, statistics.StatisticsError) as problem:
        name, figure = f"{name} – NOT MEASURED: {str(problem).splitlines()[0][:120]}", math.nan
    return Row(
        name=name, figure=figure, unit=unit, ok=least <= figure <= most, peer=LEAST_NAME if peer_figure else "",
        target=f"<= {most:g} {unit}" if most < math.inf else f">= {least:g} {unit}", peer_figure=peer_figure,
    )  # fmt: skip


def _painted_s(opened: Opened, role: Role | None, path: str) -> float:
    """The middle of several first paints."""
    return statistics.median(_looked(opened, role, path, size=PHONE, network=True)[0] for _ in range(LOOKS))


def _shown_s(opened: Opened, role: Role | None, path: str) -> float:
    return statistics.median(_looked(opened, role, path, size=DESK, network=False)[1] for _ in range(LOOKS))


def _transferred_kb(opened: Opened, path: str) -> float:
    visit = opened(None, PHONE)
    phone = slow_phone(visit.context, visit.page)
    visit.page.goto(visit.address + path)
    visit.page.wait_for_load_state("networkidle")  # the debugger counts an answer a moment after the page has it
    visit.context.close()
    return phone.bytes_in / 1000


def _looked(
    opened: Opened, role: Role | None, path: str, *, size: tuple[int, int], network: bool
) -> tuple[float, float]:
    """Seconds until something was painted, and until the page stood whole, in a browser that was never here before."""
    visit = opened(role, size)
    try:
        phone = slow_phone(visit.context, visit.page, network=network)
        answer = visit.page.goto(visit.address + path)
        assert answer is not None
        assert answer.ok, f"{path} answers {answer.status}"
        shown_ms = phone.shown_ms() if path != LEAST else 0.0
        return phone.painted_ms() / 1000, shown_ms / 1000
    finally:
        visit.context.close()


def _path_kb(opened: Opened) -> float:
    visit = opened("resident", PHONE)
    try:
        phone = slow_phone(visit.context, visit.page, network=False, cpu=False)
        visit.open(walks.BOOK)
        walks.book_pickup(visit.page, ["fridge"], village="清泉", address="清泉路 1 号 2 单元 301")
        visit.page.wait_for_load_state("networkidle")
        return phone.bytes_in / 1000
    finally:
        visit.context.close()


def _from_cache_s(opened: Opened) -> float:
    visit = opened("collector", PHONE)
    try:
        phone: SlowPhone = slow_phone(visit.context, visit.page, network=False)
        walks.keep_list(visit)
        visit.page.reload()  # a page that was there before its worker is not yet served by it
        until(visit.page, "navigator.serviceWorker.controller !== null")
        visit.page.wait_for_load_state("networkidle")
        visit.context.set_offline(True)
        taken = []
        for _ in range(LOOKS):
            visit.page.goto(visit.address + walks.COLLECT)
            taken.append(phone.shown_ms() / 1000)
        return statistics.median(taken)
    finally:
        visit.context.close()
