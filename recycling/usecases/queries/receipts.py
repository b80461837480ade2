"""Receipts of tickets: in full for those who see the ticket, and what a stranger with the QR code may know."""

from __future__ import annotations

import base64
import hmac
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import NotFound
from recycling.models.intake import IntakeTicket
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.live.links import public_address
from recycling.usecases.queries.intake import find_ticket

PAGE = "/pages/receipts"
# Of the ticket's mac: guessing one takes 2^96 tries, and it fits a QR code that a phone reads off soiled paper.
PROOF_BYTES = 12


def receipt(ticket_id: UUID, *, by: Principal, district: District, session: Session) -> dict[str, Any]:
    """A ticket as it is printed, with names instead of keys and the link that proves it.

    Raises
    ------
    NotFound
        When the caller sees no ticket of that id.
    """
    found = find_ticket(ticket_id, by=by, session=session)
    ticket = session.get_one(IntakeTicket, ticket_id)
    proof = _proof(ticket)
    path = f"{PAGE}/{ticket_id}/{proof}" if proof is not None else None
    return found | {
        "station": station_names(ticket.station_key, district),
        "lines": [
            {
                "kind": district.catalogue.item_type(line.item_type, on=ticket.day),
                "units": line.units, "net_g": line.net_g, "provenance": line.provenance,
                "missing_parts": line.missing_parts,
            }
            for line in ticket.lines
        ],
        "path": path,
        "url": public_address.of(path) if path is not None else None,
    }  # fmt: skip


def public_receipt(ticket_id: str, proof: str, *, district: District, session: Session) -> dict[str, Any]:
    """What anybody may know who holds a receipt: station, day, number, net and item types of what counts today.

    Raises
    ------
    NotFound
        When there is no such ticket or the proof is not its own; both answer the same.
    """
    printed = _genuine(ticket_id, proof, session=session)
    if printed is None:
        raise NotFound("no such receipt; compare the link with the printed code / 未找到该回执，请核对二维码")
    newest = printed
    while (newer := session.scalar(select(IntakeTicket).where(IntakeTicket.corrects_id == newest.id))) is not None:
        newest = newer
    return {
        "station": station_names(newest.station_key, district),
        "day": newest.day,
        "scale_number": newest.scale_number,
        "number": newest.number,
        "net_g": newest.net_g,
        "kinds": [district.catalogue.item_type(line.item_type, on=newest.day) for line in newest.lines],
        "replaces_number": printed.number if newest is not printed else None,
        "withdrawn": newest.net_g == 0,
        "made_up": newest.made_up,
    }


def station_names(station_key: str, district: District) -> dict[str, str]:
    """A station's names; its key when it was closed since and has left the configuration."""
    station = district.network.stations.get(station_key)
    if station is None:
        return {"name_zh": station_key, "name_en": station_key}
    return {"name_zh": station.name_zh, "name_en": station.name_en}


def _genuine(ticket_id: str, proof: str, *, session: Session) -> IntakeTicket | None:
    try:
        ticket = session.get(IntakeTicket, UUID(ticket_id))
    except ValueError:
        return None
    expected = _proof(ticket) if ticket is not None else None
    # Compared in the same time whatever is wrong; as bytes, since a link may hold any character.
    same = hmac.compare_digest((expected or "-").encode(), proof.encode("utf-8", "replace"))
    return ticket if expected is not None and same else None


def _proof(ticket: IntakeTicket) -> str | None:
    """The first bytes of the ticket's mac as text; ``None`` of a ticket from before tickets had one."""
    return base64.urlsafe_b64encode(ticket.mac[:PROOF_BYTES]).decode() if ticket.mac else None
