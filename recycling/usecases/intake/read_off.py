"""Take a weighing off the reading that the weighbridge itself has sent (引用地磅读数)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.models.intake import Channel, RefusedReason
from recycling.models.weighbridge import ScaleReading
from recycling.units import kg_text
from recycling.usecases.intake.weighing import WeighedLine, Weighing


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWeighing:
    """A weighing whose masses the weighbridge has sent; what is typed beside them must agree."""

    reading_id: UUID
    channel: Channel
    gross_g: int | None = None
    tare_g: int | None = None
    refused_g: int = 0
    refused_reason: RefusedReason | None = None
    vehicle_key: str | None = None
    trip: int | None = None
    lines: Sequence[WeighedLine]


def read_off(
    said: ReadWeighing, *, station_key: str, scale_number: str | None, session: Session
) -> tuple[Weighing, ScaleReading]:
    """The whole weighing, and the reading it was taken off.

    Raises
    ------
    InvalidInput
        When the station has no such reading, or what was typed is something else than what it says.
    """
    mine = (ScaleReading.id == said.reading_id, ScaleReading.station_key == station_key)
    reading = session.scalar(select(ScaleReading).where(*mine))
    if reading is None:
        raise InvalidInput(
            f"reading_id {said.reading_id} is no reading of your station; choose one of GET /scale-readings?unused=true"
            " / 本站点没有该地磅读数"
        )
    for name, typed, told in (
        ("gross_g", said.gross_g, reading.gross_g),
        ("tare_g", said.tare_g, reading.tare_g),
        ("scale_number", scale_number, reading.scale_number),
        ("vehicle_key", said.vehicle_key, reading.vehicle_key),
    ):
        if typed is not None and told is not None and typed != told:
            shown = [kg_text(value) if isinstance(value, int) else repr(value) for value in (typed, told)]
            raise InvalidInput(
                f"{name} is {shown[0]}, but reading {reading.reading_number} says {shown[1]}; leave it out, or choose"
                f" another reading / {name} 与地磅读数 {reading.reading_number} 不符（{shown[1]}）"
            )
    weighing = Weighing(
        channel=said.channel, gross_g=reading.gross_g, tare_g=reading.tare_g, refused_g=said.refused_g,
        refused_reason=said.refused_reason, vehicle_key=said.vehicle_key or reading.vehicle_key, trip=said.trip,
        reading_id=reading.id, lines=said.lines,
    )  # fmt: skip
    return weighing, reading
