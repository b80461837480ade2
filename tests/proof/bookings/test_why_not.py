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
from recycling.routing.standing import StandingRoute
from recycling.usecases.bookings.offer_slots import OfferedDay, offer_slots
from recycling.usecases.bookings.promise import Wish
from recycling.usecases.bookings.proposals import propose
from recycling.usecases.bookings.tentative import boards, changing, exchange
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
    without_change: Counter[str] = field(default_factory=Counter)  # by what is in the way
    overlooked: int = 0  # of these, one piece alone would have fitted
    one_piece: int = 0  # the same measure of the windows with a change
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
    tried = _asked(REFUSALS[size], by=by, district=district, session=session)
    # then each change, made, opens it; the same change with a window that is shut is found false
    _record(proof, tried, name="changes named that do not open the window", least=REFUSALS[size])
    # and where none is named, not even one of the pieces, ready at the street, has a place in that window on any day
    without = tried.without_change.total()
    proof.record(
        name="windows without a change though one piece alone would fit",
        figure=f"{tried.overlooked} of {without} without a change ({_counted(tried.without_change)} in the way),"
        f" of {tried.refusals} refused",
        target="0",
        control=f"of {tried.refusals - without} with a change: {tried.one_piece} found",
        ok=tried.overlooked == 0 and tried.one_piece > 0,
    )


def test_a_change_of_day_that_is_named_opens_the_window(
    session: Session, district: District, size: Size, proof: Proof
) -> None:
    # given the same, but from the fifth day on one crew or two are still at home, others each day
    by = a_resident(session, now=NOW)
    _fill(session, district, at_home_from=4)
    tried = _asked(REFUSALS[size], by=by, district=district, session=session)
    _record(proof, tried, name="the same, with room on later days", least=REFUSALS[size])
    assert tried.changes["day"] > 0


def _asked(most: int, *, by: Principal, district: District, session: Session) -> Tried:
    tried = Tried()
    for wish in _asking(district):
        if tried.refusals >= most:
            break
        _try_all(wish, tried, by=by, district=district, session=session)
    return tried


def _record(proof: Proof, tried: Tried, *, name: str, least: int) -> None:
    proof.record(
        name=name,
        figure=f"{tried.false} of {tried.changes.total()} ({_counted(tried.changes)}),"
        f" {tried.refusals} windows refused, {tried.without_change.total()} without a change",
        target="0",
        control=f"another window, shut: {tried.altered_false} of {tried.altered} found false",
        ok=tried.false == 0
        and tried.altered == tried.altered_false > 0
        and tried.changes.total() > 0
        and tried.refusals >= least,
    )


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


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


def _fill(session: Session, district: District, *, at_home_from: int = 100) -> None:
    """Promise one wish after the other until the day is nearly full; the other days are as full, so that none helps.

    From the day ``at_home_from`` on, vehicles take turns to stand at home.
    """
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
        filled = draft.board
    others = district.booking_rules.bookable_days(now=NOW, calendar=district.calendar)[1:]
    with atomic(session), changing(session, others, district=district, now=NOW) as drafts:
        for number, day in enumerate(others, start=1):
            standing = filled.on(day)
            for n, route in enumerate(filled.routes):
                if number >= at_home_from and n % len(others) == number:
                    standing.put(StandingRoute(vehicle=route.vehicle))
            drafts[day].replace_all(exchange(drafts[day].board, standing))


def _try_all(wish: Wish, tried: Tried, *, by: Principal, district: District, session: Session) -> None:
    offered = offer_slots(wish, by=by, district=district, session=session, now=NOW)
    shut_here = _shut(offered)
    one_piece = _open_for_one_piece(wish, by=by, district=district, session=session) if shut_here else set()
    for window in offered[0].windows:
        if window.refusal is None:
            continue
        tried.refusals += 1
        changes = window.refusal.changes
        if changes:
            tried.one_piece += window.pickup_window in one_piece
        else:
            tried.without_change[window.refusal.skill or window.refusal.binding] += 1
            tried.overlooked += window.pickup_window in one_piece
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


def _open_for_one_piece(wish: Wish, *, by: Principal, district: District, session: Session) -> set[str]:
    """Windows that are offered on some day to one piece of the wish, carried down and taken apart."""
    found = set()
    for item in wish.items:
        alone = replace(wish, floor=1, items=[replace(item, quantity=1, dismantle=False)])
        days = offer_slots(alone, by=by, district=district, session=session, now=NOW, explain=False)
        found |= {window.pickup_window for day in days for window in day.windows if window.fit is not None}
    return found


def _opens(wish: Wish, *, by: Principal, district: District, session: Session) -> bool:
    """Whether the wish is offered its own window on its own day."""
    days = offer_slots(wish, by=by, district=district, session=session, now=NOW, explain=False)
    return any(
        day.day == wish.day and window.pickup_window == wish.pickup_window and window.fit is not None
        for day in days
        for window in day.windows
    )
