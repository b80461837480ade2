"""A wire between a browser and a server that a test can cut: connections break, none is made, answers get lost."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CHUNK = 65536


class Wire:
    """Passes bytes on between a port of its own and a server's, while it is whole."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.whole = True
        self.lost_answers = b""  # requests that begin like this reach the server, and their answers nobody
        self.to_lose = 0
        self.exchanged: list[tuple[bytes, bytes]] = []  # of answers: these pieces for those of the same length
        self._port = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """What a browser puts before a path."""
        return f"http://127.0.0.1:{self._port.getsockname()[1]}"

    def cut(self) -> None:
        """Break what is connected, and let nobody connect."""
        self.whole = False
        with self._lock:
            standing, self._open = self._open, set()
        for one in standing:
            _end(one)

    def mend(self) -> None:
        """Let people connect again."""
        self.whole = True

    def lose(self, begins: bytes, times: int) -> None:
        """Have the next so many requests that begin like this done, and their answers lost with the connection."""
        self.lost_answers, self.to_lose = begins, times

    def exchange(self, piece: bytes, other: bytes) -> None:
        """From now on answer with another piece of the same length in place of one, as a newer server would."""
        assert len(piece) == len(other)
        self.exchanged.append((piece, other))

    def end(self) -> None:
        """Take the wire away."""
        self.cut()
        _end(self._port)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._port.accept()
                if not self.whole:
                    _end(near)
                    continue
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._server)
        except OSError:
            _end(near)
            return
        with self._lock:
            self._open |= {near, far}
        deaf = threading.Event()
        threading.Thread(target=self._down, args=(far, near, deaf), daemon=True).start()
        with contextlib.suppress(OSError):
            while chunk := near.recv(CHUNK):
                if self.to_lose and chunk.startswith(self.lost_answers):
                    self.to_lose -= 1
                    deaf.set()
                if self.exchanged:
                    chunk = chunk.replace(b"Accept-Encoding: gzip", b"Accept-Encoding: none")
                far.sendall(chunk)
        self._drop(near, far)

    def _down(self, far: socket.socket, near: socket.socket, deaf: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := far.recv(CHUNK):
                if deaf.is_set():
                    break
                for piece, other in self.exchanged:
                    chunk = chunk.replace(piece, other)
                near.sendall(chunk)
        self._drop(near, far)

    def _drop(self, *ends: socket.socket) -> None:
        with self._lock:
            self._open -= set(ends)
        for one in ends:
            _end(one)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def wire_to(host: str, port: int) -> Iterator[Wire]:
    """A wire to a server, taken away afterwards."""
    wire = Wire(host, port)
    yield wire
    wire.end()
