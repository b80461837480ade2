"""Signing in and out on screen: a code by text message for residents, a password for staff."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, current_app, g, make_response, redirect, render_template, request
from flask_jwt_extended import unset_jwt_cookies
from marshmallow import fields
from werkzeug.wrappers import Response as AnyResponse

from recycling.clock import utc_now
from recycling.errors import DomainError, Forbidden, TooManyRequests
from recycling.extensions import db
from recycling.policy.access import ROLES
from recycling.routes.binding import drop_secret, new_secret
from recycling.routes.context import district
from recycling.routes.guard import token_claims
from recycling.routes.pages.forms import CodeForm, PasswordForm, PhoneForm, read_form
from recycling.routes.pages.guard import SIGN_IN, PageBlueprint, give_cookie, own_path, visitor
from recycling.routes.problems import status_of
from recycling.routes.schemas.fields import Schema
from recycling.routes.sign_in import caller_address
from recycling.usecases.people import sign_in as people

bp = PageBlueprint("page_sign_in", __name__, roles=None, url_prefix=SIGN_IN)
out = PageBlueprint("page_sign_out", __name__, roles=ROLES, url_prefix="/pages/sign-out")

# Before anybody is signed in there is no token to carry the CSRF secret, so these forms have a cookie of their own.
# Without it another site could sign a visitor in under its account and read what they then type.
FORM_COOKIE = "sign_in_form"


class SignInQuery(Schema):
    """Where to go on to, and the code that is under way."""

    next = fields.String(load_default="/")
    code_id = fields.UUID(load_default=None, allow_none=True)


@bp.get("")
@bp.arguments(SignInQuery, location="query")
def show(wanted: dict[str, Any]) -> AnyResponse:
    """Show both forms, or the one for the code that is under way."""
    if visitor() is not None:
        return redirect(own_path(wanted["next"]), 303)
    return _forms(wanted["next"], code_id=wanted["code_id"])


@bp.post("/code")
def send_code() -> AnyResponse:
    """Send the code, then ask for it on a page that may be reloaded without sending another."""
    _refuse_foreign_form()
    try:
        form = read_form(PhoneForm())
        code_id = people.send_code(
            form["phone"],
            address=caller_address(),
            sms=current_app.extensions["sms"],
            session=db.session(),
            now=utc_now(),
        )
    except DomainError as error:
        return _again(error)
    return redirect(f"{SIGN_IN}?{urlencode({'code_id': code_id, 'next': own_path(form['next'])})}", 303)


@bp.post("/resident")
def sign_in_resident() -> AnyResponse:
    """Sign a resident in by the code."""
    _refuse_foreign_form()
    try:
        form = read_form(CodeForm())
        browser = people.BrowserDevice(secret=new_secret())
        signed = people.sign_in_resident(
            form["code_id"], form["code"].strip(), session=db.session(), now=utc_now(), browser=browser
        )
    except DomainError as error:
        return _again(error)
    return _welcome(signed, browser, form["next"])


@bp.post("/staff")
def sign_in_staff() -> AnyResponse:
    """Sign a staff member in by password."""
    _refuse_foreign_form()
    try:
        form = read_form(PasswordForm())
        browser = people.BrowserDevice(secret=new_secret(), device_id=form["device_id"])
        signed = people.sign_in_staff(
            form["login"],
            form["password"],
            address=caller_address(),
            district=district(),
            session=db.session(),
            now=utc_now(),
            device=browser,
        )
    except DomainError as error:
        return _again(error)
    return _welcome(signed, browser, form["next"])


@bp.get("/<any(code, resident, staff):_form>")
def return_to_form(_form: str) -> AnyResponse:
    """Show the form again when the address of a refused one is opened anew."""
    return redirect(SIGN_IN, 303)


@out.post("")
def sign_out() -> AnyResponse:
    """End the sign-in; its tokens are dead everywhere."""
    people.sign_out(UUID(token_claims()["sub"]), session=db.session(), now=utc_now())
    g.principal = None
    response = make_response(redirect(SIGN_IN, 303))
    unset_jwt_cookies(response)
    drop_secret(response)
    return response


def _welcome(signed: people.SignedIn, browser: people.BrowserDevice, wanted: str) -> AnyResponse:
    response = make_response(redirect(own_path(wanted), 303))
    give_cookie(response, signed, browser.secret)
    response.delete_cookie(FORM_COOKIE, path=SIGN_IN)
    return response


def _again(error: DomainError) -> Response:
    """The form once more, with what was wrong, what had been typed, and the status the API would give."""
    typed = request.form
    code_id = typed.get("code_id", type=UUID)
    response = _forms(typed.get("next"), code_id=code_id, error=error, typed=typed)
    response.status_code = status_of(error)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _forms(
    wanted: str | None, *, code_id: UUID | None, error: DomainError | None = None, typed: Any = None
) -> Response:
    secret = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    response = make_response(
        render_template(
            "sign_in.html",
            next=own_path(wanted),
            code_id=code_id,
            error=error,
            typed=typed or {},
            form_secret=secret,
            code_minutes=people.CODE_LIFE.seconds // 60,
        )
    )
    response.set_cookie(
        FORM_COOKIE,
        secret,
        path=SIGN_IN,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["JWT_COOKIE_SECURE"],
    )
    return response


def _refuse_foreign_form() -> None:
    cookie, sent = request.cookies.get(FORM_COOKIE, ""), request.form.get("csrf_token", "")
    if not cookie or not secrets.compare_digest(cookie.encode(), sent.encode()):
        raise Forbidden(
            "the form did not come from our page, or cookies are off; open the sign-in page again"
            " / 表单已失效或浏览器禁用了 Cookie，请重新打开登录页"
        )
