"""Records of a collector's device, as the API takes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

DEVICE = UUID(int=7)
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


def seq_at(device_time: datetime) -> int:
    """A number for a record that nobody counts in this test: it grows with the device's clock."""
    return int((device_time - BEFORE).total_seconds())


def an_event(
    booking_id: UUID | str | None,
    kind: str = "collected",
    *,
    device_time: str | datetime,
    payload: dict[str, Any] | None = None,
    **overrides: Any,
) -> dict[str, Any]:
    """A fridge collected, or something else; of the first plan of its day."""
    at = datetime.fromisoformat(device_time) if isinstance(device_time, str) else device_time
    carried = {"items": [{"item_type": "fridge", "units": 1}]} if payload is None and kind == "collected" else payload
    return {
        "event_id": str(uuid4()), "device_id": str(DEVICE), "device_seq": seq_at(at), "plan_version": 1,
        "booking_id": None if booking_id is None else str(booking_id), "kind": kind, "payload": carried or {},
        "device_time": at.isoformat(),
    } | overrides  # fmt: skip
