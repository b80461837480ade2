"""The drawings of docs/planning.md: each is a picture, and shows the plan it was made from."""

from __future__ import annotations

from xml.etree import ElementTree

from benchmarks.district import district_day
from benchmarks.support.drawings import FOLDER, drawn
from recycling.routing.solve import solve


def test_a_plan_is_drawn_as_a_map_a_part_and_a_timeline() -> None:
    problem = district_day(40, 3)
    plan = solve(problem, seconds=5, engines=())
    drawings = {name: " ".join(_picture(text).itertext()) for name, text in drawn(problem, plan).items()}
    assert all(route.vehicle in drawings["map.svg"] for route in plan.routes)
    assert "the route of" in drawings["part.svg"]
    # the timeline has a row for each step of one route
    assert any(
        all(step.stop in drawings["timeline.svg"] for step in route.steps if step.stop is not None)
        for route in plan.routes
    )


def test_every_drawing_that_the_page_shows_is_a_picture() -> None:
    page = (FOLDER.parent / "planning.md").read_text(encoding="utf-8")
    for drawing in FOLDER.glob("*.svg"):
        assert f"](planning/{drawing.name})" in page
        assert _picture(drawing.read_text(encoding="utf-8")).tag.endswith("svg")


def _picture(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314  # written by ourselves
