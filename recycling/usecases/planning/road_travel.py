"""The ways of a day's problem (行程): by road as far as the engine and the cells kept from before reach."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recycling.gateways.road_engines import road_engine
from recycling.gateways.travel_ladder import MOST_STOPS, TravelCache, TravelQuality, climb, not_climbed
from recycling.gateways.travel_matrix import Gap, NullEngine, Point, RoadEngine, TravelMatrix
from recycling.models.plan import Plan
from recycling.routing.problem import GreatCircle, Matrix, Problem, problem_to_json
from recycling.routing.travel import table, travel_matrices

MATRIX_FILE = "travel.npz"  # what a stored problem calls the matrix that is kept beside it


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelSetting:
    """How ways are found out.

    Parameters
    ----------
    engine
        Knows the roads.
    seconds
        Most time for it, over all that a plan asks.
    most_snap_m
        A door farther from the nearest road is not believed to lie by that road.
    kept_days
        How long its answers are used when it does not answer; 0 keeps none.
    """

    engine: RoadEngine
    seconds: float
    most_snap_m: float
    kept_days: int


def travel_setting(settings: Mapping[str, Any]) -> TravelSetting:
    """How the settings of `create_app` want ways to be found out."""
    engine = road_engine(settings)
    if isinstance(engine, NullEngine):
        return NO_ROADS
    return TravelSetting(
        engine=engine,
        seconds=settings["TRAVEL_SECONDS"],
        most_snap_m=settings["TRAVEL_SNAP_M"],
        kept_days=settings["TRAVEL_CACHE_DAYS"],
    )


NO_ROADS = TravelSetting(engine=NullEngine(), seconds=0, most_snap_m=0, kept_days=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the engine said of the ways between places, to be kept."""

    points: tuple[Point, ...]
    live: TravelMatrix


def by_road(
    problem: Problem, setting: TravelSetting, *, cache: TravelCache
) -> tuple[Problem, TravelQuality, Answered | None]:
    """The problem with its estimated ways replaced by those of the road, as far as they are known.

    Returns
    -------
    tuple
        The problem, the same when no way is known by road; from where its ways are; what is to be kept of it.
    """
    engine, travel = setting.engine, problem.travel
    if isinstance(engine, NullEngine) or not isinstance(travel, GreatCircle):
        return problem, not_climbed(problem.locations, because=Gap.NO_ENGINE, engine=engine.name), None
    if len(problem.stops) > MOST_STOPS:
        return problem, not_climbed(problem.locations, because=Gap.TOO_MANY_STOPS, engine=engine.name), None
    every, (travel_s, distance_m) = range(len(problem.locations)), travel_matrices(problem)
    found = climb(
        problem.locations,
        estimate=(table(travel_s, every), table(distance_m, every)),
        factor=travel.factor,
        engine=engine,
        cache=cache,
        most_snap_m=setting.most_snap_m,
        seconds=setting.seconds,
    )
    answered = Answered(points=found.points, live=found.live) if found.quality.live else None
    if found.quality.word == "great_circle":
        return problem, found.quality, None
    matrix = Matrix(travel_s=found.travel_s, distance_m=found.distance_m)
    return replace(problem, travel=matrix), found.quality, answered


def packed(problem: Problem) -> tuple[dict[str, Any], bytes | None]:
    """A problem as a plan stores it: its JSON, and beside it the matrix its JSON names, if it has one.

    Notes
    -----
    As text 250 places are 600 KB, 5,000 are 250 MB; packed they are a quarter of it, and reading the rest of a plan's
    problem does not read them.
    """
    travel = problem.travel
    if not isinstance(travel, Matrix):
        return problem_to_json(problem), None
    file = io.BytesIO()
    np.savez_compressed(file, travel_s=_narrow(travel.travel_s), distance_m=_narrow(travel.distance_m))
    return problem_to_json(replace(problem, travel=replace(travel, path=MATRIX_FILE))), file.getvalue()


def unpacked(plan: Plan) -> dict[str, Any]:
    """The JSON of the problem that a plan was made for, its matrix in it: what `packed` took apart, exactly."""
    if plan.travel is None:
        return plan.problem
    with np.load(io.BytesIO(plan.travel), allow_pickle=False) as arrays:
        cells = {name: arrays[name].tolist() for name in ("travel_s", "distance_m")}
    return plan.problem | {"travel": {"kind": "matrix"} | cells}


def _narrow(cells: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int32]]:
    return cells.astype(np.int32)
