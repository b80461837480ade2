"""Server-sent events: what changes is looked at twice a second and sent when it is different."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, current_app

EVENT_STREAM = "text/event-stream"
STREAM = {"type": "string"}

LOOK_S = 0.5
BEAT_S = 15  # of silence, after which a comment keeps proxies from closing the connection
LONGEST_S = 120  # then the browser asks again: no thread of the server is held for ever
AGAIN_MS = 2000  # after which it does
# Streams at once in a process, so that those who only look on never take all its threads. Whoever finds no place gets
# one event and asks again, which looks the same and is a little slower.
MOST_AT_ONCE = 3

_places = threading.BoundedSemaphore(MOST_AT_ONCE)


def event_stream(look: Callable[[], dict[str, Any]]) -> Response:
    """Answer with a stream of what ``look`` says, until that says ``over``.

    ``look`` is called outside the request, in an app context of its own each time: no connection to the database is
    held in between.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # Flask documents it for this use
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(_events(app, look), content_type=EVENT_STREAM, headers=headers)


def _events(app: Any, look: Callable[[], dict[str, Any]]) -> Iterator[str]:
    placed = _places.acquire(blocking=False)
    try:
        yield f"retry: {AGAIN_MS}\n\n"
        ends_at, silent_at, last = time.monotonic() + LONGEST_S, time.monotonic(), None
        while True:
            with app.app_context():
                found = look()
            if found != last:
                last, silent_at = found, time.monotonic()
                yield f"data: {json.dumps(found, ensure_ascii=False)}\n\n"
            elif time.monotonic() - silent_at > BEAT_S:
                silent_at = time.monotonic()
                yield ": still here\n\n"
            if found["over"]:
                yield "event: over\ndata: {}\n\n"
                return
            if not placed or time.monotonic() >= ends_at:
                return
            time.sleep(LOOK_S)
    finally:
        if placed:
            _places.release()
