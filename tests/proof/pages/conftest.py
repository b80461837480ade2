"""A real browser on a real server, for proofs of the pages."""

from tests.pages.screens import chromium as chromium
from tests.pages.screens import screens as screens
from tests.pages.screens import served as served
