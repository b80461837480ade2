"""Every screen in a real browser, in both languages and three widths: it fits, complains of nothing, serves anybody."""

from __future__ import annotations

import pytest

from recycling.policy.access import ROLES, Role
from recycling.routes.pages.screens import SCREENS
from tests.pages.screens import DESK, NARROW, PHONE, Screens

pytestmark = pytest.mark.browser

PEOPLE: list[Role | None] = [None, *ROLES]


def _addresses(role: Role | None) -> list[str]:
    """The home page and the screens of a role, without those that somebody before it in the list has too."""
    if role is None:
        return ["/", "/pages/sign-in", "/privacy"]
    before = {screen.address for other in ROLES[: ROLES.index(role)] for screen in SCREENS[other]}
    return ["/", *(screen.address for screen in SCREENS[role] if screen.address not in before)]


@pytest.mark.parametrize("role", PEOPLE)
def test_every_screen_of_a_role_fits_and_is_usable_by_anybody(screens: Screens, role: Role | None) -> None:
    # given somebody of the role, on a day on which nothing has happened yet
    addresses = _addresses(role)
    found: dict[str, object] = {}
    visit = screens.of(role)
    for lang, size in (("zh", NARROW), ("en", PHONE), ("zh", DESK)):
        visit.read(lang=lang, size=size)
        for address in addresses:
            # when each of their screens is opened
            page = visit.open(address)
            # then it is the screen, in their language, no wider than the window, and axe finds nothing grave in English
            # (the proof of the pages looks at each in Chinese)
            assert page.locator("h1").count() == 1, address
            assert page.evaluate("document.documentElement.lang") == {"zh": "zh-CN", "en": "en"}[lang]
            if (overflow := visit.overflow_px()) > 0:
                found[f"{address} {lang} {size[0]}"] = f"{overflow} px too wide"
            if lang == "en" and (grave := visit.grave_findings()):
                found[f"{address} axe"] = grave
    assert found == {}
