"""People with a browser: they open pages, fill in forms and keep cookies, all through the pages themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.policy.access import SYSTEM, Role
from recycling.usecases.people.staff import AddStaff, add_staff
from tests.callers import PASSWORD, KeptSms

SIGN_IN = "/pages/sign-in"


@dataclass
class Browser:
    """One browser and the cookies it keeps."""

    client: FlaskClient
    sms: KeptSms

    def open(self, path: str) -> TestResponse:
        """Open an address without following where it leads."""
        return self.client.get(path)

    def send(self, path: str, **fields: str) -> TestResponse:
        """Send a form without following where it leads."""
        return self.client.post(path, data=fields)

    def cookie(self, name: str) -> str | None:
        """Read the value of a cookie the browser keeps."""
        path = SIGN_IN if name == "sign_in_form" else "/"
        found = self.client.get_cookie(name, path=path)
        return found.value if found is not None else None

    def form_secret(self, path: str = "/") -> str:
        """Read the CSRF token that the forms of a page carry."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.open(path).text)
        assert found is not None, path
        return unescape(found[1])

    def sign_in_resident(self, phone: str, *, next_path: str = "/") -> TestResponse:
        """Ask for a code and answer it."""
        secret = self.form_secret(SIGN_IN)
        asked = self.send(f"{SIGN_IN}/code", csrf_token=secret, phone=phone, next=next_path)
        assert asked.status_code == 303, asked.text
        page = self.open(asked.location).text
        code_id = re.search(r'name="code_id" value="([^"]+)"', page)
        kept_next = re.search(r'name="next" value="([^"]*)"', page)
        assert code_id is not None
        assert kept_next is not None
        return self.send(
            f"{SIGN_IN}/resident",
            csrf_token=secret,
            code_id=code_id[1],
            code=self.sms.last_code(phone),
            next=unescape(kept_next[1]),
        )

    def sign_in_staff(self, login: str, *, password: str = PASSWORD, next_path: str = "/") -> TestResponse:
        """Sign in with a password."""
        secret = self.form_secret(SIGN_IN)
        return self.send(f"{SIGN_IN}/staff", csrf_token=secret, login=login, password=password, next=next_path)


class Browsers:
    """Opens browsers, signed in or not."""

    def __init__(self, app: Flask, sms: KeptSms) -> None:
        self.app = app
        self.sms = sms
        self._count = 0

    def new(self) -> Browser:
        """Open a browser without any cookie."""
        return Browser(client=self.app.test_client(), sms=self.sms)

    def of(self, role: Role, *, collector_key: str | None = None) -> Browser:
        """Open a browser in which somebody of a role has signed in."""
        browser = self.new()
        self._count += 1
        if role == "resident":
            answer = browser.sign_in_resident(f"138{self._count:08d}")
        else:
            answer = browser.sign_in_staff(self.account(role, collector_key=collector_key))
        assert answer.status_code == 303, answer.text
        return browser

    def account(self, role: Role, *, collector_key: str | None = None) -> str:
        """Open a staff account and return its login."""
        self._count += 1
        network = self.app.extensions["district"].network
        if role == "collector":
            collector_key = collector_key or next(iter(network.collectors))
        command = AddStaff(
            login=f"{role}-page-{self._count}", name=f"{role} {self._count}", role=role, password=PASSWORD,
            station_key=next(iter(network.stations)) if role == "keeper" else None, collector_key=collector_key,
        )  # fmt: skip
        with self.app.app_context():
            add_staff(command, by=SYSTEM, district=self.app.extensions["district"], session=db.session(), now=utc_now())
            db.session.remove()
        return command.login
