"""What a visit came to: a fold over everything recorded at the door. Pure, and blind to the sequence of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recycling.models.booking import BookingState
from recycling.models.field import FieldKind

STATES: Mapping[FieldKind, BookingState] = {
    "collected": "collected",
    "partly": "partly_collected",
    "failed": "failed",
}  # on_the_way is none: nothing has come of the visit yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One valid record of one booking; ``units`` counted by item type."""

    event_id: UUID
    kind: FieldKind
    reason: str | None
    units: Mapping[str, int]
    device_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The state a booking is in after all its records, why, and the units taken on board."""

    state: BookingState
    reason: str | None
    units: Mapping[str, int]


def outcome(records: Iterable[Record]) -> Outcome | None:
    """Fold records into the outcome; ``None`` when none of them tells of one.

    The record that was made last wins, by the clock of the device and then by its id: the same set gives the same
    outcome whichever record arrived first and however often each one came.
    """
    told = (record for record in records if record.kind in STATES)
    last = max(told, key=lambda record: (record.device_time, record.event_id), default=None)
    return None if last is None else Outcome(state=STATES[last.kind], reason=last.reason, units=last.units)
