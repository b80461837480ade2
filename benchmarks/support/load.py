"""A load of many clients with kept-alive connections, each sending its share of prepared requests."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One prepared request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came back: how many of each status, how long all took, each request's seconds."""

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)

    def per_second(self, status: int) -> float:
        """Answers of one status per second of wall time."""
        return self.statuses[status] / self.seconds

    def percentile_s(self, share: float) -> float:
        """The latency that a share of the requests stayed under."""
        ranked = sorted(self.latencies_s)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def put_on(port: int, requests: Sequence[Request], *, clients: int, every_s: float = 0.0) -> Outcome:
    """Send all requests from ``clients`` threads that start together, and count the answers.

    Each client sends its next one when it has the answer, and with ``every_s`` no sooner than so long after the last;
    then the clients take turns instead of asking all at once.
    """
    gate = threading.Barrier(clients + 1)
    found: list[tuple[int, float]] = []

    def client(place: int, share: Sequence[Request]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        mine = []
        gate.wait()
        began = time.perf_counter()
        for number, request in enumerate(share):
            time.sleep(max(0.0, began + (number + place / clients) * every_s - time.perf_counter()))
            started = time.perf_counter()
            connection.request(request.method, request.path, body=request.body, headers=request.headers)
            answer = connection.getresponse()
            answer.read()
            mine.append((answer.status, time.perf_counter() - started))
        connection.close()
        found.extend(mine)

    threads = [threading.Thread(target=client, args=(n, requests[n::clients])) for n in range(clients)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    return Outcome(
        seconds=seconds, statuses=Counter(status for status, _ in found), latencies_s=[one for _, one in found]
    )
