"""What of a device's records has not come yet, so that it can be sent again (缺失序号)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.models.base import table_of
from recycling.models.field import FieldEvent
from recycling.policy.access import Principal

_event = table_of(FieldEvent)

GAPS_WITHIN = 1000  # of a device's newest numbers: what is older and never came is asked for no more
MOST_GAPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGaps:
    """How far a device's count has come to us, and the spans of it that are missing (first, last)."""

    device_id: UUID
    highest_seq: int
    missing: tuple[tuple[int, int], ...]


def device_gaps(session: Session, devices: Iterable[UUID], *, by: Principal) -> list[DeviceGaps]:
    """What of each device has not come, so that it can be sent again; of devices the caller has recorded with."""
    mine = select(_event.c.device_id).where(
        _event.c.device_id.in_(set(devices)), _event.c.collector_id == by.id
    )  # fmt: skip
    return [_gaps(session, device_id) for device_id in sorted(session.scalars(mine.distinct()))]


def _gaps(session: Session, device_id: UUID) -> DeviceGaps:
    own = _event.c.device_id == device_id
    highest = session.scalar(select(func.max(_event.c.device_seq)).where(own)) or 0
    least = max(0, highest - GAPS_WITHIN)
    within = own & (_event.c.device_seq > least)
    count = session.scalar(select(func.count(_event.c.device_seq.distinct())).where(within)) or 0
    if count == highest - least:
        return DeviceGaps(device_id=device_id, highest_seq=highest, missing=())
    seen = session.scalars(select(_event.c.device_seq).where(within).distinct().order_by(_event.c.device_seq))
    missing, expected = [], least + 1
    for number in seen:
        if number > expected:
            missing.append((expected, number - 1))
        expected = number + 1
    return DeviceGaps(device_id=device_id, highest_seq=highest, missing=tuple(missing[:MOST_GAPS]))
