"""Whether a certificate of recovery is genuine, for whoever scans its QR code: no sign-in, nothing of people."""

from __future__ import annotations

from flask import render_template

from recycling.extensions import db
from recycling.routes.context import configured
from recycling.routes.pages.guard import PageBlueprint, visitor
from recycling.usecases.queries.certificates import PAGE, public_certificate
from recycling.usecases.reporting.goal_csv import PROVENANCE_NAMES

bp = PageBlueprint("page_certificate", __name__, roles=None, url_prefix=PAGE)


@bp.get("/<booking>/<proof>")
def show(booking: str, proof: str) -> str:
    """Show what a certificate proves, as it counts today."""
    visitor()
    found = public_certificate(booking, proof, district=configured(), session=db.session())
    return render_template("mine/certificate.html", certificate=found, provenance_names=PROVENANCE_NAMES)
