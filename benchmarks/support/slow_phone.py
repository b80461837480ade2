"""A cheap phone on a poor network: Chromium slowed down by its own debugger, with everything it fetches counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.pages.screens import until

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, CDPSession, Page

CPU_TIMES = 4  # slower than this machine, as Lighthouse slows it for a phone of the middle class
# What Lighthouse calls slow 4G and Chromium fast 3G.
FAST_3G = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}

PAINTED = """() => new Promise((told) => {
  const found = performance.getEntriesByName("first-contentful-paint")[0];
  if (found) told(found.startTime);
  else new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (one.name === "first-contentful-paint") told(one.startTime);
  }).observe({ type: "paint", buffered: true });
})"""
# When the page is read and no script is at work on its main part any more; from the start of every page.
NOTE_SHOWN = """(() => {
  const look = () => {
    const main = document.querySelector("main");
    if (window.shownAt === undefined && document.readyState !== "loading" && main && !main.hasAttribute("aria-busy")) {
      window.shownAt = performance.now();
    }
  };
  document.addEventListener("readystatechange", look);
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributeFilter: ["aria-busy"] });
})();"""
# How many frames were drawn while something went on, and how long the longest gap between two of them was.
COUNT_FRAMES = """() => {
  const seen = { frames: 0, longest: 0, since: performance.now(), last: performance.now(), on: true };
  const look = (now) => {
    if (!seen.on) return;
    seen.frames += 1; seen.longest = Math.max(seen.longest, now - seen.last); seen.last = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  window.framesSeen = seen;
}"""
FRAMES_PER_S = """() => {
  const seen = window.framesSeen;
  seen.on = false;
  return seen.frames / ((performance.now() - seen.since) / 1000);
}"""


@dataclass(slots=True)
class SlowPhone:
    """One tab under the debugger; ``bytes_in`` is what came over the line so far, heads included."""

    page: Page
    session: CDPSession
    bytes_in: int = 0
    requests: dict[str, str] = field(default_factory=dict)

    def loaded(self, told: dict[str, Any]) -> None:
        """Count one answer that has come in."""
        self.bytes_in += int(told["encodedDataLength"])

    def painted_ms(self) -> float:
        """Milliseconds from the navigation to the first text or picture."""
        return float(self.page.evaluate(PAINTED))

    def shown_ms(self) -> float:
        """Milliseconds from the navigation until the page's main part stood whole."""
        until(self.page, "window.shownAt !== undefined")
        return float(self.page.evaluate("window.shownAt"))

    def frames_from_here(self) -> None:
        """Begin to count frames."""
        self.page.evaluate(COUNT_FRAMES)

    def frames_per_s(self) -> float:
        """Frames a second since counting began."""
        return float(self.page.evaluate(FRAMES_PER_S))


def slow_phone(context: BrowserContext, page: Page, *, network: bool = True, cpu: bool = True) -> SlowPhone:
    """Slow a tab down and count what it fetches; without ``network`` or ``cpu`` that part stays as fast as it is."""
    session = context.new_cdp_session(page)
    phone = SlowPhone(page, session)
    context.add_init_script(NOTE_SHOWN)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda told: phone.loaded(told))  # a method of a slotted object cannot be one
    if network:
        session.send("Network.emulateNetworkConditions", FAST_3G)
    if cpu:
        session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_TIMES})
    return phone
