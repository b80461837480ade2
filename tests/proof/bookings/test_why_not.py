"""A window that is not offered comes with changes that open it: each of them, made, gets the window offered."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from recycling.cli.demo_day import made_up_wishes
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing.board import Board
from recycling.usecases.bookings.offer_slots import OfferedDay, offer_slots
from recycling.usecases.bookings.promise import Wish
from recycling.usecases.bookings.tentative import boards, changing, propose
from tests.builders import TOMORROW, a_resident
from tests.conftest import NOW
from tests.proof.bookings.played import judged_on
from tests.proof.harness import Proof, Size

REFUSALS = {"small": 12, "full": 100, "release": 1000}
FILLING = 330  # wishes asked for, one after the other: more than the fleet can serve on a day


@dataclass(slots=True)
class Tried:
    """What became of the changes that were named."""

    refusals: int = 0
    without_change: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    false: int = 0
    altered: int = 0
    altered_false: int = 0


def test_a_change_that_is_named_opens_the_window(
    session: Session, district: District, size: Size, proof: Proof
) -> None:
    # given days filled by made-up residents until little fits any more
    by = a_resident(session, now=NOW)
    _fill(session, district)
    # when residents ask for it, and each is told of every window that is shut what would open it
    tried = Tried()
    for wish in _asking(district):
        if tried.refusals >= REFUSALS[size]:
            break
        _try_all(wish, tried, by=by, district=district, session=session)
    # then each change, made, opens it; the same change with a window that is shut is found false
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(tried.changes.items()))
    proof.record(
        name="changes named that do not open the window",
        figure=f"{tried.false} of {tried.changes.total()} ({kinds}); {tried.refusals} windows refused,"
        f" {tried.without_change} of them without a change",
        target="0",
        control=f"another window, shut: {tried.altered_false} of {tried.altered} found false",
        ok=tried.false == 0
        and tried.altered == tried.altered_false > 0
        and tried.changes.total() > 0
        and tried.refusals >= REFUSALS[size],
    )


def _asking(district: District) -> Iterator[Wish]:
    """Residents with more to ask than most: upper floors, things to take apart, many pieces."""
    rng = random.Random("why not")
    for number, wish in enumerate(made_up_wishes(district, TOMORROW + timedelta(days=1), count=10_000)):
        day = replace(wish, day=TOMORROW)
        if number % 3 != 1:
            day = replace(day, floor=rng.randint(3, 6), has_lift=False)
        if number % 3 != 0:
            kinds = district.catalogue.item_type
            items = [replace(item, dismantle=kinds(item.item_type, on=TOMORROW).dismantling) for item in day.items]
            day = replace(day, items=items)
        yield day


def _fill(session: Session, district: District) -> None:
    """Promise one wish after the other until the day is nearly full; the other days are as full, so that none helps."""
    board: Board | None = boards(session, [TOMORROW], district=district)[TOMORROW]
    assert board is not None
    windows = district.network.pickup_windows
    session.rollback()
    with atomic(session), changing(session, [TOMORROW], district=district, now=NOW) as drafts:
        draft = drafts[TOMORROW]
        for number, wish in enumerate(made_up_wishes(district, TOMORROW, count=FILLING)):
            judged = judged_on(wish, TOMORROW, district=district)
            window = windows[wish.pickup_window].window_s
            visit = judged.visit(f"filling-{number}", window)
            proposal = propose(draft.board, visit, window)
            if proposal is not None:
                draft.take(visit, window, proposal=proposal)
        filled = {route.vehicle: route for route in draft.board.routes}
    others = district.booking_rules.bookable_days(now=NOW, calendar=district.calendar)[1:]
    with atomic(session), changing(session, others, district=district, now=NOW) as drafts:
        for day in others:
            drafts[day].replace_all(filled)


def _try_all(wish: Wish, tried: Tried, *, by: Principal, district: District, session: Session) -> None:
    offered = offer_slots(wish, by=by, district=district, session=session, now=NOW)
    shut_here = _shut(offered)
    for window in offered[0].windows:
        if window.refusal is None:
            continue
        tried.refusals += 1
        changes = window.refusal.changes
        tried.without_change += not changes
        for change in changes:
            tried.changes[change.kind] += 1
            tried.false += not _opens(change.wish, by=by, district=district, session=session)
        # The control: the same answer naming a window that is shut, for the wish as it is.
        for key in shut_here[:1]:
            tried.altered += 1
            wrong = replace(wish, pickup_window=key)
            tried.altered_false += not _opens(wrong, by=by, district=district, session=session)


def _shut(offered: list[OfferedDay]) -> list[str]:
    return [window.pickup_window for window in offered[0].windows if window.fit is None]


def _opens(wish: Wish, *, by: Principal, district: District, session: Session) -> bool:
    """Whether the wish is offered its own window on its own day."""
    days = offer_slots(wish, by=by, district=district, session=session, now=NOW, explain=False)
    return any(
        day.day == wish.day and window.pickup_window == wish.pickup_window and window.fit is not None
        for day in days
        for window in day.windows
    )
