"""What a message about the running day says beside its stored facts (最新预计): worked out when it is put into words.

An estimate stored with the message would be old when it is sent, and a link stored in the outbox would open the page to
whoever reads that table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from recycling.models.outbox import booking_told_of
from recycling.policy.district import District
from recycling.usecases.live.late_visits import interval_facts
from recycling.usecases.live.links import public_address, tracking_path
from recycling.usecases.live.live_routes import live_route_of

WITH_ESTIMATE = frozenset({"visit.on_the_way", "visit.late"})


def fresh_facts(
    kind: str, facts: Mapping[str, Any], *, district: District, session: Session, now: datetime
) -> dict[str, Any]:
    """The estimate and the link of a message about a visit to come; nothing for any other."""
    booking_id = booking_told_of(facts)
    if kind not in WITH_ESTIMATE or booking_id is None:
        return {}
    day = date.fromisoformat(facts["day"])
    route = live_route_of(session, booking_id, day, district=district, now=now)
    session.rollback()
    link = public_address.of(tracking_path(booking_id, day))
    return interval_facts(route, booking_id) | ({} if link is None else {"link": link})
