"""The running day on the dispatcher's plan page: what went wrong, proposals for the rest, and publishing one."""

from __future__ import annotations

from typing import Any

from flask import redirect
from werkzeug.wrappers import Response as AnyResponse

from recycling.clock import service_day, utc_now
from recycling.errors import DomainError
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import principal
from recycling.routes.pages.forms import IncidentForm, PublicationForm, ReplanForm, read_form
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.pages.plan import plan_page
from recycling.usecases.planning.publish_replan import publish_replan
from recycling.usecases.planning.record_disruption import Incident, record_disruption
from recycling.usecases.planning.request_replan import request_replan

PATH = "/pages/plan"
FORM_FIELDS = ("csrf_token", "next")

bp = PageBlueprint("page_running_day", __name__, roles=("dispatcher", "admin"), url_prefix=PATH)


@bp.post("/disruptions")
def record() -> AnyResponse:
    """Record what went wrong today."""
    try:
        incident = Incident(**_said(IncidentForm()))
        record_disruption(incident, by=principal(), district=district(), session=db.session(), now=utc_now())
    except DomainError as error:
        return plan_page(service_day(utc_now()), error=error)
    return _back()


@bp.post("/replans")
def ask() -> AnyResponse:
    """Ask for proposals for the rest of today."""
    try:
        day = _said(ReplanForm())["day"]
        request_replan(day, by=principal(), session=db.session(), now=utc_now())
    except DomainError as error:
        return plan_page(service_day(utc_now()), error=error)
    return _back()


@bp.post("/publications")
def publish() -> AnyResponse:
    """Publish the proposal that is shown."""
    try:
        plan_id = _said(PublicationForm())["plan_id"]
        publish_replan(plan_id, by=principal(), district=district(), session=db.session(), now=utc_now())
    except DomainError as error:
        return plan_page(service_day(utc_now()), error=error)
    return _back()


@bp.get("/disruptions")
def return_to_incident() -> AnyResponse:
    """Show the page again when the address of a refused form is opened anew."""
    return _back()


@bp.get("/replans")
def return_to_proposals() -> AnyResponse:
    """The same for a refused wish."""
    return _back()


@bp.get("/publications")
def return_to_publication() -> AnyResponse:
    """The same for a refused publication."""
    return _back()


def _said(form: Any) -> dict[str, Any]:
    return {name: value for name, value in read_form(form).items() if name not in FORM_FIELDS}


def _back() -> AnyResponse:
    return redirect(f"{PATH}?day={service_day(utc_now())}#running-day", 303)
