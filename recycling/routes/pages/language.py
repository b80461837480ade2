"""The reader's language: Chinese first, English when they choose it; the choice is kept in a cookie."""

from __future__ import annotations

from flask import redirect, request
from werkzeug.wrappers import Response

from recycling.routes.pages.guard import PageBlueprint, own_path

COOKIE = "lang"
KEPT_S = 365 * 24 * 3600
HTML_LANG = {"zh": "zh-CN", "en": "en"}

bp = PageBlueprint("page_language", __name__, roles=None, url_prefix="/pages/language")


@bp.get("/<any(zh, en):chosen>")
def choose(chosen: str) -> Response:
    """Keep the choice and go back to the page it was made on."""
    answer = redirect(own_path(request.args.get("next")), 303)
    # Read by scripts too, which word what they show; it says nothing about anybody.
    answer.set_cookie(COOKIE, chosen, max_age=KEPT_S, samesite="Lax")
    return answer


def language() -> str:
    """``zh`` or ``en``: what was chosen, else what the browser asks for, else Chinese."""
    chosen = request.cookies.get(COOKIE)
    return chosen if chosen in HTML_LANG else request.accept_languages.best_match(list(HTML_LANG), "zh")


def say(zh: str, en: str) -> str:
    """The one of two texts that the reader reads.

    Where both cannot stand (titles, attributes, options), and on a page so long that both would slow it down.
    """
    return en if language() == "en" else zh
