"""The privacy notice, open to everybody before they sign in or book."""

from __future__ import annotations

from flask import render_template

from recycling.routes.context import configured
from recycling.routes.pages.guard import PageBlueprint, visitor

bp = PageBlueprint("page_privacy", __name__, roles=None, url_prefix="/privacy")


@bp.get("")
def show() -> str:
    """Show the notice in force."""
    visitor()
    notice = configured().privacy
    return render_template("privacy.html", head=notice.head, data=notice.data.values())
