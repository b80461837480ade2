"""A receiver of events as a neighbour would write one: checks the signature, keeps each event once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.providers.scripted import Answer, Request


@dataclass(slots=True)
class Receiver:
    """``verify`` is the snippet of docs/messages.md; ``failing`` makes it answer 500 so many times after taking."""

    secret: bytes
    verify: Callable[[bytes, str, bytes], bool]
    failing: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    refused: int = 0

    def answer(self, request: Request) -> Answer:
        """Take an event once; say so each time."""
        if not self.verify(self.secret, request.headers.get("webhook-signature", ""), request.body):
            self.refused += 1
            return 401, {}, b""
        event_id = request.headers["webhook-id"]
        if event_id not in self.seen:
            self.seen.add(event_id)
            self.events.append(json.loads(request.body))
        if self.failing:
            self.failing -= 1
            return 500, {}, b"taken, and then fell over"
        return 204, {}, b""
