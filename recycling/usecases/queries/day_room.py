"""How full a service day is, for the dispatcher: what it still takes, and what would open it (当日余量)."""

from __future__ import annotations

import random
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.policy.district import District
from recycling.routing.board import Board
from recycling.routing.room import MOST_TRIED, Gain, room_of
from recycling.routing.standing import Visit
from recycling.usecases.bookings.tentative import boards


def day_room(day: date, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """What a bookable day still takes of visits like those of the days ahead, and what a larger fleet would add.

    Raises
    ------
    InvalidInput
        When the day cannot be booked.
    """
    days = district.booking_rules.bookable_days(now=now, calendar=district.calendar)
    if day not in days:
        span = f"{days[0]} to {days[-1]}" if days else "none at present"
        raise InvalidInput(f"{day} cannot be booked; choose a bookable day: {span} / {day} 不可预约")
    found = boards(session, days, district=district)
    board = found[day]
    if board is None:
        return {"day": day, "closed": True, "promised": 0, "vehicles_out": 0, "vehicles": 0, "takes": 0, "asked": 0,
                "gains": []}  # fmt: skip
    room = room_of(board, _usual([one for one in found.values() if one is not None], day))
    used = [route for route in board.routes if route.visits]
    return {
        "day": day,
        "closed": False,
        "promised": sum(not visit.gone for route in used for visit in route.visits),
        "vehicles_out": len(used),
        "vehicles": len(board.routes),
        "takes": room.visits,
        "asked": room.asked,
        "gains": [_said(gain, district) for gain in room.gains],
    }


def _usual(known: list[Board], day: date) -> list[Visit]:
    """Visits as people ask for them: those of all days ahead, shuffled the same way every time."""
    visits = [v for board in known for route in board.routes for v in route.visits if not v.gone]
    visits.sort(key=lambda visit: visit.key)
    random.Random(str(day)).shuffle(visits)  # noqa: S311  # the same answer to the same question, not secrecy
    if not visits:
        return []
    return [visits[number % len(visits)] for number in range(MOST_TRIED)]


def _said(gain: Gain, district: District) -> dict[str, Any]:
    n = gain.visits
    if gain.kind == "van":
        station = district.network.stations[gain.station or ""]
        zh, en = f"{station.name_zh}增加一车组", f"one more van with its crew at {station.name_en}"
    else:
        zh, en = {
            "crew_hour": ("各车组延长一小时", "every crew one hour longer"),
            "trip": ("各车多装一趟", "every vehicle with room for one more load"),
            "skills": ("各车组具备全部技能", "every crew able to do everything"),
        }[gain.kind]
    return {
        "kind": gain.kind, "station_key": gain.station, "visits": n, "zh": f"{zh}：可多接 {n} 单",
        "en": f"{en}: {n} more pickups",
    }  # fmt: skip
