"""The places along tentative routes: when a vehicle can leave each, must arrive at each, and what it then carries.

Worked out once for a route when it changes, so that `board` can judge every gap between them in constant time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from recycling.routing.course import PICKUP, REST, UNLOAD, Act
from recycling.routing.day import Day, Ints, Load, Rig, Windows
from recycling.routing.problem import Problem
from recycling.routing.standing import StandingRoute

LATE = 2**40  # a departure that never comes
NOWHERE = -1
Floats = npt.NDArray[np.float64]


class Nodes:
    """The places along one or more routes, one after the other; the gap of a node lies between it and the next.

    All in one table, a row per figure, so that the routes of a day are joined in one step.

    Parameters
    ----------
    point
        2 × nodes: latitude and longitude in radians.
    table
        Rows: vehicle; departure with lunch owed, and settled; latest arrival likewise; limited station that the trip
        goes to; position; whether the node ends its route; seconds to the next node; per load unit the load when
        leaving; per load unit the load still to come on the trip; per relief station the seconds to it.
    """

    __slots__ = ("ahead", "end", "latest_s", "leave_s", "on_board", "point", "position", "sink", "table", "to_next_s",
                 "to_station_s", "units", "vehicle")  # fmt: skip

    def __init__(self, point: Floats, table: Ints, *, units: int) -> None:
        self.point, self.table, self.units = point, table, units
        self.vehicle, self.leave_s, self.latest_s = table[0], table[1:3], table[3:5]
        self.sink, self.position, self.end, self.to_next_s = table[5], table[6], table[7], table[8]
        self.on_board, self.ahead = table[9 : 9 + units], table[9 + units : 9 + 2 * units]
        self.to_station_s = table[9 + 2 * units :]

    @classmethod
    def joined(cls, parts: Sequence[Nodes]) -> Nodes:
        """The nodes of several routes."""
        return cls(
            np.concatenate([part.point for part in parts], axis=1),
            np.concatenate([part.table for part in parts], axis=1),
            units=parts[0].units,
        )


def nodes_of(
    route: StandingRoute, v: int, day: Day, *, seconds: Callable[[Floats, Floats], Floats], relief: Floats
) -> Nodes | None:
    """The nodes of one route; ``None`` for a vehicle that cannot go out, or whose day has a limit on its length.

    Parameters
    ----------
    v
        Index of the vehicle.
    seconds
        Driving between points in radians, of `travel.ways`.
    relief
        n × 2: the relief stations, in radians.
    """
    frame, rig = day.problem, day.rigs[v]
    if rig.starts_s is None or rig.max_duration_s is not None:
        return None
    acts = [act for act in route.acts if act[0] != REST]
    spans = [_span(act, route, frame) for act in acts]
    stations = frame.locations
    places = [stations[rig.start]]
    for kind, index, _ in acts:
        if kind == PICKUP:
            places.append((route.visits[index].lat, route.visits[index].lon))
        else:
            places.append(stations[frame.stations[index].location])
    places.append(stations[rig.end])
    point = np.radians(np.array(places))
    to_next = np.zeros(len(places), dtype=np.int64)
    to_next[:-1] = seconds(point[:-1], point[1:])
    hops = [int(way_s) for way_s in to_next[:-1]]
    on_board, ahead, sink, position = _loads(day, rig, acts, route)
    departures, arrivals = _departures(rig, hops, spans), _arrivals(rig, hops, spans)
    end = [0] * (len(places) - 1) + [1]
    figures = [
        [v] * len(places), *zip(*departures, strict=True), *zip(*arrivals, strict=True), sink, position, end,
        to_next.tolist(), *zip(*on_board, strict=True), *zip(*ahead, strict=True),
    ]  # fmt: skip
    to_station = seconds(point[None, :], relief[:, None]).astype(np.int64).reshape(-1, len(places))
    return Nodes(
        np.ascontiguousarray(point.T),
        np.concatenate([np.array(figures, dtype=np.int64), to_station]),
        units=len(frame.load_units),
    )


def _span(act: Act, route: StandingRoute, frame: Problem) -> tuple[Windows, int]:
    kind, index, _ = act
    if kind == UNLOAD:
        station = frame.stations[index]
        return ((station.open_s[0], station.open_s[1] - station.unload_s),), station.unload_s
    return route.visits[index].windows_s, route.visits[index].service_s


def _loads(
    day: Day, rig: Rig, acts: Sequence[Act], route: StandingRoute
) -> tuple[list[Load], list[Load], list[int], list[int]]:
    """Per node: load when leaving it, load still to come on that trip, the limited station it goes to, position."""
    nothing = day.nothing
    on_board, position = [rig.begins_with], [0]
    for kind, index, _ in acts:
        load = nothing if kind == UNLOAD else _plus(on_board[-1], route.visits[index].load)
        on_board.append(load)
        position.append(position[-1] + (kind == PICKUP))
    on_board.append(nothing)
    position.append(position[-1])
    ahead, sink = [nothing, nothing], [NOWHERE, day.limited.get(rig.end_station, NOWHERE)]
    for kind, index, _ in reversed(acts):
        to_come, where = ahead[-1], sink[-1]
        if kind == UNLOAD:
            ahead.append(nothing)
            sink.append(day.limited.get(index, NOWHERE))
        else:
            ahead.append(_plus(to_come, route.visits[index].load))
            sink.append(where)
    ahead.reverse()
    sink.reverse()
    return on_board, ahead, sink, position


def _plus(one: Load, other: Load) -> Load:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _departures(rig: Rig, hops: Sequence[int], spans: Sequence[tuple[Windows, int]]) -> list[tuple[int, int]]:
    """Earliest departure from each node with lunch owed, and with lunch settled: taken, or never due."""
    first, last = rig.starts_s or (0, 0)
    ready = max(first, rig.ready_s)
    if rig.rest is None:
        owed, settled = LATE, ready
    else:
        opens, closes, length = rig.rest
        owed, settled = (ready, max(first, opens)) if first < opens else (LATE, ready)
        if settled > last and first != last:
            settled = LATE
    out = [(owed, settled)]
    for hop, (windows, service_s) in zip(hops, spans, strict=False):
        reached = _served(settled + hop, windows)
        arrived = owed + hop
        owed = _served(arrived, windows)
        if rig.rest is not None and arrived < LATE:
            for rest, still in ((max(arrived - hop, opens), hop), (max(arrived, opens), 0)):
                if rest <= closes:
                    reached = min(reached, _served(rest + length + still, windows))
        owed, settled = owed + service_s, reached + service_s
        if rig.rest is not None and owed < LATE and max(owed, opens) <= closes:
            settled = min(settled, max(owed, opens) + length)
        owed, settled = min(owed, LATE), min(settled, LATE)
        out.append((owed, settled))
    out.append((LATE, LATE))  # nothing leaves from the end
    return out


def _arrivals(rig: Rig, hops: Sequence[int], spans: Sequence[tuple[Windows, int]]) -> list[tuple[int, int]]:
    """Latest arrival at each node that keeps what follows possible, with lunch owed and with lunch settled."""
    home = min(rig.latest_s, rig.end_open_s[1]) - rig.end_unload_s
    settled = home if home >= rig.end_open_s[0] else NOWHERE
    owed = NOWHERE
    if rig.rest is not None:
        closes = rig.rest[1]
        owed = min(home, closes - rig.end_unload_s)  # home before lunch would be due
        if owed < rig.end_open_s[0]:
            owed = NOWHERE
        owed = max(owed, _rest_before(home, rig.rest))
    out = [(owed, settled)]
    for hop, (windows, service_s) in zip(reversed(hops), (*reversed(spans), ((), 0)), strict=True):
        leave_settled, leave_owed = settled - hop, owed - hop
        if rig.rest is not None:
            leave_owed = max(leave_owed, _rest_before(leave_settled, rig.rest), _rest_before(settled, rig.rest) - hop)
        owed, settled = (_reached(leave - service_s, windows) for leave in (leave_owed, leave_settled))
        out.append((owed, settled))
    out.reverse()
    return out


def _served(arrival: int, windows: Windows) -> int:
    """Earliest start of service of somebody who arrives then, `LATE` when that is too late."""
    return next((max(arrival, opens) for opens, closes in windows if arrival <= closes), LATE)


def _reached(latest_start: int, windows: Windows) -> int:
    """Latest arrival for a service that starts no later than ``latest_start``."""
    return next((min(latest_start, closes) for opens, closes in reversed(windows) if latest_start >= opens), NOWHERE)


def _rest_before(instant: int, rest: tuple[int, int, int]) -> int:
    """Latest begin of standing still so that a whole break is over by ``instant``; `NOWHERE` when none is possible."""
    opens, closes, length = rest
    latest = min(closes, instant - length)
    return latest if latest >= opens else NOWHERE
