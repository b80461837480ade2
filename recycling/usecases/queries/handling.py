"""Reading handling proposals, what was decided on them, and the table of a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, joinedload

from recycling.clock import service_day
from recycling.errors import NotFound
from recycling.models.handling import HandlingDecision, HandlingProposal, HandlingVersion
from recycling.policy.district import District
from recycling.policy.handling import ITEM_PART, TOWN_TRAVEL, TRAVEL, item_part
from recycling.policy.service_time import RULE_PARTS
from recycling.usecases.learning.values import configured_values
from recycling.usecases.queries.cursors import instant, read_cursor, write_cursor

PART_WORDS = {
    "base_s": ("每次上门基本时长", "every stop"),
    "stairs_heavy_s": ("重物每层楼梯", "a storey with a heavy load"),
    "stairs_light_s": ("轻物每层楼梯", "a storey with a light load"),
    "lift_load_s": ("电梯每趟", "a load by lift"),
    TRAVEL: ("行驶时间系数", "factor on travel"),
}


def list_proposals(*, session: Session, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """A page of proposals, newest first."""
    wanted = (
        select(HandlingProposal)
        .options(joinedload(HandlingProposal.decision))
        .order_by(HandlingProposal.made_at.desc(), HandlingProposal.id.desc())
    )
    if cursor is not None:
        place = read_cursor(cursor, instant, UUID)
        wanted = wanted.where(tuple_(HandlingProposal.made_at, HandlingProposal.id) < place)
    rows = session.scalars(wanted.limit(limit + 1)).all()
    shown = rows[:limit]
    return {
        "proposals": [_row(row) for row in shown],
        "next_cursor": write_cursor(shown[-1].made_at.isoformat(), shown[-1].id) if len(rows) > limit else None,
    }


def proposal_in_full(proposal_id: UUID, *, district: District, session: Session) -> dict[str, Any]:
    """One proposal with every value old and new, its sample and interval, and what would be gained.

    Raises
    ------
    NotFound
        When there is none of that id.
    """
    row = session.scalar(
        select(HandlingProposal)
        .where(HandlingProposal.id == proposal_id)
        .options(joinedload(HandlingProposal.decision))
    )
    if row is None:
        raise NotFound(f"no handling proposal {proposal_id}; list them with GET /handling-proposals")
    return _row(row) | {
        "left_out": row.left_out,
        "parameters": [named(value["name"], district) | value for value in row.parameters],
        "decision": None if row.decision is None else decision_in_full(row.decision, session=session),
    }


def decision_in_full(decision: HandlingDecision, *, session: Session) -> dict[str, Any]:
    """What was decided, and from which days it holds."""
    version = None if decision.table_number is None else session.get(HandlingVersion, decision.table_number)
    return {
        "proposal_id": decision.proposal_id,
        "state": "rejected" if version is None else "accepted",
        "accepted": decision.accepted,
        "table_number": decision.table_number,
        "valid_from": None if version is None else version.valid_from,
        # Of this decision alone: a factor that an earlier one accepted goes on from its own day.
        "travel_from": version.travel_from if version is not None and TRAVEL in decision.accepted else None,
        "note": decision.note,
        "by_id": decision.by_id,
        "at": decision.at,
    }


def handling_table(day: date | None, *, district: District, now: datetime) -> dict[str, Any]:
    """The values that new promises of a service day are made with, today when none is named; each beside ``config/``.

    ``district`` is the one with the accepted tables.
    """
    day = day or service_day(now)
    table = district.handling.on(day)
    rule = district.service_time_on(day)
    inside = {part: int(getattr(rule, part)) for part in RULE_PARTS}
    inside |= {item_part(kind.key): district.item_type(kind.key, on=day).handling_s for kind in _kinds(district, day)}
    inside[TRAVEL] = district.handling.travel_bp(day)
    return {
        "day": day,
        "table_number": None if table is None else table.number,
        "valid_from": None if table is None else table.valid_from,
        "values": [
            named(name, district) | {"name": name, "configured": configured, "in_force": inside[name]}
            for name, configured in configured_values(district, day=day).items()
        ],
    }


def named(name: str, district: District) -> dict[str, str]:
    """What a value is called, and its unit."""
    if name.startswith(ITEM_PART):
        kind = district.catalogue.latest(name.removeprefix(ITEM_PART))
        return {"name_zh": kind.name_zh, "name_en": kind.name_en, "unit": "s"}
    if name.startswith(TOWN_TRAVEL):
        town = district.network.towns.get(name.removeprefix(TOWN_TRAVEL))
        zh, en = (town.name_zh, town.name_en) if town is not None else (name, name)
        return {"name_zh": f"{zh}行驶时间系数", "name_en": f"Travel into {en}", "unit": "bp"}
    zh, en = PART_WORDS[name]
    return {"name_zh": zh, "name_en": en, "unit": "bp" if name == TRAVEL else "s"}


def _kinds(district: District, day: date) -> Any:
    return district.catalogue.valid_on(day)


def _row(row: HandlingProposal) -> dict[str, Any]:
    fields = ("id", "first_day", "last_day", "visits", "legs", "trimmed", "gain", "made_at", "made_by_id")
    decision = row.decision
    state = "open" if decision is None else "rejected" if decision.table_number is None else "accepted"
    return {name: getattr(row, name) for name in fields} | {"state": state}
