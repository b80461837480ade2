"""Signatures written by hand on a screen (手写签名): kept as lines of whole numbers, drawn as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LARGEST_SIDE = 4096  # of the field that was signed in, in its own units
MOST_STROKES = 100
MOST_POINTS = 2000  # of all strokes; a long name takes 300
LEAST_POINTS = 4  # less is a slip of the finger; a cross, which some people sign with, has as many


@dataclass(frozen=True, slots=True, kw_only=True)
class HandSignature:
    """One signature.

    Parameters
    ----------
    width, height
        Of the field, 1 to `LARGEST_SIDE`.
    strokes
        One for each time the finger touched the screen: ``(x0, y0, x1, y1, …)``, from the upper left corner.

    Raises
    ------
    ValueError
        When a number lies outside the field, a stroke is half a point, or there is too much or too little of it.
    """

    width: int
    height: int
    strokes: Sequence[Sequence[int]]

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            if not 1 <= side <= LARGEST_SIDE:
                raise ValueError(f"{name} = {side} must be between 1 and {LARGEST_SIDE}")
        if len(self.strokes) > MOST_STROKES:
            raise ValueError(f"{len(self.strokes)} strokes; send {MOST_STROKES} at most")
        for number, stroke in enumerate(self.strokes):
            if not stroke or len(stroke) % 2:
                raise ValueError(
                    f"stroke {number} has {len(stroke)} numbers; send x and y of each point, one after another"
                )
            if not all(0 <= x <= self.width for x in stroke[::2]) or not all(
                0 <= y <= self.height for y in stroke[1::2]
            ):
                raise ValueError(f"stroke {number} leaves its field of {self.width} × {self.height}")
        if not LEAST_POINTS <= self.points <= MOST_POINTS:
            raise ValueError(f"{self.points} points; a signature has {LEAST_POINTS} to {MOST_POINTS}, thin it out")

    @property
    def points(self) -> int:
        """How many points it has in all."""
        return sum(len(stroke) for stroke in self.strokes) // 2


def signature_svg(signature: HandSignature) -> str:
    """The signature as a drawing. Whole numbers are all that goes into it, so nothing in it can be run."""
    lines = "".join(f'<polyline points="{_points(stroke)}"/>' for stroke in signature.strokes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {int(signature.width)} {int(signature.height)}">'
        f'<g fill="none" stroke="#000" stroke-width="{max(1, int(signature.height) // 60)}" stroke-linecap="round"'
        f' stroke-linejoin="round">{lines}</g></svg>'
    )


def _points(stroke: Sequence[int]) -> str:
    pairs = [f"{int(x)},{int(y)}" for x, y in zip(stroke[::2], stroke[1::2], strict=True)]
    # A line of one point draws nothing; to itself it is a dot.
    return " ".join(pairs if len(pairs) > 1 else pairs * 2)
