"""The shared step that ties labels to the lines of a ticket (过磅追溯): whatever way a unit comes, it counts once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from recycling.errors import AlreadyWeighed, Conflict, InvalidInput
from recycling.models.base import insert_if_absent
from recycling.models.custody import CustodyTag, Step, WeighedTag, record_steps
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.transaction import rows_met
from recycling.policy.access import Principal
from recycling.policy.custody_tags import LONGEST_AS_READ, read_tag
from recycling.usecases.intake.weighing import MOST_TAGS, WeighedLine


def read_tags(lines: Sequence[WeighedLine]) -> dict[str, int]:
    """The labels that a ticket names, each with the position of its line.

    Raises
    ------
    InvalidInput
        When one is no label or comes twice, a line has more of them than units, or there are more than a ticket takes.
    """
    number = sum(len(line.tags) for line in lines)
    if number > MOST_TAGS:
        raise InvalidInput(
            f"{number} labels on one ticket, and it takes {MOST_TAGS}; weigh the load in on several"
            f" / 单张磅单最多 {MOST_TAGS} 个标签（现 {number} 个），请分单过磅"
        )
    found: dict[str, int] = {}
    for position, line in enumerate(lines):
        if len(line.tags) > line.units:
            raise InvalidInput(
                f"{len(line.tags)} tags for {line.units} units of {line.item_type!r}: give each unit one label at most"
                " / 标签数不得超过件数"
            )
        for text in line.tags:
            tag = read_tag(text)
            if tag is None:
                raise InvalidInput(
                    f"tag {text[:LONGEST_AS_READ]!r} is no label: scan it again, or compare it letter by letter"
                    " / 标签编号有误，请重新扫描或核对"
                )
            if tag in found:
                raise InvalidInput(f"tag {tag} comes twice on this ticket; leave one out / 标签 {tag} 重复")
            found[tag] = position
    return found


def tag_lines(
    ticket: IntakeTicket,
    tags: Mapping[str, int],
    *,
    by: Principal,
    session: Session,
    now: datetime,
    original: IntakeTicket | None = None,
) -> None:
    """Tie labels to the lines of a new ticket, and let go of those of the ticket it replaces.

    A label from a door belongs to the line of its booking and item type. One that nobody has used yet gets its unit
    here. It is refused and not kept beside what stands: the unit is at the scale, and its keeper can look again.

    Raises
    ------
    AlreadyWeighed
        When a standing ticket has the label.
    Conflict
        When it belongs to another booking or item type, or has left the station and would be taken off its ticket.
    """
    lines = {line.position: line for line in ticket.lines}
    before = _let_go(original, {tag: lines[place].item_type for tag, place in tags.items()}, session=session)
    rows: dict[int, list[WeighedTag]] = {position: [] for position in lines}
    for tag, position in sorted(tags.items()):  # in one sequence for everybody
        _give(tag, lines[position], by=by, session=session, now=now)
        hand_over_id, count_id = before.get(tag, (None, None))
        row = {
            "ticket_id": ticket.id, "tag": tag, "position": position, "stands": True, "hand_over_id": hand_over_id,
            "count_id": count_id,
        }  # fmt: skip
        if not insert_if_absent(session, WeighedTag, **row):
            raise _weighed_before(tag, session=session)
        rows[position].append(session.get_one(WeighedTag, (ticket.id, tag)))
    for position, line in lines.items():
        set_committed_value(line, "weighed_tags", rows[position])
    off = sorted(before.keys() - {*tags})
    steps = [Step(tag, "adjusted", {"ticket_id": str(ticket.id), "weighed": False}) for tag in off]
    for tag, position in sorted(tags.items()):
        steps += _steps(tag, ticket, lines[position], again=tag in before)
    record_steps(session, steps, by=by, now=now)


def _steps(tag: str, ticket: IntakeTicket, line: IntakeLine, *, again: bool) -> list[Step]:
    if again:
        facts = {"ticket_id": str(ticket.id), "item_type": line.item_type, "weighed": True}
        return [Step(tag, "adjusted", facts)]
    at = {"station_key": ticket.station_key, "item_type": line.item_type}
    return [
        Step(tag, "station", at | {"ticket_id": str(ticket.id)}),
        Step(tag, "lot", at | {"day": ticket.day.isoformat()}),
    ]


def _let_go(
    original: IntakeTicket | None, kept: Mapping[str, str], *, session: Session
) -> dict[str, tuple[UUID | None, UUID | None]]:
    """Let the labels of a replaced ticket stand no longer; returns them with the hand-over or count they left by."""
    if original is None:
        return {}
    mine = WeighedTag.ticket_id == original.id
    before = {line.position: line.item_type for line in original.lines}
    tag = WeighedTag
    stood = session.execute(select(tag.tag, tag.position, tag.hand_over_id, tag.count_id).where(mine, tag.stands)).all()
    for row in stood:
        label, gone = row.tag, row.hand_over_id or row.count_id
        if gone is not None and kept.get(label) != before[row.position]:
            how, how_zh = ("with a hand-over", "随批次移交") if row.hand_over_id else ("by a stock count", "经盘点核销")
            raise Conflict(
                f"tag {label} has left the station {how}; keep it on a line of {before[row.position]}"
                f" / 标签 {label} 已{how_zh}，更正时请保留在原品类行"
            )
    rows_met(session, update(WeighedTag).where(mine).values(stands=False))
    return {row.tag: (row.hand_over_id, row.count_id) for row in stood}


def _give(tag: str, line: IntakeLine, *, by: Principal, session: Session, now: datetime) -> None:
    """See that a label is that of a unit of the line: its own from the door, or given here."""
    first = insert_if_absent(
        session, CustodyTag, tag=tag, booking_id=line.booking_id, item_type=line.item_type, collector_id=None,
        event_id=None, at=now, last_number=0, last_mac=b"",
    )  # fmt: skip
    if first:
        return
    standing = session.execute(
        select(CustodyTag.booking_id, CustodyTag.item_type, CustodyTag.event_id).where(CustodyTag.tag == tag)
    ).one()
    if (standing.booking_id, standing.item_type) == (line.booking_id, line.item_type):
        return
    if standing.event_id is not None:
        raise Conflict(
            f"tag {tag} was put on a {standing.item_type} of booking {standing.booking_id} at the door, not on a"
            f" {line.item_type} of {line.booking_id or 'no booking'}; weigh it on the line of its own, or look at the"
            f" label again / 标签 {tag} 属于上门预约 {standing.booking_id} 的 {standing.item_type}，请核对"
        )
    # Given at a scale, on a ticket that a correction replaces or has withdrawn: it is what the new line says.
    given = update(CustodyTag).where(CustodyTag.tag == tag)
    rows_met(session, given.values(booking_id=line.booking_id, item_type=line.item_type))


def _weighed_before(tag: str, *, session: Session) -> AlreadyWeighed:
    """Why a label is refused, for the message; read after the refusal, so only the words depend on it."""
    found = session.execute(
        select(IntakeTicket.station_key, IntakeTicket.number, IntakeTicket.day)
        .join(WeighedTag, WeighedTag.ticket_id == IntakeTicket.id)
        .where(WeighedTag.tag == tag, WeighedTag.stands)
    ).first()
    where = f"ticket {found.number} of {found.station_key} on {found.day}" if found is not None else "another ticket"
    return AlreadyWeighed(
        f"tag {tag} is weighed already, on {where}; correct that ticket, or give the unit a label of its own"
        f" / 标签 {tag} 已过磅，请更正原磅单或更换标签"
    )
