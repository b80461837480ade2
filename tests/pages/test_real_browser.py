"""The browser's secret in a real browser: kept from scripts and other sites, and no way in without it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.callers import PASSWORD
from tests.pages.screens import Screens
from tests.pages.walks import sign_in_staff

pytestmark = pytest.mark.browser

SIGNED_IN, SIGN_IN_FORM = "form.who", "#login"


@pytest.fixture
def other_site() -> Iterator[str]:
    """A page of another site: on ``localhost``, while the server is called by its number."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><link rel=icon href=data:,><title>elsewhere</title>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://localhost:{httpd.server_port}/"
        httpd.shutdown()
        thread.join()


def test_the_secret_lets_its_own_browser_in_and_nobody_else(screens: Screens, other_site: str) -> None:
    # given a dispatcher who signs in by the form
    login = screens.browsers.account("dispatcher")
    visit = screens.of(None)
    visit.expected = ("404",)  # nothing is planned for the day
    page, address = visit.page, visit.address
    sign_in_staff(page, address, login, PASSWORD)
    page.wait_for_selector(SIGNED_IN)

    # then the browser keeps the secret, Strict, and no script can read it
    kept = {one["name"]: one for one in visit.context.cookies(address)}
    assert (kept["browser_secret"]["httpOnly"], kept["browser_secret"]["sameSite"]) == (True, "Strict")
    assert "browser_secret" not in page.evaluate("document.cookie")

    # and a link from another site, with which it is not sent, still leads to the page and not to the form
    page.goto(other_site)
    page.evaluate("address => { location.href = address; }", f"{address}/pages/plan?day=2026-11-23")
    page.wait_for_url("**/pages/plan?day=2026-11-23")
    page.wait_for_selector(SIGNED_IN)

    # and without it the access cookie is nothing
    visit.context.clear_cookies(name="browser_secret")
    assert "access_token_cookie" in {one["name"] for one in visit.context.cookies(address)}
    page.goto(f"{address}/pages/plan")
    page.wait_for_selector(SIGN_IN_FORM)
