"""What the processor weighed of a batch (去向复磅), and a person's word on a large difference (差异处理)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, Forbidden, NotFound
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.custody import Step, WeighedTag, record_steps
from recycling.models.hand_over import HandOver, ResolutionCode, ReWeigh, ReWeighResolution
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.policy.plausible_mass import check_plausible
from recycling.usecases.custody.sight import seen_by

log = logger(__name__)


def re_weigh(
    hand_over_id: UUID,
    *,
    net_g: int,
    slip: str | None,
    by: Principal,
    district: District,
    session: Session,
    now: datetime,
) -> HandOver:
    """Write down the processor's net; outside the tolerance it is held for a person. A later one replaces it, held too
    when that one still is.

    Raises
    ------
    NotFound
        When the caller's station has no such batch.
    InvalidInput
        When the mass is out of all proportion to ours.
    """
    with atomic(session):
        batch = locked_batch(hand_over_id, by=by, session=session)
        check_plausible(net_g, table_g=batch.net_g, goods=f"batch {batch.number}", fields="net_g")
        difference_g = net_g - batch.net_g
        # Another re-weigh does not do away with a difference that waits for a second person: they see both.
        newest = batch.re_weighs[-1] if batch.re_weighs else None
        waits = newest is not None and newest.held and newest.resolution is None
        held = waits or not district.stock.within_tolerance(difference_g, ours_g=batch.net_g)
        made = ReWeigh(
            hand_over_id=batch.id, number=len(batch.re_weighs) + 1, net_g=net_g, difference_g=difference_g, held=held,
            slip=slip, by_id=by.id, at=now,
        )  # fmt: skip
        batch.re_weighs.append(made)
        session.flush()
        facts = {"hand_over_id": str(batch.id), "processor_key": batch.processor_key}
        there = select(WeighedTag.tag).where(WeighedTag.stands, WeighedTag.hand_over_id == batch.id)
        steps = [Step(tag, "reweighed", facts) for tag in session.scalars(there.order_by(WeighedTag.tag))]
        record_steps(session, steps, by=by, now=now)
        audit(
            session, action="hand_over.re_weighed", subject=batch.id, by=by, now=now,
            facts={"number": made.number, "net_g": net_g, "difference_g": difference_g, "held": held},
        )  # fmt: skip
    log.info("hand_over.re_weighed", hand_over_id=str(hand_over_id), difference_g=difference_g, held=held)
    return batch


def resolve_difference(
    hand_over_id: UUID, *, code: ResolutionCode, reason: str, by: Principal, session: Session, now: datetime
) -> HandOver:
    """Settle the newest difference that is held: by somebody who neither handed the batch over nor wrote it down.

    Raises
    ------
    NotFound
        When the caller may see no such batch.
    Conflict
        When nothing of it is held, or the difference is settled already.
    Forbidden
        When the caller had a hand in it.
    """
    with atomic(session):
        batch = locked_batch(hand_over_id, by=by, session=session)
        newest = batch.re_weighs[-1] if batch.re_weighs else None
        if newest is None or not newest.held:
            raise Conflict(f"nothing of batch {batch.number} is held; there is nothing to settle / 该批次无待处理差异")
        if newest.resolution is not None:
            raise Conflict(f"the difference of batch {batch.number} is settled already / 该批次差异已处理")
        if by.id in (newest.by_id, batch.keeper_id):
            raise Forbidden(
                "a difference is settled by a second person, who neither handed the batch over nor wrote the re-weigh"
                " down / 差异须由移交人、复磅登记人以外的人员处理"
            )
        session.add(
            ReWeighResolution(
                hand_over_id=batch.id, number=newest.number, code=code, reason=reason, weighed_by_id=newest.by_id,
                handed_by_id=batch.keeper_id, by_id=by.id, at=now,
            )
        )  # fmt: skip
        session.flush()
        session.expire(newest, ["resolution"])
        audit(
            session, action="hand_over.resolved", subject=batch.id, by=by, now=now,
            facts={"number": newest.number, "code": code, "difference_g": newest.difference_g},
        )  # fmt: skip
    return batch


def locked_batch(hand_over_id: UUID, *, by: Principal, session: Session) -> HandOver:
    """A batch that the caller may see, locked: two who write to it number what they write one after the other."""
    wanted = select(HandOver).where(HandOver.id == hand_over_id, seen_by(by, HandOver.station_key))
    locked = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    batch = session.scalar(locked)
    if batch is None:
        raise NotFound(f"no hand-over {hand_over_id} of yours / 未找到该移交批次")
    return batch
