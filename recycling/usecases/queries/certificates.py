"""Certificates of recovery (回收证明): what became of a booking's items, for its resident, and for whoever holds one.

A ticket is of a whole load, with the goods of other doors on it: its receipt is the station's. What a resident gets is
their own lines of all tickets.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, NotFound
from recycling.models.booking import Booking, with_parts
from recycling.models.custody import WeighedTag
from recycling.models.encrypted import keyring
from recycling.models.hand_over import HandOver, HandOverLine, HandOverTag
from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.recovery import newest
from recycling.models.stock import StockLot
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.bookings.linked import refuse_part
from recycling.usecases.live.links import public_address
from recycling.usecases.queries.bookings import find_booking
from recycling.usecases.queries.receipts import PROOF_BYTES, station_names

PAGE = "/pages/certificates"


def certificate(booking_id: UUID, *, by: Principal, district: District, session: Session) -> dict[str, Any]:
    """What became of a booking's items, with the link that proves it.

    Raises
    ------
    NotFound
        When the caller has no booking of that id.
    Conflict
        When none of its items was weighed yet, or it is a further visit of another booking.
    """
    booking = find_booking(booking_id, by=by, session=session)
    refuse_part(booking)
    path = f"{PAGE}/{booking_id}/{_proof(booking_id)}"
    return _certified(booking, district=district, session=session) | {"path": path, "url": public_address.of(path)}


def public_certificate(booking_id: str, proof: str, *, district: District, session: Session) -> dict[str, Any]:
    """What anybody may know who holds a certificate: days, stations, items, masses, outlets; nothing of people.

    Raises
    ------
    NotFound
        When there is no such booking or the proof is not its own; both answer the same.
    """
    booking = _genuine(booking_id, proof, session=session)
    if booking is None:
        raise NotFound("no such certificate; compare the link with the printed code / 未找到该证明，请核对二维码")
    return _certified(booking, district=district, session=session)


def is_weighed(booking: Booking) -> bool:
    """Whether a station has weighed anything of a booking, so that there is a certificate."""
    return any(item.weighed_units for row in (booking, *booking.parts) for item in row.items)


def _certified(booking: Booking, *, district: District, session: Session) -> dict[str, Any]:
    lines = [
        _line(ticket, line, district=district, session=session) for ticket, line in _weighed(booking, session=session)
    ]
    if not lines:
        raise Conflict(
            "nothing of this booking was weighed yet; the certificate is there after the weigh-in at the station"
            " / 物品尚未过磅，站点过磅后即可出具证明"
        )
    return {
        "number": str(booking.id),
        "day": booking.day,
        "lines": lines,
        "units": sum(line["units"] for line in lines),
        "net_g": sum(line["net_g"] for line in lines),
        "made_up": any(line["made_up"] for line in lines),
    }


def _weighed(booking: Booking, *, session: Session) -> Sequence[tuple[IntakeTicket, IntakeLine]]:
    """The lines about the booking's visits on tickets as they were last corrected, in the sequence of weighing."""
    visits = select(Booking.id).where(with_parts(booking.id))
    wanted = (
        select(IntakeTicket, IntakeLine)
        .join(IntakeLine, IntakeLine.ticket_id == IntakeTicket.id)
        .where(IntakeLine.booking_id.in_(visits), newest())
        .order_by(IntakeTicket.weighed_at, IntakeTicket.id, IntakeLine.position)
    )
    return [(ticket, line) for ticket, line in session.execute(wanted)]


def _line(ticket: IntakeTicket, line: IntakeLine, *, district: District, session: Session) -> dict[str, Any]:
    outlets = _outlets(ticket, line, district=district, session=session)
    return {
        "kind": district.catalogue.item_type(line.item_type, on=ticket.day),
        "units": line.units,
        "net_g": line.net_g,
        "provenance": line.provenance,
        "missing_parts": line.missing_parts,
        "station": station_names(ticket.station_key, district),
        "ticket": f"{ticket.scale_number}-{ticket.number}",
        "weighed_on": ticket.day,
        "made_up": ticket.made_up,
        "outlets": outlets,
        "in_stock": line.units - sum(outlet["units"] for outlet in outlets),
    }


def _outlets(ticket: IntakeTicket, line: IntakeLine, *, district: District, session: Session) -> list[dict[str, Any]]:
    """To whom units of a line went, as far as it is known.

    Labelled units are followed one by one. Of the others it is known when all of their lot has left for one processor.
    """
    followed = (
        select(HandOver)
        .join(HandOverTag, HandOverTag.hand_over_id == HandOver.id)
        .join(WeighedTag, WeighedTag.tag == HandOverTag.tag)
        .where(WeighedTag.ticket_id == ticket.id, WeighedTag.position == line.position, WeighedTag.stands)
        .order_by(HandOver.handed_at)
    )
    found: dict[UUID, dict[str, Any]] = {}
    for batch in session.scalars(followed):
        found.setdefault(batch.id, _outlet(batch, district))["units"] += 1
    labelled = len(line.weighed_tags)
    whole = _whole_lot(ticket, line, session=session) if labelled < line.units else None
    if whole is not None:
        found.setdefault(whole.id, _outlet(whole, district))["units"] += line.units - labelled
    return list(found.values())


def _whole_lot(ticket: IntakeTicket, line: IntakeLine, *, session: Session) -> HandOver | None:
    """The newest batch with which a line's lot left, when nothing of the lot went elsewhere or is left."""
    lot = session.get(StockLot, (ticket.station_key, line.item_type, ticket.day))
    if lot is None or lot.left_units or lot.adjusted_units:
        return None
    batches = session.scalars(
        select(HandOver)
        .join(HandOverLine, HandOverLine.hand_over_id == HandOver.id)
        .where(
            HandOver.station_key == ticket.station_key, HandOverLine.item_type == line.item_type,
            HandOverLine.lot_day == ticket.day,
        )
        .order_by(HandOver.handed_at.desc())
    ).all()  # fmt: skip
    return batches[0] if len({batch.processor_key for batch in batches}) == 1 else None


def _outlet(batch: HandOver, district: District) -> dict[str, Any]:
    rows = [row for row in district.processors.current(on=batch.day) if row.key == batch.processor_key]
    named = rows[0] if rows else None
    return {
        "name_zh": batch.processor_key if named is None else named.name_zh,
        "name_en": batch.processor_key if named is None else named.name_en,
        "licence_number": batch.licence_number,
        "day": batch.day,
        "units": 0,
    }


def _genuine(booking_id: str, proof: str, *, session: Session) -> Booking | None:
    try:
        named = UUID(booking_id)
    except ValueError:
        return None
    # Compared in the same time whatever is wrong; as bytes, since a link may hold any character.
    if not hmac.compare_digest(_proof(named).encode(), proof.encode("utf-8", "replace")):
        return None
    booking = session.get(Booking, named)
    return booking if booking is not None and booking.part_of is None else None


def _proof(booking_id: UUID) -> str:
    """What a certificate's link carries beside the booking's id, which others know: guessing it takes 2^96 tries."""
    digest = keyring.digest(str(booking_id), context="certificate")
    return base64.urlsafe_b64encode(digest[:PROOF_BYTES]).decode()
