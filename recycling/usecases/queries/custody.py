"""Reading what is known of a labelled unit (追溯): from door or scale to the outlet, and whether it verifies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.models.base import table_of
from recycling.models.booking import Booking
from recycling.models.custody import AT_ONCE, CustodyClash, CustodyEvent, CustodySeal, CustodyTag, step_mac
from recycling.models.people import Staff
from recycling.policy.custody_tags import read_tag

# What a step may tell of where it happened.
PLACES = (
    "booking_id", "day", "area", "collector_key", "event_id", "vehicle_key", "station_key", "ticket_id", "item_type",
    "weighed", "hand_over_id", "processor_key", "count_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BadStep:
    """The first step of a label's trail that is not what was written, and what is wrong with it."""

    tag: str
    number: int
    fault: str


def custody_trace(text: str, *, session: Session) -> dict[str, Any]:
    """The trace of a label: every step, whether they verify, its seals, and every record that claims it elsewhere.

    Holds nothing that names a person or a door.

    Raises
    ------
    NotFound
        When it is no label, or no record has named it yet; the message says which.
    """
    tag = read_tag(text)
    if tag is None:
        raise NotFound(
            f"{text[:40]!r} is no label of ours: a character is wrong or missing; compare it with the label"
            " / 标签编号有误，请核对后重新输入"
        )
    row = session.get(CustodyTag, tag)
    if row is None:
        raise NotFound(f"label {tag} was not put on anything yet / 标签 {tag} 尚未使用")
    seals = session.scalars(
        select(CustodySeal).where(CustodySeal.tag == tag).order_by(CustodySeal.at, CustodySeal.seal)
    )
    numbers = [seal.seal for seal in seals]
    of_seal = (CustodyClash.label == "seal") & CustodyClash.text.in_(numbers)
    of_tag = (CustodyClash.label == "tag") & (CustodyClash.text == tag)
    clashes = select(CustodyClash).where(or_(of_tag, of_seal)).order_by(CustodyClash.at, CustodyClash.id)
    steps = [_step(step, row, session) for step in _steps(session, tag)]
    if row.event_id is not None and not any(step["kind"] == "door" for step in steps):
        # It was put on before trails were chained: nobody vouches for that step.
        steps.insert(0, _step({"number": None, "kind": "door", "at": row.at, "facts": {}}, row, session))
    bad = verify_custody(session, tag=tag)
    contested = [_fields(clash, ("label", "text", "reason", "booking_id", "item_type", "event_id", "at")) for clash in
                 session.scalars(clashes)]  # fmt: skip
    return {
        "tag": tag, "item_type": row.item_type, "seals": numbers, "steps": steps, "verified": not bad,
        "fault": bad[0].fault if bad else None, "clashes": contested,
    }  # fmt: skip


def verify_custody(session: Session, *, tag: str | None = None) -> list[BadStep]:
    """The first bad step of each label's trail, of all labels unless one is named; empty when every trail verifies.

    An edited, deleted or inserted step breaks the chain of macs after it; a cut tail shows by the tag's own counter.
    """
    tags, events = table_of(CustodyTag), table_of(CustodyEvent)
    heads = select(tags.c.tag, tags.c.last_number, tags.c.last_mac)
    steps = select(events).order_by(events.c.tag, events.c.number).execution_options(yield_per=AT_ONCE)
    if tag is not None:
        heads, steps = heads.where(tags.c.tag == tag), steps.where(events.c.tag == tag)
    stood = {row.tag: (row.last_number, bytes(row.last_mac)) for row in session.execute(heads)}
    met: dict[str, tuple[int, bytes]] = {}
    bad: dict[str, BadStep] = {}
    for row in session.execute(steps):
        number, before = met.get(row.tag, (0, b""))
        met[row.tag] = row.number, bytes(row.mac)
        if row.tag in bad:
            continue
        if row.number != number + 1:
            bad[row.tag] = BadStep(row.tag, number + 1, "missing")
        elif step_mac(row._asdict(), before=before) != bytes(row.mac):
            bad[row.tag] = BadStep(row.tag, row.number, "changed")
    for name, head in stood.items():
        number, mac = met.get(name, (0, b""))
        if name not in bad and head != (number, mac):
            cut = head[0] > number
            bad[name] = BadStep(name, min(head[0], number) + 1, "cut" if cut else "added")
    return [bad[name] for name in sorted(bad)]


def _steps(session: Session, tag: str) -> Sequence[Any]:
    events = table_of(CustodyEvent)
    return session.execute(select(events).where(events.c.tag == tag).order_by(events.c.number)).mappings().all()


def _step(step: Any, row: CustodyTag, session: Session) -> dict[str, Any]:
    """A step with ids and keys of where; of a door the day, the area and the collector beside its record."""
    found = dict.fromkeys(PLACES) | {name: step["facts"].get(name) for name in PLACES}
    if step["kind"] == "door" and row.booking_id is not None and row.collector_id is not None:
        booking, collector = session.get_one(Booking, row.booking_id), session.get_one(Staff, row.collector_id)
        found |= {
            "booking_id": str(row.booking_id), "event_id": str(row.event_id), "day": booking.day.isoformat(),
            "area": booking.area, "collector_key": collector.collector_key,
        }  # fmt: skip
    return {name: step[name] for name in ("number", "kind", "at")} | found


def _fields(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
