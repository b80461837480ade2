"""Public instances as problems of our own: one reader a format, each from the file's text.

All share one way of writing: one load unit, a second of travel costs 1, everything else 0, every stop mandatory, travel
time and distance the same rounded and scaled straight line; windows, durations and service times times the same scale.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from recycling.routing.problem import Euclidean, Problem, Station, Stop, Vehicle

Rounding = Literal["floor", "round"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A stop in the file's own units; ``skill`` is what a vehicle must have, empty for none."""

    number: int
    point: tuple[float, float]
    demand: int
    service: float
    window: tuple[float, float]
    skill: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    """A depot in the file's own units; ``unload`` is how long one on the way takes, ``None`` where it is forbidden."""

    point: tuple[float, float]
    window: tuple[float, float]
    unload: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Van:
    """A vehicle in the file's own units; ``depot`` counts from 0, ``longest`` of ``None`` is no limit."""

    depot: int
    capacity: int
    longest: float | None
    skills: frozenset[str] = frozenset()


def written(
    *, depots: Sequence[Depot], vans: Sequence[Van], clients: Sequence[Client], scale: int, rounding: Rounding
) -> Problem:
    """Depots, vehicles and clients as a problem."""

    def span(window: tuple[float, float]) -> tuple[int, int]:
        return round(scale * window[0]), round(scale * window[1])

    return Problem(
        day=date(2026, 1, 5),
        load_units=("units",),
        locations=tuple(d.point for d in depots) + tuple(c.point for c in clients),
        travel=Euclidean(scale=scale, rounding=rounding),
        stations=tuple(
            Station(
                key=f"d{n}", location=n, open_s=span(depot.window), unload_s=round(scale * (depot.unload or 0)),
                can_unload=depot.unload is not None, intake_limit=None,
            )
            for n, depot in enumerate(depots)
        ),
        vehicles=tuple(
            Vehicle(
                key=f"v{n}", start_station=f"d{van.depot}", end_station=f"d{van.depot}", capacity=(van.capacity,),
                skills=van.skills, shift_s=span(depots[van.depot].window),
                max_duration_s=None if van.longest is None else round(scale * van.longest),
                max_overtime_s=0, overtime_cost_per_s=0, break_=None, fixed_cost=0, cost_per_travel_s=1, cost_per_m=0,
                start=None, locked=(),
            )
            for n, van in enumerate(vans, start=1)
        ),
        stops=tuple(
            Stop(
                key=f"c{client.number}", location=len(depots) + n, windows_s=(span(client.window),),
                service_s=round(scale * client.service), load=(client.demand,),
                skills=frozenset([client.skill] if client.skill else []), skip_cost=None, prefer=None,
            )
            for n, client in enumerate(clients)
        ),
    )  # fmt: skip


# --- Gehring and Homberger ----------------------------------------------------------------------------------------


def homberger(text: str) -> Problem:
    """Solomon's format: ``VEHICLE`` with number and capacity, ``CUSTOMER`` with one row each, the depot first."""
    rows = [line.split() for line in text.splitlines()]
    number, capacity = (int(cell) for cell in next(row for row in rows if len(row) == 2 and row[0].isdigit()))
    table = [[float(cell) for cell in row] for row in rows if len(row) == 7 and row[0].isdigit()]
    home, *rest = table
    return written(
        depots=[Depot(point=(home[1], home[2]), window=(home[4], home[5]))],
        vans=[Van(depot=0, capacity=capacity, longest=None)] * number,
        clients=[
            Client(number=int(r[0]), point=(r[1], r[2]), demand=int(r[3]), window=(r[4], r[5]), service=r[6])
            for r in rest
        ],
        scale=10,
        rounding="floor",
    )


def multi_trip(problem: Problem, *, trips: int = 4) -> Problem:
    """A day of several trips from a day of one: a ``trips``-th of the capacity, unloading allowed at every depot."""
    return replace(
        problem,
        stations=tuple(replace(station, can_unload=True) for station in problem.stations),
        vehicles=tuple(replace(v, capacity=tuple(c // trips for c in v.capacity)) for v in problem.vehicles),
    )


# --- Cordeau, Laporte and Mercier ---------------------------------------------------------------------------------


def cordeau(text: str) -> Problem:
    """``type m n t``, then longest duration (0: none) and capacity of each depot, then stops, then depots."""
    rows = [[float(cell) for cell in line.split()] for line in text.splitlines() if line.strip()]
    _, per_depot, stops, count = (int(cell) for cell in rows[0][:4])
    rules, table = rows[1 : 1 + count], rows[1 + count :]
    if len(table) != stops + count:
        raise ValueError(f"{stops} stops and {count} depots announced, {len(table)} rows found")
    # The last two cells of a row are its window; patterns of visits between them and the demand do not matter here.
    return written(
        depots=[Depot(point=(r[1], r[2]), window=(r[-2], r[-1])) for r in table[stops:]],
        vans=[
            Van(depot=d, capacity=int(capacity), longest=longest or None)
            for d, (longest, capacity) in enumerate(rules)
            for _ in range(per_depot)
        ],
        clients=[
            Client(number=int(r[0]), point=(r[1], r[2]), service=r[3], demand=int(r[4]), window=(r[-2], r[-1]))
            for r in table[:stops]
        ],
        scale=1000,
        rounding="round",
    )


# --- VRPLIB with PyVRP's sections ---------------------------------------------------------------------------------


def vrplib_dialect(text: str) -> Problem:
    """``NAME: value`` lines and ``…_SECTION`` tables; nodes, vehicles and depots are numbered from 1."""
    head, sections = _parts(text)

    def column(name: str) -> dict[int, list[float]]:
        return {int(row[0]): [float(cell) for cell in row[1:]] for row in sections.get(f"{name}_SECTION", [])}

    number = int(head["VEHICLES"])

    def of_vehicles(name: str) -> list[float | None]:
        if name in head:
            return [float(head[name])] * number
        given = column(name)
        return [given[n][0] if n in given else None for n in range(1, number + 1)]

    point, demand, service = column("NODE_COORD"), column("DEMAND"), column("SERVICE_TIME")
    window = column("TIME_WINDOW")
    depots = [int(row[0]) for row in sections.get("DEPOT_SECTION", []) if row[0] != "-1"] or [1]
    home = [depots.index(int(d or depots[0])) for d in of_vehicles("VEHICLES_DEPOT")]
    allowed = {v: {int(c) for c in cells} for v, cells in column("VEHICLES_ALLOWED_CLIENTS").items()}
    clients = [n for n in point if n not in depots]
    skill = _skills(clients, allowed, number)
    return written(
        depots=[Depot(point=_pair(point[d]), window=_pair(window[d])) for d in depots],
        vans=[
            Van(
                depot=home[v - 1],
                capacity=int(capacity or 0),
                longest=longest,
                skills=frozenset(skill[c] for c in allowed.get(v, ()) if skill.get(c)),
            )
            for v, (capacity, longest) in enumerate(
                zip(of_vehicles("CAPACITY"), of_vehicles("VEHICLES_MAX_DURATION"), strict=True), start=1
            )
        ],
        clients=[
            Client(
                number=n, point=_pair(point[n]), demand=int(demand[n][0]), service=service[n][0],
                window=_pair(window[n]), skill=skill[n],
            )
            for n in clients
        ],
        scale=1000,
        rounding="round",
    )  # fmt: skip


def _parts(text: str) -> tuple[dict[str, str], dict[str, list[list[str]]]]:
    head: dict[str, str] = {}
    sections: dict[str, list[list[str]]] = {}
    rows: list[list[str]] | None = None
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.endswith("_SECTION"):
            rows = sections[line] = []
        elif line == "EOF":
            break
        elif ":" in line:
            name, _, value = line.partition(":")
            head[name.strip()] = value.strip()
        elif rows is not None:
            rows.append(line.split())
    return head, sections


def _skills(clients: Sequence[int], allowed: dict[int, set[int]], number: int) -> dict[int, str]:
    """One skill for each set of vehicles that clients are kept to; none where every vehicle will do."""
    names: dict[frozenset[int], str] = {}
    skill = {}
    for client in clients:
        fleet = frozenset(v for v in range(1, number + 1) if v not in allowed or client in allowed[v])
        skill[client] = "" if len(fleet) == number else names.setdefault(fleet, f"set-{len(names) + 1}")
    return skill


def _pair(cells: Sequence[float]) -> tuple[float, float]:
    return cells[0], cells[1]


# --- Crevier, Cordeau and Laporte ---------------------------------------------------------------------------------


def crevier(text: str) -> Problem:
    """Vehicles of one central depot unload at every depot, which counts towards the longest duration.

    The central depot stands twice in the problem: as everybody's home, where the return takes no time, and as one of
    the places to unload.
    """
    raw = json.loads(text)
    longest = float(raw["max_rotation_duration"])
    day, points = (0.0, longest), [_pair(point) for point in raw["depots"]]
    home = Depot(point=points[raw["central_depot_index"]], window=day)
    return written(
        depots=[home, *(Depot(point=point, window=day, unload=float(raw["docking_time"])) for point in points)],
        vans=[Van(depot=0, capacity=int(raw["capacity"]), longest=longest)] * int(raw["vehicles"]),
        clients=[
            Client(
                number=int(c["id"]), point=(float(c["x"]), float(c["y"])), demand=int(c["demand"]),
                service=float(c["service"]), window=day,
            )
            for c in raw["customers"]
        ],
        scale=1000,
        rounding="round",
    )  # fmt: skip
