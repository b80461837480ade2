"""The clock without the break."""

from __future__ import annotations

import pytest

from recycling.routing.breaks import Squeeze
from recycling.routing.problem import Break
from tests.routing.good_days import LUNCH
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle

NOON = Squeeze(from_s=43_200, length_s=3_600)


@pytest.mark.parametrize(
    ("true_s", "squeezed_s"), [(0, 0), (43_200, 43_200), (45_000, 43_200), (46_800, 43_200), (46_801, 43_201)]
)
def test_times_after_the_rest_move_forward_by_its_length(true_s: int, squeezed_s: int) -> None:
    assert NOON.instant(true_s) == squeezed_s


def test_the_rest_begins_a_third_into_the_window_most_vehicles_have() -> None:
    # given two of three vehicles with lunch in 41,400–46,800: 41,400 + 5,400 / 3 = 43,200
    other = Break(window_s=(30_000, 31_000), duration_s=60)
    fleet = (a_vehicle("a", break_=LUNCH), a_vehicle("b", break_=other), a_vehicle("c", break_=LUNCH))
    assert Squeeze.common(a_problem((0,), (a_station("home", 0),), fleet, ())) == NOON


def test_a_fleet_mostly_without_breaks_keeps_the_true_clock() -> None:
    fleet = (a_vehicle("a", break_=LUNCH), a_vehicle("b"), a_vehicle("c"))
    problem = a_problem((0,), (a_station("home", 0),), fleet, ())
    assert Squeeze.common(problem).instant(50_000) == 50_000
    assert Squeeze.common(a_problem((0,), (), (), ())).length_s == 0


def test_a_squeezed_day_has_no_breaks_and_earlier_afternoons() -> None:
    problem = a_problem(
        (0, 600), (a_station("home", 0),), (a_vehicle("v1", break_=LUNCH, max_overtime_s=600),),
        (a_stop("a", 1, windows_s=((28_800, 36_000), (50_400, 57_600))),),
    )  # fmt: skip
    squeezed = NOON.problem(problem)
    assert squeezed.vehicles[0].break_ is None
    assert squeezed.vehicles[0].shift_s == (28_800, 64_800 - 3_600)
    assert squeezed.vehicles[0].max_overtime_s == 600
    assert squeezed.stations[0].open_s == (28_800, 68_400 - 3_600)
    assert squeezed.stops[0].windows_s == ((28_800, 36_000), (46_800, 54_000))
