"""What a processor sends back lies in its lot again, its label in stock, and counts once wherever it goes next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, Forbidden, InvalidInput, NotFound
from recycling.models.audit import AuditRow
from recycling.models.hand_over import HandOver
from recycling.models.stock import StockLot
from recycling.policy.custody_tags import make_tag
from recycling.policy.district import District
from recycling.usecases.custody.hand_over import WantedUnits, hand_over
from recycling.usecases.custody.re_weigh import re_weigh
from recycling.usecases.custody.take_back import take_back
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.queries.custody import custody_trace
from recycling.usecases.queries.hand_overs import find_hand_over
from recycling.usecases.reporting.outflow import outflow_by_kind
from tests.builders import DISPATCHER
from tests.invariants import assert_invariants
from tests.loads import a_batch, a_keeper, a_line, a_weighing

TAGS = [make_tag(1), make_tag(2)]
TODAY = date(2026, 11, 23)  # of tests.conftest.NOW, in Shanghai
Back = Callable[..., HandOver]


@pytest.fixture
def batch(session: Session, district: District, now: datetime) -> HandOver:
    """Four fridges of 41 kg, two with labels, all handed over."""
    given: dict[str, Any] = {"by": a_keeper(), "district": district, "session": session, "now": now}
    weigh_in(a_weighing(a_line(units=4, tags=TAGS), net_g=164_000), scale_number="1", **given)
    return hand_over(a_batch(("fridge", 4), net_g=164_000), **given)


@pytest.fixture
def back(session: Session, batch: HandOver, now: datetime) -> Back:
    """Take something of it back on the next day."""

    def back(*tags: str, units: int = 0, **fields: Any) -> HandOver:
        lines = [WantedUnits(item_type="fridge", units=units)] if units else []
        given: dict[str, Any] = {"by": a_keeper(), "session": session, "now": now + timedelta(days=1)}
        return take_back(batch.id, lines=lines, tags=tags, note="非本厂处理范围", **given | fields)

    return back


def left(session: Session) -> list[tuple[int, int]]:
    return [(lot.left_units, lot.left_g) for lot in session.scalars(select(StockLot))]


def test_what_comes_back_is_in_its_lot_and_leaves_again(
    session: Session, district: District, now: datetime, batch: HandOver, back: Back
) -> None:
    # when a labelled fridge and one without a label come back
    made = back(TAGS[0].lower(), units=1)
    # then both lie in their lot with the grams they left with, and the batch says so
    assert left(session) == [(2, 82_000)]
    assert [(row.item_type, row.lot_day, row.units) for row in made.returned] == [("fridge", TODAY, 2)]
    assert len(find_hand_over(batch.id, by=a_keeper(), session=session)["returned"]) == 1
    said = select(AuditRow.facts).where(AuditRow.action == "hand_over.returned")
    assert [(facts["units"], facts["tags"]) for facts in session.scalars(said)] == [(2, 1)]
    assert_invariants(session)
    # and the outlets have two: four handed over, two taken off on the day of the return
    figures = [outflow_by_kind(TODAY, TODAY + timedelta(days=days), session=session)["kinds"] for days in (0, 1)]
    assert [sum(kind["units"] for kind in kinds) for kinds in figures] == [4, 2]
    # and a re-weigh is a step of the label that is still there alone
    re_weigh(batch.id, net_g=164_000, slip=None, by=DISPATCHER, district=district, session=session, now=now)
    assert custody_trace(TAGS[1], session=session)["steps"][-1]["kind"] == "reweighed"
    # when the labelled one leaves with another batch, it is handed over a second time
    later = now + timedelta(days=2)
    hand_over(a_batch(tags=TAGS[:1], net_g=41_000), by=a_keeper(), district=district, session=session, now=later)
    kinds = [step["kind"] for step in custody_trace(TAGS[0], session=session)["steps"]]
    assert kinds == ["station", "lot", "outlet", "returned", "outlet"]
    assert left(session) == [(1, 41_000)]
    assert_invariants(session)
    # and not out of the first one again: the control is a label that leaves stock once
    with pytest.raises(Conflict, match="did not leave with batch 1, or is back"):
        back(TAGS[0])


def test_more_than_is_there_does_not_come_back(session: Session, back: Back) -> None:
    back(units=1)
    with pytest.raises(Conflict, match="1 fridge without a label are with the processor of batch 1, and 2 are to come"):
        back(units=2)
    back(TAGS[0])
    with pytest.raises(Conflict, match="is back"):
        back(TAGS[0])
    # the last of a line brings all grams that are left of it
    back(TAGS[1], units=1)
    assert left(session) == [(4, 164_000)]
    assert_invariants(session)


def test_only_the_keeper_of_the_station_takes_back_and_something_is_named(session: Session, back: Back) -> None:
    with pytest.raises(Forbidden):
        back(TAGS[0], by=DISPATCHER)
    with pytest.raises(NotFound):
        back(TAGS[0], by=a_keeper("shagou"))
    with pytest.raises(InvalidInput, match="both empty"):
        back()
    assert left(session) == [(0, 0)]
