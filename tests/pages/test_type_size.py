"""Large type: chosen on one page, in force on all, offered to residents and strangers."""

from tests.pages.browsers import Browser, Browsers


def test_the_choice_holds_on_every_page_and_can_be_taken_back(stranger: Browser) -> None:
    assert '<html lang="zh-CN">' in stranger.open("/").text
    # when large type is chosen on a page, one is back on it, and it holds there and elsewhere
    chosen = stranger.open("/pages/type/large?next=/pages/sign-in")
    assert (chosen.status_code, chosen.location) == (303, "/pages/sign-in")
    for path in ("/", "/pages/sign-in", "/privacy"):
        assert '<html lang="zh-CN" class="large">' in stranger.open(path).text
    assert 'href="/pages/type/normal?next=%2F"' in stranger.open("/").text
    stranger.open("/pages/type/normal")
    assert 'class="large"' not in stranger.open("/").text
    # and no other site is led to
    assert stranger.open("/pages/type/large?next=//elsewhere.example").location == "/"
    assert stranger.open("/pages/type/huge").status_code == 404


def test_staff_are_not_offered_it(browsers: Browsers) -> None:
    assert "/pages/type/large" in browsers.of("resident").open("/").text
    assert "/pages/type/" not in browsers.of("dispatcher").open("/").text
