"""A handling proposal as people look at it: old and new beside each other, with sample, interval and gain."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template
from marshmallow import fields

from recycling.extensions import db
from recycling.routes.context import configured
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.schemas.fields import Schema
from recycling.usecases.learning.observations import LeftOut
from recycling.usecases.queries.handling import list_proposals, proposal_in_full

bp = PageBlueprint("page_handling", __name__, roles=("clerk", "dispatcher", "admin"), url_prefix="/pages/handling")

SHOWN = 12  # proposals to choose from: a year of months
BAR = 200  # width of the longest bar of a unit, in the drawing's own measure
LEFT_OUT_WORDS: dict[LeftOut, tuple[str, str]] = {
    "clock": ("手机时钟有误", "a clock that was off"),
    "contested": ("两车组均有登记", "recorded by two crews"),
    "undone": ("曾撤销", "taken back"),
    "not_collected": ("未收或部分收取", "not collected, or in part"),
    "dismantled": ("含拆机", "with taking apart"),
    "item_differs": ("物品与申报不符", "other items than declared"),
    "no_start": ("无到达记录", "without an arrival"),
    "waited": ("提前到达等候", "came early and waited"),
    "unknown_item": ("品类已撤销", "an item type no longer known"),
}


class ProposalQuery(Schema):
    """The proposal in the address; the newest when there is none."""

    proposal = fields.UUID(load_default=None)


@bp.get("")
@bp.arguments(ProposalQuery, location="query")
def show(wanted: dict[str, UUID | None]) -> str:
    """Show a proposal."""
    rows = list_proposals(session=db.session(), limit=SHOWN)["proposals"]
    chosen = wanted["proposal"] or (rows[0]["id"] if rows else None)
    found = None if chosen is None else proposal_in_full(chosen, district=configured(), session=db.session())
    return render_template(
        "handling.html",
        proposals=rows,
        proposal=found,
        lines=[] if found is None else _lines(found["parameters"]),
        left_out_words=LEFT_OUT_WORDS,
    )


def _lines(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The values that were estimated, seconds before factors, each with the lengths of its two bars."""
    shown = [value for value in values if value["low"] is not None]
    longest = {
        unit: max(max(value["old"], value["new"], 1) for value in shown if value["unit"] == unit)
        for unit in {value["unit"] for value in shown}
    }
    return [
        value | {name + "_bar": round(BAR * value[name] / longest[value["unit"]]) for name in ("old", "new")}
        for value in sorted(shown, key=lambda value: value["unit"] == "bp")
    ]
