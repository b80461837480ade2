"""Invariants of people: what is left of an erased one, and the counters of address books."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from recycling.models.addresses import AddressBook, SavedAddress
from recycling.models.booking import Booking
from recycling.models.people import Resident, SignIn
from recycling.usecases.queries.invariants.rule import Breaches, differences, invariant, rows


@invariant("I-26", "删除后只留台账数字 / of an erased person only ledger figures are left")
def erased_people_are_gone(session: Session, _now: datetime) -> Breaches:
    """Pseudonyms with a place, an address, or a device that is still signed in."""
    whose = Resident.id
    left = or_(
        exists().where(Booking.resident_id == whose, Booking.place_blanked_at.is_(None)),
        exists().where(SavedAddress.resident_id == whose),
        exists().where(SignIn.resident_id == whose, SignIn.ended_at.is_(None)),
    )
    return rows(session, select(whose).where(and_(Resident.erased_at.is_not(None), left)))


@invariant("I-26", "地址簿计数相符 / an address book counts the addresses that are saved")
def address_books_count_their_addresses(session: Session, _now: datetime) -> Breaches:
    """Residents whose counter is another number than that of their rows."""
    owner = SavedAddress.resident_id
    return differences(
        session,
        1,
        select(AddressBook.resident_id, AddressBook.used),
        select(owner, func.count()).group_by(owner),
    )
