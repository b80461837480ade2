"""The running day on the dispatcher's screen: what needs somebody now, the vans on a map, every open stop."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.policy.access import SYSTEM
from recycling.routes.context import district
from recycling.routes.guard import principal
from recycling.routes.pages.day import DayQuery, day_after, day_before
from recycling.routes.pages.guard import PageBlueprint
from recycling.usecases.queries.arrivals import day_board
from recycling.usecases.queries.devices import list_devices
from recycling.usecases.queries.field_flags import flagged_events
from recycling.usecases.queries.healing import list_promises, running_day

MOST_FLAGS = 50
LATE_S = 300  # behind the plan, from which a van is shown as late; its crew makes up for less
STOP_FACTS = ("vehicle_key", "point", "late_min", "town_name_zh", "village_name_zh")
VAN_FACTS = ("vehicle_key", "station_key", "position", "next_booking_id", "open", "done", "drives")

bp = PageBlueprint("page_live", __name__, roles=("dispatcher", "admin"), url_prefix="/pages/live")


@bp.get("")
@bp.arguments(DayQuery, location="query")
def show(wanted: dict[str, date | None]) -> str:
    """Show a day as it runs, today's when none is named; today's page looks again by itself."""
    now, session, facts = utc_now(), db.session(), district()
    today = service_day(now)
    day = wanted["day"] or today
    board = day_board(day, district=facts, session=session, now=now)
    runs = day == today and board["published_at"] is not None
    nothing: dict[str, Any] = {"disruptions": (), "proposal": None}
    mending = running_day(day, session=session) if runs else nothing
    down = {one.vehicle_key for one in mending["disruptions"] if one.kind == "breakdown"}
    vehicles = [van | {"drives": van["drives"] and van["vehicle_key"] not in down} for van in board["vehicles"]]
    promises = list_promises(by=principal(), district=facts, session=session, day=day)
    return render_template(
        "today/live.html",
        board=board,
        vehicles=sorted(vehicles, key=_urgency),
        late_s=LATE_S,
        facts=_on_map(board),
        disruptions=mending["disruptions"],
        proposal=_open_proposal(mending["proposal"]),
        promises=[one for one in promises if one["taken"] is None],
        flags=flagged_events(session=session, limit=MOST_FLAGS, day=None if day == today else day)["field_events"],
        devices=list_devices(by=SYSTEM, session=session, now=now) if day == today else [],
        network=facts.network,
        runs=runs,
        day=day,
        today=today,
        before=day_before(day),
        after=day_after(day),
    )


def _urgency(vehicle: dict[str, Any]) -> tuple[bool, bool, bool, int, str]:
    """Vans that stand first, then late ones, then unheard-of ones, the latest first."""
    open_ = vehicle["open"] > 0
    late = open_ and vehicle["lateness_s"] >= LATE_S
    unheard = open_ and vehicle["no_word"]
    return vehicle["drives"], not late, not unheard, -vehicle["lateness_s"], vehicle["vehicle_key"]


def _open_proposal(proposal: dict[str, Any] | None) -> dict[str, Any] | None:
    """The proposal that waits for somebody's word."""
    if proposal is None or proposal["published_at"] is not None or not proposal["current"]:
        return None
    return proposal


def _on_map(board: dict[str, Any]) -> dict[str, Any]:
    """What the map draws: nothing of people, places to some ten metres."""
    return {
        "day": str(board["day"]),
        "stops": [
            {name: stop[name] for name in STOP_FACTS}
            | {"booking_id": str(stop["booking_id"]), "start_s": stop["start_s"] or stop["planned_s"]}
            for stop in board["stops"]
            if stop["point"] is not None
        ],
        "vans": [
            {name: van[name] for name in VAN_FACTS}
            | {
                "next_booking_id": None if van["next_booking_id"] is None else str(van["next_booking_id"]),
                "position": None if van["position"] is None
                else van["position"] | {"at": van["position"]["at"].isoformat()},
            }
            for van in board["vehicles"]
        ],
    }  # fmt: skip
