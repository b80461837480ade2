"""Who looks at a page: the access cookie, its renewal while pages are used, and the way to the sign-in form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
from flask import Response, abort, current_app, g, make_response, redirect, render_template, request
from flask_jwt_extended import create_access_token, set_access_cookies
from werkzeug.urls import iri_to_uri

from recycling.clock import utc_now
from recycling.errors import NotSignedIn
from recycling.policy.access import Principal, Role
from recycling.routes.binding import BROWSER_COOKIE, give_secret
from recycling.routes.compression import masked
from recycling.routes.guard import GuardedBlueprint, StrictParser, signed_in, token_claims
from recycling.usecases.people.sign_in import SignedIn

SIGN_IN = "/pages/sign-in"

# A phone of one's own stays signed in as long as the sign-in lasts. A desk or a station's tablet is shared: there the
# cookie goes with the browser, and its token with this long a pause.
OWN_PHONE: tuple[Role, ...] = ("resident", "collector")
LONGEST_PAUSE = timedelta(hours=2)

# Only paths of the pages, in visible ASCII. What browsers fold into another host (//, /\, tabs) does not fit.
OWN_PATH = re.compile(r"/(?:pages/[\x21-\x7e]*)?")
LONGEST_PATH = 500


class PageParser(StrictParser):
    """WeChat adds words of its own to the query of a shared address (``from=singlemessage``): pages pass them over."""

    DEFAULT_UNKNOWN_BY_LOCATION = StrictParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": ma.EXCLUDE}


class PageBlueprint(GuardedBlueprint):
    """Screens for named roles, or open to all; without a sign-in they lead to the sign-in form and back."""

    ARGUMENTS_PARSER = PageParser()

    def __init__(self, name: str, import_name: str, *, roles: tuple[Role, ...] | None, **options: Any) -> None:
        """Guard the screens and renew the cookie of whoever uses them."""
        super().__init__(name, import_name, roles=roles, **options)
        self.after_request(renew_cookie)
        if roles is None:  # the guarded ones ask in `_check`, before they ask who is there
            self.before_request(_step_inside)

    def _check(self) -> None:
        _step_inside()
        try:
            super()._check()
        except NotSignedIn:
            abort(redirect(_sign_in_address(), 303))


def visitor() -> Principal | None:
    """Who looks at a page that is open to all, when they are signed in. For reading requests only."""
    if "principal" not in g:
        try:
            g.principal = signed_in()
        except NotSignedIn:
            g.principal = None
    found: Principal | None = g.principal
    return found


def own_path(wanted: str | None) -> str:
    """Return a path of our own pages to go on to; anything else means the home page."""
    return wanted if wanted and len(wanted) <= LONGEST_PATH and OWN_PATH.fullmatch(wanted) else "/"


def give_cookie(response: Response, signed: SignedIn, secret: str) -> None:
    """Hand the browser the access cookie of a fresh sign-in, and beside it the secret without which it is nothing."""
    life = signed.expires_at - utc_now()
    if signed.role in OWN_PHONE:
        token, max_age = create_access_token(str(signed.sign_in_id), expires_delta=life), int(life.total_seconds())
    else:
        token, max_age = create_access_token(str(signed.sign_in_id), expires_delta=min(life, LONGEST_PAUSE)), None
    set_access_cookies(response, token, max_age=max_age)
    give_secret(response, secret, max_age=max_age)


def renew_cookie(response: Response) -> Response:
    """Start the pause anew while the pages are used.

    The CSRF token stays the same for the whole sign-in, so that a form open in another tab can still be sent.
    """
    viewer: Principal | None = g.get("principal")
    if viewer is None or viewer.role in OWN_PHONE:
        return response
    claims = token_claims()
    if datetime.fromtimestamp(claims["exp"], UTC) - utc_now() < LONGEST_PAUSE / 2:
        token = create_access_token(
            claims["sub"], expires_delta=LONGEST_PAUSE, additional_claims={"csrf": claims["csrf"]}
        )
        set_access_cookies(response, token)
    return response


def csrf_token() -> str:
    """What a form of the signed-in visitor carries, so that no other site can send it for them; new at each call."""
    return masked(str(token_claims()["csrf"]))


def _step_inside() -> None:
    """Have a browser that follows another site's link open the page once more, from here.

    It sends no ``SameSite=Strict`` cookie with the first request, and somebody signed in would see the sign-in form.
    The second comes from our own page, and brings it.
    """
    from_elsewhere = request.headers.get("Sec-Fetch-Site") == "cross-site"
    signed_in_before = current_app.config["JWT_ACCESS_COOKIE_NAME"] in request.cookies
    if from_elsewhere and signed_in_before and request.method == "GET" and BROWSER_COOKIE not in request.cookies:
        abort(make_response(render_template("step_inside.html")))


def _sign_in_address() -> str:
    if request.method != "GET":
        return SIGN_IN  # a form cannot be sent again from an address
    return f"{SIGN_IN}?{urlencode({'next': iri_to_uri(request.full_path).removesuffix('?')})}"
