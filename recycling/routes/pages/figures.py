"""What figures rest on: the days, the tickets of a day, one ticket with its chain, and whether masses balance."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.policy.access import Role
from recycling.routes.context import configured, district
from recycling.routes.guard import only, principal
from recycling.routes.pages.filters import WithoutBlanks, in_address
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.schemas.balances import ClassAverageFilterSchema, TripBalanceFilterSchema
from recycling.routes.schemas.figures import RecoveredFilterSchema
from recycling.routes.schemas.intake import IntakeTicketFilterSchema
from recycling.usecases.queries import ticket_photos
from recycling.usecases.queries.balances import list_balances
from recycling.usecases.queries.class_averages import list_class_averages
from recycling.usecases.queries.intake import find_ticket, list_tickets, ticket_chain
from recycling.usecases.queries.recovered import list_recovered
from recycling.usecases.queries.station_balance import station_balance
from recycling.usecases.reporting.goal_csv import PROVENANCE_NAMES

DESK: tuple[Role, ...] = ("clerk", "dispatcher", "admin")
bp = PageBlueprint("page_figures", __name__, roles=DESK, url_prefix="/pages/figures")

TRIP_STATES = {
    "ok": "相符 / agrees",
    "held": "待核 / under review",
    "resolved": "已处理 / resolved",
}
USUAL_DAYS = 30  # of the balance, where nobody names a span


class DaysQuery(WithoutBlanks, RecoveredFilterSchema):
    """Which daily figures to show."""


class TicketsQuery(WithoutBlanks, IntakeTicketFilterSchema):
    """Which tickets to show."""


class BalanceQuery(WithoutBlanks, TripBalanceFilterSchema):
    """Which trips to show, and the span of the stations' balance."""


class AveragesQuery(WithoutBlanks, ClassAverageFilterSchema):
    """Which class averages to show."""


def _choices() -> dict[str, Any]:
    """What the filters let one choose from."""
    facts = configured()
    return {
        "network": facts.network,
        "name_of": facts.catalogue.latest,
        "kinds": facts.catalogue.valid_on(service_day(utc_now())),
        "scopes": facts.goals.current_scopes(),
        "provenance_names": PROVENANCE_NAMES,
    }


@bp.get("")
@bp.arguments(DaysQuery, location="query")
def show(wanted: dict[str, Any]) -> str:
    """Show the daily figures behind a number, and what they add up to."""
    page = list_recovered(district=configured(), session=db.session(), **wanted)
    return render_template("desk/days.html", page=page, asked=in_address(wanted), **_choices())


@bp.get("/tickets")
@bp.arguments(TicketsQuery, location="query")
def show_tickets(wanted: dict[str, Any]) -> str:
    """Show the tickets behind a number."""
    page = list_tickets(by=principal(), district=configured(), session=db.session(), **wanted)
    return render_template("desk/tickets.html", page=page, asked=in_address(wanted), **_choices())


@bp.get("/tickets/<uuid:ticket_id>")
@only("keeper", *DESK)
def show_ticket(ticket_id: UUID) -> str:
    """Show one ticket: its lines, its corrections and its pictures."""
    session = db.session()
    ticket = find_ticket(ticket_id, by=principal(), session=session)
    return render_template(
        "desk/ticket.html",
        ticket=ticket,
        chain=ticket_chain(ticket_id, by=principal(), session=session),
        photos=ticket_photos.list_ticket_photos(ticket_id, by=principal(), session=session),
        **_choices(),
    )


@bp.get("/balance")
@bp.arguments(BalanceQuery, location="query")
def show_balance(wanted: dict[str, Any]) -> str:
    """Show whether what came in is what left and what lies there, and the trips that nobody has explained yet."""
    now = utc_now()
    today = service_day(now)
    span = {"first": wanted.get("first") or today - timedelta(days=USUAL_DAYS), "last": wanted.get("last") or today}
    balance = station_balance(
        **span, station_key=wanted.get("station_key"), by=principal(), district=configured(), session=db.session(),
        now=now,
    )  # fmt: skip
    trips = list_balances(by=principal(), session=db.session(), **(wanted | span))
    shown = in_address(wanted | span)
    states = [(key, *name.split(" / ", 1)) for key, name in TRIP_STATES.items()]
    return render_template(
        "desk/balance.html", balance=balance, trips=trips, asked=shown, trip_states=states,
        trip_state_names=TRIP_STATES, **_choices(),
    )  # fmt: skip


@bp.get("/averages")
@bp.arguments(AveragesQuery, location="query")
def show_averages(wanted: dict[str, Any]) -> str:
    """Show the stations' own mean masses beside the type table."""
    page = list_class_averages(by=principal(), district=district(), session=db.session(), **wanted)
    month: date | None = wanted.get("month")
    asked = in_address(wanted) | ({"month": f"{month:%Y-%m}"} if month else {})
    return render_template("desk/averages.html", page=page, asked=asked, **_choices())
