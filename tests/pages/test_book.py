"""The page of the booking steps as it is sent: open to all, with a picture for every type of the catalogue."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from recycling.policy.access import ROLES, Role
from recycling.policy.district import District
from recycling.routes.pages.book import COMMON, PICTURES
from tests.pages.browsers import Browser, Browsers


def facts_of(browser: Browser) -> dict[str, Any]:
    """What the page hands to its script."""
    answer = browser.open("/pages/book?step=items&from=singlemessage")
    assert answer.status_code == 200
    found = re.search(r'<script type="application/json" id="facts">(.*?)</script>', answer.text, re.DOTALL)
    assert found is not None
    facts: dict[str, Any] = json.loads(found[1])
    return facts


def test_a_stranger_finds_the_way_from_the_home_page_and_may_look(stranger: Browser) -> None:
    # given somebody who has not signed in
    # when they follow the home page
    assert 'href="/pages/book"' in stranger.open("/").text
    # then they see the whole catalogue, and the page knows that there is nobody to book for
    facts = facts_of(stranger)
    assert facts["role"] is None
    assert {kind["key"] for kind in facts["item_types"]} >= COMMON


@pytest.mark.parametrize("role", ROLES)
def test_the_page_knows_who_looks(browsers: Browsers, role: Role) -> None:
    assert facts_of(browsers.of(role))["role"] == role


def test_every_type_of_the_catalogue_has_a_picture_of_its_own(district: District) -> None:
    # given the catalogue as it is shipped
    kinds = {kind.key for kind in district.catalogue.rows}
    # then each type is drawn, what is common is in it, and nothing is drawn for nobody but the box for new types
    assert kinds <= PICTURES
    assert kinds >= COMMON
    assert PICTURES - kinds == {"box"}
