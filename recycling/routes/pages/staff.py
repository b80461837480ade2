"""Accounts of staff: who may sign in, opening, renewing and closing."""

from __future__ import annotations

from flask import render_template

from recycling.extensions import db
from recycling.policy.access import STAFF_ROLES
from recycling.routes.context import configured
from recycling.routes.guard import principal
from recycling.routes.pages.guard import PageBlueprint
from recycling.usecases.people.staff import SHORTEST_PASSWORD
from recycling.usecases.queries.staff import list_staff

bp = PageBlueprint("page_staff", __name__, roles=("admin",), url_prefix="/pages/staff")


@bp.get("")
def show() -> str:
    """Show every account."""
    accounts, network = list_staff(session=db.session()), configured().network
    taken = {one.collector_key for one in accounts}
    return render_template(
        "today/staff.html",
        accounts=accounts,
        network=network,
        free=[rider for key, rider in network.collectors.items() if key not in taken],
        roles=STAFF_ROLES,
        me=principal().id,
        shortest=SHORTEST_PASSWORD,
    )
