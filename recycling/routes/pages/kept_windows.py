"""Promised windows, kept and missed: by village, by town-level unit, rural beside urban."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for
from marshmallow import fields, validate

from recycling.extensions import db
from recycling.routes.context import configured
from recycling.routes.pages.filters import WithoutBlanks, in_address
from recycling.routes.pages.goals import DRAWN_WITH
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.schemas.fields import Day
from recycling.usecases.queries.kept_windows import GROUPINGS, kept_windows

bp = PageBlueprint(
    "page_kept_windows", __name__, roles=("clerk", "dispatcher", "admin"), url_prefix="/pages/kept-windows"
)

CAUSES = {
    "late": ("迟到", "late"), "early": ("提前", "early"), "breakdown": ("车辆故障", "breakdown"),
    "vehicle_full": ("车满", "van full"), "customer": ("居民原因", "resident"), "no_record": ("无记录", "no record"),
}  # fmt: skip


class KeptQuery(WithoutBlanks):
    """Which days, both included, and how to group."""

    first = Day(data_key="from")
    last = Day(data_key="to")
    by = fields.String(load_default="town", validate=validate.OneOf(GROUPINGS))


@bp.get("")
@bp.arguments(KeptQuery, location="query")
def show(wanted: dict[str, Any]) -> str:
    """Show the share of promised windows that were kept, and why the others were missed."""
    facts = configured()
    answer = kept_windows(district=facts, session=db.session(), **wanted)
    return render_template(
        "desk/kept_windows.html",
        answer=answer,
        groups=sorted(answer["groups"], key=lambda group: (group["kept_bp"], -group["promised"])),
        asked=in_address(wanted),
        causes=CAUSES,
        facts={
            "scripts": {"maps": url_for("static", filename=DRAWN_WITH["maps"])},
            "groups": answer["groups"] if answer["by"] == "town" else [],
        },
    )
