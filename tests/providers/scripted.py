"""A server that takes POSTs and answers each by the next line of its script; the last line serves all that follow."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]  # status, headers, body


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Line = str | Answer | Callable[[Request], Answer]


@dataclass(slots=True)
class Script:
    """The lines still to be played, and the requests that came."""

    lines: list[Line]
    asked: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)

    def next(self, request: Request) -> Line:
        """The line for a request, which is noted."""
        with self.lock:
            self.asked.append(request)
            return self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]


def accepted(request: Request) -> Answer:
    """Taken, under a name made from the id that came with it."""
    name = f"ref-{request.headers.get('idempotency-key', '')}"
    return 200, {}, json.dumps({"code": 0, "id": name}).encode()


class _Handler(BaseHTTPRequestHandler):
    script: Script

    def do_POST(self) -> None:
        """Answer as the script says."""
        length = int(self.headers["Content-Length"])
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, self.rfile.read(length))
        line = self.script.next(request)
        if isinstance(line, str):
            getattr(self, f"_{line}")(request)
        else:
            self._send(*(line(request) if callable(line) else line))

    def log_message(self, format: str, *args: Any) -> None:  # the base class names it so
        """Say nothing."""

    def _well(self, request: Request) -> None:
        self._send(*accepted(request))

    def _slow(self, request: Request) -> None:
        self.script.done.wait(0.25)
        self._well(request)

    def _hang(self, _request: Request) -> None:
        """Take it, and never say so."""
        self.script.done.wait(20)

    def _cut(self, _request: Request) -> None:
        """Take it, and hang up."""
        self.connection.shutdown(socket.SHUT_RDWR)

    def _garbage(self, _request: Request) -> None:
        self._send(200, {}, b"<html>gateway</html>")

    def _moved(self, _request: Request) -> None:
        self._send(302, {"Location": f"http://{self.headers['Host']}/elsewhere"}, b"")

    def _flood(self, _request: Request) -> None:
        self._head(200, {}, 1 << 40)
        while not self.script.done.is_set():
            self.wfile.write(b" " * (1 << 16))

    def _drip(self, _request: Request) -> None:
        """A byte every tenth of a second: no pause is long enough for a socket's time-out."""
        self._head(200, {}, 1000)
        while not self.script.done.is_set():
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.1)

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self._head(status, headers, len(body))
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: that a caller hangs up in the middle is what many of the scripts are for."""


@contextmanager
def scripted_provider(*lines: Line) -> Iterator[tuple[str, Script]]:
    """Serve a script until the block ends; gives the address and what was asked."""
    script = Script(list(lines) or ["well"])
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": script}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", script
    finally:
        script.done.set()
        server.shutdown()
        server.server_close()
        thread.join()


def nobody_there() -> str:
    """An address at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
