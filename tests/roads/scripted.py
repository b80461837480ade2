"""A small server that answers as OSRM does, or wrongly on purpose: each request takes the next line of its script."""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

METRES_PER_DEGREE = 111_195
METRES_PER_SECOND = 10

Table = dict[str, Any]


@dataclass(slots=True)
class Script:
    """What the server does: one entry a request, the last one for all that follow."""

    lines: list[str | Callable[[Table], Any]] = field(default_factory=lambda: ["well"])
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    over: bool = False  # a connection that is kept open outlives the server; nothing more is said on it

    def next(self, path: str, body: Any) -> str | Callable[[Table], Any]:
        """The line for a request, which is noted."""
        self.asked.append(path)
        self.bodies.append(body)
        return self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]


def true_table(path: str) -> Table:
    """A right answer to an OSRM request: right-angled streets at 36 km/h; to any other question nothing."""
    parts = urlsplit(path)
    if "/table/" not in parts.path:
        return {}
    points = [tuple(map(float, pair.split(","))) for pair in parts.path.rsplit("/", 1)[1].split(";")]
    options = parse_qs(parts.query)
    chosen = [
        [points[int(i)] for i in options[side][0].split(";")] if side in options else points
        for side in ("sources", "destinations")
    ]
    metres = [[_metres(a, b) for b in chosen[1]] for a in chosen[0]]
    waypoints = [[{"distance": 5.0, "location": list(point), "name": ""} for point in side] for side in chosen]
    return {
        "code": "Ok", "distances": metres, "durations": [[m / METRES_PER_SECOND for m in row] for row in metres],
        "sources": waypoints[0], "destinations": waypoints[1],
    }  # fmt: skip


def _metres(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    east = (b[0] - a[0]) * math.cos(math.radians(a[1]))
    return METRES_PER_DEGREE * (abs(east) + abs(b[1] - a[1]))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def do_GET(self) -> None:
        """Answer as the script says."""
        self._answer(None)

    def do_POST(self) -> None:
        """Answer as the script says."""
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, format: str, *args: Any) -> None:  # the base class names it so
        """Say nothing."""

    def _answer(self, body: Any) -> None:
        if self.script.over:
            self.close_connection = True
            return
        line = self.script.next(self.path, body)
        if callable(line):
            answer = line(body if body is not None else true_table(self.path))
            status, content = answer if isinstance(answer, tuple) else (200, answer)
            self._send(status, content if isinstance(content, bytes) else json.dumps(content).encode())
        else:
            getattr(self, f"_{line}")()

    def _well(self) -> None:
        self._send(200, json.dumps(true_table(self.path)).encode())

    def _error(self) -> None:
        self._send(500, b'{"message": "internal"}')

    def _garbage(self) -> None:
        self._send(200, b"<html>gateway</html>")

    def _moved(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"http://{self.headers['Host']}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _hang(self) -> None:
        time.sleep(30)

    def _drip(self) -> None:
        """A byte every tenth of a second: no pause is long enough for a socket's time-out."""
        content = json.dumps(true_table(self.path)).encode()
        self._head(200, len(content))
        for byte in content:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.1)

    def _drip_head(self) -> None:
        """The same before the answer proper begins."""
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Padding: " + b"x" * 1000:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.1)

    def _cut(self) -> None:
        content = json.dumps(true_table(self.path)).encode()
        self._head(200, len(content))
        self.wfile.write(content[: len(content) // 2])
        self.close_connection = True

    def _flood(self) -> None:
        self._head(200, 1 << 40)
        while True:
            self.wfile.write(b" " * (1 << 16))

    def _send(self, status: int, content: bytes) -> None:
        self._head(status, len(content))
        self.wfile.write(content)

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: that a caller hangs up in the middle is what many of the scripts are for."""


@contextmanager
def scripted_server(*lines: str | Callable[[Table], Any]) -> Iterator[tuple[str, Script]]:
    """Serve a script until the block ends; gives the address and what was asked."""
    script = Script(list(lines) or ["well"])
    server = _server(0, script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", script
    finally:
        script.over = True
        server.shutdown()
        server.server_close()
        thread.join()


def _server(port: int, script: Script) -> _Server:
    return _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"script": script}))


def main(arguments: Sequence[str]) -> None:
    """Answer rightly on a port until killed: a stand-in for OSRM where its wheel cannot be had."""
    _server(int(arguments[0]), Script()).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
