"""One's own data on screen: what is held, addresses, reminders, sign-ins, the copy, and erasing oneself."""

from __future__ import annotations

from uuid import UUID

from flask import g, make_response, redirect, render_template
from flask_jwt_extended import unset_jwt_cookies
from werkzeug.wrappers import Response as AnyResponse

from recycling.clock import utc_now
from recycling.errors import DomainError
from recycling.extensions import db
from recycling.routes.binding import drop_secret
from recycling.routes.context import district
from recycling.routes.guard import principal, token_claims
from recycling.routes.pages.forms import ErasureForm, read_form
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.problems import status_of
from recycling.usecases.people.erase_person import CONFIRMATIONS, erase_person
from recycling.usecases.people.notices import declined_at
from recycling.usecases.queries.devices import list_sign_ins
from recycling.usecases.queries.my_data import my_data

PATH = "/pages/my-data"

bp = PageBlueprint("page_my_data", __name__, roles=("resident",), url_prefix=PATH)


@bp.get("")
def show() -> AnyResponse:
    """Show what is held, and the form that erases it."""
    return _page()


@bp.post("/erasure")
def erase() -> AnyResponse:
    """Erase the resident, when the word was typed; afterwards nobody is signed in."""
    try:
        word = read_form(ErasureForm())["confirmation"]
        erase_person(word, by=principal(), session=db.session(), now=utc_now())
    except DomainError as error:
        return _page(error)
    g.principal = None
    response = make_response(redirect("/privacy", 303))
    unset_jwt_cookies(response)
    drop_secret(response)
    return response


@bp.get("/erasure")
def return_to_form() -> AnyResponse:
    """Show the form again when the address of a refused one is opened anew."""
    return redirect(PATH, 303)


def _page(error: DomainError | None = None) -> AnyResponse:
    by, session, now, facts = principal(), db.session(), utc_now(), district()
    held = my_data(by=by, district=facts, session=session, now=now)
    response = make_response(
        render_template(
            "mine/data.html",
            held=held,
            error=error,
            word=CONFIRMATIONS[0],
            word_en=CONFIRMATIONS[1],
            villages=facts.network.villages,
            kept=facts.privacy.data.values(),
            contact=(facts.privacy.head.contact_zh, facts.privacy.head.contact_en),
            reminders=declined_at(by, session=session) is None,
            sign_ins=list_sign_ins(by=by, current_id=UUID(token_claims()["sub"]), session=session, now=now),
        )
    )
    if error is not None:
        response.status_code = status_of(error)
    return response
