"""Dragging stops over the planning board: its chart is a canvas, so where a stop lies is worked out as it draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.pages.screens import until

if TYPE_CHECKING:
    from playwright.sync_api import Page

HEAD, ROW, MIDDLE, GUTTER, MARGIN, HOUR_S = 22, 54, 21, 118, 12, 3600  # of the chart, on a desk, at its first zoom
SMOOTH = 30  # movements of the mouse from one row to the next
FACTS = """async () => {
  const { plan_id } = JSON.parse(document.querySelector("#facts").textContent);
  const board = await (await fetch(`/plans/${plan_id}/board`)).json();
  const chart = document.querySelector("#chart");
  chart.scrollIntoView({ block: "center" });
  const { left, top } = chart.getBoundingClientRect();
  return { board, width: chart.clientWidth, height: chart.clientHeight,
    left: left + chart.clientLeft, top: top + chart.clientTop };
}"""
# Notes when the hand last moved, and when the verdict next says whether the rules are kept.
LISTEN = """() => {
  const seen = window.verdictSeen = { moved: 0, ms: null };
  const told = document.querySelector("#verdict");
  told.textContent = "";
  new MutationObserver((_, watcher) => {
    if (!/[✓✗]/.test(told.textContent)) return;
    seen.ms = performance.now() - seen.moved;
    watcher.disconnect();
  }).observe(told, { childList: true, subtree: true, characterData: true });
  if (window.watchesHand) return;
  window.watchesHand = true;
  document.querySelector("#chart").addEventListener("pointermove", (event) => {
    window.verdictSeen.moved = event.timeStamp;
  }, true);
}"""


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart of the board as it stands, unscrolled."""

    page: Page
    board: dict[str, Any]
    left: float
    top: float
    width: float
    height: float

    @classmethod
    def of(cls, page: Page) -> Chart:
        """Bring the chart into the window and read what it draws."""
        return cls(page, **page.evaluate(FACTS))

    @property
    def rows(self) -> list[str]:
        """Vehicles from the top down: those that drive, then those at home."""
        drives = {route["vehicle_key"] for route in self.board["routes"] if _pickups(route)}
        keys = [vehicle["key"] for vehicle in self.board["vehicles"]]
        return [key for key in keys if key in drives] + [key for key in keys if key not in drives]

    @property
    def rows_in_sight(self) -> int:
        """How many rows are seen without scrolling."""
        return min(len(self.rows), int((self.height - HEAD) // ROW))

    def y(self, row: int) -> float:
        """The middle of a row's bars, in the window."""
        return self.top + HEAD + row * ROW + MIDDLE

    def x(self, second: float) -> float:
        """An instant of the day, in the window."""
        vehicles = self.board["vehicles"]
        begins = min(one["shift_s"][0] for one in vehicles) // HOUR_S * HOUR_S
        ends = -(-max(one["shift_s"][1] + one["max_overtime_s"] for one in vehicles) // HOUR_S) * HOUR_S
        return self.left + GUTTER + float(second - begins) * (self.width - GUTTER - MARGIN) / float(ends - begins)

    def place_of(self, booking_id: str) -> tuple[int, float]:
        """The row of a stop, and the middle of its service in the window."""
        for route in self.board["routes"]:
            for step in _pickups(route):
                if step["booking_id"] == booking_id:
                    middle = (step["start_s"] + step["end_s"]) / 2
                    return self.rows.index(route["vehicle_key"]), self.x(middle)
        raise LookupError(f"booking {booking_id} is on no route of the board")

    def press(self, booking_id: str) -> tuple[int, float]:
        """Take hold of a stop; returns its row and where it is."""
        row, x = self.place_of(booking_id)
        self.page.mouse.move(x, self.y(row))
        self.page.mouse.down()
        return row, x

    def judged_over(self, row: int, x: float) -> tuple[bool, float]:
        """Carry the stop to another row at once; whether the rules are kept there, and told after how many ms."""
        self.page.evaluate(LISTEN)
        self.page.mouse.move(x, self.y(row))
        until(self.page, "window.verdictSeen.ms !== null")
        kept = "✓" in self.page.locator("#verdict").inner_text()
        return kept, float(self.page.evaluate("window.verdictSeen.ms"))


def move_stop(page: Page, booking_id: str) -> str:
    """Drag a stop down the chart until a van is found whose route keeps the rules with it, and drop it there."""
    chart = Chart.of(page)
    own, x = chart.press(booking_id)
    for row in range(chart.rows_in_sight):
        if row != own and chart.judged_over(row, x)[0]:
            page.mouse.up()
            page.locator("#save:enabled").wait_for()
            return chart.rows[row]
    page.keyboard.press("Escape")
    raise AssertionError(f"no van in sight can take {booking_id}")


def save_and_publish(page: Page) -> None:
    """Save what was moved as a new version of the plan, and publish it."""
    page.locator("#save").click()
    page.wait_for_url("**plan=*")
    page.locator("#publish:enabled").click()
    page.locator("#publish-now").click()
    page.locator("#version option:checked", has_text="已发布").wait_for(state="attached")


def drag_stops(page: Page, *, times: int) -> list[float]:
    """Carry the first stop of the first row over other rows, and put it back.

    Returns
    -------
    list[float]
        Milliseconds from each resting of the hand to the verdict shown.
    """
    chart = Chart.of(page)
    first = next(route for route in chart.board["routes"] if route["vehicle_key"] == chart.rows[0])
    _, x = chart.press(_pickups(first)[0]["booking_id"])
    rows = [1 + number % max(1, chart.rows_in_sight - 1) for number in range(times)]
    taken = [chart.judged_over(row, x)[1] for row in rows]
    for row in rows:  # and slowly, as a hand goes, so that something is to be drawn in each frame
        page.mouse.move(x + SMOOTH, chart.y(row), steps=SMOOTH)
    page.keyboard.press("Escape")
    page.mouse.up()
    return taken


def _pickups(route: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for step in route["steps"] if step["kind"] == "pickup"]
