"""Planning with a road engine: its ways are in the plan, others kept or estimated, and the plan says which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from recycling.gateways.json_client import JsonClient
from recycling.gateways.osrm import OsrmEngine
from recycling.gateways.travel_matrix import UNKNOWN, Gap, Point, TravelMatrix, nothing_known
from recycling.models.plan import Plan
from recycling.models.travel import CachedTravel
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.routing import travel as planner_travel
from recycling.routing.check import violations
from recycling.routing.plan import plan_from_json
from recycling.routing.problem import Matrix, Problem, problem_from_json
from recycling.routing.travel import Computed, table, travel_matrices
from recycling.usecases.housekeeping import clean_up
from recycling.usecases.planning.day_problem import changes_since, day_problem, fingerprint, unfinished_bookings
from recycling.usecases.planning.plan_day import plan_day
from recycling.usecases.planning.publish_plan import publish_plan
from recycling.usecases.planning.road_travel import TravelSetting, by_road, packed, unpacked
from recycling.usecases.planning.travel_cache import StoredTravel, keep_ways
from recycling.usecases.queries.plans import planner_file
from tests.builders import TOMORROW, a_booking
from tests.planned_days import a_plan
from tests.roads.engines import RoadServer
from tests.roads.scripted import Table, scripted_server

DOOR: dict[str, Any] = {"lat": 34.805, "lon": 117.265}  # beside no station
# Ten stations and the door: 11 places, 11 · 10 ways between different ones.
WAYS = 110


def setting(address: str, *, kept_days: int = 14) -> TravelSetting:
    """An OSRM at an address."""
    client = JsonClient(address, timeout_s=10)
    engine = OsrmEngine(client, profile="driving", table_limit=100)
    return TravelSetting(engine=engine, seconds=30, most_snap_m=1000, kept_days=kept_days)


def plan_at(session: Session, district: District, now: datetime, travel: TravelSetting) -> Plan:
    """Plan tomorrow with a road engine, without a search."""
    return plan_day(
        TOMORROW, by=SYSTEM, district=district, session=session, now=now, seconds=10, workers=0, seed=1, travel=travel
    )


def a_matrix(travel_s: Any) -> TravelMatrix:
    """Ways as an engine gave them, with as many metres as seconds."""
    cells = np.array(travel_s, dtype=np.int32)
    size = len(cells)
    return TravelMatrix(
        travel_s=cells, distance_m=cells.copy(), gap=np.zeros((size, size), np.int8), snap_m=np.zeros(size)
    )


def solved(plan: Plan) -> Problem:
    """The problem that a plan was made for, out of the database."""
    return problem_from_json(unpacked(plan))


def test_the_ways_of_a_plan_are_the_engines_and_the_plan_says_so(
    session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now, **DOOR)
    with scripted_server() as (address, _):
        plan = plan_at(session, district, now, setting(address))
    assert (plan.travel_quality, plan.travel_note) == ("live", None)
    assert plan.travel_cells == {"live": WAYS, "cached": 0, "great_circle": 0}
    # the made-up engine drives at 10 m/s along the degrees: no great circle at 30 km/h with a factor comes to that
    ways = unpacked(plan)["travel"]
    assert ways["kind"] == "matrix"
    assert ways["travel_s"][0][1] == round(ways["distance_m"][0][1] / 10)
    # and what its route drives is what the engine said
    (route,) = plan.routes
    assert route.travel_s == pytest.approx(route.distance_m / 10, abs=2)


def test_a_stored_matrix_rebuilds_the_problem_exactly_and_its_plan_still_passes_the_checker(
    session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now, **DOOR)
    with scripted_server() as (address, _):
        plan_id = plan_at(session, district, now, setting(address)).id
    session.expire_all()
    problem = problem_from_json(planner_file(plan_id, "problem", session=session))
    answer = plan_from_json(planner_file(plan_id, "answer", session=session))
    assert violations(problem, answer) == []
    # control: with the estimated ways of the same day the plan does not hold
    day = day_problem(TOMORROW, unfinished_bookings(session, TOMORROW), district=district)
    assert violations(day, answer) != []
    # and its JSON alone is not taken for the whole by accident
    stored = session.get_one(Plan, plan_id).problem
    assert stored["travel"] == {"kind": "matrix_file", "path": "travel.npz"}


def test_packing_loses_nothing_and_is_small(session: Session, district: District, now: datetime) -> None:
    # given 250 places, as a day of 240 pickups has, with ways as irregular as those of a town
    rng = np.random.default_rng(1)
    day = day_problem(TOMORROW, [], district=district)
    cells = rng.integers(60, 3_000, (250, 250))
    np.fill_diagonal(cells, 0)
    problem = replace(
        day, locations=day.locations + ((34.8, 117.3),) * 240, travel=Matrix(travel_s=cells, distance_m=cells * 11)
    )
    stored, matrix = packed(problem)
    assert matrix is not None
    again = problem_from_json(unpacked(Plan(problem=stored, travel=matrix))).travel
    assert isinstance(again, Matrix)
    assert (again.travel_s.tolist(), again.distance_m.tolist()) == (cells.tolist(), (cells * 11).tolist())
    # 62,500 ways of two whole numbers of 4 bytes are 500,000 bytes
    assert len(matrix) < 300_000


def test_a_live_matrix_that_changes_does_not_put_a_plan_out_of_date(
    session: Session, district: District, now: datetime
) -> None:
    # given a plan by an engine that is slower at its second answer, and is gone then
    a_booking(session, district=district, now=now, **DOOR)

    def slower(table: Table) -> Table:
        return table | {"durations": [[2 * value for value in row] for row in table["durations"]]}

    with scripted_server("well", slower) as (address, _):
        first = plan_at(session, district, now, setting(address))
        second = plan_at(session, district, now, setting(address))
    assert unpacked(first)["travel"] != unpacked(second)["travel"]
    # then neither is out of date, and either can be published
    assert changes_since(first, district=district, session=session) is None
    assert (
        first.problem_sha256
        == second.problem_sha256
        == fingerprint(day_problem(TOMORROW, unfinished_bookings(session, TOMORROW), district=district))
    )
    publish_plan(first.id, replaces=None, by=SYSTEM, district=district, session=session, now=now)


def test_an_engine_that_is_gone_is_replaced_by_what_it_said_before(
    session: Session, district: District, now: datetime
) -> None:
    # given a plan with live ways, and then the engine gone
    a_booking(session, district=district, now=now, **DOOR)
    with scripted_server() as (address, _):
        travel = setting(address)
        live = plan_at(session, district, now, travel)
    again = plan_at(session, district, now + timedelta(hours=1), travel)
    # then the next plan has the same ways, and says that they are kept
    assert (again.travel_quality, again.travel_note) == ("cached", "no_answer")
    assert unpacked(again)["travel"] == unpacked(live)["travel"]
    # and a door that nobody asked about is estimated: 10 stations · 2 ways, and 2 to the other door
    a_booking(session, district=district, now=now, lat=34.825, lon=117.29)
    third = plan_at(session, district, now + timedelta(hours=2), travel)
    assert third.travel_quality == "mixed"
    assert third.travel_cells == {"live": 0, "cached": WAYS, "great_circle": 22}


def test_kept_ways_are_used_until_their_day_and_then_deleted(
    session: Session, district: District, now: datetime
) -> None:
    points = [(34.80, 117.26), (34.81, 117.27)]
    kept = timedelta(days=3)
    live = a_matrix([[0, 100], [110, 0]])
    assert keep_ways(points, live, engine="osrm/driving", session=session, now=now) == 2
    session.commit()
    for at, seconds in ((now + kept, 100), (now + kept + timedelta(seconds=1), UNKNOWN)):
        found = StoredTravel(session, now=at, kept=kept).find(points, engine="osrm/driving")
        assert found[0][0, 1] == seconds
    # housekeeping takes them a second after their time, not before
    assert clean_up(district.privacy, session=session, now=now + kept, travel_kept=kept)["cached_travel"] == 0
    assert (
        clean_up(district.privacy, session=session, now=now + kept + timedelta(seconds=1), travel_kept=kept)[
            "cached_travel"
        ]
        == 2
    )


def test_the_newest_answer_wins_and_every_engine_has_its_own(session: Session, now: datetime) -> None:
    points = [(34.80, 117.26), (34.81, 117.27)]
    for hours, seconds in ((2, 300), (0, 100), (1, 200)):
        live = a_matrix([[0, seconds], [seconds, 0]])
        keep_ways(points, live, engine="osrm/driving", session=session, now=now + timedelta(hours=hours))
    session.commit()
    cache = StoredTravel(session, now=now + timedelta(hours=3), kept=timedelta(days=1))
    assert cache.find(points, engine="osrm/driving")[0].tolist() == [[UNKNOWN, 300], [300, UNKNOWN]]
    assert (cache.find(points, engine="valhalla/auto")[0] == UNKNOWN).all()


def test_ways_are_found_again_within_a_square_of_ten_metres_and_not_beyond(session: Session, now: datetime) -> None:
    points = [(34.80002, 117.26002), (34.81, 117.27)]
    keep_ways(points, a_matrix([[0, 100], [110, 0]]), engine="e", session=session, now=now)
    session.commit()
    cache = StoredTravel(session, now=now, kept=timedelta(days=1))
    near, far = [(34.79998, 117.26), (34.81, 117.27)], [(34.8002, 117.26), (34.81, 117.27)]
    assert cache.find(near, engine="e")[0].tolist() == [[UNKNOWN, 100], [110, UNKNOWN]]
    assert (cache.find(far, engine="e")[0] == UNKNOWN).all()


def test_a_way_that_is_unknown_is_not_kept(session: Session, now: datetime) -> None:
    points = [(34.80, 117.26), (34.81, 117.27), (34.82, 117.28)]
    live = a_matrix([[0, 100, UNKNOWN], [110, 0, UNKNOWN], [UNKNOWN, UNKNOWN, 0]])
    assert keep_ways(points, live, engine="e", session=session, now=now) == 2
    session.commit()
    assert session.scalar(select(func.count()).select_from(CachedTravel)) == 2


def test_nothing_is_kept_when_the_settings_say_so(session: Session, district: District, now: datetime) -> None:
    a_booking(session, district=district, now=now, **DOOR)
    with scripted_server() as (address, _):
        plan_at(session, district, now, setting(address, kept_days=0))
    assert session.scalar(select(func.count()).select_from(CachedTravel)) == 0


def test_what_is_kept_names_no_place_and_no_way(session: Session, now: datetime) -> None:
    # given a home and a station that everybody knows
    home, station = (34.801234, 117.261234), (34.81, 117.31)
    keep_ways([home, station], a_matrix([[0, 424_242], [424_242, 0]]), engine="e", session=session, now=now)
    session.commit()
    # when the table is read as it lies on the disk
    rows = session.execute(text("SELECT * FROM cached_travel")).all()
    raw = b"".join(bytes(value) for row in rows for value in row if isinstance(value, (bytes, memoryview)))
    # then neither the rounded coordinates nor the seconds are in it, in any of the forms they are packed in
    for number in (348_012, 1_172_612, 348_100, 1_173_100, 424_242):
        assert number.to_bytes(4, "little") not in raw
        assert number.to_bytes(4, "big") not in raw
        assert str(number).encode() not in raw
    # nor does the sequence of the rows tell which place came first
    origins = [bytes(row.origin) for row in session.scalars(select(CachedTravel))]
    assert len(set(origins)) == 2


def test_above_five_thousand_stops_nobody_is_asked_and_no_matrix_is_made(
    session: Session, district: District, now: datetime
) -> None:
    # given one stop more than a matrix is made for, all at one door, and an engine that would answer
    a_booking(session, district=district, now=now, **DOOR)
    day = day_problem(TOMORROW, unfinished_bookings(session, TOMORROW), district=district)
    many = tuple(replace(day.stops[0], key=f"{number}") for number in range(5_001))
    with scripted_server() as (address, script):
        travel = setting(address)
        cache = StoredTravel(session, now=now, kept=timedelta(days=1))
        problem, quality, answered = by_road(replace(day, stops=many), travel, cache=cache)
        assert (quality.word, quality.note, answered) == ("great_circle", "too_many_stops", None)
        assert problem.travel == day.travel
        assert script.asked == []
        # control: with one stop less the engine is asked
        assert by_road(replace(day, stops=many[:-1]), travel, cache=cache)[1].word == "live"
        assert script.asked != []


def test_without_an_engine_a_plan_is_as_it_was_and_says_so(session: Session, district: District, now: datetime) -> None:
    a_booking(session, district=district, now=now, **DOOR)
    plan = a_plan(session, district=district, now=now)
    assert (plan.travel_quality, plan.travel_note, plan.travel) == ("great_circle", "no_engine", None)
    assert plan.travel_cells == {"live": 0, "cached": 0, "great_circle": WAYS}
    assert unpacked(plan) == plan.problem


def test_no_transaction_is_open_while_the_engine_is_asked(session: Session, district: District, now: datetime) -> None:
    a_booking(session, district=district, now=now, **DOOR)
    seen: list[bool] = []

    class Watching:
        """Notes whether a transaction is open when it is asked."""

        name = "watching"

        def matrix(self, points: Sequence[Point], *, until: float) -> Any:
            """Know nothing."""
            seen.append(session.in_transaction())
            return nothing_known(len(points), because=Gap.NO_ANSWER)

    plan_at(session, district, now, TravelSetting(engine=Watching(), seconds=1, most_snap_m=1, kept_days=1))
    assert seen == [False]


def test_a_day_of_few_enough_stops_but_too_many_places_for_a_table_is_whole(
    session: Session, district: District, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given that above 5,000 places, which 4,995 stops and ten stations are, the planner computes cells one by one; here
    # above 5 places of 11, and an engine that knows one way
    a_booking(session, district=district, now=now, **DOOR)
    day = day_problem(TOMORROW, unfinished_bookings(session, TOMORROW), district=district)
    tables = [table(cells, range(11)) for cells in travel_matrices(day)]
    monkeypatch.setattr(planner_travel, "MOST_TABLED", 5)
    assert isinstance(travel_matrices(day)[0], Computed)

    class OneWay:
        """Knows the way from the first place to the second."""

        name = "one-way"

        def matrix(self, points: Sequence[Point], *, until: float) -> TravelMatrix:
            """Answer."""
            known = nothing_known(len(points), because=Gap.NO_ROAD)
            known.travel_s[0, 1], known.distance_m[0, 1] = 900, 9_000
            return known

    travel = TravelSetting(engine=OneWay(), seconds=1, most_snap_m=1000, kept_days=0)
    problem, quality, _ = by_road(day, travel, cache=StoredTravel(session, now=now, kept=timedelta(0)))
    # then that way is the engine's, and every other is the one of the table
    assert (quality.word, quality.live) == ("mixed", 1)
    assert isinstance(problem.travel, Matrix)
    tables[0][0, 1], tables[1][0, 1] = 900, 9_000
    assert problem.travel.travel_s.tolist() == tables[0].tolist()
    assert problem.travel.distance_m.tolist() == tables[1].tolist()


@pytest.mark.osrm
def test_a_day_is_planned_by_the_roads_of_a_real_osrm(
    session: Session, district: District, now: datetime, osrm: RoadServer
) -> None:
    for lat, lon in ((34.805, 117.265), (34.82, 117.29), (34.75, 117.33)):
        a_booking(session, district=district, now=now, lat=lat, lon=lon, pickup_window="all-day")
    plan = plan_at(session, district, now, setting(osrm.address))
    # 13 places
    assert (plan.travel_quality, plan.travel_cells) == ("live", {"live": 13 * 12, "cached": 0, "great_circle": 0})
    assert plan.unassigned == []
    assert violations(solved(plan), plan_from_json(plan.answer)) == []
