"""Signatures: bounded whole numbers in, a drawing that cannot be run out."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import marshmallow as ma
import pytest

from recycling.policy.handwritten import MOST_POINTS, MOST_STROKES, HandSignature, signature_svg
from recycling.routes.schemas.proofs import SignatureSchema

CROSS = {"width": 300, "height": 100, "strokes": [[10, 10, 90, 90], [10, 90, 90, 10]]}


def loaded(**overrides: Any) -> HandSignature:
    found: HandSignature = SignatureSchema().load(CROSS | overrides)
    return found


def test_a_signature_is_drawn_as_its_strokes() -> None:
    drawing = ElementTree.fromstring(signature_svg(loaded(strokes=[[10, 10, 90, 90, 100, 95], [7, 7]])))  # noqa: S314
    lines = [line.get("points") for line in drawing.iter("{http://www.w3.org/2000/svg}polyline")]
    # a touch without a stroke is a dot
    assert lines == ["10,10 90,90 100,95", "7,7 7,7"]
    assert drawing.get("viewBox") == "0 0 300 100"
    assert {element.tag.rpartition("}")[2] for element in drawing.iter()} == {"svg", "g", "polyline"}


def test_the_largest_signature_is_taken() -> None:
    # 100 strokes of 20 points are the 2,000 that one may have
    assert MOST_STROKES * 20 == MOST_POINTS
    assert loaded(strokes=[[1, 1] * 20] * MOST_STROKES).points == MOST_POINTS


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"strokes": []}, id="nothing"),
        pytest.param({"strokes": [[1, 1, 2, 2, 3, 3]]}, id="three points"),
        pytest.param({"strokes": [[1, 1, 2]]}, id="half a point"),
        pytest.param({"strokes": [[]]}, id="an empty stroke"),
        pytest.param({"strokes": [[1, 1, 301, 1, 2, 2, 3, 3]]}, id="right of the field"),
        pytest.param({"strokes": [[1, 1, 1, 101, 2, 2, 3, 3]]}, id="below the field"),
        pytest.param({"strokes": [[-1, 1, 1, 1, 2, 2, 3, 3]]}, id="left of the field"),
        pytest.param({"strokes": [[1.5, 1, 1, 1, 2, 2, 3, 3]]}, id="no whole number"),
        pytest.param({"strokes": [["1", 1, 1, 1, 2, 2, 3, 3]]}, id="a text"),
        pytest.param({"strokes": [['"/><script>', 1]]}, id="a script"),
        pytest.param({"strokes": [[1, 1] * 20] * (MOST_STROKES + 1)}, id="too many strokes"),
        pytest.param({"strokes": [[1, 1] * (MOST_POINTS + 1)]}, id="too many points in one"),
        pytest.param({"strokes": [[1, 1] * MOST_POINTS, [1, 1]]}, id="too many points in all"),
        pytest.param({"width": 0}, id="no width"),
        pytest.param({"height": 5000}, id="too high"),
        pytest.param({"colour": "red"}, id="an unknown field"),
    ],
)
def test_what_is_no_signature_is_refused_in_words(overrides: dict[str, Any]) -> None:
    with pytest.raises(ma.ValidationError) as refused:
        loaded(**overrides)
    assert refused.value.messages
