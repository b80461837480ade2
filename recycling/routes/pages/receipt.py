"""Whether a printed receipt is genuine, for whoever scans its QR code: no sign-in, nothing of people."""

from __future__ import annotations

from flask import render_template

from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.pages.guard import PageBlueprint, visitor
from recycling.usecases.queries.receipts import PAGE, public_receipt

bp = PageBlueprint("page_receipt", __name__, roles=None, url_prefix=PAGE)


@bp.get("/<ticket>/<proof>")
def show(ticket: str, proof: str) -> str:
    """Show the ticket that a receipt proves, as it counts today."""
    visitor()
    found = public_receipt(ticket, proof, district=district(), session=db.session())
    return render_template("receipt.html", receipt=found)
