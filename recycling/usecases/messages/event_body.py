"""What a subscriber reads of an event (推送内容): ids, kind, day and state, and nothing of people."""

from __future__ import annotations

import json
from typing import Any

from recycling.models.outbox import TOLD_ABROAD, HeldMessage
from recycling.usecases.messages.still_true import STATE_TOLD

# What others may hear of: each of these goes to one recipient of ours, so it happens once for them as well.
SUBSCRIBABLE_KINDS = (
    "audit.anchor", "booking.amended", "booking.cancelled", "booking.confirmed", "goal.behind_pace", "goal_report.made",
    "goal_report.published",
    "plan.left_out", "plan.window_confirmed", "visit.collected", "visit.failed", "visit.missed", "visit.on_the_way",
    "visit.partly_collected",
)  # fmt: skip


def event_body(held: HeldMessage) -> bytes:
    """The event as JSON, the same bytes at each attempt."""
    content: dict[str, Any] = {
        "id": str(held.id),
        "kind": held.kind,
        "happened_at": held.created_at.isoformat(),
    }
    content |= {name: held.facts[name] for name in TOLD_ABROAD if name in held.facts}
    if held.kind in STATE_TOLD:
        content["state"] = STATE_TOLD[held.kind]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
