"""How a ticket's accepted mass falls on its lines: readings as they are, the rest shared by unit masses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recycling.errors import InvalidInput
from recycling.models.intake import Provenance
from recycling.units import kg_text


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMass:
    """Grams of one line and where they come from."""

    net_g: int
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedMass:
    """Grams that a line without a reading would have, by the station's class average or else by the type table."""

    mass_g: int
    averaged: bool


def line_masses(accepted_g: int, *, readings: Sequence[int | None], expected: Sequence[ExpectedMass]) -> list[LineMass]:
    """Give every line its grams, so that they add up to the accepted mass exactly.

    A line with a reading of its own keeps it, and a line that is the only one without takes what is left: the scale
    fixes both, so both are weighed. Several without share what is left in proportion to what is ``expected`` of them.
    Each share depends on the expected masses of all, so they are as good as the worst of them: only where class
    averages gave every one is it said of them, else the type table is.

    Raises
    ------
    InvalidInput
        When the readings and the accepted mass cannot both be true.
    """
    read_g = sum(reading for reading in readings if reading is not None)
    rest_g = accepted_g - read_g
    unread = [place for place, reading in enumerate(readings) if reading is None]
    if rest_g < 0 or (rest_g > 0 and not unread):
        raise InvalidInput(
            f"the lines' own readings add up to {kg_text(read_g)}, but gross - tare - refused is {kg_text(accepted_g)};"
            f" correct a reading or refused_g / 各行重量合计 {kg_text(read_g)}，与净重减扣杂 {kg_text(accepted_g)} 不符"
        )
    parts = shared(rest_g, [expected[place].mass_g for place in unread])
    if 0 in parts:
        raise InvalidInput(
            f"{kg_text(rest_g)} is left for {len(unread)} lines without a reading, too little for 1 g each; check"
            f" gross_g, tare_g, refused_g and the readings / 余下 {kg_text(rest_g)} 不足以分给 {len(unread)} 行，请核对"
        )
    parted = dict(zip(unread, parts, strict=True))
    by_difference: Provenance = "type_table"
    if len(unread) == 1:
        by_difference = "weighed"
    elif all(expected[place].averaged for place in unread):
        by_difference = "station_class_average"
    return [
        LineMass(net_g=parted[place], provenance=by_difference)
        if reading is None
        else LineMass(net_g=reading, provenance="weighed")
        for place, reading in enumerate(readings)
    ]


def shared(total: int, weights: Sequence[int]) -> list[int]:
    """Divide a whole number in proportion to weights by the largest remainder; the parts add up to it exactly.

    Of equal remainders the earlier place wins, so that the same ticket always gives the same lines.
    """
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts
