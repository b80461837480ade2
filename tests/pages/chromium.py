"""A real browser: Chromium without a window, spoken to over its debugging pipe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PATIENCE_S = 30  # for a page to come up, on a busy machine


class Tab:
    """One tab of a running browser."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from, self._rest, self._count, self._page = to_browser, from_browser, b"", 0, ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._page = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def open(self, address: str) -> None:
        """Open an address as if typed, and wait until it stands."""
        self._call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def do(self, script: str) -> Any:
        """Run a script in the page and return what it says."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until a condition holds in the page.

        Raises
        ------
        AssertionError
            When it does not come to hold; says what stands there instead.
        """
        ends_at = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends_at:
            if self.do(f"Boolean({condition})"):
                return
            time.sleep(0.05)
        raise AssertionError(f"{condition} does not hold at {self.do('location.href')}: {self.do(TEXT)}")

    def cookies(self, address: str) -> dict[str, dict[str, Any]]:
        """The cookies that would be sent there, by name."""
        return {one["name"]: one for one in self._call("Network.getCookies", urls=[address])["cookies"]}

    def forget(self, name: str, address: str) -> None:
        """Delete a cookie."""
        self._call("Network.deleteCookies", name=name, url=address)

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if self._page:
            message["sessionId"] = self._page
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                found: dict[str, Any] = answer["result"]
                return found

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            came = os.read(self._from, 1 << 16)
            assert came, "the browser is gone"
            self._rest += came
        first, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(first)
        return found


TEXT = "document.body && document.body.innerText.slice(0, 300)"


@contextmanager
def running(program: str, folder: Path) -> Iterator[Tab]:
    """Run the browser with an empty profile until the block ends."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    # The browser reads at 3 and writes at 4; a shell puts the pipes there.
    script = f'exec "$0" "$@" 3<&{to_read} 4>&{from_write}'
    options = (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--remote-debugging-pipe", f"--user-data-dir={folder}",
    )  # fmt: skip
    browser = subprocess.Popen(
        ["/bin/bash", "-c", script, program, *options],
        pass_fds=(to_read, from_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,  # of its own, so that all its processes end together and nothing else does
    )  # fmt: skip
    os.close(to_read)
    os.close(from_write)
    try:
        yield Tab(to_write, from_read)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()
        os.close(to_write)
        os.close(from_read)
