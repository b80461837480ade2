"""The shared step that finds labelled units in a station's stock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput
from recycling.models.custody import WeighedTag
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.transaction import rows_met
from recycling.policy.custody_tags import LONGEST_AS_READ, read_tag

LotKey = tuple[str, date]  # item type and day, of one station
IN_STOCK = and_(WeighedTag.hand_over_id.is_(None), WeighedTag.count_id.is_(None))


def read_labels(texts: Sequence[str]) -> list[str]:
    """Labels as they are written, from how they were read.

    Raises
    ------
    InvalidInput
        When one is no label or comes twice.
    """
    found: list[str] = []
    for text in texts:
        tag = read_tag(text)
        if tag is None:
            raise InvalidInput(f"tag {text[:LONGEST_AS_READ]!r} is no label; scan it again / 标签编号有误，请重新扫描")
        if tag in found:
            raise InvalidInput(f"tag {tag} comes twice; leave one out / 标签 {tag} 重复")
        found.append(tag)
    return found


def labelled_lots(tags: Sequence[str], station_key: str, *, session: Session) -> dict[str, LotKey]:
    """The lots of labelled units that are in stock at the station.

    Raises
    ------
    Conflict
        When one is not.
    """
    if not tags:
        return {}
    found = {
        row.tag: (row.item_type, row.day)
        for row in session.execute(labels_in_stock(station_key).where(WeighedTag.tag.in_(tags)))
    }
    for tag in tags:
        if tag not in found:
            raise Conflict(
                f"tag {tag} is not in stock here: it was never weighed in at this station, or has left; leave it"
                f" out, or look at its trail / 标签 {tag} 不在本站库存，请核对追溯记录"
            )
    return found


def labels_at(station_key: str, *where: ColumnElement[bool]) -> Select[str, str, date]:
    """Labels of a station's tickets that stand, each with the item type and the day of its lot."""
    of_line = and_(IntakeLine.ticket_id == WeighedTag.ticket_id, IntakeLine.position == WeighedTag.position)
    return (
        select(WeighedTag.tag, IntakeLine.item_type, IntakeTicket.day)
        .join(IntakeTicket, IntakeTicket.id == WeighedTag.ticket_id)
        .join(IntakeLine, of_line)
        .where(WeighedTag.stands, IntakeTicket.station_key == station_key, *where)
    )


def labels_in_stock(station_key: str) -> Select[str, str, date]:
    """Those that were not handed over and are missed by no count."""
    return labels_at(station_key, IN_STOCK)


def labels_by_lot(station_key: str, item_types: Iterable[str], *, session: Session) -> Counter[LotKey]:
    """How many units of each lot of a station's stock have labels."""
    lot = IntakeLine.item_type, IntakeTicket.day
    wanted = labels_in_stock(station_key).where(IntakeLine.item_type.in_(set(item_types)))
    counted = wanted.with_only_columns(*lot, func.count()).group_by(*lot)
    return Counter({(item_type, day): labels for item_type, day, labels in session.execute(counted)})


def move_labels(
    tags: Iterable[str],
    *,
    session: Session,
    hand_over_id: UUID | None = None,
    count_id: UUID | None = None,
) -> None:
    """Say where the units of labels are: gone with a hand-over or by a count, else in stock."""
    moved = update(WeighedTag).where(WeighedTag.tag.in_(list(tags)), WeighedTag.stands)
    rows_met(session, moved.values(hand_over_id=hand_over_id, count_id=count_id))
