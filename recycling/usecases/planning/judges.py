"""The plans that dispatchers have in hand: a few per process, ready to be judged, so that a verdict is quick."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from recycling.errors import NotFound
from recycling.models.plan import Plan
from recycling.routing.plan import plan_from_json
from recycling.routing.problem import problem_from_json
from recycling.routing.verdict import Judge
from recycling.usecases.planning.road_travel import unpacked

MOST_HELD = 4  # plans; one of 1,000 stops takes about 30 MB with its ways


@dataclass(slots=True)
class _Held:
    """One plan's judge, and who may use it now."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    judge: Judge | None = None


class Judges:
    """Makes each plan's judge once and keeps the last few. For any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[UUID, _Held] = OrderedDict()

    @contextmanager
    def of(self, plan_id: UUID, *, session: Session) -> Iterator[Judge]:
        """The plan's judge, for one caller at a time.

        Raises
        ------
        NotFound
            When there is no such plan, or its problem has been blanked since; then nothing of it is held either.
        """
        row = session.execute(select(Plan.blanked_at).where(Plan.id == plan_id)).one_or_none()
        if row is None:
            raise NotFound(f"no plan {plan_id}; list them with GET /plans?day=")
        if row.blanked_at is not None:
            with self._lock:
                self._held.pop(plan_id, None)
            raise NotFound(
                f"the places of plan {plan_id} were blanked when their time was over; it can be read, not changed"
                " / 计划中的位置信息已到期清除，不能再改"
            )
        with self._lock:
            held = self._held.setdefault(plan_id, _Held())
            self._held.move_to_end(plan_id)
            while len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
        with held.lock:
            if held.judge is None:
                plan = session.scalars(
                    select(Plan)
                    .where(Plan.id == plan_id)
                    .options(undefer(Plan.problem), undefer(Plan.answer), undefer(Plan.travel))
                ).one()
                held.judge = Judge(problem_from_json(unpacked(plan)), plan_from_json(plan.answer))
            yield held.judge
