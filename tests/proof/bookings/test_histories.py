"""Whatever residents, dispatchers and the clock do in whatever sequence: each promise keeps one place that is real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import DomainError, PlanRejected
from recycling.models.booking import Booking
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.routing.check import violations
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem
from recycling.routing.solve import solve
from recycling.routing.standing import standing_plan
from recycling.usecases.bookings.book_pickup import HOLD, book_pickup, confirm_hold, drop_hold, hold_pickup
from recycling.usecases.bookings.change_pickup import amend_pickup, cancel_pickup
from recycling.usecases.bookings.free_lapsed import free_lapsed
from recycling.usecases.bookings.offer_slots import offer_slots
from recycling.usecases.bookings.promise import Wish, WishedItem
from recycling.usecases.bookings.tentative import DayDraft, boards
from recycling.usecases.planning.improve_day import improve_day
from recycling.usecases.queries.invariants import INVARIANTS
from tests.builders import a_resident, a_wish
from tests.conftest import NOW, empty
from tests.planned_days import TRUCK, VAN, a_published_plan, with_vehicles
from tests.proof.harness import Proof, Size

# (runs, steps) by size and engine
RUNS = {
    "small": {"sqlite": (5, 20), "postgresql": (2, 20)},
    "full": {"sqlite": (300, 50), "postgresql": (300, 50)},
    "release": {"sqlite": (20_000, 100), "postgresql": (2_000, 100)},
}
CONTROL_RUNS = 100  # at most: the first that finds the fault ends it
OF_BOOKINGS = ("I-1", "I-3", "I-4", "I-5", "I-6", "I-7", "I-8", "I-21", "I-28")
WATCHED = [one for one in INVARIANTS if one.key in OF_BOOKINGS and not one.by_clock]

ITEMS = (
    [WishedItem(item_type="fridge", quantity=1)],
    [WishedItem(item_type="sofa-three", quantity=1), WishedItem(item_type="microwave", quantity=1)],
    [WishedItem(item_type="washer-top", quantity=2)],
    [WishedItem(item_type="chair-dining", quantity=6)],
)
WINDOWS = ("08-10", "10-12", "13-15", "15-17", "all-day")
windows, items, floors = st.sampled_from(WINDOWS), st.sampled_from(ITEMS), st.sampled_from((1, 6))
ahead, picks = st.integers(1, 3), st.integers(0, 50)
wishes = st.fixed_dictionaries({"pickup_window": windows, "items": items, "floor": floors})


class Histories(RuleBasedStateMachine):
    """Two residents, a dispatcher and a clock over one truck and one van."""

    session: Session
    district: District
    done: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.session.rollback()
        empty(self.session)
        self.now = NOW
        self.latest = NOW  # what had lapsed by then may be gone, whatever the clock says since
        self.people = [a_resident(self.session, now=NOW) for _ in range(2)]
        self.desk = Principal(id=SYSTEM.id, role="dispatcher")
        self.states: dict[UUID, str] = {}
        self.versions: dict[UUID, int] = {}
        self.holds: dict[UUID, datetime] = {}
        self.owner: dict[UUID, Principal] = {}

    # --- what people do -----------------------------------------------------------------------------------------------

    @rule(wish=wishes, who=st.booleans(), days=ahead)
    def hold(self, wish: dict[str, Any], who: bool, days: int) -> None:  # noqa: FBT001
        """Ask for windows, and hold the wished one."""
        by = self.people[who]
        wished = self._wish(wish, days)
        with self._allowed("hold"):
            offers = offer_slots(wished, by=by, **self._at, explain=False)
            of_day = [one for day in offers if day.day == wished.day for one in day.windows]
            offered = {one.pickup_window for one in of_day if one.fit is not None}
            if wished.pickup_window in offered:
                held = hold_pickup(wished, by=by, **self._at)
                self.holds[held.id], self.states[held.id], self.owner[held.id] = self.now + HOLD, "held", by

    @precondition(lambda self: self.holds)
    @rule(pick=picks)
    def confirm(self, pick: int) -> None:
        """Confirm a hold, lapsed or not."""
        hold_id = self._picked(self.holds, pick)
        with self._allowed("confirm"):
            booking = confirm_hold(hold_id, by=self.owner[hold_id], **self._at)
            assert self.holds.pop(hold_id) > self.now, "a lapsed hold was confirmed"
            self.states[hold_id], self.versions[hold_id] = "booked", booking.version

    @precondition(lambda self: self.holds)
    @rule(pick=picks)
    def drop(self, pick: int) -> None:
        """Give a hold up."""
        hold_id = self._picked(self.holds, pick)
        with self._allowed("drop"):
            drop_hold(hold_id, by=self.owner[hold_id], **self._at)
            del self.holds[hold_id], self.states[hold_id]

    @rule()
    def sweep(self) -> None:
        """Free what has lapsed."""
        with self._allowed("sweep"):
            free_lapsed(**self._at)

    @rule(wish=wishes, who=st.booleans(), days=ahead, at_desk=st.booleans())
    def book(self, wish: dict[str, Any], who: bool, days: int, at_desk: bool) -> None:  # noqa: FBT001
        """Book at once, oneself or by the dispatcher on the phone."""
        resident = self.people[who]
        by = self.desk if at_desk else resident
        more: dict[str, Any] = {"resident_id": resident.id, "consent": "phone"} if at_desk else {}
        with self._allowed("book for" if at_desk else "book"):
            booking = book_pickup(self._wish(wish, days), by=by, **self._at, **more)
            self.states[booking.id], self.versions[booking.id] = "booked", booking.version
            self.owner[booking.id] = resident

    @precondition(lambda self: self.versions)
    @rule(
        pick=picks, days=ahead, lat=st.sampled_from((34.79, 34.8, 34.83)), wish=wishes,
        fields=st.sets(st.sampled_from(("pickup_window", "items", "floor", "day", "lat")), min_size=1),
    )  # fmt: skip
    def amend(self, pick: int, days: int, lat: float, wish: dict[str, Any], fields: set[str]) -> None:
        """Change day, window, items, floor or place."""
        booking_id = self._picked(self.versions, pick)
        everything = wish | {"day": self._wish(wish, days).day, "lat": lat}
        changes = {name: everything[name] for name in sorted(fields)}
        with self._allowed("amend"):
            booking = amend_pickup(
                booking_id, changes, version=self.versions[booking_id], by=self.owner[booking_id], **self._at
            )
            self.versions[booking_id] = booking.version

    @precondition(lambda self: self.versions)
    @rule(pick=picks, at_desk=st.booleans())
    def cancel(self, pick: int, at_desk: bool) -> None:  # noqa: FBT001
        """Cancel, oneself or at the desk."""
        booking_id = self._picked(self.versions, pick)
        by = self.desk if at_desk else self.owner[booking_id]
        with self._allowed("cancel"):
            cancel_pickup(booking_id, version=self.versions[booking_id], by=by, **self._at)
            self.states[booking_id] = "cancelled"
            del self.versions[booking_id]

    # --- what the jobs do ---------------------------------------------------------------------------------------------

    @rule(days=ahead)
    def publish(self, days: int) -> None:
        """Plan a day and publish the plan."""
        day = self._wish({}, days).day
        with self._allowed("publish"):
            a_published_plan(self.session, district=self.district, now=self.now, day=day)

    @rule(days=ahead)
    def improve(self, days: int) -> None:
        """Let the planner work on a day's tentative routes."""
        day = self._wish({}, days).day
        with self._allowed("improve"):
            improve_day(day, **self._at, seconds=5, workers=0, seed=1, solve=_insertion)

    @rule(minutes=st.sampled_from((1, 9, 11, 240)))
    def wait(self, minutes: int) -> None:
        """Some time passes."""
        self._set(self.now + timedelta(minutes=minutes))

    @rule()
    def pass_midnight(self) -> None:
        """The next day begins: 16:00 UTC is midnight in Xuecheng."""
        past = (self.now - timedelta(hours=16)).replace(hour=0, minute=0, second=0)
        self._set(past + timedelta(days=1, hours=16))

    @rule()
    def set_clock_back(self) -> None:
        """Somebody corrects a clock that was an hour fast."""
        self._set(self.now - timedelta(hours=1))

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def everything_is_kept(self) -> None:
        """Rows, routes and what people were told agree, and the routes can be driven."""
        self.session.rollback()
        broken = {one.rule: [tuple(row) for row in one.breaches(self.session, self.now)] for one in WATCHED}
        assert not any(broken.values()), {rule: rows for rule, rows in broken.items() if rows}
        rows = self.session.execute(select(Booking.id, Booking.state, Booking.day))
        stored = {row.id: (row.state, row.day) for row in rows}
        for hold_id in [one for one, until in self.holds.items() if one not in stored and until <= self.latest]:
            del self.holds[hold_id], self.states[hold_id]
        assert {key: state for key, (state, _) in stored.items()} == self.states
        days = {day for _, day in stored.values()}
        for board in boards(self.session, sorted(days), district=self.district).values():
            if board is not None:
                assert violations(*standing_plan(board.frame, board.routes)) == []
        self.session.rollback()

    @property
    def _at(self) -> dict[str, Any]:
        return {"district": self.district, "session": self.session, "now": self.now}

    def _wish(self, wish: dict[str, Any], days: int) -> Wish:
        """The wish on the so-manieth bookable day."""
        bookable = self.district.booking_rules.bookable_days(now=self.now, calendar=self.district.calendar)
        return replace(a_wish(**wish), day=bookable[days - 1])

    def _picked(self, some: dict[UUID, Any], pick: int) -> UUID:
        return list(some)[pick % len(some)]

    def _set(self, now: datetime) -> None:
        self.now, self.latest = now, max(self.latest, now)

    @contextmanager
    def _allowed(self, what: str) -> Iterator[None]:
        """The domain may refuse; it may not fail, and it counts."""
        try:
            yield
        except PlanRejected:
            raise
        except DomainError as refusal:
            self.session.rollback()
            self.done[f"refused: {refusal.code}"] += 1
        else:
            self.done[what] += 1


def _insertion(problem: Problem, **_: Any) -> Plan:
    return solve(problem, seconds=5, workers=0)


def test_every_history_keeps_every_promise(
    session: Session, district: District, size: Size, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given residents, a dispatcher and a clock
    bind = session.get_bind().dialect.name
    runs, steps = RUNS[size][bind]
    # when they do what they like, and when a cancellation forgets to free its place
    kept = _played(session, district, runs=runs, steps=steps)
    monkeypatch.setattr(DayDraft, "release", lambda _self, _key: None)
    found = ""
    try:
        _played(session, district, runs=CONTROL_RUNS, steps=steps, only_look=True)
    except AssertionError as error:
        found = str(error).split("/")[0][:40]
    # then all rules hold after each step; the forgotten place is found
    acts = sum(count for what, count in kept.items() if not what.startswith("refused"))
    proof.record(
        name="histories",
        figure=f"0 broken in {runs} runs × {steps} steps; {acts} done, {kept.total() - acts} refused",
        target="0 broken",
        control=f"release off: {'found' if found else 'not found'}",
        ok=bool(found),
    )
    if size != "small":
        assert {"hold", "confirm", "drop", "book", "book for", "amend", "cancel", "publish", "improve"} <= set(kept)


def _played(
    session: Session, district: District, *, runs: int, steps: int, only_look: bool = False
) -> Counter[str]:  # fmt: skip
    """Play so many histories; raises `AssertionError` at one that breaks a rule, made short unless ``only_look``."""
    done = Counter[str]()
    machine = type(
        "Played", (Histories,),
        {"session": session, "district": with_vehicles(district, TRUCK, VAN), "done": done},
    )  # fmt: skip
    phases = (Phase.generate,) if only_look else (Phase.generate, Phase.shrink)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs, stateful_step_count=steps, deadline=None, database=None, phases=phases,
            suppress_health_check=list(HealthCheck), print_blob=False,
        ),
    )  # fmt: skip
    return done
