"""The browser's secret in a real browser: kept from scripts and other sites, and no way in without it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flask import Flask

from recycling.app import create_app
from recycling.extensions import db
from tests.callers import PASSWORD, Callers
from tests.conftest import empty
from tests.pages.browsers import Browsers
from tests.pages.chromium import Tab, running
from tests.servers import Server, server_settings, serving

pytestmark = pytest.mark.browser

SIGNED_IN = "document.querySelector('form.who') !== null"
SIGN_IN_FORM = "document.querySelector('#login') !== null"


@pytest.fixture
def server(engine_url: str, tmp_path: Path) -> Iterator[Server]:
    """A server over the empty database."""
    with serving(engine_url, log=tmp_path / "log", workers=1) as started:
        yield started


@pytest.fixture
def served_app(engine_url: str) -> Iterator[Flask]:
    """An app beside the server, for accounts."""
    app = create_app(server_settings(engine_url))
    yield app
    with app.app_context():
        db.session.remove()
        empty(db.session())
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    """A tab of Chromium, where there is one."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium here")
    with running(program, tmp_path / "profile") as opened:
        yield opened


@pytest.fixture
def other_site() -> Iterator[str]:
    """A page of another site: on ``localhost``, while the server is called by its number."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://localhost:{httpd.server_port}/"
        httpd.shutdown()
        thread.join()


def test_the_secret_lets_its_own_browser_in_and_nobody_else(
    server: Server, served_app: Flask, tab: Tab, other_site: str
) -> None:
    # given a dispatcher who signs in by the form
    login = Browsers(served_app, Callers(served_app).sms).account("dispatcher")
    tab.open(f"{server.address}/pages/sign-in")
    tab.do(f"document.querySelector('#login').value = {login!r}")
    tab.do(f"document.querySelector('#password').value = {PASSWORD!r}")
    tab.do("document.querySelector('#login').form.submit()")
    tab.until(SIGNED_IN)

    # then the browser keeps the secret, Strict, and no script can read it
    kept = tab.cookies(server.address)["browser_secret"]
    assert (kept["httpOnly"], kept["sameSite"]) == (True, "Strict")
    assert "browser_secret" not in tab.do("document.cookie")

    # and a link from another site, with which it is not sent, still leads to the page and not to the form
    tab.open(other_site)
    tab.do(f"location.href = '{server.address}/pages/plan?day=2026-11-23'")
    tab.until(f"{SIGNED_IN} && location.search === '?day=2026-11-23'")

    # and without it the access cookie is nothing
    tab.forget("browser_secret", server.address)
    assert "access_token_cookie" in tab.cookies(server.address)
    tab.open(f"{server.address}/pages/plan")
    tab.until(SIGN_IN_FORM)
