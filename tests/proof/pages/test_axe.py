"""Every page that anybody can reach serves everybody, keeps its policy and complains of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recycling.policy.access import ROLES
from recycling.routes.pages.screens import SCREENS
from tests.pages.screens import DESK, NARROW, PHONE, Visit
from tests.pictures.demo_morning import DemoMorning
from tests.proof.harness import Proof, Size
from tests.proof.pages.crawl import OPEN_TO_ALL, ZOOMED, Findings, walked

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

LOOKS = {
    "small": (("zh", PHONE),),
    "full": (("zh", NARROW), ("en", PHONE), ("en", ZOOMED), ("zh", DESK)),
    "release": (("zh", NARROW), ("en", NARROW), ("zh", PHONE), ("en", PHONE), ("zh", ZOOMED), ("en", ZOOMED),
                ("zh", DESK), ("en", DESK)),
}  # fmt: skip
# A picture without words, a field without a name, and a script that the policy must stop.
PLANTED = """() => {
  document.querySelector("main").insertAdjacentHTML("beforeend", "<img src='data:,' width='9'><input><b id=fault></b>");
  const script = document.createElement("script");
  script.textContent = "document.getElementById('fault').textContent = 'ran'";
  document.body.append(script);
  document.querySelector("main").style.width = "3000px";
}"""


def test_every_page_of_every_role_serves_anybody(
    chromium: Browser, morning: DemoMorning, size: Size, proof: Proof
) -> None:
    # given the demo day at half past ten, and a stranger and somebody of each role
    found = Findings()
    for role in (None, *ROLES):
        visit = morning.visit(chromium, role, size=DESK)
        starts = [*OPEN_TO_ALL, *(screen.address for screen in (SCREENS[role] if role else ()))]
        # when every page they can reach by links is opened, in both languages and at several widths
        # (at the small size a page that several roles share is looked at once, as the first of them sees it)
        but = set(found.kinds) if size == "small" else frozenset()
        found.add(walked(visit, [*starts, morning.places["tracking"]], looks=LOOKS[size], but=but))
        visit.context.close()
    # then axe finds nothing grave, every policy is strict, no console complains, nothing is wider than its window
    planted = _planted(chromium, morning)
    sound = not (found.grave or found.complaints or found.loose_policies or found.too_wide)
    proof.record(
        figure=f"{len(found.kinds)} kinds of page, {found.looks} looks: {len(found.grave)} grave findings, "
        f"{len(found.complaints)} complaints, {len(found.loose_policies)} loose policies, "
        f"{len(found.too_wide)} too wide"
        + "".join(f"; {one}" for one in [*found.grave, *found.complaints, *found.too_wide][:8]),
        target="0 of each, at 320 px and at 200 %",
        control=planted,
        ok=sound and planted == "planted: 2 grave, 1 complaint, too wide, script stopped",
    )


def _planted(chromium: Browser, morning: DemoMorning) -> str:
    """What the same looks find on a page with faults put into it."""
    visit = morning.visit(chromium, None, size=PHONE)
    try:
        visit.open("/privacy").evaluate(PLANTED)
        return f"planted: {_findings(visit)}"
    finally:
        visit.context.close()


def _findings(visit: Visit) -> str:
    grave = {one.split(":")[0] for one in visit.grave_findings()}
    wide = "too wide" if visit.overflow_px() > 0 else "narrow"
    ran = "script ran" if visit.page.inner_text("#fault") else "script stopped"
    return f"{len(grave)} grave, {len(visit.faults)} complaint, {wide}, {ran}"
