"""Two want what one can have, at the same instant: one gets it, the other hears why, and nothing is left over."""

from __future__ import annotations

import http.client
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from recycling.clock import utc_now
from recycling.models.booking import Booking
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from recycling.routing.board import Board
from recycling.routing.plan import Plan
from recycling.routing.problem import Problem
from recycling.routing.solve import solve
from recycling.routing.standing import timed_route
from recycling.usecases.bookings.book_pickup import hold_pickup
from recycling.usecases.bookings.free_lapsed import free_lapsed
from recycling.usecases.bookings.tentative import changing, exchange
from recycling.usecases.planning import improve_day as improving
from recycling.usecases.planning.publish_plan import publish_plan
from tests.planned_days import TRUCK, a_plan
from tests.proof.bookings.clients import Clients, Heard, Race, Request, clients_of
from tests.proof.harness import Proof, Size
from tests.servers import Server, serving

# (clients, rounds) by size and engine. With 0 failures in n rounds the true rate is below 3/n with 95 % confidence.
CROWDS = {
    "small": {"postgresql": (8, 3), "sqlite": (6, 3)},
    "full": {"postgresql": (50, 100), "sqlite": (16, 100)},
    "release": {"postgresql": (50, 500), "sqlite": (16, 500)},
}
# The control plays until it has failed so often, at most so many rounds.
ENOUGH, CONTROL_ROUNDS = {"small": 1, "full": 10, "release": 20}, 30
CREATED, OK = http.client.CREATED, http.client.OK
REFUSED = {http.client.NOT_FOUND, http.client.CONFLICT, http.client.PRECONDITION_FAILED}


@dataclass(slots=True)
class Rounds:
    """What came of all rounds of one race."""

    played: int = 0
    bad: int = 0
    failed: list[str] = field(default_factory=list)
    heard: Counter[tuple[int, str]] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def judge(self, heard: list[Heard], wrong: list[str]) -> None:
        """Count a round; ``wrong`` is what it broke."""
        self.heard.update((one.status, one.code) for one in heard)
        self.played += 1
        self.bad += bool(wrong)
        self.failed += wrong[:2]

    @property
    def unexpected(self) -> set[tuple[int, str]]:
        """Answers that no client should get: server errors, "busy" to the end, and any other."""
        return {one for one in self.heard if one[0] not in REFUSED | {CREATED, OK} or one[1] == "busy"}


Round = Callable[[Clients, Race, date, Rounds], tuple[list[Heard], list[str]]]


def last_place(clients: Clients, race: Race, day: date, rounds: Rounds) -> tuple[list[Heard], list[str]]:
    """All ask for the one place that is left."""
    clients.leave_one_place(day)
    heard, _ = race.run([_booking(clients, token, day) for token in clients.tokens])
    won = sum(one.status == CREATED for one in heard)
    rounds.outcomes.update(booked=won)
    return heard, [f"{won} got one place"] if won != 1 else []


def lapsing_hold(clients: Clients, race: Race, day: date, rounds: Rounds) -> tuple[list[Heard], list[str]]:
    """One confirms a hold of the last place as it lapses, the sweeper frees it, others want the place."""
    clients.leave_one_place(day)
    with clients.session() as session:
        now = utc_now()
        wish = clients.wish(day)
        held = hold_pickup(wish, by=clients.people[0], district=clients.district, session=session, now=now)
        # Nearly at once in every other round: where requests are quick, a later end seldom comes before all of them.
        lapses = utc_now() + timedelta(milliseconds=random.randint(1, 400 if rounds.played % 2 else 40))
        with atomic(session):
            session.execute(update(Booking).where(Booking.id == held.id).values(held_until=lapses))
        hold_id = held.id
    mine = [
        Request(method="POST", path=f"/holds/{hold_id}/confirmation", token=clients.tokens[0], key=str(uuid4()))
        for _ in range(clients.size // 2)
    ]
    others = [_booking(clients, token, day) for token in clients.tokens[clients.size // 2 :]]

    def sweep() -> list[str]:
        with clients.session() as session:
            try:
                while utc_now() < lapses + timedelta(milliseconds=100):
                    free_lapsed(district=clients.district, session=session, now=utc_now())
                    time.sleep(0.002)
            except IntegrityError as error:  # a hold that is a booking already, whose history holds on to it
                return [f"the sweeper ran into {type(error.orig).__name__}"]
            return []

    heard, (swept,) = race.run([*mine, *others], sweep)
    kept = {one.body["id"] for one in heard if one.status == CREATED}
    confirmed = sum(one.status == CREATED for one in heard[: len(mine)])
    rounds.outcomes.update(confirmed=confirmed, booked=len(kept) - bool(confirmed))
    wrong = [f"{len(kept)} got one place"] if len(kept) > 1 else []
    wrong += [f"confirmed {confirmed} times"] if confirmed > 1 else []
    if isinstance(swept, list):  # or it gave up its turn to somebody else
        wrong += swept
    return heard, wrong + _lost(clients, day, kept)


def amend_or_cancel(clients: Clients, race: Race, day: date, rounds: Rounds) -> tuple[list[Heard], list[str]]:
    """Half amend a booking and half cancel it, all having seen the same version."""
    with clients.session() as session:
        booking_id = clients.book(session, day).id
    seen = {"If-Match": '"1"'}
    path, token = f"/bookings/{booking_id}", clients.tokens[0]
    windows = ("10-12", "13-15", "15-17")
    requests = [
        Request(method="POST", path=f"{path}/cancellation", token=token, headers=seen)
        if number % 2
        else Request(method="PATCH", path=path, token=token, body={"pickup_window": windows[number % 3]}, headers=seen)
        for number in range(clients.size)
    ]
    heard, _ = race.run(requests)
    won = [number for number, one in enumerate(heard) if one.status == OK]
    rounds.outcomes.update("cancelled" if number % 2 else "amended" for number in won)
    return heard, [f"{len(won)} changed one version"] if len(won) != 1 else []


def publish_or_confirm(clients: Clients, race: Race, day: date, rounds: Rounds) -> tuple[list[Heard], list[str]]:
    """A plan is published while a hold of its day is confirmed and others book."""
    with clients.session() as session:
        clients.book(session, day)
        now = utc_now()
        afternoon = clients.wish(day, pickup_window="13-15")
        hold_id = hold_pickup(afternoon, by=clients.people[0], district=clients.district, session=session, now=now).id
        plan_id = a_plan(session, district=clients.district, now=now, day=day).id
    first = clients.size // 2
    requests = [
        Request(method="POST", path=f"/holds/{hold_id}/confirmation", token=clients.tokens[0], key=str(uuid4()))
        for _ in range(first)
    ] + [_booking(clients, token, day, pickup_window="15-17") for token in clients.tokens[first:]]

    def publish() -> str:
        # At once in every other round: of requests that need a connection first, it would seldom overtake one later.
        time.sleep(random.uniform(0, 0.3) if rounds.played % 2 else 0)
        with clients.session() as session:
            publish_plan(plan_id, replaces=None, by=SYSTEM, district=clients.district, session=session, now=utc_now())
            return "published"

    heard, (outcome,) = race.run(requests, publish)
    rounds.outcomes.update([outcome if isinstance(outcome, str) else outcome.code])
    return heard, _lost(clients, day, {one.body["id"] for one in heard if one.status == CREATED})


def improve_or_book(clients: Clients, race: Race, day: date, rounds: Rounds) -> tuple[list[Heard], list[str]]:
    """The planner swaps better routes in while bookings come and go."""
    with clients.session() as session:
        mine = [
            clients.book(session, day, floor=1, pickup_window="all-day", lat=34.79 + n * 0.012).id for n in range(5)
        ]
        with atomic(session), changing(session, [day], district=clients.district, now=utc_now()) as drafts:
            draft = drafts[day]
            visits = draft.board.route(TRUCK).visits
            worse = timed_route(draft.board.frame, TRUCK, [*visits[::2], *visits[1::2]])
            assert worse is not None
            other = draft.board.copy()
            other.put(worse)
            draft.replace_all(exchange(draft.board, other))
    others = [_booking(clients, token, day, floor=1, pickup_window="13-15") for token in clients.tokens[1:]]
    cancelling = Request(
        method="POST", path=f"/bookings/{mine[0]}/cancellation", token=clients.tokens[0], headers={"If-Match": '"1"'}
    )

    def improve() -> str:
        with clients.session() as session:
            return improving.improve_day(
                day, district=clients.district, session=session, now=utc_now(), seconds=5, workers=0, seed=1,
                solve=_slow_insertion,
            ).outcome  # fmt: skip

    heard, (outcome,) = race.run([cancelling, *others], improve)
    rounds.outcomes.update([outcome if isinstance(outcome, str) else outcome.code])
    return heard, _lost(clients, day, {one.body["id"] for one in heard if one.status == CREATED})


def _slow_insertion(problem: Problem, **_: Any) -> Plan:
    """A planner who thinks while others book."""
    plan = solve(problem, seconds=5, workers=0)
    time.sleep(random.uniform(0, 0.15))
    return plan


def _swap_regardless(_before: Board, better: Board, _present: Board, **_: object) -> Board:
    """The better routes as they were found, whatever was promised meanwhile."""
    return better


def _booking(clients: Clients, token: str, day: date, **overrides: Any) -> Request:
    return Request(
        method="POST", path="/bookings", token=token, body=clients.body(day, **overrides), key=str(uuid4())
    )  # fmt: skip


def _lost(clients: Clients, day: date, acknowledged: set[str]) -> list[str]:
    """Bookings that somebody was told of and that are not there."""
    with clients.session() as session:
        there = {str(one) for one in session.scalars(select(Booking.id).where(Booking.day == day))}
    return [f"{len(acknowledged - there)} acknowledged and lost"] if acknowledged - there else []


# The race, what its control takes away, and what must have happened in some rounds for it to have been a race.
RACES: dict[str, tuple[Round, str, set[str]]] = {
    "last place": (last_place, "lock", {"booked"}),
    "hold lapses, is confirmed, swept and wanted": (lapsing_hold, "confirmation", {"booked", "confirmed"}),
    "amend against cancel": (amend_or_cancel, "version", {"amended", "cancelled"}),
    "publish against confirm and book": (publish_or_confirm, "closing", {"published", "bookings_changed"}),
    "improve against book and cancel": (improve_or_book, "replay", {"improved"}),
}


@pytest.mark.parametrize("name", RACES)
def test_one_wins(
    name: str,
    engine_url: str,
    one_truck: Server,
    size: Size,
    proof: Proof,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given one truck whose day has room for one of those who ask, in each of so many rounds
    engine = "postgresql" if engine_url.startswith("postgresql") else "sqlite"
    clients, count = CROWDS[size][engine]
    play, guard, expected = RACES[name]
    # when they all act at once, and when they do so without what keeps them apart
    kept = _play(engine_url, one_truck, play, clients, count)
    if guard == "replay":
        monkeypatch.setattr(improving, "_replayed", _swap_regardless)
    off_log, without = tmp_path / "off.log", {"TEST_UNGUARDED": guard}
    with serving(engine_url, wsgi="tests.proof.bookings.one_truck:app", log=off_log, environment=without) as unguarded:
        off = _play(engine_url, unguarded, play, clients, CONTROL_ROUNDS, enough=ENOUGH[size])
    # then nothing is sold twice, lost, or left over; without the guard it is
    happened = ", ".join(f"{count} {what}" for what, count in sorted(kept.outcomes.items()))
    proof.record(
        name="races",
        figure=f"{kept.bad} of {count} rounds wrong, {clients} clients ({happened})",
        target="0 wrong",
        control=f"{guard} off: {off.bad} of {off.played} wrong",
        ok=kept.bad == 0 < off.bad,
    )
    assert kept.failed == []
    assert kept.unexpected == set()
    if count >= CROWDS["full"][engine][1]:
        assert expected <= set(+kept.outcomes)


def _play(url: str, server: Server, play: Round, size: int, count: int, *, enough: int | None = None) -> Rounds:
    rounds = Rounds()
    with clients_of(url, size=size) as clients, ThreadPoolExecutor(size + 2) as pool:
        race = Race(server, pool)
        for number in range(count):
            day = clients.days[number % len(clients.days)]
            heard, wrong = play(clients, race, day, rounds)
            rounds.judge(heard, wrong + clients.broken_rules(day))
            clients.forget()
            if rounds.bad == enough:
                break
    return rounds
