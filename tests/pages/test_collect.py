"""What the collector's phone page is made of: a shell with nobody in it, worker, manifest, the browser's name."""

from __future__ import annotations

import json
import re
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.people import SignIn
from tests.callers import PASSWORD
from tests.pages.browsers import SIGN_IN, Browser, Browsers

PAGE = "/pages/collect"


def test_the_shell_is_the_page_and_holds_nothing_of_whoever_asks(browsers: Browsers, stranger: Browser) -> None:
    # given a collector who is signed in, and somebody who is not
    page = browsers.of("collector").open(PAGE)
    shell = stranger.open(f"{PAGE}/shell")

    # then both read the same to the letter, and the address of the page itself is guarded
    assert (page.status_code, shell.status_code) == (200, 200)
    assert page.data == shell.data
    assert "csrf" not in page.text
    assert stranger.open(PAGE).location.startswith(f"{SIGN_IN}?next=")
    assert browsers.of("keeper").open(PAGE).status_code == 403


def test_the_worker_keeps_every_file_of_the_page_and_may_answer_for_it(stranger: Browser) -> None:
    # when a browser fetches the worker
    answer = stranger.open(f"{PAGE}/worker.js")

    # then it may answer for the page, which lies above its own address
    assert answer.headers["Service-Worker-Allowed"] == PAGE
    assert answer.content_type.startswith("text/javascript")
    # and every file that it keeps is there, as is every one that the shell names and every script imports
    files = json.loads(re.findall(r"const FILES = (\[.*?\]);", answer.text)[0])
    texts = {}
    for name in files:
        with stranger.open(name) as found:
            assert found.status_code == 200, name
            texts[name] = found.get_data(as_text=True) if name.endswith(".js") else ""
    shell = stranger.open(f"{PAGE}/shell").text
    assert set(re.findall(r'"(/static/[^"]+)"', shell)) <= set(files)
    for name, text in texts.items():
        if name.endswith(".js") and "/vendor/" not in name:
            folder = name.rsplit("/", 1)[0]
            for imported in re.findall(r'^import .* from "(\.[^"]+)"', text, re.MULTILINE):
                path = f"{folder}/{imported}".replace("/./", "/")
                assert re.sub(r"/[^/]+/\.\./", "/", path) in files, f"{name} imports {imported}"


def test_the_manifest_names_pictures_of_the_sizes_that_it_says(stranger: Browser) -> None:
    manifest = stranger.open(f"{PAGE}/manifest.webmanifest")
    assert manifest.content_type == "application/manifest+json"
    about = manifest.get_json()
    assert about["start_url"] == PAGE
    for icon in about["icons"]:
        with stranger.open(icon["src"]) as answer:
            picture = answer.data
        # width and height stand in the PNG's first chunk
        size = tuple(int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
        assert "x".join(map(str, size)) == icon["sizes"]


def signed_in_devices(session: Session) -> list[UUID | None]:
    """The devices of the sign-ins that are not over."""
    session.rollback()
    return list(session.scalars(select(SignIn.device_id).where(SignIn.ended_at.is_(None)).order_by(SignIn.created_at)))


def sign_in(browsers: Browsers, login: str, device_id: str) -> None:
    """Sign in by the form in a browser that tells its name."""
    browser = browsers.new()
    fields = {"login": login, "password": PASSWORD, "next": PAGE, "device_id": device_id}
    answer = browser.send(f"{SIGN_IN}/staff", csrf_token=browser.form_secret(SIGN_IN), **fields)
    assert answer.status_code == 303, answer.text


def test_a_browser_that_tells_its_name_keeps_it_over_sign_ins_and_takes_its_own_place(
    app: Flask, session: Session, browsers: Browsers
) -> None:
    # given two browsers of one collector, who may be signed in on two devices
    login, (one, other) = browsers.account("collector"), (uuid4(), uuid4())
    sign_in(browsers, login, str(one))
    sign_in(browsers, login, str(other))

    # when the first is signed in once more, then nobody else loses their place
    sign_in(browsers, login, str(one))
    assert signed_in_devices(session) == [other, one]

    # and a browser without a script is given a name by the server
    sign_in(browsers, login, "")
    assert signed_in_devices(session)[0] == one
    assert len(set(signed_in_devices(session))) == 2
