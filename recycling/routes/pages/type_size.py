"""Large type (大字版): bigger letters, bigger targets, fewer words; the choice is kept in a cookie."""

from __future__ import annotations

from flask import redirect, request
from werkzeug.wrappers import Response

from recycling.routes.pages.guard import PageBlueprint, own_path
from recycling.routes.pages.language import KEPT_S

COOKIE = "type"

bp = PageBlueprint("page_type_size", __name__, roles=None, url_prefix="/pages/type")


@bp.get("/<any(large, normal):chosen>")
def choose(chosen: str) -> Response:
    """Keep the choice and go back to the page it was made on."""
    answer = redirect(own_path(request.args.get("next")), 303)
    answer.set_cookie(COOKIE, chosen, max_age=KEPT_S, samesite="Lax", httponly=True)
    return answer


def large_type() -> bool:
    """Whether the reader has chosen large type."""
    return request.cookies.get(COOKIE) == "large"
