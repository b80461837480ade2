"""A peer's sequences as a plan that keeps every rule: mended for free, outside its time."""

from __future__ import annotations

from collections.abc import Sequence

from recycling.routing.check import violations
from recycling.routing.day import Day
from recycling.routing.draft import Draft, complete
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem
from recycling.routing.solve import checked_plan


class Repair:
    """Mends answers to one problem.

    Unloads and breaks are placed exactly, stops that break a rule leave their route, what is left out goes in where it
    pays, and what costs more than leaving it out comes out.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem, self._day = problem, Day(problem)

    def plan(self, sequences: Sequence[Sequence[int]]) -> Plan:
        """The mended plan.

        Raises
        ------
        RuntimeError
            When the checker objects to it even so: then the repair is at fault, not the peer.
        """
        draft = complete(Draft(self._day), tuple(tuple(row) for row in sequences))
        self._drop_what_does_not_pay(draft)
        plan = checked_plan(draft)
        found = violations(self._problem, plan)
        if found:
            raise RuntimeError(f"the repaired plan breaks a rule: {found[0].text}")
        return plan

    def _drop_what_does_not_pay(self, draft: Draft) -> None:
        for vehicle in range(len(draft.routes)):
            cheaper = True
            while cheaper:
                cheaper = self._drop_one(draft, vehicle)

    def _drop_one(self, draft: Draft, vehicle: int) -> bool:
        timed = draft.routes[vehicle]
        if timed is None:
            return False
        locked = set(self._day.rigs[vehicle].locked)
        for n, stop in enumerate(timed.stops):
            price = self._problem.stops[stop].skip_cost
            if price is None or price >= timed.cost or stop in locked:
                continue
            rest = timed.stops[:n] + timed.stops[n + 1 :]
            shorter = draft.time(vehicle, rest) if rest else None
            if timed.cost - (0 if shorter is None else shorter.cost) > price and (shorter is not None or not rest):
                draft.put(vehicle, shorter)
                return True
        return False
