"""Whoever changes a station's stock holds its book: one find is booked once, and nobody waits in a circle."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from recycling.errors import Busy
from recycling.models import stock
from recycling.models.stock import StockCountLine, StockLot, locked_lots
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.custody.count_stock import Counted, count_stock
from recycling.usecases.intake.weigh_in import weigh_in
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_weighing
from tests.stock_races import both_read_before_either_writes


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "control"])
def test_two_who_count_an_empty_shelf_at_once_book_one_find(
    *, lock: bool, session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = session.get_bind()
    if engine.dialect.name == "sqlite" and not lock:
        pytest.skip("SQLite has one writer at a time; there is no lock to take away")
    # given a station with fridges and no fan on the books
    weigh_in(a_weighing(), scale_number="1", by=a_keeper(), district=district, session=session, now=now)
    session.rollback()

    def count() -> None:
        with Session(engine) as own:
            fan = Counted(item_type="fan", units=1, reason="found")
            count_stock([fan], by=a_keeper(), district=district, session=own, now=now + timedelta(hours=1))

    # when two find the same fan
    both_read_before_either_writes(monkeypatch, count, count, lock=lock)
    # then one of them books it, and the other finds it on the books; without the lock there are two of one fan
    found = session.scalars(select(StockCountLine.units).order_by(StockCountLine.units)).all()
    there = session.scalar(select(StockLot.left_units).where(StockLot.item_type == "fan"))
    assert (found, there) == (([0, 1], 1) if lock else ([1, 1], 2))
    assert_invariants(session)


@pytest.mark.parametrize("lock", [True, False], ids=["book", "control"])
def test_two_who_come_to_the_same_lots_in_another_sequence_do_not_wait_in_a_circle(
    *, lock: bool, session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = session.get_bind()
    if engine.dialect.name == "sqlite" and not lock:
        pytest.skip("SQLite has one writer at a time; nobody waits in a circle there")
    # given a lot of fridges and one of fans
    load = a_weighing(a_line("fridge", 1, 41_000), a_line("fan", 1, 4_000), net_g=45_000)
    weigh_in(load, scale_number="1", by=a_keeper(), district=district, session=session, now=now)
    session.rollback()
    both, busy = Barrier(2), []
    if not lock:  # each lot by itself, as it was before

        def lot_by_lot(own: Session, wanted: Select[StockLot]) -> Sequence[StockLot]:
            return own.scalars(wanted.order_by(StockLot.item_type, StockLot.day).with_for_update()).all()

        monkeypatch.setattr(stock, "_in_sequence", lot_by_lot)
        monkeypatch.setattr(stock, "_locked", lambda *_: True)

    def change(*item_types: str) -> None:
        with Session(engine) as own:
            try:
                with atomic(own):
                    both.wait(5)
                    for item_type in item_types:
                        locked_lots(own, "lincheng", [item_type])
                        time.sleep(0.3)
            except Busy as error:
                busy.append(error)

    # when two change both, one fridges first and one fans
    threads = [Thread(target=change, args=one) for one in (("fridge", "fan"), ("fan", "fridge"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    # then both do; without the book one of them is thrown out
    assert len(busy) == (0 if lock else 1)
