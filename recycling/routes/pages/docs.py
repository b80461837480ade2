"""The API page: the OpenAPI document of this very server, browsable and ready to try."""

from __future__ import annotations

from flask import render_template

from recycling.routes.pages.guard import PageBlueprint

VENDORED = "vendor/swagger-ui-dist-5.35.0"

bp = PageBlueprint("docs", __name__, roles=None, url_prefix="/api")


@bp.get("/docs")
def show() -> str:
    """Show the API page."""
    return render_template("docs.html", vendored=VENDORED)
