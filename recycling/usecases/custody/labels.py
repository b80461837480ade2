"""The shared step that finds labelled units in a station's stock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput
from recycling.models.custody import WeighedTag
from recycling.models.hand_over import HandOverTag
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.stock import missing_tags
from recycling.policy.custody_tags import LONGEST_AS_READ, read_tag

LotKey = tuple[str, date]  # item type and day, of one station


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


def labels_in_stock(station_key: str) -> Select[str, str, date]:
    """Labels of a station's tickets that stand, were not handed over, and are missed by no count."""
    of_line = and_(IntakeLine.ticket_id == WeighedTag.ticket_id, IntakeLine.position == WeighedTag.position)
    return (
        select(WeighedTag.tag, IntakeLine.item_type, IntakeTicket.day)
        .join(IntakeTicket, IntakeTicket.id == WeighedTag.ticket_id)
        .join(IntakeLine, of_line)
        .outerjoin(HandOverTag, HandOverTag.tag == WeighedTag.tag)
        .where(WeighedTag.stands, HandOverTag.tag.is_(None), IntakeTicket.station_key == station_key)
        .where(WeighedTag.tag.not_in(missing_tags()))
    )
