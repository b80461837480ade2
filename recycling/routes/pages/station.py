"""The station's tablet: what comes, weighing in, stock, hand-overs, balances. The modules call the API."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template
from werkzeug.wrappers import Response

from recycling.clock import service_day, utc_now
from recycling.routes.context import configured
from recycling.routes.guard import principal
from recycling.routes.pages.guard import PageBlueprint
from recycling.routes.pages.words import CHANNEL_WORDS, GROUP_WORDS, REFUSED_WORDS
from recycling.usecases.intake.weighing import MOST_TRIPS, MOST_UNITS, SCALE_MAX_G

bp = PageBlueprint("page_station", __name__, roles=("keeper",), url_prefix="/pages/station")


@bp.get("")
def begin() -> Response:
    """Lead to the day."""
    return redirect("/pages/station/today", 303)


@bp.get("/today")
def show_today() -> str:
    """Show what comes, today's tickets, and what waits for somebody."""
    return _screen("today", "今日", "Today")


@bp.get("/weigh")
def show_weigh() -> str:
    """Show the form of a weigh-in, or of a correction."""
    return _screen("weigh", "过磅", "Weigh in")


@bp.get("/ticket")
def show_ticket() -> str:
    """Show one ticket."""
    return _screen("ticket", "磅单", "Ticket")


@bp.get("/stock")
def show_stock() -> str:
    """Show the stock, its counts, and the way of a label."""
    return _screen("stock", "库存", "Stock")


@bp.get("/hand-overs")
def show_hand_overs() -> str:
    """Show the batches for processors."""
    return _screen("hand-overs", "移交", "Hand-overs")


@bp.get("/balance")
def show_balance() -> str:
    """Show trips of which doors and scale disagree, what came stripped, and the station's own averages."""
    return _screen("balance", "平衡", "Balance")


def _screen(name: str, zh: str, en: str) -> str:
    """A screen whose module of the same name shows what it loads."""
    by, facts = principal(), configured()
    station = facts.network.stations[by.station_key or ""]
    return render_template(
        "station/screen.html", name=name, heading=(zh, en), station=station, facts=_facts(by.id, station.key)
    )


def _facts(me: object, station_key: str) -> dict[str, Any]:
    """What the modules have to know beside the API: names, codes, limits. Nothing of people but the reader's own id."""
    facts, today = configured(), service_day(utc_now())
    bookable = {kind.key for kind in facts.catalogue.valid_on(today)}
    return {
        "me": str(me),
        "station": station_key,
        "today": today.isoformat(),
        "item_types": {
            kind.key: {
                "names": [kind.name_zh, kind.name_en], "group": kind.group, "unit_mass_g": kind.unit_mass_g,
                "catalogue_no": kind.catalogue_no, "now": kind.key in bookable,
            }
            for kind in sorted(facts.catalogue.rows, key=lambda row: row.valid_from)
        },
        "stations": {one.key: [one.name_zh, one.name_en] for one in facts.network.stations.values()},
        "vehicles": {key: one.plate for key, one in facts.network.vehicles.items()},
        "groups": GROUP_WORDS,
        "channels": CHANNEL_WORDS,
        "refused": REFUSED_WORDS,
        "most": {"gross_g": SCALE_MAX_G, "units": MOST_UNITS, "trip": MOST_TRIPS},
    }  # fmt: skip
