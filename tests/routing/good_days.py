"""Valid plans of small days, with every number derived in a comment."""

from __future__ import annotations

import numpy as np

from recycling.routing.plan import Plan
from recycling.routing.problem import Break, GreatCircle, Matrix, Preference, Problem, UnderWay
from tests.routing.hand import a_cost, a_plan, a_problem, a_route, a_station, a_step, a_stop, a_vehicle, with_stop

Day = tuple[Problem, Plan]


def one_stop_with_two_windows() -> Day:
    """One vehicle comes early to a stop and waits for its second window."""
    problem = a_problem(
        (0, 600),
        (a_station("home", 0),),
        (a_vehicle("v1"),),
        (a_stop("a", 1, windows_s=((28_800, 29_000), (36_000, 40_000))),),
    )
    plan = a_plan(
        # 600 s there and 600 s back.
        a_cost(fixed=1_000, travel=1_200),
        a_route(
            "v1",
            a_step("start", 0, (30_000, 30_000, 30_000), (0,)),
            # 30,000 + 600 = 30,600; the first window is over, the second opens at 36,000.
            a_step("pickup", 1, (30_600, 36_000, 36_300), (10,), "a"),
            # 36,300 + 600 = 36,900, then 100 s of final unload.
            a_step("end", 0, (36_900, 36_900, 37_000), (0,), "home"),
        ),
    )
    return problem, plan


def unload_on_the_way() -> Day:
    """Two stops of 60 do not fit 100 at once: the vehicle empties at another station between them."""
    problem = a_problem(
        (0, 600, 1_000, 1_500),
        (a_station("home", 0, can_unload=False), a_station("east", 2)),
        (a_vehicle("v1"),),
        (a_stop("a", 1, load=(60,)), a_stop("b", 3, load=(60,))),
    )
    plan = a_plan(
        # 600 + 400 + 500 + 1,500.
        a_cost(fixed=1_000, travel=3_000),
        a_route(
            "v1",
            a_step("start", 0, (30_000, 30_000, 30_000), (0,)),
            a_step("pickup", 1, (30_600, 30_600, 30_900), (60,), "a"),
            a_step("unload", 2, (31_300, 31_300, 31_400), (0,), "east"),
            a_step("pickup", 3, (31_900, 31_900, 32_200), (60,), "b"),
            # The station takes no unloads on the way, but this is the vehicle's own end.
            a_step("end", 0, (33_700, 33_700, 33_800), (0,), "home"),
        ),
    )
    return problem, plan


LUNCH = Break(window_s=(41_400, 46_800), duration_s=3_600)


def _lunch_day() -> Problem:
    return a_problem(
        (0, 600, 1_000),
        (a_station("home", 0),),
        (a_vehicle("v1", break_=LUNCH),),
        (a_stop("a", 1), a_stop("b", 2, windows_s=((46_000, 64_800),))),
    )


def break_before_leaving() -> Day:
    """The crew rests where it has just served, then drives on."""
    plan = a_plan(
        # 600 + 400 + 1,000.
        a_cost(fixed=1_000, travel=2_000),
        a_route(
            "v1",
            a_step("start", 0, (40_000, 40_000, 40_000), (0,)),
            a_step("pickup", 1, (40_600, 40_600, 40_900), (10,), "a"),
            # It stands still from 40,900 and rests as soon as the window opens.
            a_step("break", 1, (40_900, 41_400, 45_000), (10,)),
            a_step("pickup", 2, (45_400, 46_000, 46_300), (20,), "b"),
            # 46,300 + 1,000 = 47,300: after the break window closes at 46,800, so the break was due.
            a_step("end", 0, (47_300, 47_300, 47_400), (0,), "home"),
        ),
    )
    return _lunch_day(), plan


def break_after_arriving() -> Day:
    """The crew drives first and rests at the next stop before serving it."""
    plan = a_plan(
        a_cost(fixed=1_000, travel=2_000),
        a_route(
            "v1",
            a_step("start", 0, (40_000, 40_000, 40_000), (0,)),
            a_step("pickup", 1, (40_600, 40_600, 40_900), (10,), "a"),
            # 40,900 + 400 = 41,300.
            a_step("break", 2, (41_300, 41_400, 45_000), (10,)),
            a_step("pickup", 2, (45_000, 46_000, 46_300), (20,), "b"),
            a_step("end", 0, (47_300, 47_300, 47_400), (0,), "home"),
        ),
    )
    return _lunch_day(), plan


def break_not_due() -> Day:
    """A crew home before the break window closes needs no break, and may stand still for one at any time."""
    problem = with_stop(_lunch_day(), 1, windows_s=((28_800, 64_800),))
    plan = a_plan(
        a_cost(fixed=1_000, travel=2_000),
        a_route(
            "v1",
            a_step("start", 0, (30_000, 30_000, 30_000), (0,)),
            a_step("pickup", 1, (30_600, 30_600, 30_900), (10,), "a"),
            # An hour at 8:35, outside the window: allowed, as standing still is.
            a_step("break", 1, (30_900, 30_900, 34_500), (10,)),
            a_step("pickup", 2, (34_900, 34_900, 35_200), (20,), "b"),
            a_step("end", 0, (36_200, 36_200, 36_300), (0,), "home"),
        ),
    )
    return problem, plan


def standing_still_everywhere() -> Day:
    """A vehicle may leave late, arrive late, start late and wait for its station to open."""
    problem = a_problem(
        (0, 600),
        (a_station("home", 0), a_station("late", 0, open_s=(40_000, 50_000))),
        (a_vehicle("v1", end_station="late"),),
        (a_stop("a", 1),),
    )
    plan = a_plan(
        a_cost(fixed=1_000, travel=1_200),
        a_route(
            "v1",
            a_step("start", 0, (28_800, 29_000, 30_000), (0,)),
            # 30,600 would do: it left 100 s later than its start step says.
            a_step("pickup", 1, (30_700, 31_000, 31_300), (10,), "a"),
            a_step("end", 0, (31_900, 40_000, 40_100), (0,), "late"),
        ),
    )
    return problem, plan


def under_way_with_locks() -> Day:
    """A vehicle at place 2 since 39,000 with 50 on board serves its locked stops before another one."""
    problem = a_problem(
        (0, 600, 1_000),
        (a_station("home", 0),),
        (
            a_vehicle(
                "v1", start=UnderWay(location=2, time_s=39_000, load=(50,)), locked=("b", "a"), max_duration_s=3_400
            ),
        ),
        (a_stop("a", 1), a_stop("b", 2), a_stop("c", 1)),
    )
    plan = a_plan(
        # 0 + 400 + 0 + 600.
        a_cost(fixed=1_000, travel=1_000),
        a_route(
            "v1",
            a_step("start", 2, (39_000, 39_000, 40_400), (50,)),
            a_step("pickup", 2, (40_400, 40_400, 40_700), (60,), "b"),
            a_step("pickup", 1, (41_100, 41_100, 41_400), (70,), "a"),
            a_step("pickup", 1, (41_400, 41_400, 41_700), (80,), "c"),
            # 42,300 + 100 = 42,400 = 39,000 + 3,400: the time since the given instant counts.
            a_step("end", 0, (42_300, 42_300, 42_400), (0,), "home"),
        ),
    )
    return problem, plan


def overtime_at_a_price() -> Day:
    """A route ends the whole allowed overtime after its shift."""
    problem = a_problem(
        (0, 600),
        (a_station("home", 0),),
        (a_vehicle("v1", shift_s=(28_800, 36_000), max_overtime_s=1_000, overtime_cost_per_s=3, cost_per_m=2),),
        (a_stop("a", 1, windows_s=((36_000, 36_000),)),),
    )
    plan = a_plan(
        # 1,200 m at 2 each; home at 37,000, 1,000 s after 36,000, at 3 each.
        a_cost(fixed=1_000, travel=1_200, distance=2_400, overtime=3_000),
        a_route(
            "v1",
            a_step("start", 0, (35_400, 35_400, 35_400), (0,)),
            a_step("pickup", 1, (36_000, 36_000, 36_300), (10,), "a"),
            a_step("end", 0, (36_900, 36_900, 37_000), (0,), "home"),
        ),
    )
    return problem, plan


def shared_station_filled_to_its_limit() -> Day:
    """Two vehicles bring a station exactly what it takes: one on its way, both at their end."""
    problem = a_problem(
        (0, 600),
        # 10 of "a" on the way, 20 of "b" and 5 of before by the second vehicle, 10 of "c" at the end: 45.
        (a_station("home", 0, intake_limit=(45,)), a_station("other", 1, intake_limit=(0,))),
        (a_vehicle("v1"), a_vehicle("v2", start=UnderWay(location=1, time_s=30_000, load=(5,)))),
        (a_stop("a", 1), a_stop("b", 1, load=(20,)), a_stop("c", 1)),
    )
    plan = a_plan(
        # 4 × 600 by the first, 600 by the second.
        a_cost(fixed=2_000, travel=3_000),
        a_route(
            "v1",
            a_step("start", 0, (30_000, 30_000, 30_000), (0,)),
            a_step("pickup", 1, (30_600, 30_600, 30_900), (10,), "a"),
            a_step("unload", 0, (31_500, 31_500, 31_600), (0,), "home"),
            a_step("pickup", 1, (32_200, 32_200, 32_500), (10,), "c"),
            a_step("end", 0, (33_100, 33_100, 33_200), (0,), "home"),
        ),
        a_route(
            "v2",
            a_step("start", 1, (30_000, 30_000, 30_000), (5,)),
            a_step("pickup", 1, (30_000, 30_000, 30_300), (25,), "b"),
            a_step("end", 0, (30_900, 30_900, 31_000), (0,), "home"),
        ),
    )
    return problem, plan


def two_units_skills_and_preferences() -> Day:
    """A stop that needs a lift goes to the crew that has it, another against its preference, a third without load."""
    problem = a_problem(
        (0, 600),
        (a_station("home", 0),),
        (
            a_vehicle("v1", capacity=(100, 50), skills=frozenset({"lift"})),
            a_vehicle("v2", capacity=(100, 50)),
        ),
        (
            a_stop("a", 1, load=(40, 50), skills=frozenset({"lift"}), prefer=Preference(vehicle="v1", cost=700)),
            a_stop("b", 1, load=(60, 0), prefer=Preference(vehicle="v2", cost=600)),
            a_stop("c", 1, load=(0, 0)),
        ),
        load_units=("g", "l"),
    )
    plan = a_plan(
        # Two vehicles out and back; "a" rides as it prefers, "b" does not: 600.
        a_cost(fixed=2_000, travel=2_400, preferences=600),
        a_route(
            "v1",
            a_step("start", 0, (30_000, 30_000, 30_000), (0, 0)),
            a_step("pickup", 1, (30_600, 30_600, 30_900), (40, 50), "a"),
            a_step("pickup", 1, (30_900, 30_900, 31_200), (100, 50), "b"),
            a_step("end", 0, (31_800, 31_800, 31_900), (0, 0), "home"),
        ),
        a_route(
            "v2",
            a_step("start", 0, (30_000, 30_000, 30_000), (0, 0)),
            a_step("pickup", 1, (30_600, 30_600, 30_900), (0, 0), "c"),
            # Nothing on board: no final unload.
            a_step("end", 0, (31_500, 31_500, 31_500), (0, 0), "home"),
        ),
    )
    return problem, plan


def left_out_with_an_impossible_lock() -> Day:
    """Stops may be left out at a price, mandatory ones too, and a lock that cannot be kept does not spoil the day."""
    problem = a_problem(
        (0, 600),
        (a_station("home", 0),),
        (a_vehicle("v1", locked=("heavy", "a")), a_vehicle("v2")),
        (a_stop("heavy", 1, load=(101,), skip_cost=None), a_stop("a", 1), a_stop("b", 1)),
    )
    plan = a_plan(
        # The mandatory stop left out counts 10⁹, the other its 5,000; the second vehicle stays at home for nothing.
        a_cost(fixed=1_000, travel=1_200, skipped=1_000_005_000),
        a_route(
            "v1",
            a_step("start", 0, (30_000, 30_000, 30_000), (0,)),
            a_step("pickup", 1, (30_600, 30_600, 30_900), (10,), "a"),
            a_step("end", 0, (31_500, 31_500, 31_600), (0,), "home"),
        ),
        left_out=("heavy", "b"),
    )
    return problem, plan


def one_way_streets() -> Day:
    """A matrix may be longer one way than the other; a route may last exactly as long as allowed."""
    problem = a_problem(
        (0, 0),
        (a_station("home", 0),),
        # 500 s there, 300 s of service, 900 s back, 100 s of unloading.
        (a_vehicle("v1", max_duration_s=1_800, cost_per_m=1),),
        (a_stop("a", 1),),
        travel=Matrix(travel_s=np.array([[0, 500], [900, 0]]), distance_m=np.array([[0, 4_000], [7_000, 0]])),
    )
    plan = a_plan(
        a_cost(fixed=1_000, travel=1_400, distance=11_000),
        a_route(
            "v1",
            a_step("start", 0, (30_000, 30_000, 30_000), (0,)),
            a_step("pickup", 1, (30_500, 30_500, 30_800), (10,), "a"),
            a_step("end", 0, (31_700, 31_700, 31_800), (0,), "home"),
        ),
    )
    return problem, plan


def on_the_sphere() -> Day:
    """The first places of the contract's example, and no load at all to count."""
    # A degree of latitude on the sphere is 6,371,008.8 m · π / 180 = 111,195.08 m; a hundredth 1,111.9508 m,
    # times 1.3 = 1,445.536 m, rounded 1,446 m; at 36 km/h = 10 m/s 144.6 s, rounded 145 s.
    problem = a_problem(
        (),
        (a_station("home", 0),),
        (a_vehicle("v1", capacity=(), cost_per_m=1),),
        (a_stop("a", 1, load=()),),
        load_units=(),
        locations=((34.80, 117.25), (34.81, 117.25)),
        travel=GreatCircle(factor=1.3, speed_kmh=36),
    )
    plan = a_plan(
        a_cost(fixed=1_000, travel=290, distance=2_892),
        a_route(
            "v1",
            a_step("start", 0, (30_000, 30_000, 30_000), ()),
            a_step("pickup", 1, (30_145, 30_145, 30_445), (), "a"),
            a_step("end", 0, (30_590, 30_590, 30_590), (), "home"),
        ),
    )
    return problem, plan


def nothing_to_do() -> Day:
    """A day without stops has a plan without routes."""
    return a_problem((0,), (a_station("home", 0),), (a_vehicle("v1"),), ()), a_plan(a_cost())


GOOD_DAYS = (
    one_stop_with_two_windows,
    unload_on_the_way,
    break_before_leaving,
    break_after_arriving,
    break_not_due,
    standing_still_everywhere,
    under_way_with_locks,
    overtime_at_a_price,
    shared_station_filled_to_its_limit,
    two_units_skills_and_preferences,
    left_out_with_an_impossible_lock,
    one_way_streets,
    on_the_sphere,
    nothing_to_do,
)
