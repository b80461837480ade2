"""Find, or on their word make, the resident who calls by phone or stands in the shop (代办查询)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.logs import logger, mask_phones
from recycling.models.audit import audit
from recycling.models.counters import spend_attempt
from recycling.models.people import Resident, phone_index, resident_of
from recycling.models.privacy import Consent, ConsentWay, ResidentLookup
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District

log = logger(__name__)

HOUR_S = 3600
LOOKUPS_PER_STAFF = ((60, HOUR_S),)  # a call a minute, all hour long: more is no desk any more but a search


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Whom to find; with ``create``, how they agreed to having an account kept for them."""

    phone: str
    create: bool = False
    how: ConsentWay | None = None


def look_up_resident(
    wish: LookUp, *, by: Principal, district: District, session: Session, now: datetime
) -> dict[str, Any]:
    """Find the resident of a phone, make one when asked to; either way the look-up is written down and counted.

    Raises
    ------
    InvalidInput
        When one is to be made without saying how they agreed.
    TooManyRequests
        When the caller has looked up too many in this hour.
    """
    if wish.create and wish.how is None:
        raise InvalidInput(
            "how is missing: send phone or shop, the way in which the resident agreed to the notice of"
            " GET /privacy-notice / 请注明居民同意隐私告知的方式（phone 或 shop）"
        )
    with atomic(session):
        spend_attempt(session, kind="resident_lookup", subject=str(by.id), limits=LOOKUPS_PER_STAFF, now=now)
        found = _known(wish.phone, session=session)
        created = found is None and wish.create
        if created:
            found = resident_of(session, wish.phone, now=now)
            session.add(
                Consent(
                    id=uuid4(), resident_id=found, at=now, how=wish.how, by_id=by.id,
                    notice_version=district.privacy.head.version,
                )
            )  # fmt: skip
        lookup = ResidentLookup(id=uuid4(), at=now, by_id=by.id, resident_id=found, created=created)
        session.add(lookup)
        # Not whom: the row of the look-up says so as long as it may.
        facts = {"found": found is not None, "created": created}
        audit(session, action="resident.looked_up", subject=lookup.id, by=by, now=now, facts=facts)
    log.info("resident.looked_up", lookup_id=str(lookup.id), by_id=str(by.id), created=created)
    return {
        "id": lookup.id,
        "at": now,
        "resident_id": found,
        "created": created,
        "phone_masked": mask_phones(wish.phone),
    }


def _known(phone: str, *, session: Session) -> UUID | None:
    return session.scalar(select(Resident.id).where(Resident.phone_index == phone_index(phone)))
