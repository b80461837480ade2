"""A road engine that dies in the middle of a matrix costs no day its plan, and the plan says what it cost."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from recycling.cli.demo_day import made_up_wishes
from recycling.errors import InvalidProblem, WindowFull
from recycling.gateways.json_client import JsonAnswer, JsonClient
from recycling.gateways.osrm import OsrmEngine
from recycling.gateways.travel_ladder import TravelCache, TravelQuality, not_climbed
from recycling.gateways.travel_matrix import Gap
from recycling.models.plan import Plan
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.routing.check import violations
from recycling.routing.plan import plan_from_json
from recycling.routing.problem import Matrix, Problem, problem_from_json
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.bookings.promise import WishedItem
from recycling.usecases.planning import plan_day as planning
from recycling.usecases.planning.plan_day import plan_day
from recycling.usecases.planning.road_travel import TravelSetting, unpacked
from tests.builders import TOMORROW, a_resident
from tests.proof.harness import Proof, Size
from tests.roads.engines import RoadServer, osrm_files, serving_osrm, serving_stand_in
from tests.roads.wheels import NotHere

PICKUPS = {"small": 20, "full": 100, "release": 240}
# How fast this is depends on what else the machine does, and is not what is proven: on a busy one a budget of a minute
# can be over before the engine is killed.
PATIENCE_S = 900
TABLE_LIMIT = 20  # points a request, so that even a small day's matrix takes several


MICROWAVE = WishedItem(item_type="microwave", quantity=1)


class Killing(JsonClient):
    """A client that kills the server with SIGKILL when so many of its blocks are answered; never, when ``None``."""

    def __init__(self, server: RoadServer, *, after: int | None) -> None:
        super().__init__(server.address, timeout_s=PATIENCE_S)
        self.server, self.after, self.answered = server, after, 0

    def ask(self, path: str, *, until: float, body: Any = None) -> JsonAnswer:
        """Ask; the one after the last answer finds the server dead."""
        if self.answered == self.after:
            self.server.kill()
        answer = super().ask(path, until=until, body=body)
        self.answered += 1
        return answer


def test_a_day_is_planned_although_its_road_engine_dies_in_the_middle_of_the_matrix(
    size: Size,
    proof: Proof,
    session: Session,
    district: District,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given a day whose matrix is asked for in pieces of ten places, and an engine that dies half-way through them
    book(PICKUPS[size], session=session, district=district, now=now)
    places = PICKUPS[size] + len(district.network.stations)
    pieces = -(-places // (TABLE_LIMIT // 2))

    name, started = an_engine(tmp_path, size)

    def planned(*, kill_after: int | None) -> Plan | None:
        with started() as server:
            client = Killing(server, after=kill_after)
            roads = OsrmEngine(client, profile="driving", table_limit=TABLE_LIMIT)
            travel = TravelSetting(engine=roads, seconds=PATIENCE_S, most_snap_m=1000, kept_days=0)
            try:
                return plan_day(
                    TOMORROW, by=SYSTEM, district=district, session=session, now=now, seconds=PATIENCE_S, workers=0,
                    seed=1, travel=travel,
                )  # fmt: skip
            except InvalidProblem:
                return None
            finally:
                assert (server.process.poll() is None) == (kill_after is None)

    # when it is planned
    plan = planned(kill_after=pieces * pieces // 2)
    assert plan is not None
    valid = not violations(problem_from_json(unpacked(plan)), plan_from_json(plan.answer))
    ways = plan.travel_cells or {}
    served = PICKUPS[size] - len(plan.unassigned)
    said = (plan.travel_quality, plan.travel_note)
    # and when the same day is planned by what the engine says alone, without the ladder under it
    monkeypatch.setattr(planning, "by_road", without_ladder)
    bare_alive, bare_dead = planned(kill_after=None), planned(kill_after=pieces * pieces // 2)
    # then the day has its plan, which says that half its ways are estimated; without the ladder it has none
    proof.record(
        figure=f"{served} of {PICKUPS[size]} pickups planned, valid {valid}, says {said[0]}, {said[1]}:"
        f" {ways.get('live')} ways live, {ways.get('great_circle')} estimated ({name})",
        target="all planned, valid True, mixed, no_answer",
        control=f"without the ladder {int(bare_dead is not None)} plans, engine alive {int(bare_alive is not None)}",
        ok=valid
        and served == PICKUPS[size]
        and said == ("mixed", "no_answer")
        and min(ways["live"], ways["great_circle"]) > 0
        and sum(ways.values()) == places * (places - 1)
        and bare_dead is None
        and bare_alive is not None,
    )


def book(count: int, *, session: Session, district: District, now: datetime) -> None:
    """Book a microwave at so many made-up doors all over the district, wherever a window has room."""
    by, booked = a_resident(session, now=now), 0
    for wish in made_up_wishes(district, TOMORROW, count=5 * count):
        with contextlib.suppress(WindowFull):
            book_pickup(
                replace(wish, items=[MICROWAVE]), by=by, district=district, session=session, now=now,
                resident_id=by.id, made_up=True,
            )  # fmt: skip
            booked += 1
        if booked == count:
            return


def an_engine(folder: Path, size: Size) -> tuple[str, Callable[[], AbstractContextManager[RoadServer]]]:
    """A real OSRM; in a small run that cannot have one, a process that answers like it, and says so."""
    try:
        net = osrm_files(folder)
    except NotHere:
        if size != "small":
            raise
        return "a stand-in: no OSRM here", lambda: serving_stand_in(folder)
    return "real OSRM", lambda: serving_osrm(net)


def without_ladder(
    problem: Problem, setting: TravelSetting, *, cache: TravelCache
) -> tuple[Problem, TravelQuality, None]:
    """The problem with whatever the engine answered, and nothing where it did not."""
    known = setting.engine.matrix(problem.locations, until=time.monotonic() + setting.seconds)
    matrix = Matrix(travel_s=known.travel_s.astype(np.int64), distance_m=known.distance_m.astype(np.int64))
    quality = not_climbed(problem.locations, because=Gap.NONE, engine=setting.engine.name)
    return replace(problem, travel=matrix), quality, None
