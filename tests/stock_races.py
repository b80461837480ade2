"""Two at one station's stock at once: the second comes while the first has read the lots and not yet written."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Event, Thread

import pytest
from sqlalchemy import Select
from sqlalchemy.orm import Session

from recycling.models import stock
from recycling.models.stock import StockLot


def both_read_before_either_writes(
    monkeypatch: pytest.MonkeyPatch, first: Callable[[], object], second: Callable[[], object], *, lock: bool
) -> None:
    """Run both to their end; without ``lock`` nothing but the database keeps them apart."""
    reading, read = Event(), stock._in_sequence

    def slowly(own: Session, wanted: Select[StockLot]) -> Sequence[StockLot]:
        """Read the lots, and let somebody else read them before we write."""
        found = read(own, wanted)
        reading.set()
        time.sleep(0.3)
        return found

    monkeypatch.setattr(stock, "_in_sequence", slowly)
    if not lock:
        monkeypatch.setattr(stock, "_locked", lambda *_: True)
    threads = [Thread(target=first), Thread(target=second)]
    threads[0].start()
    assert reading.wait(5)
    threads[1].start()
    for thread in threads:
        thread.join(10)
