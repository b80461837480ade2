"""Browsers for the tests of the pages."""

import pytest

from tests.callers import Callers
from tests.pages.browsers import Browser, Browsers
from tests.pages.screens import chromium as chromium  # fixtures: a real browser on a real server
from tests.pages.screens import screens as screens
from tests.pages.screens import served as served


@pytest.fixture
def browsers(callers: Callers) -> Browsers:
    """Browsers, signed in or not, on the test's app; codes go to the same phones as the callers'."""
    return Browsers(callers.app, callers.sms)


@pytest.fixture
def stranger(browsers: Browsers) -> Browser:
    """A browser in which nobody has signed in."""
    return browsers.new()
